"""The loops of vector models: inner products summed in one fixed order, and the best items by them.

A matrix product of BLAS sums in an order that depends on how many queries are asked at once. It only says which items
are worth a look; the score of an item is always one of the sums made here.
"""

import numpy as np

from encorec.compiled import BOOL, FLOAT32, FLOAT64, INT32, INT64, compiled, read, write
from encorec.retrieval.row_sums import add_dense_rows
from encorec.retrieval.selection import keep_best, sort_kept
from encorec.types import BoolMatrix, FloatMatrix, FloatVector, IntMatrix, IntVector

__all__ = ["all_products", "best_eligible", "best_listed", "best_near", "count_eligible", "products_at"]

GROUPS = 512


@compiled()
def _products(
    user: FloatVector, row: FloatMatrix, prior: FloatVector, item: IntVector, size: int, out: FloatVector
) -> None:
    """Scores of ``item[:size]``, four side by side, each summed from the first number of its vector to the last."""
    length, place = len(user), 0
    while place + 4 <= size:
        first, second, third, fourth = (
            row[item[place]],
            row[item[place + 1]],
            row[item[place + 2]],
            row[item[place + 3]],
        )
        a, b, c, d = np.float32(0), np.float32(0), np.float32(0), np.float32(0)
        for one in range(length):
            a += user[one] * first[one]
            b += user[one] * second[one]
            c += user[one] * third[one]
            d += user[one] * fourth[one]
        out[place], out[place + 1] = a + first[length], b + second[length]
        out[place + 2], out[place + 3] = c + third[length], d + fourth[length]
        place += 4
    while place < size:
        own, total = row[item[place]], np.float32(0)
        for one in range(length):
            total += user[one] * own[one]
        out[place] = total + own[length]
        place += 1
    if not user.any():
        for place in range(size):
            out[place] = prior[item[place]]


@compiled()
def _keep_listed(found: IntVector, value: FloatVector, size: int, item: IntVector, score: FloatVector) -> None:
    """The best of ``found[:size]`` become a list of (k,) places, best first."""
    kept = 0
    for place in range(size):
        kept = keep_best(score, item, kept, value[place], found[place])
    sort_kept(score, item, kept)


@compiled(
    read(FLOAT32, 2), read(FLOAT32, 2), read(FLOAT32), read(INT32), read(INT32), write(FLOAT32)
)  # fmt: skip
def products_at(
    users: FloatMatrix, row: FloatMatrix, prior: FloatVector, query: IntVector, item: IntVector, out: FloatVector
) -> None:
    """Scores of pairs: the inner product and then what stands behind the vector; ``prior`` for a user of zeros.

    Args:
        users: (n, size) float32.
        row: (items, size + 1) float32, the vector of an item and what is added to its product.
        prior: (items,) float32.
        query: (m,) int32, does not decrease.
        item: (m,) int32.
        out: (m,) float32, written.

    Example:
        >>> users, row = np.array([[1, 2]], np.float32), np.array([[3, 4, 0.5]], np.float32)
        >>> out, zero = np.empty(1, np.float32), np.zeros(1, np.int32)
        >>> products_at(users, row, np.zeros(1, np.float32), zero, zero, out)
        >>> out.tolist()
        [11.5]
    """
    start = 0
    while start < len(query):
        end = start
        while end < len(query) and query[end] == query[start]:
            end += 1
        _products(users[query[start]], row, prior, item[start:end], end - start, out[start:end])
        start = end


@compiled(
    read(FLOAT32, 2), read(FLOAT32, 2), read(FLOAT32), read(BOOL, 2), write(INT32, 2), write(FLOAT32, 2)
)  # fmt: skip
def best_eligible(
    users: FloatMatrix,
    row: FloatMatrix,
    prior: FloatVector,
    eligible: BoolMatrix,
    item: IntMatrix,
    score: FloatMatrix,
) -> None:
    """The k best items where few are eligible: only these are scored.

    Args:
        users: (n, size) float32.
        row: (items, size + 1) float32, as for ``products_at``.
        prior: (items,) float32.
        eligible: (n, items), or (1, items) for all queries alike.
        item: (n, k) int32, written; -1 where there are fewer than k.
        score: (n, k) float32, written.

    Example:
        >>> item, score = np.empty((1, 2), np.int32), np.empty((1, 2), np.float32)
        >>> one, row = np.ones((1, 1), np.float32), np.array([[1, 0], [3, 0], [2, 0]], np.float32)
        >>> best_eligible(one, row, np.zeros(3, np.float32), np.array([[True, False, True]]), item, score)
        >>> item.tolist()
        [[2, 0]]
    """
    found, value = np.empty(eligible.shape[1], np.int32), np.empty(eligible.shape[1], np.float32)
    size = 0
    for query in range(len(users) if item.shape[1] else 0):
        if query == 0 or len(eligible) > 1:
            size = 0
            for one in range(eligible.shape[1]):
                found[size] = one
                size += eligible[query, one]
        _products(users[query], row, prior, found, size, value)
        _keep_listed(found, value, size, item[query], score[query])


