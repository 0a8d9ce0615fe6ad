"""Gradient-boosted oblivious trees: the ranker of the second stage."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Literal, Self

import msgspec

from encorec.config import Config, bounded
from encorec.errors import ArtifactError, NotFitted
from encorec.ranking.oblivious_trees import ObliviousTrees
from encorec.ranking.row_weights import (
    PositiveWeight,
    check_positive_weight,
    given_weights,
    held_out_users,
    positives,
    row_weights,
)
from encorec.ranking.training_set import TrainingSet
from encorec.types import FloatMatrix, FloatVector

__all__ = ["CatBoostConfig", "CatBoostRanker"]

MODEL, TREES = "ranker.cbm", "ranker.json"


class CatBoostConfig(Config, tag="catboost", tag_field="kind"):
    """How the trees are grown.

    Args:
        loss: Logloss learns each row alone, YetiRank and QuerySoftMax the order within a query.
        max_trees: upper limit; early stopping ends sooner.
        depth: splits from root to leaf.
        learning_rate: share of each tree's step.
        reg: L2 penalty of the leaves.
        patience: trees without gain on held-out users before growing ends.
        holdout: share of the users held out for that where there is no separate label fold for it.
        borders: values per feature that splits are tried at.
        positive_weight: of rows that were taken, or ``balanced``; for Logloss only.
        seeds: models that differ by their seed alone and whose scores are averaged; lakshminarayanan2017.
    """

    loss: Literal["Logloss", "YetiRank", "QuerySoftMax"] = "Logloss"
    max_trees: int = 1000
    depth: int = 6
    learning_rate: float = 0.05
    reg: float = 5.0
    patience: int = 50
    holdout: float = 0.2
    borders: int = 128
    positive_weight: PositiveWeight = 1.0
    seeds: int = 1

    def __post_init__(self) -> None:
        bounded(self, max_trees=(1, 100_000), depth=(1, 16), learning_rate=(1e-6, 1), reg=(0, 10**6))
        bounded(self, patience=(1, 100_000), holdout=(0.01, 0.9), borders=(2, 65_535), seeds=(1, 100))
        check_positive_weight(self, self.positive_weight, by_row=self.loss == "Logloss")


class CatBoostRanker:
    """Scores rows of candidate features. CatBoost grows the trees; scoring needs numpy and a compiled loop only.

    Args:
        config: how trees are grown.
        model: content of a CatBoost file.
        trees: the same model, ready to score.

    Example:
        >>> import numpy as np
        >>> rng = np.random.default_rng(0)
        >>> features = rng.random((200, 2)).astype(np.float32)
        >>> query = np.arange(200) // 10
        >>> rows = TrainingSet(features, (features[:, 0] > .5).astype(np.float32), query, query)
        >>> ranker = CatBoostRanker(CatBoostConfig(max_trees=20)).fit(rows, ("a", "b"), seed=0)
        >>> better, worse = ranker.score(np.array([[.9, 0], [.1, 0]], np.float32))
        >>> bool(better > worse)
        True
    """

    def __init__(
        self, config: CatBoostConfig | None = None, model: bytes | None = None, trees: dict[str, Any] | None = None
    ) -> None:
        self.config = config or CatBoostConfig()
        self._model, self._content = model, trees
        self._trees = None if trees is None else ObliviousTrees(trees)

    def fit(
        self,
        rows: TrainingSet,
        names: tuple[str, ...],
        *,
        seed: int,
        watched: TrainingSet | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> Self:
        """Grow trees; stop when a smooth loss no longer falls on rows that none of the trees saw.

        Args:
            rows: r rows, sorted by group.
            names: of the features.
            seed: of the trees and of the choice of held-out users.
            watched: rows of a later label fold that say when to stop; none = those of some users are held out.
            progress: told how many trees are grown, and of how many at most.
        """
        from encorec.ranking import boosting

        if watched is None:
            held_out = held_out_users(rows, self.config.holdout, seed)
            rows, watched = (rows.take(~held_out), rows.take(held_out)) if held_out.any() else (rows, None)
        by_row, count = self.config.loss == "Logloss", self.config.seeds
        weigh = row_weights(rows, self.config.positive_weight) if by_row else given_weights
        self._model = boosting.average(
            [
                boosting.grow(
                    rows,
                    names,
                    self._parameters(seed + place),
                    watched=watched,
                    patience=self.config.patience,
                    target=positives if by_row else _label,
                    weigh=weigh,
                    by_query=not by_row,
                    progress=None if progress is None else partial(_counted, progress, place, count),
                )
                for place in range(count)
            ]
        )
        self._content = boosting.export(self._model)
        self._trees = ObliviousTrees(self._content)
        return self

    def score(self, features: FloatMatrix) -> FloatVector:
        """(m, features) float32 -> (m,) float64 raw scores; larger is better.

        Raises:
            NotFitted: before ``fit`` or ``load``.
        """
        if self._trees is None:
            raise NotFitted("CatBoostRanker")
        return self._trees.score(features)

    @property
    def trees(self) -> int:
        """Number of trees grown."""
        return 0 if self._trees is None else len(self._trees)

    def importance(self) -> dict[str, float]:
        """Share of the prediction's change that each feature causes, largest first, summing to 1."""
        from encorec.ranking import boosting

        return boosting.importance(self._fitted)

    def contributions(self, features: FloatMatrix) -> FloatMatrix:
        """(m, features) float32 -> (m, features + 1) SHAP values; the last column is the average. lundberg2018."""
        from encorec.ranking import boosting

        return boosting.contributions(self._fitted, features)

    def save(self, folder: Path) -> None:
        """Write ``ranker.cbm`` (the model) and ``ranker.json`` (its trees) into ``folder``."""
        (folder / MODEL).write_bytes(self._fitted)
        (folder / TREES).write_bytes(msgspec.json.encode(self._content))

    @classmethod
    def load(cls, folder: Path, config: CatBoostConfig) -> Self:
        """Read what ``save`` wrote.

        Raises:
            ArtifactError: a file is missing or is not what ``save`` wrote.
        """
        try:
            trees = msgspec.json.decode((folder / TREES).read_bytes(), type=dict[str, Any])
            return cls(config, (folder / MODEL).read_bytes(), trees)
        except (OSError, msgspec.DecodeError, KeyError, TypeError, ValueError) as error:
            raise ArtifactError(f"{folder / TREES}: not the trees of a ranker; train again ({error})") from error

    @property
    def _fitted(self) -> bytes:
        if self._model is None:
            raise NotFitted("CatBoostRanker")
        return self._model

    def _parameters(self, seed: int) -> dict[str, Any]:
        config = self.config
        return {
            "loss_function": config.loss,
            "iterations": config.max_trees,
            "depth": config.depth,
            "learning_rate": config.learning_rate,
            "l2_leaf_reg": config.reg,
            "border_count": config.borders,
            "random_seed": seed,
        }


def _label(rows: TrainingSet) -> FloatVector:
    return rows.label


def _counted(progress: Callable[[int, int], None], place: int, count: int, done: int, total: int) -> None:
    """Trees of one of several models among those of all."""
    progress(place * total + done, count * total)
