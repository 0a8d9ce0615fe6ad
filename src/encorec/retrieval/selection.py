"""The loops that select: the best items of scores, rows and products, and the union of ranked lists."""

from typing import Any

import numpy as np

from encorec.compiled import BOOL, FLOAT32, FLOAT64, INT32, INT64, compiled, read, write
from encorec.types import BoolMatrix, FloatMatrix, FloatVector, IntMatrix, IntVector

__all__ = ["keep_best", "nearest_rows", "select_rows", "select_top", "sort_kept", "unite_lists", "worse"]

BLOCK = 64


@compiled()
def worse(score_a: Any, item_a: int, score_b: Any, item_b: int) -> bool:
    """Whether the first item comes after the second: a lower score, or the same one further down the catalogue."""
    return score_a < score_b or (score_a == score_b and item_a > item_b)


@compiled()
def _sink(score: FloatVector, item: IntVector, start: int, end: int) -> None:
    """Restore the heap (worst on top) below ``start``."""
    root = start
    while 2 * root + 1 < end:
        child = 2 * root + 1
        if child + 1 < end and worse(score[child + 1], item[child + 1], score[child], item[child]):
            child += 1
        if not worse(score[child], item[child], score[root], item[root]):
            return
        score[root], score[child] = score[child], score[root]
        item[root], item[child] = item[child], item[root]
        root = child


