"""Logistic regression: the honest floor under every tree."""

from collections.abc import Callable
from pathlib import Path
from typing import Self

import msgspec
import numpy as np

from encorec.config import Config, bounded
from encorec.errors import ArtifactError, NotFitted
from encorec.ranking.binned_weights import BinnedWeights, bin_codes, quantile_edges
from encorec.ranking.logistic_regression import fit_logistic
from encorec.ranking.row_weights import PositiveWeight, check_positive_weight, positives, row_weights
from encorec.ranking.training_set import TrainingSet
from encorec.types import FloatMatrix, FloatVector

__all__ = ["LinearConfig", "LinearRanker"]

MODEL = "ranker.json"


class LinearConfig(Config, tag="linear", tag_field="kind"):
    """How the weights are learnt.

    Args:
        bins: of each feature, quantiles; a value counts by its bin, so no outlier weighs more than its neighbours.
        reg: L2 penalty of the weights, against the summed log loss.
        max_steps: of the search for the minimum.
        positive_weight: of rows that were taken, or ``balanced``.
    """

    bins: int = 16
    reg: float = 30.0
    max_steps: int = 300
    positive_weight: PositiveWeight = 1.0

    def __post_init__(self) -> None:
        bounded(self, bins=(2, 10_000), reg=(1e-6, 10**9), max_steps=(1, 100_000))
        check_positive_weight(self, self.positive_weight, by_row=True)


class _Learnt(msgspec.Struct, frozen=True, kw_only=True):
    """What ``ranker.json`` holds; ``spread`` is the standard deviation of each feature's part in the scores."""

    names: list[str]
    edges: list[list[float]]
    weights: list[list[float]]
    intercept: float
    spread: list[float]


class LinearRanker:
    """Scores rows of candidate features by a weight for each bin of each feature, the unknown being one of them.

    Args:
        config: how the weights are learnt.
        learnt: content of its file.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> features = rng.random((200, 2)).astype(np.float32)
        >>> query = np.arange(200) // 10
        >>> rows = TrainingSet(features, (features[:, 0] > .5).astype(np.float32), query, query)
        >>> ranker = LinearRanker(LinearConfig(bins=4, reg=1)).fit(rows, ("a", "b"), seed=0)
        >>> better, worse = ranker.score(np.array([[.9, 0], [.1, 0]], np.float32))
        >>> bool(better > worse), next(iter(ranker.importance()))
        (True, 'a')
    """

    def __init__(self, config: LinearConfig | None = None, learnt: _Learnt | None = None) -> None:
        self.config = config or LinearConfig()
        self._content = learnt
        self._model = None if learnt is None else BinnedWeights(learnt.edges, learnt.weights, learnt.intercept)

    def fit(
        self,
        rows: TrainingSet,
        names: tuple[str, ...],
        *,
        seed: int,
        watched: TrainingSet | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> Self:
        """Learn the weights; there is one best set of them, so nothing is drawn and nothing is watched.

        Args:
            rows: r rows, sorted by group.
            names: of the features.
            seed: not needed.
            watched: left aside, so that these rows stay unseen as they do with trees.
            progress: told how many steps are done, and of how many at most.
        """
        config, features = self.config, np.asarray(rows.features, np.float32)
        edges = quantile_edges(features, config.bins)
        sizes = np.array([len(one) + 2 for one in edges], np.int64)
        first = np.cumsum(sizes) - sizes
        code = bin_codes(features, edges) + first.astype(np.int32)
        weight = row_weights(rows, config.positive_weight)(rows)
        found, intercept = fit_logistic(
            code,
            int(sizes.sum()),
            positives(rows),
            np.ones(len(rows)) if weight is None else weight,
            reg=config.reg,
            max_steps=config.max_steps,
            told=None if progress is None else lambda done: progress(done, config.max_steps),
        )
        parts = found[code]
        average = parts.mean(axis=0)
        self._content = _Learnt(
            names=list(names),
            edges=[one.astype(float).tolist() for one in edges],
            weights=[
                (found[start : start + size] - mean).tolist()
                for start, size, mean in zip(first, sizes, average, strict=True)
            ],
            intercept=intercept + float(average.sum()),
            spread=parts.std(axis=0).tolist(),
        )
        self._model = BinnedWeights(self._content.edges, self._content.weights, self._content.intercept)
        return self

    def score(self, features: FloatMatrix) -> FloatVector:
        """(m, features) float32 -> (m,) float64 log-odds; larger is better.

        Raises:
            NotFitted: before ``fit`` or ``load``.
        """
        return self._fitted[0].score(features)

    @property
    def trees(self) -> int:
        """It has none."""
        return 0

    def importance(self) -> dict[str, float]:
        """Share of each feature in how far scores are apart, largest first; all 0 where no feature tells anything."""
        learnt = self._fitted[1]
        total = max(sum(learnt.spread), 1e-300)
        shares = {name: one / total for name, one in zip(learnt.names, learnt.spread, strict=True)}
        return dict(sorted(shares.items(), key=lambda one: -one[1]))

    def contributions(self, features: FloatMatrix) -> FloatMatrix:
        """(m, features) float32 -> (m, features + 1): what each adds to the average row's score, the last column.

        For a sum of functions of one feature each, these are the SHAP values; lundberg2018.
        """
        return self._fitted[0].contributions(features)

    def save(self, folder: Path) -> None:
        """Write ``ranker.json`` into ``folder``."""
        (folder / MODEL).write_bytes(msgspec.json.encode(self._fitted[1]))

    @classmethod
    def load(cls, folder: Path, config: LinearConfig) -> Self:
        """Read what ``save`` wrote.

        Raises:
            ArtifactError: the file is missing or is not what ``save`` wrote.
        """
        try:
            learnt = msgspec.json.decode((folder / MODEL).read_bytes(), type=_Learnt)
            if not len(learnt.names) == len(learnt.edges) == len(learnt.spread):
                raise ValueError(f"{len(learnt.names)} names of {len(learnt.edges)} features")
            return cls(config, learnt)
        except (OSError, msgspec.MsgspecError, ValueError) as error:
            raise ArtifactError(f"{folder / MODEL}: not the weights of a ranker; train again ({error})") from error

    @property
    def _fitted(self) -> tuple[BinnedWeights, _Learnt]:
        if self._model is None or self._content is None:
            raise NotFitted("LinearRanker")
        return self._model, self._content
