"""Every kind of ranker, by the name it has in a configuration."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol, Self, TypeAlias, runtime_checkable

from encorec.config import Config
from encorec.protocols import Ranker
from encorec.ranking.catboost_ranker import CatBoostConfig, CatBoostRanker
from encorec.ranking.lightgbm_ranker import LightGBMConfig, LightGBMRanker
from encorec.ranking.linear_ranker import LinearConfig, LinearRanker
from encorec.ranking.training_set import TrainingSet
from encorec.types import FloatMatrix

__all__ = ["RANKERS", "LearntRanker", "RankerConfig", "load_ranker", "make_ranker"]

RankerConfig: TypeAlias = CatBoostConfig | LightGBMConfig | LinearConfig


@runtime_checkable
class LearntRanker(Ranker, Protocol):
    """A ranker of the registry: it learns from rows and can say what its scores are made of."""

    config: Any

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


def load_ranker(folder: Path, config: RankerConfig) -> LearntRanker:
    """The fitted ranker that was saved into ``folder``.

    Args:
        folder: of an artifact.
        config: that it was fitted with.

    Raises:
        ArtifactError: files that are missing or of another kind of ranker.
    """
    return RANKERS[type(config)].load(folder, config)
