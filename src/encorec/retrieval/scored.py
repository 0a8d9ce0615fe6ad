"""What a source thinks of the catalogue for n queries: its best items, and the score of any item when asked.

Three forms with the same answers. A dense one holds every score. A sparse one holds weighted rows of an item-to-item
matrix and adds up only what they touch: a history of five items with a hundred neighbours each reaches a thirtieth of
a catalogue of 16,000. A ranked one holds an order that does not depend on the history.
"""

from dataclasses import dataclass

import numpy as np

from encorec.compiled import BOOL, FLOAT32, INT32, INT64, compiled, read, write
from encorec.protocols import Arrays, Lists, Scored, Scorer
from encorec.retrieval.selection import keep_best, select_top, sort_kept, worse
from encorec.types import BoolMatrix, FloatMatrix, FloatVector, IntMatrix, IntVector, Queries

__all__ = ["DenseScores", "RankedScores", "SparseScores", "prior_order", "scored_by"]


@dataclass(frozen=True, slots=True)
class DenseScores:
    """Scores of the whole catalogue.

    Args:
        matrix: (n, items) float32 without NaN, or (1, items) for all queries alike.

    Example:
        >>> scored = DenseScores(np.array([[0.25, 0.75, 0.5]], np.float32))
        >>> scored.best(np.array([[True, False, True]]), 2)[0].tolist()
        [[2, 0]]
        >>> scored.at(np.array([0]), np.array([1])).tolist()
        [0.75]
    """

    matrix: FloatMatrix

    def best(self, eligible: BoolMatrix, k: int) -> Lists:
        """The k best eligible items of every query, best first; equal scores in catalogue order."""
        item, score = _empty_lists(len(self.matrix), k)
        select_top(self.matrix, eligible, item, score)
        return item, score

    def at(self, query: IntVector, item: IntVector) -> FloatVector:
        """(m,) scores of the items for the queries, which do not decrease."""
        return self.matrix[0, item] if len(self.matrix) == 1 else self.matrix[query, item]


@dataclass(frozen=True, slots=True)
class SparseScores:
    """Weighted sums of sparse rows; an item that none of them touches, or whose sum is exactly 0, has its prior.

    Args:
        indptr: (n + 1,) int64 offsets of each query's entries.
        row: (e,) int32 rows of the matrix.
        weight: (e,) float32.
        learnt: the matrix in CSR form, ``indptr``, ``item`` and ``value``, and ``prior`` (items,) float32.
        order: (items,) int32 the catalogue by falling prior.

    Example:
        >>> learnt = {"indptr": np.array([0, 1, 1]), "item": np.array([1], np.int32), "value": np.ones(1, np.float32)}
        >>> learnt["prior"] = np.array([-0.5, -1], np.float32)
        >>> one = np.array([0, 1]), np.zeros(1, np.int32), np.ones(1, np.float32)
        >>> scored = SparseScores(*one, learnt, prior_order(learnt["prior"]))
        >>> scored.best(np.ones((1, 2), bool), 2)[1].tolist()
        [[1.0, -0.5]]
    """

    indptr: IntVector
    row: IntVector
    weight: FloatVector
    learnt: Arrays
    order: IntVector

    def best(self, eligible: BoolMatrix, k: int) -> Lists:
        """The k best eligible items of every query, best first; equal scores in catalogue order."""
        item, score = _empty_lists(len(self.indptr) - 1, k)
        matrix = self.learnt["indptr"], self.learnt["item"], self.learnt["value"]
        _best_sums(self.indptr, self.row, self.weight, *matrix, self.learnt["prior"], self.order, eligible, item, score)
        return item, score

    def at(self, query: IntVector, item: IntVector) -> FloatVector:
        """(m,) scores of the items for the queries, which do not decrease."""
        out = np.empty(len(item), np.float32)
        matrix = self.learnt["indptr"], self.learnt["item"], self.learnt["value"]
        _sums_at(self.indptr, self.row, self.weight, *matrix, self.learnt["prior"], query, item, out)
        return out


@dataclass(frozen=True, slots=True)
class RankedScores:
    """Scores that are the same for every query of a group.

    Args:
        group: (n,) int64 the group of each query.
        value: (groups, items) float32.
        order: (groups, items) int32 the catalogue by falling value.

    Example:
        >>> value = np.array([[0.1, 0.3]], np.float32)
        >>> RankedScores(np.zeros(1, int), value, prior_order(value)).best(np.ones((1, 2), bool), 1)[0].tolist()
        [[1]]
    """

    group: IntVector
    value: FloatMatrix
    order: IntMatrix

    def best(self, eligible: BoolMatrix, k: int) -> Lists:
        """The k best eligible items of every query, best first; equal scores in catalogue order."""
        item, score = _empty_lists(len(self.group), k)
        _best_ranked(self.group, self.value, self.order, eligible, item, score)
        return item, score

    def at(self, query: IntVector, item: IntVector) -> FloatVector:
        """(m,) scores of the items for the queries."""
        return self.value[self.group[query], item]


