"""The contract of a ranker: small laws, each a function that raises ``ContractError`` where it is broken."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol, Self

import numpy as np

from encorec.errors import NotFitted
from encorec.protocols import Ranker
from encorec.ranking.training_set import TrainingSet
from encorec.testing.contract import require, same_bits, through_json
from encorec.types import FloatMatrix, FloatVector

__all__ = ["RankerCase", "TrainableRanker", "check_ranker", "yield_ranker_checks"]


class TrainableRanker(Ranker, Protocol):
    """A ranker that learns from a training set, is saved into a folder, and keeps its configuration."""

    config: Any

    def fit(self, rows: TrainingSet, names: tuple[str, ...], *, seed: int) -> Self:
        """Learn from ``rows``, whose (r, F) features have these F names."""
        ...

    @classmethod
    def load(cls, folder: Path, config: Any) -> Self:
        """The ranker that ``save`` wrote into ``folder``."""
        ...


@dataclass(frozen=True)
class RankerCase:
    """One ranker under test; it is fitted once, at the first check that needs it.

    Args:
        make: makes it unfitted.
        rows: what it learns from and is asked about.
        seed: of every fit.

    Example:
        >>> from encorec.ranking.catboost_ranker import CatBoostConfig, CatBoostRanker
        >>> features = np.eye(4, dtype=np.float32)
        >>> rows = TrainingSet(features, features[:, 0], np.arange(4) // 2, np.arange(4))
        >>> RankerCase(lambda: CatBoostRanker(CatBoostConfig(max_trees=3)), rows).score(features).shape
        (4,)
    """

    make: Callable[[], TrainableRanker]
    rows: TrainingSet
    seed: int = 0

    @cached_property
    def model(self) -> TrainableRanker:
        """Fitted on the rows."""
        return self.fit()

    @property
    def name(self) -> str:
        """Of the class under test."""
        return type(self.model).__name__

    def fit(self) -> TrainableRanker:
        """A new one, fitted under the same seed."""
        names = tuple(f"feature_{place}" for place in range(self.rows.features.shape[1]))
        return self.make().fit(self.rows, names, seed=self.seed)

    def require(self, holds: bool | np.bool_, told: str) -> None:
        """Refuse the ranker unless the law holds.

        Raises:
            ContractError: it does not hold.
        """
        require(holds, self.name, told)

    def score(self, features: FloatMatrix, model: TrainableRanker | None = None) -> FloatVector:
        """(m, F) features -> (m,) scores of ``model``, or the one fitted, after a look at their number and kind.

        Raises:
            ContractError: they are not what a ranker may answer.
        """
        scores, allowed = (model or self.model).score(features.copy(order="K")), (len(features),)
        self.require(
            scores.shape == allowed, f"scores have the shape {scores.shape}, allowed is {allowed}: drop nothing"
        )
        self.require(scores.dtype.kind == "f", f"scores are {scores.dtype}, allowed are floating point numbers")
        self.require(not np.isnan(scores).any(), "scores hold NaN; allowed is a number for every row")
        return scores


RankerCheck = Callable[[RankerCase], None]


def check_ranker(make: Callable[[], TrainableRanker], rows: TrainingSet) -> None:
    """Hold a ranker to its contract.

    Args:
        make: makes it unfitted; its class, where every setting has a default.
        rows: r rows with F features, at least 2 users and both labels.

    Raises:
        ContractError: at the first law that is broken.

    Example:
        >>> from encorec.ranking.catboost_ranker import CatBoostConfig, CatBoostRanker
        >>> features = np.random.default_rng(0).random((40, 2), np.float32)
        >>> users = np.arange(40) // 4
        >>> rows = TrainingSet(features, (features[:, 0] > 0.5).astype(np.float32), users, users)
        >>> check_ranker(lambda: CatBoostRanker(CatBoostConfig(max_trees=5)), rows)
    """
    case = RankerCase(make, rows)
    for check in yield_ranker_checks():
        check(case)


def yield_ranker_checks() -> Iterator[RankerCheck]:
    """Every law of the contract, for one test each; its ``__name__`` says what holds.

    Example:
        >>> next(yield_ranker_checks()).__name__
        'refuses_before_fit'
    """
    yield from (refuses_before_fit, same_seed_gives_same_scores, scores_every_row, scores_follow_their_rows)
    yield from (batch_equals_one_by_one, memory_order_does_not_matter, takes_unknown_features)
    yield from (gives_nothing_for_nothing, leaves_features_as_they_are, loaded_equals_saved)


def refuses_before_fit(case: RankerCase) -> None:
    """An unfitted ranker says so instead of guessing."""
    told = "answers before fit; allowed is NotFitted"
    try:
        case.make().score(case.rows.features)
    except NotFitted:
        return
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        told = f"fails before fit with {type(error).__name__}; raise NotFitted instead"
    case.require(False, told)


def same_seed_gives_same_scores(case: RankerCase) -> None:
    """Two fits under one seed score alike to the last bit."""
    features = case.rows.features
    same = same_bits(case.score(features), case.score(features, case.fit()))
    case.require(same, "two fits under one seed score differently; draw from the seed given and nothing else")


def scores_every_row(case: RankerCase) -> None:
    """As many scores as rows, whatever the number."""
    for size in (1, 2, len(case.rows)):
        case.score(case.rows.features[:size])


def scores_follow_their_rows(case: RankerCase) -> None:
    """Rows in another order get the same scores in that order."""
    features = case.rows.features
    order = np.random.default_rng(case.seed).permutation(len(features))
    same = same_bits(case.score(features)[order], case.score(features[order]))
    case.require(same, "the score of a row depends on its place; score every row by its features alone")


def batch_equals_one_by_one(case: RankerCase) -> None:
    """Each row scored alone gets, to the last bit, what it gets among others."""
    features = case.rows.features[:20]
    alone = np.concatenate([case.score(features[row : row + 1]) for row in range(len(features))])
    case.require(same_bits(case.score(features), alone), "the score of a row depends on the rows around it")


def memory_order_does_not_matter(case: RankerCase) -> None:
    """Features stored by row or by column are the same features."""
    by_row, by_column = np.ascontiguousarray(case.rows.features), np.asfortranarray(case.rows.features)
    same = same_bits(case.score(by_row), case.score(by_column))
    case.require(same, "scores depend on whether features are stored by row or by column")


def takes_unknown_features(case: RankerCase) -> None:
    """NaN in any feature, or in all, still gives a number."""
    features = case.rows.features[:5]
    for column in range(features.shape[1]):
        unknown = features.copy()
        unknown[:, column] = np.nan
        case.score(unknown)
    case.score(np.full_like(features, np.nan))


def gives_nothing_for_nothing(case: RankerCase) -> None:
    """No row, no score."""
    case.score(case.rows.features[:0])


def leaves_features_as_they_are(case: RankerCase) -> None:
    """Scoring changes nothing in the features."""
    given = case.rows.features.copy()
    case.model.score(given)
    case.require(same_bits(given, case.rows.features), "score changed the features it was given; work on a copy")


def loaded_equals_saved(case: RankerCase) -> None:
    """Saved into a folder, and the configuration through JSON: the same scores."""
    features = case.rows.features
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        case.model.save(Path(folder))
        loaded = type(case.model).load(Path(folder), through_json(case.model.config))
        same = same_bits(case.score(features), case.score(features, loaded))
    case.require(same, "scores differently after save and load; save everything learnt")
