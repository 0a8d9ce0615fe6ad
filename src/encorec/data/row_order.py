"""The canonical order of interactions: by user, then time, then as they stand in the source. Linear in the rows.

Rows are first dealt into parts of neighbouring users that fit into a processor's cache, and each part is sorted there:
one sort of everything waits for memory more, the more rows there are.
"""

import numpy as np

from encorec.compiled import FLOAT32, INT32, INT64, compiled, read, write
from encorec.types import FloatVector, IntVector

__all__ = ["sorted_rows"]

PARTS = 1024
LONG_HISTORY = 64

Columns = tuple[IntVector, IntVector, IntVector, FloatVector, IntVector]


def sorted_rows(user: IntVector, item: IntVector, time: IntVector, weight: FloatVector, users: int) -> Columns:
    """Copies of the columns, each (m,), in canonical order, and the (m,) int64 row that each interaction stood in.

    Args:
        user: (m,) int32 below ``users``.
        item: (m,) int32.
        time: (m,) int64.
        weight: (m,) float32.
        users: number of users.

    Example:
        >>> columns = np.array([1, 0, 1], np.int32), np.array([7, 8, 9], np.int32), np.array([5, 5, 4])
        >>> [column.tolist() for column in sorted_rows(*columns, np.ones(3, np.float32), 2)][1:3]
        [[8, 9, 7], [5, 4, 5]]
    """
    if ((user[1:] > user[:-1]) | ((user[1:] == user[:-1]) & (time[1:] >= time[:-1]))).all():
        return user.copy(), item.copy(), time.copy(), weight.copy(), np.arange(len(user))
    user, item, time = (np.ascontiguousarray(column) for column in (user, item, time))
    weight = np.ascontiguousarray(weight)
    dealt, out = _empty(len(user)), _empty(len(user))
    width = -(-users // PARTS)
    parts = np.zeros(PARTS + 1, np.int64)
    _deal(user, item, time, weight, width, parts, *dealt)
    largest = int(np.diff(parts, prepend=0).max())
    _sort_parts(*dealt, width, parts, np.empty(largest, np.int64), *out)
    return out


def _empty(n: int) -> Columns:
    return (
        np.empty(n, np.int32),
        np.empty(n, np.int32),
        np.empty(n, np.int64),
        np.empty(n, np.float32),
        np.empty(n, int),
    )


READ = read(INT32), read(INT32), read(INT64), read(FLOAT32)
WRITE = write(INT32), write(INT32), write(INT64), write(FLOAT32), write(INT64)


@compiled(*READ, INT64, write(INT64), *WRITE)
def _deal(
    user: IntVector, item: IntVector, time: IntVector, weight: FloatVector, width: int, parts: IntVector,
    dealt_user: IntVector, dealt_item: IntVector, dealt_time: IntVector, dealt_weight: FloatVector, row: IntVector,
) -> None:  # fmt: skip
    """Put the rows of every ``width`` users together, in the order given.

    Afterwards ``parts`` (PARTS + 1,), zeros before, holds in [p] where part p ends.
    """
    for one in user:
        parts[one // width + 1] += 1
    for part in range(1, len(parts)):
        parts[part] += parts[part - 1]
    for source in range(len(user)):
        place = parts[user[source] // width]
        parts[user[source] // width] += 1
        dealt_user[place], dealt_item[place], dealt_time[place] = user[source], item[source], time[source]
        dealt_weight[place], row[place] = weight[source], source


@compiled()
def _sort_history(order: IntVector, time: IntVector) -> None:
    """Sort the positions ``order`` by time, in place; equal times keep their order."""
    if len(order) > LONG_HISTORY:
        order[:] = order[np.argsort(time[order], kind="mergesort")]
    else:
        for place in range(1, len(order)):
            moved, empty = order[place], place
            while empty and time[order[empty - 1]] > time[moved]:
                order[empty] = order[empty - 1]
                empty -= 1
            order[empty] = moved


@compiled(*READ, read(INT64), INT64, read(INT64), write(INT64), *WRITE)
def _sort_parts(
    user: IntVector, item: IntVector, time: IntVector, weight: FloatVector, row: IntVector,
    width: int, parts: IntVector, order: IntVector,
    sorted_user: IntVector, sorted_item: IntVector, sorted_time: IntVector, sorted_weight: FloatVector,
    sorted_row: IntVector,
) -> None:  # fmt: skip
    """Sort the rows of every part by user, then time; ``order`` (largest part,) is scratch."""
    ends, start = np.empty(width + 1, np.int64), 0
    for part in range(len(parts) - 1):
        ends[:] = 0
        first_user, end = part * width, parts[part]
        for place in range(start, end):
            ends[user[place] - first_user + 1] += 1
        for one in range(1, width + 1):
            ends[one] += ends[one - 1]
        for place in range(start, end):
            order[ends[user[place] - first_user]] = place
            ends[user[place] - first_user] += 1
        history = 0
        for one in range(width):  # the counting has moved every offset to the end of its user
            _sort_history(order[history : ends[one]], time)
            history = ends[one]
        for place in range(start, end):
            source = order[place - start]
            sorted_user[place], sorted_item[place], sorted_time[place] = user[source], item[source], time[source]
            sorted_weight[place], sorted_row[place] = weight[source], row[source]
        start = end
