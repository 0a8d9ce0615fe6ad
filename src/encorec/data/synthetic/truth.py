# pyright: reportArgumentType=false, reportReturnType=false, reportCallIssue=false
"""True preferences, looked up: the formula of the past asked about any user, item and time."""

import numpy as np

from encorec.compiled import FLOAT64, INT64, compiled, read, write
from encorec.data.synthetic.generation import FINISHED
from encorec.data.synthetic.records import CROWD, SHELF, VIEWS, Crowd, Shelf, Views
from encorec.data.synthetic.taste import CHAIN, CONTEXT, DAY_PARTS, REPEAT, chance, liking, mood_of
from encorec.types import FloatMatrix, IntMatrix, IntVector

__all__ = ["chances"]


@compiled()
def _memory(item: int, views: Views, start: int, stop: int) -> int:
    """Row in which an item was watched, -1 for none."""
    for row in range(start, stop):
        if views.item[row] == item:
            return row
    return -1


@compiled()
def _seen_before(views: Views, start: int, stop: int, second: int) -> int:
    """One past the last row between ``start`` and ``stop`` that lies before a second."""
    while start < stop:
        middle = (start + stop) // 2
        if views.second[middle] < second:
            start = middle + 1
        else:
            stop = middle
    return start


@compiled(CROWD, SHELF, VIEWS, read(INT64), read(INT64), read(INT64, 2), read(INT64), write(FLOAT64, 2))
def chances(
    crowd: Crowd, shelf: Shelf, views: Views, indptr: IntVector, user: IntVector, item: IntMatrix, second: IntVector,
    out: FloatMatrix,
) -> None:  # fmt: skip
    """Probability of a click from liking and history, before the user's own readiness to click.

    Args:
        crowd: all users.
        shelf: all items; what is not yet released has probability 0.
        views: the past, by user and time.
        indptr: (users + 1,) int64 offsets of the users' views.
        user: (n,) int64.
        item: (n, k) int64, -1 for none, which has probability 0.
        second: (n,) int64 since the beginning of the window, not negative.
        out: (n, k) float64, written.

    Example:
        >>> from encorec.data.synthetic.settings import WorldConfig
        >>> from encorec.data.synthetic.world import World
        >>> world = World.of(WorldConfig(users=60, items=120))
        >>> out, one, item = np.empty((1, 1)), np.array([0]), np.array([[5]])
        >>> chances(world.crowd, world.shelf, world.views, world.indptr, one, item, np.array([86_400 * 160]), out)
        >>> bool(0 <= out[0, 0] < 1)
        True
    """
    for row in range(len(user)):
        one, now = user[row], second[row]
        day, begin = now // 86_400, indptr[one]
        end = _seen_before(views, begin, indptr[one + 1], now)
        mood, drifted = crowd.favourite[one, mood_of(one, day)], min(day, 163)
        context = DAY_PARTS[now % 86_400 // 3600], 1 if day % 7 < 2 else 0
        for place in range(item.shape[1]):
            what = item[row, place]
            out[row, place] = 0.0
            if what < 0 or shelf.release[what] > day:
                continue
            x = liking(one, what, crowd.vector, crowd.favourite, crowd.drift, shelf.taste, shelf.quality, drifted, mood)
            x += CONTEXT[shelf.kind[what], context[0], context[1]]
            if _memory(what, views, begin, end) >= 0:
                x += REPEAT
            if shelf.previous[what] >= 0:
                before = _memory(np.int64(shelf.previous[what]), views, begin, end)
                if before < 0:
                    x += CHAIN[0]
                elif views.percent[before] < FINISHED:
                    x += CHAIN[1]
                else:
                    x += CHAIN[3] if day - views.second[before] // 86_400 <= 14 else CHAIN[2]
            out[row, place] = chance(x)
