"""The loops that add up: rows of item-to-item matrices, and the weights of repeated events."""

import numpy as np

from encorec.compiled import FLOAT32, FLOAT64, INT32, INT64, compiled, read, write
from encorec.types import FloatMatrix, FloatVector, IntVector

__all__ = ["add_dense_rows", "add_sparse_rows", "merge_repeats"]

TILE = 2048


@compiled(read(INT64), read(INT32), read(FLOAT32), read(FLOAT32, 2), write(FLOAT32, 2))
def add_dense_rows(
    indptr: IntVector, row: IntVector, weight: FloatVector, matrix: FloatMatrix, out: FloatMatrix
) -> None:
    """``out[q] += sum of weight * matrix[row]`` over the entries of query q.

    Args:
        indptr: (n + 1,) int64 offsets of the queries' entries.
        row: (m,) int32 rows of ``matrix``.
        weight: (m,) float32.
        matrix: (rows, items) float32.
        out: (n, items) float32, added to.

    Example:
        >>> out = np.zeros((1, 2), np.float32)
        >>> matrix = np.array([[1, 2], [3, 4]], np.float32)
        >>> add_dense_rows(np.array([0, 2]), np.array([0, 1], np.int32), np.ones(2, np.float32), matrix, out)
        >>> out.tolist()
        [[4.0, 6.0]]
    """
    items = out.shape[1]
    for start in range(0, items, TILE):  # a tile of the matrix stays in the cache while all queries pass over it
        tile = slice(start, min(start + TILE, items))
        for query in range(len(indptr) - 1):
            target, entry, end = out[query, tile], indptr[query], indptr[query + 1]
            while entry + 4 <= end:  # four rows in one pass, still added one after the other
                first, second = matrix[row[entry], tile], matrix[row[entry + 1], tile]
                third, fourth = matrix[row[entry + 2], tile], matrix[row[entry + 3], tile]
                a, b, c, d = weight[entry], weight[entry + 1], weight[entry + 2], weight[entry + 3]
                for item in range(len(target)):
                    total = ((target[item] + a * first[item]) + b * second[item]) + c * third[item]
                    target[item] = total + d * fourth[item]
                entry += 4
            while entry < end:
                source, strength = matrix[row[entry], tile], weight[entry]
                for item in range(len(target)):
                    target[item] += strength * source[item]
                entry += 1


@compiled(
    read(INT64),
    read(INT32),
    read(FLOAT32),
    read(INT64),
    read(INT32),
    read(FLOAT32),
    write(FLOAT32, 2),
)
def add_sparse_rows(
    indptr: IntVector,
    row: IntVector,
    weight: FloatVector,
    matrix_indptr: IntVector,
    matrix_item: IntVector,
    matrix_value: FloatVector,
    out: FloatMatrix,
) -> None:
    """``out[q] += sum of weight * matrix[row]`` over the entries of query q, the matrix in CSR form.

    Args:
        indptr: (n + 1,) int64 offsets of the queries' entries.
        row: (m,) int32 rows of the matrix.
        weight: (m,) float32.
        matrix_indptr: (rows + 1,) int64.
        matrix_item: (z,) int32 columns.
        matrix_value: (z,) float32.
        out: (n, items) float32, added to.

    Example:
        >>> out = np.zeros((1, 3), np.float32)
        >>> one, item = np.ones(1, np.float32), np.array([2], np.int32)
        >>> add_sparse_rows(np.array([0, 1]), np.zeros(1, np.int32), one, np.array([0, 1]), item, one, out)
        >>> out.tolist()
        [[0.0, 0.0, 1.0]]
    """
    for query in range(len(indptr) - 1):
        target = out[query]
        for entry in range(indptr[query], indptr[query + 1]):
            source, strength = row[entry], weight[entry]
            for place in range(matrix_indptr[source], matrix_indptr[source + 1]):
                target[matrix_item[place]] += strength * matrix_value[place]


@compiled(
    read(INT64),
    read(INT32),
    read(FLOAT32),
    FLOAT64,
    write(INT32),
    write(INT64),
    write(INT32),
    write(FLOAT32),
    returns=INT64,
)
def merge_repeats(
    indptr: IntVector,
    item: IntVector,
    weight: FloatVector,
    decay: float,
    place: IntVector,
    merged_indptr: IntVector,
    merged_item: IntVector,
    merged_weight: FloatVector,
) -> int:
    """Each item of a history once, newest first: ``log2(1 + summed weight) * decay ** steps of its newest event``.

    Args:
        indptr: (n + 1,) int64 offsets of the histories.
        item: (m,) int32.
        weight: (m,) float32.
        decay: in (0, 1].
        place: (items,) int32 filled with -1; used as scratch and left so.
        merged_indptr: (n + 1,) int64, written.
        merged_item: (m,) int32, written up to the returned length.
        merged_weight: (m,) float32, written up to the returned length.

    Returns:
        Number of entries written.

    Example:
        >>> out = np.empty(2, np.int64), np.empty(3, np.int32), np.empty(3, np.float32)
        >>> items, ones = np.array([1, 0, 1], np.int32), np.ones(3, np.float32)
        >>> size = merge_repeats(np.array([0, 3]), items, ones, 0.5, np.full(2, -1, np.int32), *out)
        >>> out[1][:size].tolist(), out[2][:size].round(1).tolist()
        ([1, 0], [1.600000023841858, 0.5])
    """
    size = 0
    merged_indptr[0] = 0
    for query in range(len(indptr) - 1):
        first = size
        recency = 1.0
        for event in range(indptr[query + 1] - 1, indptr[query] - 1, -1):
            one = item[event]
            if place[one] < 0:
                place[one] = size
                merged_item[size] = one
                merged_weight[size] = 0
                size += 1
            merged_weight[place[one]] += weight[event]
        position = first
        for event in range(indptr[query + 1] - 1, indptr[query] - 1, -1):
            if position < size and merged_item[position] == item[event]:
                merged_weight[position] = np.log2(1 + merged_weight[position]) * recency
                place[merged_item[position]] = -1
                position += 1
            recency *= decay
        merged_indptr[query + 1] = size
    return size
