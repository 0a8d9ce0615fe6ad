"""The local form of EASE, for large catalogues: every item is fitted on the few items that tell most of it."""

import numpy as np
from scipy import sparse

from encorec.compiled import FLOAT64, INT32, INT64, compiled, read, write
from encorec.protocols import Arrays
from encorec.retrieval.ease_inverse import Parts, csr_parts
from encorec.retrieval.ease_penalty import Penalty, column_power
from encorec.retrieval.selection import nearest_rows
from encorec.types import FloatMatrix, FloatVector, IntMatrix, IntVector

__all__ = ["local_arrays"]

BATCH = 64


def local_arrays(matrix: sparse.csr_array, penalty: Penalty, nearest: int) -> Arrays:
    """The weights of each item on its ``nearest`` items, as rows of the history's items in CSR form.

    Column j of EASE is the ridge regression of item j on all others (steck2019); here on those alone that explain most
    of it one by one, by ``G_ij ** 2 / (G_ii + penalty_i)`` (fan2008), with exact Gram entries. Memory grows with the
    items.

    Args:
        matrix: (users, items).
        penalty: of the items.
        nearest: items of each regression.

    Example:
        >>> learnt = local_arrays(sparse.csr_array(np.array([[1.0, 1.0, 0.0], [1.0, 0.0, 0.0]])), Penalty(1.0), 2)
        >>> learnt["indptr"].tolist(), learnt["item"].tolist(), learnt["value"].round(2).tolist()
        ([0, 1, 2, 2], [1, 0], [0.33000001311302185, 0.5])
    """
    rows, columns = csr_parts(matrix), csr_parts(matrix.T.tocsr())
    power = column_power(matrix)
    held = penalty.of_items(power)
    near = _nearest(rows, columns, power + held, nearest)
    weights = np.zeros(near.shape, np.float32)
    count = np.count_nonzero(near >= 0, axis=1)
    order = np.argsort(count, kind="stable")
    order = order[count[order] > 0]
    for start in range(0, len(order), BATCH):
        batch = order[start : start + BATCH]
        width = int(count[batch].max())
        places = near[batch, :width].copy()
        found, explained = _regressions(batch.astype(np.int32), places, columns, len(rows[0]) - 1, held)
        without_itself = held[batch] / np.maximum(power[batch] + held[batch] - explained, held[batch])
        weights[batch, :width] = found * penalty.kept(without_itself)[:, None]
    return _by_history_item(near, weights)


def _nearest(rows: Parts, columns: Parts, power: FloatVector, nearest: int) -> IntMatrix:
    """(items, nearest) int32 items that tell most of each item, best first, -1 where there are fewer.

    Args:
        rows: of the users.
        columns: of the items.
        power: (items,) summed squares of every item and its penalty.
        nearest: how many.
    """
    indptr, column, value = rows
    items = len(power)
    scaled = indptr, column, value / np.sqrt(power)[column]
    width = min(nearest + 1, items)
    near, score = np.empty((items, width), np.int32), np.empty((items, width), np.float32)
    nearest_rows(*columns, *scaled, near, score)
    itself = near == np.arange(items)[:, None]
    near[itself] = -1
    near = np.take_along_axis(near, np.argsort(near < 0, axis=1, kind="stable"), axis=1)
    return np.ascontiguousarray(near[:, : max(width - 1, 1)])


def _regressions(
    item: IntVector, near: IntMatrix, columns: Parts, users: int, held: FloatVector
) -> tuple[FloatMatrix, FloatVector]:
    """(b, width) ridge weights of b items on the items in ``near`` (b, width), 0 at empty places; (b,) explained.

    The second is the product of each item with what is predicted of it. Both are float64.
    """
    gram, right = np.zeros((*near.shape, near.shape[1])), np.zeros(near.shape)
    _add_blocks(item, near, *columns, users, gram, right)
    places = np.arange(near.shape[1])
    gram[:, places, places] += held[near]
    product = right.copy()
    _solve_blocks(gram, right)
    return right, np.einsum("bw,bw->b", product, right)


