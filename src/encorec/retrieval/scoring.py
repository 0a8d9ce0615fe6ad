"""What all scoring retrievers share: weighted histories in, scores of the catalogue out, learnt arrays kept."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from encorec.config import Config
from encorec.data.dataset import Dataset
from encorec.data.interactions import Interactions
from encorec.errors import NotFitted
from encorec.protocols import Arrays, Reasons, Scored
from encorec.retrieval.reasons import entry_weights, ranked_reasons
from encorec.retrieval.row_sums import add_sparse_rows, merge_repeats
from encorec.retrieval.scored import SparseScores, prior_order
from encorec.retrieval.topk import candidates_of
from encorec.types import Candidates, FloatMatrix, FloatVector, Histories, IntVector, Queries

__all__ = [
    "ScoringRetriever",
    "WeightedItems",
    "csr_rows",
    "distinct_items",
    "fill_unscored",
    "own_reasons",
    "popularity_prior",
    "recent_events",
    "sparse_reasons",
    "sparse_rows",
    "user_item_matrix",
]


class WeightedItems(NamedTuple):
    """Ragged weighted items of n queries: ``indptr`` (n + 1,) int64, ``item`` (m,) int32, ``weight`` (m,) float32."""

    indptr: IntVector
    item: IntVector
    weight: FloatVector


class ScoringRetriever:
    """A retriever that learns named arrays and scores the whole catalogue from them.

    A subclass names its ``Settings``, learns in ``learn`` and answers in ``scored``.
    """

    Settings: ClassVar[type[Config]]

    def __init__(self, config: Any = None) -> None:
        self.config: Any = self.Settings() if config is None else config
        self._learnt: Arrays | None = None
        self._derived: Arrays = {}

    def learn(self, data: Dataset, rng: np.random.Generator) -> Arrays:
        """Named arrays learnt from ``data``."""
        raise NotImplementedError(type(self).__name__)

    def scored(self, queries: Queries) -> Scored:
        """What it thinks of the catalogue for n queries; larger is better, never NaN."""
        raise NotImplementedError(type(self).__name__)

    def scores(self, queries: Queries) -> FloatMatrix:
        """(n, items) float32: ``scored`` of every item, for those who want to see them all."""
        n, items = len(queries), queries.items
        query, item = np.repeat(np.arange(n, dtype=np.int32), items), np.tile(np.arange(items, dtype=np.int32), n)
        return self.scored(queries).at(query, item).reshape(n, items)

    def fit(self, data: Dataset, *, rng: np.random.Generator) -> Self:
        """Learn from everything in ``data``; it must end before the questions begin."""
        self._learnt, self._derived = self.learn(data, rng), {}
        return self

    def arrays(self) -> Arrays:
        """Everything learnt, by name.

        Raises:
            NotFitted: before ``fit`` or ``from_arrays``.
        """
        if self._learnt is None:
            raise NotFitted(type(self).__name__)
        return self._learnt

    def sparse_scores(self, events: WeightedItems) -> SparseScores:
        """Weighted sums of the learnt rows ``indptr``, ``item``, ``value``; the others follow by ``prior``."""
        return SparseScores(*events, self.arrays(), self.order("prior"))

    def own_scores(self, events: WeightedItems) -> SparseScores:
        """The summed weights of the history's own items, each once or more; all other items follow by ``prior``."""
        items = len(self.arrays()["prior"])
        itself = {
            "indptr": self._once("itself, offsets", lambda: np.arange(items + 1)),
            "item": self._once("itself, items", lambda: np.arange(items, dtype=np.int32)),
            "value": self._once("itself, values", lambda: np.ones(items, np.float32)),
        }
        return SparseScores(*events, {**self.arrays(), **itself}, self.order("prior"))

    def order(self, name: str) -> IntVector:
        """int32 positions by falling value of the learnt array ``name``, along its last axis; found once."""
        return self._once(f"order of {name}", lambda: prior_order(self.arrays()[name]))

    def _once(self, name: str, find: Callable[[], NDArray[Any]]) -> NDArray[Any]:
        """What follows from the learnt arrays, found at the first call."""
        if name not in self._derived:
            self._derived[name] = find()
        return self._derived[name]

    @classmethod
    def from_arrays(cls, config: Any, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The retriever that these arrays were taken from."""
        made = cls(config)
        made._learnt = dict(arrays)
        return made

    def retrieve(self, queries: Queries, n: int) -> Candidates:
        """The best ``min(n, eligible)`` items of every query."""
        item, score = self.scored(queries).best(queries.eligible.mask(len(queries)), n)
        return candidates_of(item, score, str(type(self.config).__struct_config__.tag))


def recent_events(history: Histories, decay: float) -> WeightedItems:
    """Every event of compact histories with ``weight * decay ** steps before the newest event``.

    Example:
        >>> recent_events(Histories.of([([5, 6, 7], [1, 2, 3])]), 0.5).weight.tolist()
        [0.25, 0.5, 1.0]
    """
    if len(history) == 1:
        steps = np.arange(len(history.item) - 1, -1, -1)
    else:
        steps = np.repeat(history.indptr[1:], np.diff(history.indptr)) - 1 - np.arange(len(history.item))
    return WeightedItems(history.indptr, history.item, history.weight * (decay**steps).astype(np.float32))


def distinct_items(history: Histories, decay: float, items: int) -> WeightedItems:
    """Each item of a history once: ``log2(1 + summed weight) * decay ** steps of its newest event``; newest first.

    Args:
        history: n compact histories.
        decay: in (0, 1].
        items: size of the catalogue.

    Example:
        >>> merged = distinct_items(Histories.of([([5, 6, 5], [1, 2, 3])]), 0.5, 7)
        >>> merged.item.tolist(), merged.weight.round(1).tolist()
        ([5, 6], [1.600000023841858, 0.5])
    """
    indptr, item = np.empty(len(history) + 1, np.int64), np.empty(len(history.item), np.int32)
    weight = np.empty(len(item), np.float32)
    scratch = np.full(items, -1, np.int32)
    size = merge_repeats(history.indptr, history.item, history.weight, decay, scratch, indptr, item, weight)
    return WeightedItems(indptr, item[:size], weight[:size])


def sparse_reasons(events: WeightedItems, learnt: Arrays, item: IntVector) -> Reasons:
    """What every item of a history added to the sum of sparse rows, ``SparseScores.at`` taken apart.

    Args:
        events: of n queries, as they are given to ``sparse_scores``.
        learnt: the matrix in CSR form, ``indptr``, ``item`` and ``value``.
        item: (n,) the item that each query asks about.

    Example:
        >>> learnt = {"indptr": np.array([0, 1, 1]), "item": np.array([1], np.int32), "value": np.ones(1, np.float32)}
        >>> events = WeightedItems(np.array([0, 2]), np.array([1, 0], np.int32), np.array([1, 0.5], np.float32))
        >>> reasons = sparse_reasons(events, learnt, np.array([1]))
        >>> reasons.item.tolist(), reasons.share.tolist()
        ([0], [0.5])
    """
    return ranked_reasons(
        events.indptr, events.item, events.weight * entry_weights(events.indptr, events.item, learnt, item)
    )


def sparse_rows(learnt: Arrays, row: IntVector) -> FloatMatrix:
    """(n, items) float32 rows (n,) of a learnt matrix in CSR form, with zeros where it has no entry.

    Example:
        >>> learnt = {"indptr": np.array([0, 1, 1]), "item": np.array([1], np.int32), "value": np.ones(1, np.float32)}
        >>> sparse_rows({**learnt, "prior": np.zeros(2, np.float32)}, np.array([1, 0])).tolist()
        [[0.0, 0.0], [0.0, 1.0]]
    """
    asked = np.ascontiguousarray(row, np.int32)
    out = np.zeros((len(asked), len(learnt["prior"])), np.float32)
    matrix = learnt["indptr"], learnt["item"], learnt["value"]
    add_sparse_rows(np.arange(len(asked) + 1), asked, np.ones(len(asked), np.float32), *matrix, out)
    return out


def own_reasons(events: WeightedItems, item: IntVector) -> Reasons:
    """``own_scores`` taken apart: the item itself where the history holds it.

    Args:
        events: of n queries, as they are given to ``own_scores``.
        item: (n,) the item that each query asks about.

    Example:
        >>> events = WeightedItems(np.array([0, 2]), np.array([1, 0], np.int32), np.array([1, 0.5], np.float32))
        >>> own_reasons(events, np.array([0]))[1:]
        (array([0], dtype=int32), array([0.5], dtype=float32))
    """
    asked = np.repeat(np.asarray(item), np.diff(events.indptr))
    share = np.where(events.item == asked, events.weight, np.float32(0))
    return ranked_reasons(events.indptr, events.item, share)


def user_item_matrix(table: Interactions) -> sparse.csr_array:
    """(users, items) float64 ``log2(1 + summed weight)``: 1 for one event of weight 1, growing slowly.

    Example:
        >>> user_item_matrix(Interactions.of([0, 0, 0], [1, 1, 1], [1, 2, 3])).toarray().tolist()
        [[0.0, 2.0]]
    """
    parts = table.weight.astype(np.float64), table.item, table.indptr
    matrix = sparse.csr_array(parts, (table.users, table.items), copy=True)
    matrix.sum_duplicates()  # in place: without the copy it would move the offsets of the table
    matrix.data = np.log2(1 + matrix.data)
    return matrix


def popularity_prior(data: Dataset) -> FloatVector:
    """(items,) float32 in [-1, 0]: users of each item, scaled so that any evidence (> 0) outranks it.

    Example:
        >>> from encorec.data.interactions import Interactions
        >>> popularity_prior(Dataset.of(Interactions.of([0, 1], [1, 1], [5, 6]))).tolist()
        [-1.0, 0.0]
    """
    users = data.interactions.item_users
    return (users / max(users.max(initial=0), 1) - 1).astype(np.float32)


def fill_unscored(scores: FloatMatrix, prior: FloatVector) -> FloatMatrix:
    """Give items without evidence (score exactly 0) the order of popularity, below all items with some; in place.

    Args:
        scores: (n, items) float32.
        prior: (items,) float32, negative.

    Example:
        >>> fill_unscored(np.array([[0.0, 2.0]], np.float32), np.array([-0.5, -0.1], np.float32)).tolist()
        [[-0.5, 2.0]]
    """
    np.copyto(scores, prior, where=scores == 0)
    return scores


def csr_rows(item: IntVector, score: FloatVector) -> Arrays:
    """Padded neighbour lists as CSR arrays ``indptr``, ``item``, ``value``.

    Args:
        item: (n, k) int32, -1 = empty.
        score: (n, k) float32.

    Example:
        >>> csr_rows(np.array([[1, -1]]), np.array([[.5, 0]]))["item"].tolist()
        [1]
    """
    kept = item >= 0
    indptr = np.zeros(len(item) + 1, np.int64)
    np.cumsum(kept.sum(axis=1), out=indptr[1:])
    return {"indptr": indptr, "item": item[kept].astype(np.int32), "value": score[kept].astype(np.float32)}