def scored_by(scorer: Scorer, queries: Queries) -> Scored:
    """What the scorer thinks, in its own form where it has one, else in the dense one.

    Example:
        >>> from encorec.retrieval.repeats import Repeats
        >>> from encorec.types import Eligibility, Histories
        >>> model = Repeats.from_arrays(None, {"prior": np.array([-.5, -1], np.float32)})
        >>> queries = Queries(Histories.of([([1], [5])]), np.array([9]), Eligibility(np.ones(2, bool)))
        >>> scored_by(model, queries).best(np.ones((1, 2), bool), 1)[0].tolist()
        [[1]]
    """
    own = getattr(scorer, "scored", None)
    return DenseScores(scorer.scores(queries)) if own is None else own(queries)


def prior_order(prior: FloatMatrix | FloatVector) -> IntMatrix:
    """int32 positions by falling value along the last axis; equal values keep their order.

    Example:
        >>> prior_order(np.array([-1.0, 0.0, -1.0])).tolist()
        [1, 0, 2]
    """
    return np.argsort(-prior, axis=-1, kind="stable").astype(np.int32)


def _empty_lists(n: int, k: int) -> Lists:
    return np.empty((n, k), np.int32), np.empty((n, k), np.float32)


@compiled()
def _fill_from(
    order: IntVector,
    value: FloatVector,
    taken: BoolMatrix,
    allowed: BoolMatrix,
    score: FloatVector,
    item: IntVector,
    size: int,
) -> int:
    """Go down ``order`` until the list is full and nothing better can come; returns how many are kept."""
    for one in order:
        if size == len(score) and not worse(score[0], item[0], value[one], one):
            break
        if allowed[one] and not taken[one]:
            size = keep_best(score, item, size, value[one], one)
    return size


@compiled(
    read(INT64), read(INT32), read(FLOAT32), read(INT64), read(INT32), read(FLOAT32), read(FLOAT32), read(INT32),
    read(BOOL, 2), write(INT32, 2), write(FLOAT32, 2),
)  # fmt: skip
def _best_sums(
    indptr: IntVector,
    row: IntVector,
    weight: FloatVector,
    matrix_indptr: IntVector,
    matrix_item: IntVector,
    matrix_value: FloatVector,
    prior: FloatVector,
    order: IntVector,
    eligible: BoolMatrix,
    item: IntMatrix,
    score: FloatMatrix,
) -> None:
    """``SparseScores.best``; lists of (n, k) are written."""
    total, touched = np.zeros(len(prior), np.float32), np.empty(len(prior), np.int32)
    taken = np.zeros(len(prior), np.bool_)
    for query in range(len(indptr) - 1 if item.shape[1] else 0):
        count = 0
        for entry in range(indptr[query], indptr[query + 1]):
            for place in range(matrix_indptr[row[entry]], matrix_indptr[row[entry] + 1]):
                one = matrix_item[place]
                if not taken[one]:
                    taken[one] = True
                    touched[count] = one
                    count += 1
                total[one] += weight[entry] * matrix_value[place]
        allowed = eligible[0 if len(eligible) == 1 else query]
        kept_score, kept_item, size = score[query], item[query], 0
        for place in range(count):
            one = touched[place]
            if total[one] == 0:
                taken[one] = False
            elif allowed[one] and (size < len(kept_item) or total[one] >= kept_score[0]):
                size = keep_best(kept_score, kept_item, size, total[one], one)
        size = _fill_from(order, prior, taken, allowed, kept_score, kept_item, size)
        sort_kept(kept_score, kept_item, size)
        for place in range(count):
            total[touched[place]] = 0
            taken[touched[place]] = False


@compiled(
    read(INT64), read(INT32), read(FLOAT32), read(INT64), read(INT32), read(FLOAT32), read(FLOAT32),
    read(INT32), read(INT32), write(FLOAT32),
)  # fmt: skip
def _sums_at(
    indptr: IntVector,
    row: IntVector,
    weight: FloatVector,
    matrix_indptr: IntVector,
    matrix_item: IntVector,
    matrix_value: FloatVector,
    prior: FloatVector,
    query: IntVector,
    item: IntVector,
    out: FloatVector,
) -> None:
    """``SparseScores.at``; ``query`` (m,) does not decrease."""
    total = np.zeros(len(prior), np.float32)
    start = 0
    while start < len(query):
        asked, end = query[start], start
        for entry in range(indptr[asked], indptr[asked + 1]):
            for place in range(matrix_indptr[row[entry]], matrix_indptr[row[entry] + 1]):
                total[matrix_item[place]] += weight[entry] * matrix_value[place]
        while end < len(query) and query[end] == asked:
            summed = total[item[end]]
            out[end] = prior[item[end]] if summed == 0 else summed
            end += 1
        for entry in range(indptr[asked], indptr[asked + 1]):
            for place in range(matrix_indptr[row[entry]], matrix_indptr[row[entry] + 1]):
                total[matrix_item[place]] = 0
        start = end


@compiled(read(INT64), read(FLOAT32, 2), read(INT32, 2), read(BOOL, 2), write(INT32, 2), write(FLOAT32, 2))
def _best_ranked(
    group: IntVector, value: FloatMatrix, order: IntMatrix, eligible: BoolMatrix, item: IntMatrix, score: FloatMatrix
) -> None:
    """``RankedScores.best``; lists of (n, k) are written."""
    nothing = np.zeros(value.shape[1], np.bool_)
    for query in range(len(group) if item.shape[1] else 0):
        allowed, own = eligible[0 if len(eligible) == 1 else query], group[query]
        size = _fill_from(order[own], value[own], nothing, allowed, score[query], item[query], 0)
        sort_kept(score[query], item[query], size)
