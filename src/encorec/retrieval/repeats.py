"""What the user takes again: own past events, each worth half after a half-life."""

from typing import Self

import numpy as np

from encorec.config import Config, bounded
from encorec.data.dataset import Dataset
from encorec.data.interactions import Interactions
from encorec.protocols import Arrays, Reasons, Scored
from encorec.retrieval.scoring import ScoringRetriever, WeightedItems, own_reasons, popularity_prior
from encorec.types import IntVector, Queries

__all__ = ["Repeats", "RepeatsConfig"]

DAY = 86_400


class RepeatsConfig(Config, tag="repeats", tag_field="kind"):
    """How fast own events fade.

    Args:
        half_life_days: an own event counts half after so many days.
        last: newest events of a history that are used; none = all.
    """

    half_life_days: float = 120.0
    last: int | None = None

    def __post_init__(self) -> None:
        bounded(self, half_life_days=(1e-3, 36_500), last=(1, 10**6))


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
        return self.own_scores(self._events(queries))

    def explain(self, queries: Queries, item: IntVector) -> Reasons:
        """The item itself, where the history holds it, with its score: (n,), one item per query."""
        return own_reasons(self._events(queries), item)

    def update(self, data: Dataset, events: Interactions) -> Self:
        """The order of items never taken, counted in ``data``: nothing else is learnt."""
        return type(self)(self.config).fit(data, rng=np.random.default_rng(0))

    def _events(self, queries: Queries) -> WeightedItems:
        history = queries.history.compact() if self.config.last is None else queries.history.tail(self.config.last)
        age = np.maximum(queries.now[history.owner] - history.time, 0) / (self.config.half_life_days * DAY)
        return WeightedItems(history.indptr, history.item, (history.weight * 0.5**age).astype(np.float32))
