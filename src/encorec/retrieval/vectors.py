"""What all vector models share: a query becomes a vector, an item's score is their inner product."""

import numpy as np

from encorec.protocols import Scored
from encorec.retrieval.row_sums import add_dense_rows
from encorec.retrieval.scored import DenseScores
from encorec.retrieval.scoring import ScoringRetriever
from encorec.types import BoolVector, FloatMatrix, IntVector, Queries

__all__ = ["VectorRetriever"]


class VectorRetriever(ScoringRetriever):
    """A retriever whose learnt arrays hold ``factors`` (size, items), one column per item, and ``prior`` (items,).

    A subclass learns these, may learn ``bias`` (items,) besides, and says in ``encode`` what the vector of a query is.
    A query whose vector is all zeros gets the order of ``prior``; so do items whose column is.
    """

    def encode(self, queries: Queries) -> FloatMatrix:
        """(n, size) float32 vectors of the queries, from history and features alone; zeros where nothing is known."""
        raise NotImplementedError(type(self).__name__)

    def scored(self, queries: Queries) -> Scored:
        """Inner products; where nothing is known of a query or an item, the order of popularity."""
        learnt = self.arrays()
        users = self.encode(queries)
        n, size = users.shape
        rows = np.tile(np.arange(size, dtype=np.int32), n)
        out = np.zeros((n, queries.items), np.float32)
        add_dense_rows(np.arange(n + 1, dtype=np.int64) * size, rows, users.ravel(), learnt["factors"], out)
        if "bias" in learnt:
            out += learnt["bias"]
        out[~users.any(axis=1)] = learnt["prior"]
        out[:, self.unknown] = learnt["prior"][self.unknown]
        return DenseScores(out)

    @property
    def unknown(self) -> IntVector:
        """Items without a vector, because nothing is known of them; found once."""
        return self._once("unknown", lambda: np.flatnonzero(~self.known))

    @property
    def known(self) -> BoolVector:
        """(items,) true where an item has a vector."""
        return np.asarray(self.arrays()["factors"].any(axis=0))

    def similar(self, items: IntVector) -> FloatMatrix:
        """(n,) item numbers -> (n, items) float32 cosine of the vectors."""
        factors = self.arrays()["factors"]
        unit = factors / np.maximum(np.linalg.norm(factors, axis=0), 1e-12)
        return np.ascontiguousarray(unit[:, np.asarray(items)].T @ unit, np.float32)
