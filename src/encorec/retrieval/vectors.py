"""What all vector models share: a query becomes a vector, an item's score is their inner product."""

from typing import Any, Self

import numpy as np

from encorec.data.dataset import Dataset
from encorec.protocols import Scored
from encorec.retrieval.index import IndexConfig, ItemIndex, learn_index, restore_index
from encorec.retrieval.item_vectors import ItemVectors
from encorec.retrieval.scoring import ScoringRetriever
from encorec.retrieval.vector_scores import VectorScores, full_products
from encorec.types import BoolVector, FloatMatrix, IntVector, Queries

__all__ = ["VectorRetriever"]


class VectorRetriever(ScoringRetriever):
    """A retriever whose learnt arrays hold ``factors`` (size, items), one column per item, and ``prior`` (items,).

    A subclass learns these, may learn ``bias`` (items,) besides, and says in ``encode`` what the vector of a query is.
    A query whose vector is all zeros gets the order of ``prior``; so do items whose column is.

    Where its config has a field ``index`` (``IndexConfig``), the items are searched as that says; else exactly.
    """

    def __init__(self, config: Any = None) -> None:
        super().__init__(config)
        self._searched: tuple[ItemVectors, ItemIndex | None] | None = None

    def encode(self, queries: Queries) -> FloatMatrix:
        """(n, size) float32 vectors of the queries, from history and features alone; zeros where nothing is known."""
        raise NotImplementedError(type(self).__name__)

    def fit(self, data: Dataset, *, rng: np.random.Generator) -> Self:
        """Learn from everything in ``data``, and the index of the items where there is to be one."""
        super().fit(data, rng=rng)
        self._searched = None
        if self.index_config is not None:
            self.arrays().update(learn_index(self.index_config, self._search_form()[0], rng))
            self._searched = None
        return self

    def scored(self, queries: Queries) -> Scored:
        """Inner products; where nothing is known of a query or an item, the order of popularity."""
        vectors, index = self._search_form()
        return VectorScores(self.encode(queries), vectors, index)

    def scores(self, queries: Queries) -> FloatMatrix:
        """(n, items) float32: ``scored`` of every item, for those who want to see them all."""
        return full_products(np.ascontiguousarray(self.encode(queries), np.float32), self.vectors)

    @property
    def index_config(self) -> IndexConfig | None:
        """How the items are searched; none = exactly."""
        return getattr(self.config, "index", None)

    @property
    def vectors(self) -> ItemVectors:
        """The items in the form that is searched; made once."""
        return self._search_form()[0]

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

    def _search_form(self) -> tuple[ItemVectors, ItemIndex | None]:
        if self._searched is None:
            learnt = self.arrays()
            vectors = ItemVectors.of(learnt["factors"], learnt["prior"], learnt.get("bias"))
            index = None if self.index_config is None else restore_index(self.index_config, learnt, vectors)
            self._searched = vectors, index
        return self._searched