@compiled(
    read(FLOAT32, 2), read(FLOAT64), read(FLOAT32, 2), read(FLOAT32, 2), read(FLOAT32), read(BOOL, 2),
    write(INT32, 2), write(FLOAT32, 2),
)  # fmt: skip
def best_near(
    near: FloatMatrix,
    error: FloatVector,
    users: FloatMatrix,
    row: FloatMatrix,
    prior: FloatVector,
    eligible: BoolMatrix,
    item: IntMatrix,
    score: FloatMatrix,
) -> None:
    """The k best items, found from scores that are known up to an error: every item that may be among them is rescored.

    At least k eligible items lie at or above the k-th highest of the peaks of disjoint groups. So the exact score of
    place k is at least that peak less the error, and what is to reach it lies at most two errors below the peak.

    Args:
        near: (n, items) float32 scores, each at most ``error`` away from that of ``products_at``.
        error: (n,) float64; infinite or NaN where nothing is known.
        users: (n, size) float32.
        row: (items, size + 1) float32, as for ``products_at``.
        prior: (items,) float32.
        eligible: (n, items), or (1, items) for all queries alike.
        item: (n, k) int32, written; -1 where there are fewer than k.
        score: (n, k) float32, written.

    Example:
        >>> item, score = np.empty((1, 1), np.int32), np.empty((1, 1), np.float32)
        >>> one, row = np.ones((1, 1), np.float32), np.array([[1, 0], [3, 0], [2, 0]], np.float32)
        >>> near, error = np.array([[1, 2.5, 2.6]], np.float32), np.array([0.7])
        >>> best_near(near, error, one, row, np.zeros(3, np.float32), np.ones((1, 3), bool), item, score)
        >>> item.tolist(), score.tolist()
        ([[1]], [[3.0]])
    """
    items, k = near.shape[1], item.shape[1]
    groups = GROUPS
    while groups < 4 * k:
        groups *= 2
    peak, place, best = np.empty(groups, np.float32), np.empty(k, np.int32), np.empty(k, np.float32)
    found, value = np.empty(items, np.int32), np.empty(items, np.float32)
    for query in range(len(users) if k else 0):
        values, allowed = near[query], eligible[0 if len(eligible) == 1 else query]
        peak[:] = -np.inf
        for start in range(0, items, groups):
            part, open_ = values[start : min(start + groups, items)], allowed[start : min(start + groups, items)]
            for one in range(len(part)):  # without a branch, so that many groups are looked at in one step
                peak[one] = part[one] if open_[one] & (part[one] > peak[one]) else peak[one]
        kept = 0
        for group in range(groups):
            if kept < k or peak[group] > best[0]:
                kept = keep_best(best, place, kept, peak[group], group)
        floor = np.float64(best[0]) - 2 * error[query]
        floor = floor if floor > -np.inf else -np.inf
        size = 0
        for group in range(groups):
            if peak[group] >= floor or floor == -np.inf:
                for one in range(group, items, groups):
                    found[size] = one
                    size += allowed[one] & (not values[one] < floor)
        _products(users[query], row, prior, found, size, value)
        _keep_listed(found, value, size, item[query], score[query])


@compiled(
    read(FLOAT32), read(FLOAT32, 2), read(FLOAT32), read(INT32), write(INT32), write(FLOAT32)
)  # fmt: skip
def best_listed(
    user: FloatVector, row: FloatMatrix, prior: FloatVector, listed: IntVector, item: IntVector, score: FloatVector
) -> None:
    """The k best of the listed items for one query.

    Args:
        user: (size,) float32.
        row: (items, size + 1) float32, as for ``products_at``.
        prior: (items,) float32.
        listed: (m,) int32 eligible items, none twice.
        item: (k,) int32, written; -1 where there are fewer than k.
        score: (k,) float32, written.

    Example:
        >>> item, score = np.empty(1, np.int32), np.empty(1, np.float32)
        >>> row, listed = np.array([[1, 0], [3, 0], [2, 0]], np.float32), np.array([0, 2], np.int32)
        >>> best_listed(np.ones(1, np.float32), row, np.zeros(3, np.float32), listed, item, score)
        >>> item.tolist(), score.tolist()
        ([2], [2.0])
    """
    value = np.empty(len(listed), np.float32)
    _products(user, row, prior, listed, len(listed), value)
    _keep_listed(listed, value, len(listed) if len(item) else 0, item, score)


@compiled(read(BOOL, 2), write(INT64))
def count_eligible(eligible: BoolMatrix, count: IntVector) -> None:
    """How many items each rule allows.

    Args:
        eligible: (n, items) bool.
        count: (n,) int64, written.

    Example:
        >>> count = np.empty(2, np.int64)
        >>> count_eligible(np.array([[True, False], [True, True]]), count)
        >>> count.tolist()
        [1, 2]
    """
    for query in range(len(eligible)):
        allowed, total = eligible[query], 0
        for one in range(len(allowed)):
            total += allowed[one]
        count[query] = total


@compiled(read(FLOAT32, 2), read(FLOAT32, 2), read(FLOAT32), read(FLOAT32), write(FLOAT32, 2))
def all_products(
    users: FloatMatrix, factors: FloatMatrix, offset: FloatVector, prior: FloatVector, out: FloatMatrix
) -> None:
    """Scores of every item for every query, to the last bit those of ``products_at``.

    Args:
        users: (n, size) float32.
        factors: (size, items) float32, one column per item.
        offset: (items,) float32, added to the product.
        prior: (items,) float32, the scores for a user of zeros.
        out: (n, items) float32, written.

    Example:
        >>> factors, out = np.array([[1, 3]], np.float32), np.empty((1, 2), np.float32)
        >>> all_products(np.full((1, 1), 2, np.float32), factors, np.ones(2, np.float32), np.zeros(2, np.float32), out)
        >>> out.tolist()
        [[3.0, 7.0]]
    """
    n, size = users.shape
    out[:] = 0
    row = np.empty(n * size, np.int32)
    for place in range(len(row)):
        row[place] = place % size
    add_dense_rows(np.arange(n + 1) * size, row, users.reshape(n * size), factors, out)
    for query in range(n):
        if users[query].any():
            out[query] += offset
        else:
            out[query] = prior
