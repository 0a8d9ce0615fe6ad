"""What the user takes again: own past events, each worth half after a half-life."""

from functools import cached_property

import numpy as np

from encorec.config import Config, bounded
from encorec.data.dataset import Dataset
from encorec.protocols import Arrays, Scored
from encorec.retrieval.scored import SparseScores
from encorec.retrieval.scoring import ScoringRetriever, popularity_prior
from encorec.types import Queries

__all__ = ["Repeats", "RepeatsConfig"]

DAY = 86_400


class RepeatsConfig(Config, tag="repeats", tag_field="kind"):
    """How fast own events fade.

    Args:
        half_life_days: an own event counts half after so many days.
    """

    half_life_days: float = 120.0

    def __post_init__(self) -> None:
        bounded(self, half_life_days=(1e-3, 36_500))


class Repeats(ScoringRetriever):
    """Summed weight of the user's own events per item; items never taken follow by popularity.

    Useful only where seen items may be shown again.

    Example:
        >>> from encorec.data.interactions import Interactions
        >>> from encorec.types import Eligibility, Histories
        >>> data = Dataset.of(Interactions.of([0, 1, 2], [0, 1, 1], [1, 2, 3]))
        >>> model = Repeats().fit(data, rng=np.random.default_rng(0))
        >>> queries = Queries(Histories.of([([0], [7])]), np.array([9]), Eligibility(np.ones(2, bool)))
        >>> model.retrieve(queries, 2).item.tolist()
        [0, 1]
    """

    Settings = RepeatsConfig

    def learn(self, data: Dataset, rng: np.random.Generator) -> Arrays:
        """Only the order of items never taken."""
        return {"prior": popularity_prior(data)}

    def scored(self, queries: Queries) -> Scored:
        """Summed faded weights; items that the user never took follow by popularity."""
        history = queries.history.compact()
        age = np.maximum(queries.now[history.owner] - history.time, 0) / (self.config.half_life_days * DAY)
        weight = (history.weight * 0.5**age).astype(np.float32)
        return SparseScores(history.indptr, history.item, weight, self._itself, self.order("prior"))

    @cached_property
    def _itself(self) -> Arrays:
        """Every item alike itself alone, in CSR form, and the order of the others."""
        items = len(self.arrays()["prior"])
        alike = {"indptr": np.arange(items + 1), "item": np.arange(items, dtype=np.int32)}
        return {**self.arrays(), **alike, "value": np.ones(items, np.float32)}
