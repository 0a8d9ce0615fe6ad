"""The loops that find the users most alike to a history, and take their votes apart."""

import numpy as np

from encorec.compiled import FLOAT32, FLOAT64, INT32, INT64, compiled, read, write
from encorec.retrieval.selection import keep_best, sort_kept, worse
from encorec.types import BoolVector, FloatMatrix, FloatVector, IntMatrix, IntVector

__all__ = ["nearest_users", "voter_shares"]


@compiled()
def _proposes(row: int, indptr: IntVector, item: IntVector, seen: BoolVector) -> bool:
    """Whether a user took anything that was not seen."""
    place = indptr[row]
    while place < indptr[row + 1] and seen[item[place]]:
        place += 1
    return place < indptr[row + 1]


@compiled(
    read(INT64), read(INT32), read(FLOAT32), read(INT64), read(INT64), read(INT32),
    read(INT64), read(INT32), read(FLOAT32), read(INT64), read(INT32), read(FLOAT64), read(FLOAT64),
    write(INT32, 2), write(FLOAT32, 2),
)  # fmt: skip
def nearest_users(
    asked_indptr: IntVector,
    asked_item: IntVector,
    asked_weight: FloatVector,
    starts: IntVector,
    stops: IntVector,
    history_item: IntVector,
    taker_indptr: IntVector,
    taker: IntVector,
    strength: FloatVector,
    indptr: IntVector,
    item: IntVector,
    asked_size: FloatVector,
    size: FloatVector,
    neighbour: IntMatrix,
    score: FloatMatrix,
) -> None:
    """The k users most alike to every query who took something that is not in its history, the most alike first.

    Args:
        asked_indptr: (n + 1,) int64 offsets of the queries' weighted items, with ``asked_item`` (e,) int32 and
            ``asked_weight`` (e,) float32.
        starts: (n,) int64 first event of each history in ``history_item`` (h,) int32, with ``stops`` (n,) int64.
        taker_indptr: (items + 1,) int64 offsets of each item's users, with ``taker`` (m,) int32 and ``strength`` (m,)
            float32, the weight of the item among those of the user.
        indptr: (users + 1,) int64 offsets of each user's items, with ``item`` (m,) int32.
        asked_size: (n,) float64 size of each query's set for jaccard, with ``size`` (users,) of each user's; empty for
            the product.
        neighbour: (n, k) int32, written; -1 where there are fewer than k.
        score: (n, k) float32, written; positive.

    Example:
        >>> asked = np.array([0, 1]), np.zeros(1, np.int32), np.ones(1, np.float32)
        >>> history = np.array([0]), np.array([1]), np.zeros(1, np.int32)
        >>> takers = np.array([0, 2, 3]), np.array([0, 1, 1], np.int32), np.ones(3, np.float32)
        >>> users = np.array([0, 1, 3]), np.array([0, 0, 1], np.int32)
        >>> out = np.empty((1, 2), np.int32), np.empty((1, 2), np.float32)
        >>> nearest_users(*asked, *history, *takers, *users, np.empty(0), np.empty(0), *out)
        >>> out[0].tolist()
        [[1, -1]]
    """
    total, touched = np.zeros(len(indptr) - 1), np.empty(len(indptr) - 1, np.int32)
    known, seen = np.zeros(len(indptr) - 1, np.bool_), np.zeros(len(taker_indptr) - 1, np.bool_)
    for query in range(len(neighbour)):
        for event in range(starts[query], stops[query]):
            seen[history_item[event]] = True
        count = 0
        for entry in range(asked_indptr[query], asked_indptr[query + 1]):
            for place in range(taker_indptr[asked_item[entry]], taker_indptr[asked_item[entry] + 1]):
                row = taker[place]
                if not known[row]:
                    known[row] = True
                    touched[count] = row
                    count += 1
                total[row] += asked_weight[entry] * np.float64(strength[place])
        kept_score, kept, found = score[query], neighbour[query], 0
        for place in range(count):
            row = touched[place]
            product = total[row]
            if len(size):
                product = product / (asked_size[query] + size[row] - product)  # jaccard1901
            value = np.float32(product)
            better = value > 0 and (found < len(kept) or worse(kept_score[0], kept[0], value, row))
            if better and _proposes(row, indptr, item, seen):
                found = keep_best(kept_score, kept, found, value, row)
            total[row] = 0
            known[row] = False
        sort_kept(kept_score, kept, found)
        for event in range(starts[query], stops[query]):
            seen[history_item[event]] = False


@compiled(
    read(INT64), read(INT32), read(FLOAT32), read(INT64), read(INT32), read(FLOAT64),
    read(INT64), read(INT32), read(FLOAT32), read(INT32), write(FLOAT32),
)  # fmt: skip
def voter_shares(
    asked_indptr: IntVector,
    asked_item: IntVector,
    asked_weight: FloatVector,
    voter_indptr: IntVector,
    voter: IntVector,
    divisor: FloatVector,
    taker_indptr: IntVector,
    taker: IntVector,
    strength: FloatVector,
    wanted: IntVector,
    share: FloatVector,
) -> None:
    """What every weighted item of a query adds to the summed similarity of those neighbours who took one item.

    Args:
        asked_indptr: (n + 1,) int64 offsets of the queries' weighted items, with ``asked_item`` (e,) int32 and
            ``asked_weight`` (e,) float32.
        voter_indptr: (n + 1,) int64 offsets of the queries' neighbours, with ``voter`` (v,) int32 and what the product
            of each is divided by, ``divisor`` (v,) float64.
        taker_indptr: (items + 1,) int64 offsets of each item's users, with ``taker`` (m,) int32, rising for each item,
            and ``strength`` (m,) float32.
        wanted: (n,) int32 the item that each query asks about.
        share: (e,) float32, written.

    Example:
        >>> asked = np.array([0, 1]), np.zeros(1, np.int32), np.ones(1, np.float32)
        >>> takers = np.array([0, 2, 3]), np.array([0, 1, 1], np.int32), np.full(3, 0.5, np.float32)
        >>> voters, wanted, share = np.ones(1, np.int32), np.ones(1, np.int32), np.empty(1, np.float32)
        >>> voter_shares(*asked, np.array([0, 1]), voters, np.ones(1), *takers, wanted, share)
        >>> share.tolist()
        [0.5]
    """
    for query in range(len(wanted)):
        own = taker[taker_indptr[wanted[query]] : taker_indptr[wanted[query] + 1]]
        for entry in range(asked_indptr[query], asked_indptr[query + 1]):
            first, end = taker_indptr[asked_item[entry]], taker_indptr[asked_item[entry] + 1]
            users, added = taker[first:end], 0.0
            for place in range(voter_indptr[query], voter_indptr[query + 1]):
                row = voter[place]
                held = np.searchsorted(own, row)
                if held < len(own) and own[held] == row:
                    found = np.searchsorted(users, row)
                    if found < len(users) and users[found] == row:
                        added += asked_weight[entry] * np.float64(strength[first + found]) / divisor[place]
            share[entry] = added
