"""PureSVD: the directions that explain most of the interaction matrix; a user is the sum of the history's items."""

from typing import Any

import numpy as np
from scipy.sparse.linalg import svds

from encorec.config import Config, bounded
from encorec.data.dataset import Dataset
from encorec.protocols import Arrays, Reasons
from encorec.retrieval.fold_in import history_sums
from encorec.retrieval.history_weights import faded_history
from encorec.retrieval.index import IndexConfig
from encorec.retrieval.reasons import ranked_reasons
from encorec.retrieval.scoring import WeightedItems, distinct_items, popularity_prior, user_item_matrix
from encorec.retrieval.vectors import VectorRetriever
from encorec.types import FloatMatrix, IntVector, Queries

__all__ = ["SVD", "SVDConfig"]


class SVDConfig(Config, tag="svd", tag_field="kind"):
    """How many directions are kept and which events are asked.

    Args:
        embedding_size: directions; at most one less than there are users and items with interactions.
        last: newest events of a history that are used; none = all.
        decay: weight of an event for each newer one, in (0, 1].
        half_life_days: an event counts half after so many days; none = none fades.
        index: how the items are searched.
    """

    embedding_size: int = 64
    last: int | None = None
    decay: float = 1.0
    half_life_days: float | None = None
    index: IndexConfig = IndexConfig()

    def __post_init__(self) -> None:
        bounded(self, embedding_size=(1, 4096), last=(1, 10**6), decay=(1e-6, 1), half_life_days=(1e-3, 36_500))


class SVD(VectorRetriever):
    """Truncated singular value decomposition; the history of a training user gives exactly the trained row.

    Source: cremonesi2010. It has no ``update``: new events turn every direction.

    Example:
        >>> from encorec.data.interactions import Interactions
        >>> from encorec.types import Eligibility, Histories
        >>> data = Dataset.of(Interactions.of([0, 0, 1, 1, 2], [0, 1, 0, 1, 2], [1, 2, 3, 4, 5]))
        >>> model = SVD(SVDConfig(embedding_size=1)).fit(data, rng=np.random.default_rng(0))
        >>> queries = Queries(Histories.of([([0], [7])]), np.array([9]), Eligibility(np.array([False, True, True])))
        >>> model.retrieve(queries, 2).item.tolist()
        [1, 2]
    """

    Settings = SVDConfig

    def learn(self, data: Dataset, rng: np.random.Generator) -> Arrays:
        """``factors`` (size, items): the right singular vectors, strongest first, and the order of popularity."""
        table = data.interactions
        users, items = np.flatnonzero(table.user_counts), np.flatnonzero(table.item_counts)
        matrix = user_item_matrix(table)[users][:, items]
        factors = np.zeros((self.config.embedding_size, table.items), np.float32)
        size = min(self.config.embedding_size, *(length - 1 for length in matrix.shape))
        if size > 0:
            start = rng.standard_normal(min(matrix.shape))
            found: Any = svds(matrix, size, v0=start)
            strength, right = found[1:]
            right = right[np.argsort(-strength, kind="stable")]
            sign = np.sign(right[np.arange(size), np.abs(right).argmax(axis=1)])
            factors[:size, items] = right * sign[:, None]
        return {"factors": factors, "prior": popularity_prior(data)}

    def encode(self, queries: Queries) -> FloatMatrix:
        """(n, size) float32: the summed vectors of the history."""
        return history_sums(self._events(queries), self._rows)

    def explain(self, queries: Queries, item: IntVector) -> Reasons:
        """What every item of the history added to the score of ``item`` (n,), one per query."""
        events = self._events(queries)
        asked = np.repeat(np.asarray(item), np.diff(events.indptr))
        alike = np.einsum("es,es->e", self._rows[events.item], self._rows[asked])
        return ranked_reasons(events.indptr, events.item, events.weight * alike)

    def _events(self, queries: Queries) -> WeightedItems:
        history = faded_history(queries, self.config.last, self.config.half_life_days)
        return distinct_items(history, self.config.decay, queries.items)

    @property
    def _rows(self) -> FloatMatrix:
        """(items, size) float32 vectors of the items, one row each; made once."""
        return self._once("item rows", lambda: np.ascontiguousarray(self.arrays()["factors"].T))
