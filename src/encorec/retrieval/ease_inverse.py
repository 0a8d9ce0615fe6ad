"""The Gram matrix of a user-item matrix and its regularised inverse, in one square of memory."""

import numpy as np
from scipy import linalg, sparse

from encorec.compiled import FLOAT64, INT32, INT64, compiled, read, write
from encorec.types import FloatMatrix, FloatVector, IntVector

__all__ = ["csr_parts", "inverse_gram"]

BLOCK = 512

Parts = tuple[IntVector, IntVector, FloatVector]


def csr_parts(matrix: sparse.csr_array) -> Parts:
    """Offsets int64, columns int32 (ascending in every row) and values float64 of an (n, m) sparse matrix.

    Example:
        >>> [part.tolist() for part in csr_parts(sparse.csr_array(np.array([[0, 2], [3, 0]])))]
        [[0, 1, 2], [1, 0], [2.0, 3.0]]
    """
    if not matrix.has_sorted_indices:
        matrix = matrix.sorted_indices()
    return (
        np.asarray(matrix.indptr, np.int64),
        np.asarray(matrix.indices, np.int32),
        np.asarray(matrix.data, np.float64),
    )


def inverse_gram(matrix: sparse.csr_array, penalty: float | FloatVector) -> FloatMatrix:
    """(n, n) float64 inverse of ``matrix' matrix + diag(penalty)``, by blocks in place; no second square is ever alive.

    Args:
        matrix: (m, n).
        penalty: positive, one for all columns or (n,).

    Raises:
        scipy.linalg.LinAlgError: the sum is singular to working precision.

    Example:
        >>> inverse_gram(sparse.csr_array(np.array([[1.0, 0.0], [0.0, 2.0]])), 1.0).round(3).tolist()
        [[0.5, 0.0], [0.0, 0.2]]
    """
    columns, rows = csr_parts(matrix.T.tocsr()), csr_parts(matrix)
    square = np.zeros((len(columns[0]) - 1, len(columns[0]) - 1))
    _add_products(*columns, *rows, square)
    del columns, rows
    square[np.diag_indices_from(square)] += penalty
    for start in range(0, len(square), BLOCK):
        _sweep(square, slice(start, min(start + BLOCK, len(square))))
    _mirror(square)
    return square


def _sweep(square: FloatMatrix, pivot: slice) -> None:
    """One step of the block sweep on the upper triangle; once all are swept, it holds minus the inverse.

    Source: goodnight1979. Only matrix products of blocks: LAPACK's own inverse of a large triangle needs as many
    operations, but ``potrf`` of scipy 1.17.1 was seen to crash at 15,706 rows.
    """
    inverse = _small_inverse(square[pivot, pivot])
    row = np.concatenate([square[: pivot.start, pivot].T, square[pivot, pivot.start :]], axis=1)
    row[:, pivot] = 0
    solved = inverse @ row
    for start in range(0, len(square), BLOCK):
        lines = slice(start, min(start + BLOCK, len(square)))
        square[lines, start:] -= row[:, lines].T @ solved[:, start:]
    square[: pivot.start, pivot] = solved[:, : pivot.start].T
    square[pivot, pivot.start :] = solved[:, pivot.start :]
    square[pivot, pivot] = -inverse


def _small_inverse(block: FloatMatrix) -> FloatMatrix:
    """(b, b) inverse of a block of which the upper triangle is given."""
    factorise, invert = linalg.get_lapack_funcs(("potrf", "potri"), (block,))
    inverse, failed = factorise(block, lower=0)
    if not failed:
        inverse, failed = invert(inverse, lower=0)
    if failed:
        raise linalg.LinAlgError("EASE: the Gram matrix is singular: use a larger reg")
    return np.triu(inverse) + np.triu(inverse, 1).T


def _mirror(square: FloatMatrix) -> None:
    """Turn the sign of what lies on and right of the diagonal and copy it below, block by block."""
    for start in range(0, len(square), BLOCK):
        end = min(start + BLOCK, len(square))
        square[start:end, start:] *= -1
        corner = square[start:end, start:end]
        corner[:] = np.triu(corner) + np.triu(corner, 1).T
        square[end:, start:end] = square[start:end, end:].T


@compiled(
    read(INT64), read(INT32), read(FLOAT64), read(INT64), read(INT32), read(FLOAT64), write(FLOAT64, 2)
)  # fmt: skip
def _add_products(
    column_indptr: IntVector,
    row: IntVector,
    row_value: FloatVector,
    indptr: IntVector,
    column: IntVector,
    value: FloatVector,
    square: FloatMatrix,
) -> None:
    """Add the products of all pairs of columns to ``square`` (n, n), right of the diagonal and on it.

    The matrix is given twice: by columns (``column_indptr``, ``row``, ``row_value``) and by rows; ``column`` ascends
    in every row.
    """
    for one in range(len(square)):
        target = square[one]
        for entry in range(column_indptr[one], column_indptr[one + 1]):
            strength, start = row_value[entry], indptr[row[entry]]
            place = indptr[row[entry] + 1] - 1
            while place >= start and column[place] >= one:
                target[column[place]] += strength * value[place]
                place -= 1