@compiled()
def keep_best(score: FloatVector, item: IntVector, size: int, value: Any, one: int) -> int:
    """Keep the best of a stream in ``score`` and ``item`` (k,); returns how many are kept. A heap once it is full."""
    k = len(score)
    if size < k:
        score[size], item[size] = value, one
        if size + 1 == k:
            for start in range(k // 2 - 1, -1, -1):
                _sink(score, item, start, k)
        return size + 1
    if k and worse(score[0], item[0], value, one):
        score[0], item[0] = value, one
        _sink(score, item, 0, k)
    return size


@compiled()
def sort_kept(score: FloatVector, item: IntVector, size: int) -> None:
    """What ``keep_best`` kept becomes a list with the best first; the places behind it are emptied."""
    for start in range(size // 2 - 1, -1, -1):
        _sink(score, item, start, size)
    for end in range(size - 1, 0, -1):
        score[0], score[end] = score[end], score[0]
        item[0], item[end] = item[end], item[0]
        _sink(score, item, 0, end)
    item[size:] = -1
    score[size:] = np.nan


@compiled(read(FLOAT32, 2), read(BOOL, 2), write(INT32, 2), write(FLOAT32, 2))
def select_top(scores: FloatMatrix, eligible: BoolMatrix, item: IntMatrix, score: FloatMatrix) -> None:
    """The k best eligible items of every query, best first; equal scores in catalogue order.

    Args:
        scores: (n, items) float32 without NaN.
        eligible: (n, items) or (1, items) bool.
        item: (n, k) int32, written; -1 where there are fewer than k.
        score: (n, k) float32, written.

    Example:
        >>> item, score = np.empty((1, 2), np.int32), np.empty((1, 2), np.float32)
        >>> select_top(np.array([[1, 3, 2]], np.float32), np.array([[True, False, True]]), item, score)
        >>> item.tolist()
        [[2, 0]]
    """
    n, k = item.shape
    shared = len(eligible) == 1
    for query in range(n if k else 0):
        values, allowed = scores[query], eligible[0 if shared else query]
        kept_score, kept_item, size = score[query], item[query], 0
        for start in range(0, len(values), BLOCK):
            end = min(start + BLOCK, len(values))
            if size == k:  # once the list is full, most blocks hold nothing better: one look without a branch per item
                better = 0
                for one in range(start, end):
                    better += values[one] > kept_score[0]
                if not better:
                    continue
            for one in range(start, end):
                if allowed[one] and (size < k or values[one] > kept_score[0]):
                    size = keep_best(kept_score, kept_item, size, values[one], one)
        sort_kept(kept_score, kept_item, size)


@compiled(read(INT64), read(FLOAT64), write(INT64, 2))
def select_rows(indptr: IntVector, relevance: FloatVector, row: IntMatrix) -> None:
    """The k rows of highest relevance of every query, best first; equal ones in their order, NaN last.

    Args:
        indptr: (n + 1,) int64 offsets of the queries' rows.
        relevance: (m,) float64.
        row: (n, k) int64, written; -1 where there are fewer than k.

    Example:
        >>> row = np.empty((1, 2), np.int64)
        >>> select_rows(np.array([0, 3]), np.array([np.nan, 0.1, 0.7]), row)
        >>> row.tolist()
        [[2, 1]]
    """
    k = row.shape[1]
    value = np.empty(k)
    for query in range(len(row) if k else 0):
        kept, size = row[query], 0
        for one in range(indptr[query], indptr[query + 1]):
            known = relevance[one]
            if known == known and (size < k or known > value[0]):
                size = keep_best(value, kept, size, known, one)
        sort_kept(value, kept, size)
        for one in range(indptr[query], indptr[query + 1]):
            if size < k and relevance[one] != relevance[one]:
                kept[size] = one
                size += 1


@compiled(
    read(INT64),
    read(INT32),
    read(FLOAT64),
    read(INT64),
    read(INT32),
    read(FLOAT64),
    write(INT32, 2),
    write(FLOAT32, 2),
)
def nearest_rows(
    left_indptr: IntVector,
    left_column: IntVector,
    left_value: FloatVector,
    right_indptr: IntVector,
    right_column: IntVector,
    right_value: FloatVector,
    item: IntMatrix,
    score: FloatMatrix,
) -> None:
    """The k largest entries of every row of ``left @ right``, both in CSR form, without building the product.

    Args:
        left_indptr: (n + 1,) int64, with ``left_column`` (l,) int32 and ``left_value`` (l,) float64.
        right_indptr: (c + 1,) int64, with ``right_column`` (r,) int32 and ``right_value`` (r,) float64.
        item: (n, k) int32, written; -1 where a row has fewer than k entries.
        score: (n, k) float32, written.

    Example:
        >>> item, score = np.empty((1, 1), np.int32), np.empty((1, 1), np.float32)
        >>> one, zero = np.ones(1), np.zeros(1, np.int32)
        >>> nearest_rows(np.array([0, 1]), zero, one, np.array([0, 1]), zero, one, item, score)
        >>> item.tolist(), score.tolist()
        ([[0]], [[1.0]])
    """
    columns = 0
    for place in range(len(right_column)):
        columns = max(columns, right_column[place] + 1)
    total = np.zeros(columns)
    touched = np.empty(columns, np.int32)
    known = np.zeros(columns, np.bool_)
    for row in range(len(left_indptr) - 1):
        count = 0
        for entry in range(left_indptr[row], left_indptr[row + 1]):
            middle, strength = left_column[entry], left_value[entry]
            for place in range(right_indptr[middle], right_indptr[middle + 1]):
                column = right_column[place]
                if not known[column]:
                    known[column] = True
                    touched[count] = column
                    count += 1
                total[column] += strength * right_value[place]
        kept_score, kept_item, size = score[row], item[row], 0
        for place in range(count):
            column = touched[place]
            size = keep_best(kept_score, kept_item, size, np.float32(total[column]), column)
            total[column] = 0
            known[column] = False
        sort_kept(kept_score, kept_item, size)


@compiled(read(INT32, 3), INT64, write(INT32), write(INT32), write(FLOAT32, 2), returns=INT64)
def unite_lists(lists: IntVector, items: int, query: IntVector, item: IntVector, rank: FloatMatrix) -> int:
    """Every item of several ranked lists once per query, in catalogue order, with its rank in each list.

    Args:
        lists: (sources, n, k) int32 items best first, -1 = empty place.
        items: size of the catalogue.
        query: (sources * n * k,) int32, written up to the returned length.
        item: as ``query``.
        rank: (sources * n * k, sources) float32, written; NaN where a source does not list the item.

    Returns:
        Number of (query, item) pairs.

    Example:
        >>> lists = np.array([[[2, 0]], [[2, -1]]], np.int32)
        >>> query, item, rank = np.empty(4, np.int32), np.empty(4, np.int32), np.empty((4, 2), np.float32)
        >>> size = unite_lists(lists, 3, query, item, rank)
        >>> item[:size].tolist(), rank[:size].tolist()
        ([0, 2], [[2.0, nan], [1.0, 1.0]])
    """
    sources, n, k = lists.shape
    place = np.full(items, -1, np.int64)
    size = 0
    for one in range(n):
        first = size
        for source in range(sources):
            for position in range(k):
                listed = lists[source, one, position]
                if listed >= 0 and place[listed] < 0:
                    place[listed] = 0
                    item[size] = listed
                    size += 1
        item[first:size].sort()
        for row in range(first, size):
            query[row] = one
            rank[row, :] = np.nan
            place[item[row]] = row
        for source in range(sources):
            for position in range(k):
                listed = lists[source, one, position]
                if listed >= 0:
                    rank[place[listed], source] = position + 1
        for row in range(first, size):
            place[item[row]] = -1
    return size
