# pyright: reportArgumentType=false, reportReturnType=false, reportCallIssue=false
"""Questions asked of the users before anything is watched: how they like each item, and who is sure to watch it."""

import numpy as np

from encorec.compiled import FLOAT32, FLOAT64, INT32, INT64, compiled, read, write
from encorec.data.synthetic.generation import full_liking
from encorec.data.synthetic.records import CROWD, SHELF, Crowd, Shelf
from encorec.data.synthetic.stream import mixed, start_stream, uniform
from encorec.data.synthetic.taste import chance, mood_of
from encorec.types import FloatMatrix, FloatVector, IntVector

__all__ = ["mean_chances", "plant_views"]


@compiled(INT64, INT64, CROWD, SHELF, read(INT64), read(INT64), write(FLOAT64))
def mean_chances(
    first: int, stop: int, crowd: Crowd, shelf: Shelf, user: IntVector, second: IntVector, out: FloatVector
) -> None:
    """Mean probability of a click of the items ``first`` to ``stop`` over some users at some times.

    Args:
        first: item to begin with.
        stop: item to end before.
        crowd: all users.
        shelf: all items.
        user: (s,) int64 users asked.
        second: (s,) int64 when.
        out: (items,) float64, written between ``first`` and ``stop``.

    Example:
        >>> from encorec.data.synthetic.settings import WorldConfig
        >>> from encorec.data.synthetic.world import World
        >>> world = World.of(WorldConfig(users=60, items=120))
        >>> out, user = np.zeros(120), np.arange(5)
        >>> mean_chances(0, 120, world.crowd, world.shelf, user, user * 86_400, out)
        >>> bool((out > 0).all())
        True
    """
    items = len(shelf.quality)
    seen, ended = np.full(items, -1, np.int64), np.empty(items, np.int64)
    out[first:stop] = 0.0
    for place in range(len(user)):
        one, when = user[place], second[place]
        mood = crowd.favourite[one, mood_of(one, when // 86_400)]
        for item in range(first, stop):
            out[item] += chance(full_liking(one, item, crowd, shelf, when, mood, seen, ended)) / len(user)


@compiled(
    INT64, read(INT32), read(FLOAT64), read(INT32), read(INT32), read(FLOAT32, 2), read(FLOAT32, 2), write(INT32)
)  # fmt: skip
def plant_views(
    seed: int, release: IntVector, share: FloatVector, amount: IntVector, arrival: IntVector, vector: FloatMatrix,
    taste: FloatMatrix, out: IntVector,
) -> None:  # fmt: skip
    """A certain first viewer for every item that gets one: of a few who come after its release, who likes it most.

    Args:
        seed: of the world.
        release: (items,) int32 day.
        share: (items,) float64 probability that there is a certain viewer.
        amount: (users,) int32 views of each user.
        arrival: (users,) int32 first day.
        vector: (users, 20) float32.
        taste: (items, 20) float32.
        out: (items,) int32, written: the user, -1 for none.

    Example:
        >>> out, one = np.empty(1, np.int32), np.ones((1, 20), np.float32)
        >>> day, views = np.zeros(1, np.int32), np.full(1, 30, np.int32)
        >>> plant_views(7, day, np.ones(1), views, day, one, one, out)
        >>> out.tolist()
        [0]
    """
    state = np.empty(1, np.int64)
    users = len(amount)
    for item in range(len(release)):
        start_stream(state, mixed(seed), item)
        out[item], best, found = -1, -1.0e9, 0
        if uniform(state) >= share[item]:
            continue
        for _ in range(4000):
            user = np.int64(uniform(state) * users)
            if amount[user] < 4 + 20 * uniform(state) * uniform(state) or arrival[user] < release[item]:
                continue
            fit = 0.0
            for axis in range(vector.shape[1]):
                fit += np.float64(vector[user, axis]) * np.float64(taste[item, axis])
            if fit > best:
                best, out[item] = fit, user
            found += 1
            if found == 12:
                break