def _by_history_item(near: IntMatrix, weights: FloatMatrix) -> Arrays:
    """Weights of (items, width) columns as rows: ``indptr``, ``item`` ascending, ``value``."""
    items = len(near)
    target, place = np.nonzero(weights)
    source = near[target, place]
    indptr = np.zeros(items + 1, np.int64)
    np.cumsum(np.bincount(source, minlength=items), out=indptr[1:])
    order = np.argsort(source, kind="stable")
    return {
        "indptr": indptr,
        "item": target[order].astype(np.int32),
        "value": weights[target[order], place[order]],
    }


@compiled()
def _count_by_user(near: IntVector, indptr: IntVector, user: IntVector, size: IntVector, touched: IntVector) -> int:
    """Write to ``size`` how many of ``near`` each user took, to ``touched`` who took any; returns how many did."""
    met = 0
    for one in near:
        for entry in range(indptr[one], indptr[one + 1] if one >= 0 else indptr[one]):
            who = user[entry]
            if size[who] == 0:
                touched[met] = who
                met += 1
            size[who] += 1
    return met


@compiled()
def _deal_to_users(
    near: IntVector, indptr: IntVector, user: IntVector, value: FloatVector,
    end: IntVector, place_of: IntVector, value_of: FloatVector,
) -> None:  # fmt: skip
    """Put the places in ``near`` that each user took behind one another; ``end`` moves from first to past last."""
    for place in range(len(near)):
        one = near[place]
        for entry in range(indptr[one], indptr[one + 1] if one >= 0 else indptr[one]):
            free = end[user[entry]]
            place_of[free], value_of[free] = place, value[entry]
            end[user[entry]] += 1


@compiled(
    read(INT32), read(INT32, 2), read(INT64), read(INT32), read(FLOAT64), INT64, write(FLOAT64, 3), write(FLOAT64, 2)
)  # fmt: skip
def _add_blocks(
    item: IntVector, near: IntMatrix, indptr: IntVector, user: IntVector, value: FloatVector, users: int,
    gram: FloatMatrix, right: FloatMatrix,
) -> None:  # fmt: skip
    """The upper Gram matrix of the items in ``near`` and their products with ``item``, one block per item.

    Args:
        item: (b,) int32.
        near: (b, width) int32, -1 = an empty place.
        indptr: (items + 1,) int64, with ``user`` int32 and ``value`` float64: who took each item.
        users: number of users.
        gram: (b, width, width) float64 zeros, added to.
        right: (b, width) float64 zeros, added to.
    """
    size, end, touched = np.zeros(users, np.int64), np.zeros(users, np.int64), np.empty(users, np.int32)
    for row in range(len(item)):
        met = _count_by_user(near[row], indptr, user, size, touched)
        total = 0
        for who in touched[:met]:
            end[who] = total
            total += size[who]
        place_of, value_of = np.empty(total, np.int32), np.empty(total)
        _deal_to_users(near[row], indptr, user, value, end, place_of, value_of)
        for who in touched[:met]:
            for first in range(end[who] - size[who], end[who]):
                line, strength = gram[row, place_of[first]], value_of[first]
                for second in range(first, end[who]):  # places ascend: right of the diagonal, the solver reads no more
                    line[place_of[second]] += strength * value_of[second]
        for entry in range(indptr[item[row]], indptr[item[row] + 1]):
            who = user[entry]
            for other in range(end[who] - size[who], end[who]):
                right[row, place_of[other]] += value[entry] * value_of[other]
        for who in touched[:met]:
            size[who] = 0


@compiled(write(FLOAT64, 3), write(FLOAT64, 2))
def _solve_blocks(gram: FloatMatrix, right: FloatMatrix) -> None:
    """``right = solve(gram, right)`` for b positive definite blocks (b, width, width), which are overwritten.

    Elimination without pivots on the upper triangle: for blocks so small, a call of LAPACK waits for its threads.
    """
    width = right.shape[1]
    for block in range(len(right)):
        square, answer = gram[block], right[block]
        for pivot in range(width):
            row = square[pivot]
            for below in range(pivot + 1, width):
                if row[below] != 0:
                    factor, target = row[below] / row[pivot], square[below]
                    for column in range(below, width):
                        target[column] -= factor * row[column]
                    answer[below] -= factor * answer[pivot]
        for pivot in range(width - 1, -1, -1):
            row, total = square[pivot], answer[pivot]
            for column in range(pivot + 1, width):
                total -= row[column] * answer[column]
            answer[pivot] = total / row[pivot]
