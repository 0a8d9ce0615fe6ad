"""What the user takes again: own past events, each worth half after a half-life."""

import numpy as np

from encorec.config import Config, bounded
from encorec.data.dataset import Dataset
from encorec.protocols import Arrays
from encorec.retrieval.scoring import ScoringRetriever, fill_unscored, popularity_prior
from encorec.types import FloatMatrix, Queries

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

    def scores(self, queries: Queries) -> FloatMatrix:
        """(n, items) float32; negative for items that the user never took."""
        history = queries.history.compact()
        age = np.maximum(queries.now[history.owner] - history.time, 0) / (self.config.half_life_days * DAY)
        out = np.zeros((len(queries), queries.items), np.float32)
        np.add.at(out, (history.owner, history.item), (history.weight * 0.5**age).astype(np.float32))
        return fill_unscored(out, self.arrays()["prior"])
