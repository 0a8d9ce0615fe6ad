"""Items liked by the same users: nearest neighbours of the items of a history."""

from typing import Self

import numpy as np
from scipy import sparse

from encorec.config import Config, bounded
from encorec.data.dataset import Dataset
from encorec.data.interactions import Interactions
from encorec.protocols import Arrays, Reasons, Scored
from encorec.retrieval.history_weights import faded_history
from encorec.retrieval.neighbour_lists import SparseRows, nearest_alike, renewed_lists
from encorec.retrieval.neighbour_weights import Weighting, weighted_rows
from encorec.retrieval.scoring import (
    ScoringRetriever,
    WeightedItems,
    csr_rows,
    popularity_prior,
    recent_events,
    sparse_reasons,
    sparse_rows,
)
from encorec.types import BoolVector, FloatMatrix, FloatVector, IntMatrix, IntVector, Queries

__all__ = ["ItemKNN", "ItemKNNConfig"]


class ItemKNNConfig(Config, tag="item-knn", tag_field="kind"):
    """Which neighbours count, and how much.

    Args:
        weighting: of the user-item matrix before the comparison; ``jaccard`` compares the sets of users.
        neighbours: kept per item, itself included.
        last: only the newest events of a history are used; none = all.
        decay: weight of an event for each newer one, in (0, 1].
        saturation: k1 of BM25.
        length_penalty: b of BM25, in [0, 1].
        half_life_days: an event counts half after so many days; none = none fades.
    """

    weighting: Weighting = "tfidf"
    neighbours: int = 100
    last: int | None = None
    decay: float = 1.0
    saturation: float = 1.2
    length_penalty: float = 0.75
    half_life_days: float | None = None

    def __post_init__(self) -> None:
        bounded(self, neighbours=(1, 100_000), last=(1, 10**6), decay=(1e-6, 1), length_penalty=(0, 1))
        bounded(self, saturation=(1e-6, 10**6), half_life_days=(1e-3, 36_500))


class ItemKNN(ScoringRetriever):
    """Sum of the similarities of an item to the items of the history.

    Source: deshpande2004; weightings as in implicit; jaccard1901.

    Example:
        >>> from encorec.data.interactions import Interactions
        >>> from encorec.types import Eligibility, Histories
        >>> data = Dataset.of(Interactions.of([0, 0, 1, 1, 2], [0, 1, 0, 1, 2], [1, 2, 3, 4, 5]))
        >>> model = ItemKNN(ItemKNNConfig(weighting="cosine")).fit(data, rng=np.random.default_rng(0))
        >>> queries = Queries(Histories.of([([0], [7])]), np.array([9]), Eligibility(np.array([False, True, True])))
        >>> model.retrieve(queries, 2).item.tolist()
        [1, 2]
    """

    Settings = ItemKNNConfig

    def learn(self, data: Dataset, rng: np.random.Generator) -> Arrays:
        """The similarity matrix, its strongest ``neighbours`` per row in CSR form."""
        weighted, size = self._compared(data.interactions)
        item, score = self._lists(data.interactions.items)
        everything = np.arange(data.interactions.items)
        nearest_alike(everything, SparseRows.of(weighted), SparseRows.of(weighted.T.tocsr()), size, item, score)
        return {**csr_rows(item, score), "prior": popularity_prior(data)}

    def scored(self, queries: Queries) -> Scored:
        """Summed similarity; items like none of the history follow by popularity."""
        return self.sparse_scores(self._events(queries))

    def similar(self, items: IntVector) -> FloatMatrix:
        """(n,) item numbers -> (n, items) float32 similarity, 0 beyond the kept neighbours."""
        return sparse_rows(self.arrays(), items)

    def explain(self, queries: Queries, item: IntVector) -> Reasons:
        """What every item of the history added to the score of ``item`` (n,), one per query: its similarity."""
        return sparse_reasons(self._events(queries), self.arrays(), item)

    def update(self, data: Dataset, events: Interactions) -> Self:
        """Compare anew what the new events changed; to the last bit what a fit on ``data`` learns.

        For cosine and jaccard these are the items of the new events; for tfidf, where no item is new, all items of
        their users. A new item changes every weight of tfidf, any event every weight of bm25: these, and updates that
        change half of the catalogue, compare everything.

        Args:
            data: everything until now, the new events included.
            events: the new ones alone.
        """
        changed = self._changed(data.interactions, events)
        if 2 * np.count_nonzero(changed) > len(changed):
            return type(self)(self.config).fit(data, rng=np.random.default_rng(0))
        learnt = {**self._renewed(data.interactions, changed), "prior": popularity_prior(data)}
        return self.from_arrays(self.config, learnt)

    def _events(self, queries: Queries) -> WeightedItems:
        return recent_events(faded_history(queries, self.config.last, self.config.half_life_days), self.config.decay)

    def _compared(self, table: Interactions) -> tuple[sparse.csr_array, FloatVector]:
        """(items, users) weights, and the (items,) sizes of the sets of users for jaccard, else none."""
        config = self.config
        counts = sparse.csr_array((np.ones(len(table)), (table.item, table.user)), (table.items, table.users))
        weighted = weighted_rows(counts, config.weighting, config.saturation, config.length_penalty)
        size = np.diff(weighted.indptr).astype(np.float64) if config.weighting == "jaccard" else np.empty(0)
        return weighted, size

    def _lists(self, items: int) -> tuple[IntMatrix, FloatMatrix]:
        """(items, k) int32 and float32, to be written."""
        shape = items, min(self.config.neighbours, items)
        return np.empty(shape, np.int32), np.empty(shape, np.float32)

    def _changed(self, table: Interactions, events: Interactions) -> BoolVector:
        """(items,) items whose weights are others than before the new events."""
        first = (events.item_counts > 0) & (events.item_counts == table.item_counts[: events.items])
        grown = table.items > len(self.arrays()["prior"]) or bool(first.any())  # an item more that anybody took
        changed = np.full(table.items, len(events) + grown > 0)
        if self.config.weighting in ("cosine", "jaccard"):
            changed = np.zeros(table.items, bool)
            changed[events.item] = True
        elif self.config.weighting == "tfidf" and not grown:
            touched = np.zeros(table.users, bool)
            touched[events.user] = True
            changed = np.zeros(table.items, bool)
            changed[table.item[touched[table.user]]] = True
        return changed

    def _renewed(self, table: Interactions, changed: BoolVector) -> Arrays:
        """The lists of neighbours, compared anew only where ``changed`` (items,) items are concerned."""
        learnt = self.arrays()
        offsets = np.append(learnt["indptr"], np.full(table.items + 1 - len(learnt["indptr"]), len(learnt["item"])))
        weighted, size = self._compared(table)
        left, right = SparseRows.of(weighted), SparseRows.of(weighted.T.tocsr())
        item, score = self._lists(table.items)
        again = np.empty(table.items, bool)
        old = offsets, np.ascontiguousarray(learnt["item"]), np.ascontiguousarray(learnt["value"])
        renewed_lists(left, right.within(changed), size, changed, *old, item, score, again)
        nearest_alike(np.flatnonzero(again), left, right, size, item, score)
        return csr_rows(item, score)
