"""Items liked by the same users: nearest neighbours of the items of a history."""

from typing import Literal

import numpy as np
from scipy import sparse

from encorec.config import Config, bounded
from encorec.data.dataset import Dataset
from encorec.protocols import Arrays, Scored
from encorec.retrieval.scoring import ScoringRetriever, csr_rows, popularity_prior, recent_events
from encorec.retrieval.selection import nearest_rows
from encorec.types import FloatMatrix, FloatVector, IntVector, Queries

__all__ = ["ItemKNN", "ItemKNNConfig"]


class ItemKNNConfig(Config, tag="item-knn", tag_field="kind"):
    """Which neighbours count, and how much.

    Args:
        weighting: of the user-item matrix before the comparison.
        neighbours: kept per item, itself included.
        last: only the newest events of a history are used; none = all.
        decay: weight of an event for each newer one, in (0, 1].
        saturation: k1 of BM25.
        length_penalty: b of BM25, in [0, 1].
    """

    weighting: Literal["cosine", "tfidf", "bm25"] = "tfidf"
    neighbours: int = 100
    last: int | None = None
    decay: float = 1.0
    saturation: float = 1.2
    length_penalty: float = 0.75

    def __post_init__(self) -> None:
        bounded(self, neighbours=(1, 100_000), last=(1, 10**6), decay=(1e-6, 1), length_penalty=(0, 1))
        bounded(self, saturation=(1e-6, 10**6))


class ItemKNN(ScoringRetriever):
    """Sum of the similarities of an item to the items of the history.

    Source: deshpande2004; weightings as in implicit.

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
        table = data.interactions
        ones = np.ones(len(table))
        item_users = sparse.csr_array((ones, (table.item, table.user)), (table.items, table.users))
        weighted = self._weighted(item_users)
        transposed = weighted.T.tocsr()
        size = min(self.config.neighbours, table.items)
        item, score = np.empty((table.items, size), np.int32), np.empty((table.items, size), np.float32)
        nearest_rows(*_parts(weighted), *_parts(transposed), item, score)
        return {**csr_rows(item, score), "prior": popularity_prior(data)}

    def scored(self, queries: Queries) -> Scored:
        """Summed similarity; items like none of the history follow by popularity."""
        history = queries.history.compact() if self.config.last is None else queries.history.tail(self.config.last)
        return self.sparse_scores(recent_events(history, self.config.decay))

    def similar(self, items: IntVector) -> FloatMatrix:
        """(n,) item numbers -> (n, items) float32 similarity, 0 beyond the kept neighbours."""
        learnt = self.arrays()
        size = len(learnt["prior"])
        matrix = sparse.csr_array((learnt["value"], learnt["item"], learnt["indptr"]), (size, size))
        return matrix[np.asarray(items)].toarray().astype(np.float32)

    def _weighted(self, counts: sparse.csr_array) -> sparse.csr_array:
        """(items, users) counts -> weights whose row products are the similarities."""
        if self.config.weighting == "bm25":
            return self._bm25(counts)
        weighted = counts.copy()
        if self.config.weighting == "tfidf":
            weighted.data = np.sqrt(weighted.data) * _idf(counts)[weighted.indices]
        norm = np.sqrt(np.asarray(weighted.multiply(weighted).sum(axis=1)).ravel())
        weighted.data /= np.repeat(np.where(norm > 0, norm, 1), np.diff(weighted.indptr))
        return weighted

    def _bm25(self, counts: sparse.csr_array) -> sparse.csr_array:
        """Source: robertson2009, documents = items, terms = users."""
        k1, b = self.config.saturation, self.config.length_penalty
        length = np.asarray(counts.sum(axis=1)).ravel()
        penalty = 1 - b + b * length / max(length.mean(), 1e-12)
        weighted = counts.copy()
        tf = weighted.data * (k1 + 1) / (k1 * np.repeat(penalty, np.diff(counts.indptr)) + weighted.data)
        weighted.data = tf * _idf(counts)[weighted.indices]
        return weighted


def _idf(counts: sparse.csr_array) -> FloatVector:
    """(users,) inverse document frequency over the items: users with many items say less."""
    return np.log(len(counts.indptr) - 1) - np.log1p(np.bincount(counts.indices))


def _parts(matrix: sparse.csr_array) -> tuple[IntVector, IntVector, FloatVector]:
    return matrix.indptr.astype(np.int64), matrix.indices.astype(np.int32), matrix.data.astype(np.float64)
