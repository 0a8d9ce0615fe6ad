"""The loops that keep the nearest rows of every row, and that renew only what new columns changed."""

from typing import Any, NamedTuple

import numpy as np

from encorec.compiled import BOOL, FLOAT32, FLOAT64, INT32, INT64, compiled, read, record, write
from encorec.retrieval.selection import keep_best, sort_kept, worse
from encorec.types import BoolVector, FloatMatrix, FloatVector, IntMatrix, IntVector

__all__ = ["SparseRows", "nearest_alike", "renewed_lists", "similarity"]


class SparseRows(NamedTuple):
    """A CSR matrix: ``indptr`` (n + 1,) int64, ``column`` (m,) int32, ``value`` (m,) float64.

    Example:
        >>> from scipy import sparse
        >>> SparseRows.of(sparse.csr_array(np.array([[0.0, 2.0], [0.0, 0.0]]))).indptr.tolist()
        [0, 1, 1]
    """

    indptr: IntVector
    column: IntVector
    value: FloatVector

    @classmethod
    def of(cls, matrix: Any) -> "SparseRows":
        """A copy of a CSR matrix of scipy."""
        return cls(matrix.indptr.astype(np.int64), matrix.indices.astype(np.int32), matrix.data.astype(np.float64))

    def within(self, kept: BoolVector) -> "SparseRows":
        """The entries in the ``kept`` (columns,) columns alone."""
        inside = kept[self.column]
        indptr = np.concatenate([np.zeros(1, np.int64), np.cumsum(inside, dtype=np.int64)])[self.indptr]
        return SparseRows(indptr, self.column[inside], self.value[inside])


ROWS = record(SparseRows, write(INT64), write(INT32), write(FLOAT64))  # made for the loop, never memory-mapped


@compiled()
def similarity(product: Any, size: FloatVector, row: Any, column: Any) -> Any:
    """The product of two rows; where the sizes of sets are given, the share of what both hold in what either holds."""
    if len(size) == 0:
        return product
    return product / (size[row] + size[column] - product)  # jaccard1901


@compiled()
def _add_row(left: Any, right: Any, row: int, total: FloatVector, touched: IntVector, known: BoolVector) -> int:
    """Add the products of one row of ``left`` with all columns of ``right``; returns how many columns were touched."""
    count = 0
    for entry in range(left.indptr[row], left.indptr[row + 1]):
        middle, strength = left.column[entry], left.value[entry]
        for place in range(right.indptr[middle], right.indptr[middle + 1]):
            column = right.column[place]
            if not known[column]:
                known[column] = True
                touched[count] = column
                count += 1
            total[column] += strength * right.value[place]
    return count


@compiled(read(INT64), ROWS, ROWS, read(FLOAT64), write(INT32, 2), write(FLOAT32, 2))
def nearest_alike(
    rows: IntVector, left: SparseRows, right: SparseRows, size: FloatVector, item: IntMatrix, score: FloatMatrix
) -> None:
    """The k most alike rows of some rows of a matrix, the best first, equal ones in their order.

    Args:
        rows: (r,) int64 the rows asked about.
        left: the matrix, n rows.
        right: the same transposed.
        size: (n,) float64 sizes of sets for jaccard; empty for the product.
        item: (n, k) int32, written at ``rows``; -1 where a row has fewer than k alike.
        score: (n, k) float32, written at ``rows``.

    Example:
        >>> one = SparseRows(np.array([0, 1, 2]), np.zeros(2, np.int32), np.ones(2))
        >>> both = SparseRows(np.array([0, 2]), np.array([0, 1], np.int32), np.ones(2))
        >>> item, score = np.full((2, 2), -1, np.int32), np.zeros((2, 2), np.float32)
        >>> nearest_alike(np.array([1]), one, both, np.ones(2), item, score)
        >>> item.tolist(), score.tolist()
        ([[-1, -1], [0, 1]], [[0.0, 0.0], [1.0, 1.0]])
    """
    n = len(left.indptr) - 1
    total, touched, known = np.zeros(n), np.empty(n, np.int32), np.zeros(n, np.bool_)
    for row in rows:
        count = _add_row(left, right, row, total, touched, known)
        kept_score, kept_item, kept = score[row], item[row], 0
        for place in range(count):
            column = touched[place]
            value = np.float32(similarity(total[column], size, row, column))
            kept = keep_best(kept_score, kept_item, kept, value, column)
            total[column] = 0
            known[column] = False
        sort_kept(kept_score, kept_item, kept)


@compiled(
    ROWS, ROWS, read(FLOAT64), read(BOOL), read(INT64), read(INT32), read(FLOAT32),
    write(INT32, 2), write(FLOAT32, 2), write(BOOL),
)  # fmt: skip
def renewed_lists(
    left: SparseRows,
    right: SparseRows,
    size: FloatVector,
    changed: BoolVector,
    old_indptr: IntVector,
    old_item: IntVector,
    old_value: FloatVector,
    item: IntMatrix,
    score: FloatMatrix,
    again: BoolVector,
) -> None:
    """The k most alike rows of every row that did not change itself, from those kept before and the changed rows.

    Args:
        left: the matrix, n rows.
        right: the same transposed, with the columns of changed rows only.
        size: (n,) float64 sizes of sets for jaccard; empty for the product.
        changed: (n,) rows whose values changed.
        old_indptr: (n + 1,) int64 offsets of the lists kept before, with ``old_item`` (m,) int32 and ``old_value``
            (m,) float32, the best first.
        item: (n, k) int32, written where ``again`` is false; -1 where a row has fewer than k alike.
        score: (n, k) float32, written as ``item``.
        again: (n,) bool, written: rows that changed, and rows whose kept ones fell so far that one which was not kept
            could come before them. These must be compared with all rows.

    Example:
        >>> half = SparseRows(np.array([0, 1, 2]), np.zeros(2, np.int32), np.array([1, 0.5]))
        >>> second = SparseRows(np.array([0, 1]), np.array([1], np.int32), np.array([0.5]))
        >>> old = np.array([0, 1, 1]), np.array([0], np.int32), np.array([1], np.float32)
        >>> out = np.empty((2, 2), np.int32), np.empty((2, 2), np.float32), np.empty(2, bool)
        >>> renewed_lists(half, second, np.empty(0), np.array([False, True]), *old, *out)
        >>> out[0][0].tolist(), out[1][0].tolist(), out[2].tolist()
        ([0, 1], [1.0, 0.5], [False, True])
    """
    n, k = item.shape
    total, touched, known = np.zeros(n), np.empty(n, np.int32), np.zeros(n, np.bool_)
    for row in range(n):
        again[row] = changed[row]
        if changed[row]:
            continue
        kept_score, kept_item, kept = score[row], item[row], 0
        first, end = old_indptr[row], old_indptr[row + 1]
        for place in range(first, end):
            if not changed[old_item[place]]:
                kept = keep_best(kept_score, kept_item, kept, old_value[place], old_item[place])
        count = _add_row(left, right, row, total, touched, known)
        for place in range(count):
            column = touched[place]
            value = np.float32(similarity(total[column], size, row, column))
            kept = keep_best(kept_score, kept_item, kept, value, column)
            total[column] = 0
            known[column] = False
        sort_kept(kept_score, kept_item, kept)
        if end - first >= k:  # some were not kept: none of them may come before the last one now
            least, last = int(kept_item[k - 1]), int(old_item[end - 1])
            again[row] = kept < k or worse(kept_score[k - 1], least, old_value[end - 1], last)
