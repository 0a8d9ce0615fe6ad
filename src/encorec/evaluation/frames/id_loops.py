"""The loops over ids and lists: every table is walked once or twice, whatever it holds."""

from encorec.compiled import BOOL, INT32, INT64, compiled, read, write
from encorec.types import BoolVector, IntMatrix, IntVector

__all__ = ["fill_lists", "group_by_user", "look_up", "mark"]


@compiled(read(INT64), INT64, write(BOOL))
def mark(ids: IntVector, low: int, seen: BoolVector) -> None:
    """Set ``seen`` at every id; the first of its places stands for the id ``low``, the next for the id after it.

    Args:
        ids: (m,) int64, all of which have a place.
        low: the id of the first place.
        seen: (size,) written where an id is.

    Example:
        >>> import numpy as np
        >>> seen = np.zeros(4, bool)
        >>> mark(np.array([12, 10, 12]), 10, seen)
        >>> seen.tolist()
        [True, False, True, False]
    """
    for one in ids:
        seen[one - low] = True


@compiled(read(INT64), INT64, read(INT32), write(INT32))
def look_up(ids: IntVector, low: int, row_of: IntVector, row: IntVector) -> None:
    """What ``row_of`` says of every id, -1 where the id has no place.

    Args:
        ids: (m,) int64.
        low: the id of the first place.
        row_of: (size,) int32.
        row: (m,) int32, written.

    Example:
        >>> import numpy as np
        >>> row = np.empty(3, np.int32)
        >>> look_up(np.array([11, 99, 10]), 10, np.array([5, 6], np.int32), row)
        >>> row.tolist()
        [6, -1, 5]
    """
    for place in range(len(ids)):
        offset = ids[place] - low
        row[place] = row_of[offset] if 0 <= offset < len(row_of) else -1


@compiled(read(INT32), read(INT32), write(INT64), write(INT32), write(INT64))
def group_by_user(user: IntVector, item: IntVector, end: IntVector, grouped: IntVector, row: IntVector) -> None:
    """The items of user 0, those of user 1 and so on, each in the order given.

    Args:
        user: (m,) int32 rows of n users.
        item: (m,) int32 item rows.
        end: (n + 1,) int64 zeros; afterwards one user's items end where the next one's begin, at ``end[user]``.
        grouped: (m,) int32, written.
        row: (m,) int64, written: where each item stood.

    Example:
        >>> import numpy as np
        >>> user, item, end = np.array([1, 0, 1], np.int32), np.array([7, 8, 9], np.int32), np.zeros(3, np.int64)
        >>> grouped, row = np.empty(3, np.int32), np.empty(3, np.int64)
        >>> group_by_user(user, item, end, grouped, row)
        >>> end.tolist(), grouped.tolist(), row.tolist()
        ([1, 3, 3], [8, 7, 9], [1, 0, 2])
    """
    for one in user:
        end[one + 1] += 1
    for one in range(1, len(end)):
        end[one] += end[one - 1]
    for place in range(len(user)):
        target = end[user[place]]
        end[user[place]] += 1
        grouped[target], row[target] = item[place], place


@compiled(
    read(INT32), read(INT32), read(INT64), write(INT64), write(INT32), write(INT32), write(INT32, 2), returns=BOOL
)
def fill_lists(
    user: IntVector, item: IntVector, rank: IntVector, start: IntVector, newest: IntVector, ranked: IntVector,
    lists: IntMatrix,
) -> bool:  # fmt: skip
    """Put every item at its rank; says whether all went well.

    It does where every list has the ranks 1, 2, 3, ... and no item twice, and no row at all has a rank below 1.

    Args:
        user: (m,) int32 rows of n users, -1 = nobody's.
        item: (m,) int32 item rows.
        rank: (m,) int64.
        start: (n + 1,) int64 zeros; scratch.
        newest: (items,) int32, all -1; scratch.
        ranked: (m,) int32, all -1; scratch.
        lists: (n, width) int32, all -1; holds the first ``width`` places afterwards, if nothing is wrong.

    Example:
        >>> import numpy as np
        >>> empty, lists = (lambda *shape: np.full(shape, -1, np.int32)), np.full((1, 2), -1, np.int32)
        >>> user, item = np.array([0, 0], np.int32), np.array([4, 3], np.int32)
        >>> fill_lists(user, item, np.array([2, 1]), np.zeros(2, np.int64), empty(5), empty(2), lists), lists.tolist()
        (True, [[3, 4]])
    """
    for one in user:
        if one >= 0:
            start[one + 1] += 1
    for one in range(1, len(start)):
        start[one] += start[one - 1]
    for row in range(len(user)):
        if rank[row] < 1:
            return False
        if user[row] >= 0:
            first, after = start[user[row]], start[user[row] + 1]
            if rank[row] > after - first or ranked[first + rank[row] - 1] >= 0:
                return False
            ranked[first + rank[row] - 1] = item[row]
    for one in range(len(lists)):
        for place in range(start[one], start[one + 1]):
            if newest[ranked[place]] == one:
                return False
            newest[ranked[place]] = one
            if place - start[one] < lists.shape[1]:
                lists[one, place - start[one]] = ranked[place]
    return True
