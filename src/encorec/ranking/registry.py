"""Every kind of ranker, by the name it has in a configuration."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol, Self, TypeAlias, runtime_checkable

import msgspec
import numpy as np

from encorec.config import Config
from encorec.protocols import Ranker
from encorec.ranking.catboost_ranker import CatBoostConfig, CatBoostRanker
from encorec.ranking.lightgbm_ranker import LightGBMConfig, LightGBMRanker
from encorec.ranking.linear_ranker import LinearConfig, LinearRanker
from encorec.ranking.training_set import TrainingSet
from encorec.types import FloatMatrix

__all__ = ["RANKERS", "LearntRanker", "RankerConfig", "grow_again", "load_ranker", "make_ranker"]

RankerConfig: TypeAlias = CatBoostConfig | LightGBMConfig | LinearConfig


@runtime_checkable
class LearntRanker(Ranker, Protocol):
    """A ranker of the registry: it learns from rows and can say what its scores are made of."""

    config: Any

    @property
    def trees(self) -> int:
        """Number of trees; 0 where it has none."""
        ...

    def fit(
        self,
        rows: TrainingSet,
        names: tuple[str, ...],
        *,
        seed: int,
        watched: TrainingSet | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> Self:
        """Learn from rows sorted by group; ``watched`` rows say when to stop."""
        ...

    def importance(self) -> dict[str, float]:
        """Share of each feature, largest first."""
        ...

    def contributions(self, features: FloatMatrix) -> FloatMatrix:
        """(m, features) -> (m, features + 1) parts of the score; the last column is the average."""
        ...

    @classmethod
    def load(cls, folder: Path, config: Any) -> Self:
        """Read what ``save`` wrote."""
        ...


RANKERS: Mapping[type[Config], Any] = {
    CatBoostConfig: CatBoostRanker,
    LightGBMConfig: LightGBMRanker,
    LinearConfig: LinearRanker,
}


def make_ranker(config: RankerConfig) -> LearntRanker:
    """An unfitted ranker of the kind that ``config`` is for.

    Example:
        >>> type(make_ranker(LinearConfig())).__name__
        'LinearRanker'
    """
    return RANKERS[type(config)](config)


def grow_again(
    ranker: LearntRanker,
    rows: TrainingSet,
    names: tuple[str, ...],
    *,
    seed: int,
    progress: Callable[[int, int], None] | None = None,
) -> LearntRanker:
    """Another ranker of the same settings and as many trees, from other rows, all of which teach.

    Args:
        ranker: fitted; it stays as it is.
        rows: r rows, sorted by group.
        names: of the features.
        seed: of the trees.
        progress: told how many trees are grown, and of how many.

    Example:
        >>> query = np.arange(200) // 10
        >>> features = np.random.default_rng(0).random((200, 2)).astype(np.float32)
        >>> rows = TrainingSet(features, (features[:, 0] > .5).astype(np.float32), query, query)
        >>> ranker = make_ranker(CatBoostConfig(max_trees=9)).fit(rows, ("a", "b"), seed=0)
        >>> grow_again(ranker, rows, ("a", "b"), seed=0).trees == ranker.trees
        True
    """
    config = ranker.config
    if not isinstance(config, LinearConfig):
        models = config.seeds if isinstance(config, CatBoostConfig) else 1
        config = msgspec.structs.replace(config, max_trees=max(1, round(ranker.trees / models)))
    nobody = rows.take(np.zeros(len(rows), bool))
    return make_ranker(config).fit(rows, names, seed=seed, watched=nobody, progress=progress)


def load_ranker(folder: Path, config: RankerConfig) -> LearntRanker:
    """The fitted ranker that was saved into ``folder``.

    Args:
        folder: of an artifact.
        config: that it was fitted with.

    Raises:
        ArtifactError: files that are missing or of another kind of ranker.
    """
    return RANKERS[type(config)].load(folder, config)
