# pyright: reportArgumentType=false, reportReturnType=false, reportCallIssue=false
"""The past of a world: who watched what, when, and how far; user by user, each with a stream of random numbers.

A user comes on a first day and returns by habit. In each session items are proposed as the front page of that day
proposes them, and the first one that finds favour is watched; after a finished part the next one is proposed first.
"""

import numpy as np

from encorec.compiled import INT64, compiled
from encorec.data.synthetic.activity import GROWTH, HABIT_BOUNDS, HABITS, MORE
from encorec.data.synthetic.records import CROWD, GRID, SHELF, STAGE, VIEWS, Crowd, Shelf, Stage, Views
from encorec.data.synthetic.stream import start_stream, uniform
from encorec.data.synthetic.taste import CHAIN, CONTEXT, DAY_PARTS, chance, liking, mood_of
from encorec.types import FloatMatrix, FloatVector, IntVector

__all__ = ["FINISHED", "full_liking", "watch"]

_PATIENCE, _MOST_TRIES = 1_500, 6_000
_NEXT = 1.2
FINISHED = 80
"""Per cent from which a view counts as finished."""
_LONG_RUN = 0.0085


@compiled()
def count_up_to(levels: FloatVector, number: float) -> int:
    """How many of the increasing ``levels`` are at most ``number``."""
    low, high = 0, len(levels)
    while low < high:
        middle = (low + high) // 2
        if levels[middle] <= number:
            low = middle + 1
        else:
            high = middle
    return low


@compiled()
def _draw_day(ahead: FloatMatrix, habit: int, arrival: int, number: float) -> int:
    """The last day at which at least ``number``, in (0, 1], of the weight from arrival on lies ahead."""
    left = number * ahead[habit, arrival]
    low, high = arrival, ahead.shape[1] - 2
    while low < high:
        middle = (low + high + 1) // 2
        if ahead[habit, middle] >= left:
            low = middle
        else:
            high = middle - 1
    return low


@compiled()
def _plan(state: IntVector, arrival: int, stage: Stage, seconds: IntVector) -> None:
    """Seconds of all views of a user, in order: sessions on days drawn by habit, at hours of the day."""
    n = len(seconds)
    group = 0 if n <= HABIT_BOUNDS[0] else (1 if n <= HABIT_BOUNDS[1] else 2)
    lot = uniform(state)
    habit = 0 if lot < HABITS[group, 0] else (1 if lot < HABITS[group, 1] else 2)
    more = MORE[0] if n <= HABIT_BOUNDS[1] else MORE[1]
    day, place = arrival, 0
    while place < n:
        seconds[place] = day
        place += 1
        if uniform(state) >= more * (GROWTH[0] + GROWTH[1] * day):
            day = _draw_day(stage.ahead, habit, arrival, 1.0 - uniform(state))
    seconds.sort()
    before, clock = -1, 0
    for place in range(n):
        day = seconds[place]
        if day != before:
            clock = np.int64((count_up_to(stage.hours, uniform(state)) + uniform(state)) * 3600.0)
        else:
            clock = min(clock + 600 + np.int64(uniform(state) * 6000.0), 86_399)
        seconds[place] = day * 86_400 + clock
        before = day


@compiled()
def full_liking(
    user: int, item: int, crowd: Crowd, shelf: Shelf, second: int, mood: int, seen: IntVector, ended: IntVector
) -> float:
    """Liking with the hour and, for a further part, the fate of the one before.

    Args:
        user: row of the crowd.
        item: row of the shelf.
        crowd: all users.
        shelf: all items.
        second: since the beginning of the window.
        mood: axis of the week.
        seen: (items,) int64, the user where this user watched the item.
        ended: (items,) int64 day on which it was finished, -1 where it was given up.

    Example:
        >>> from encorec.data.synthetic.settings import WorldConfig
        >>> from encorec.data.synthetic.world import World
        >>> world = World.of(WorldConfig(users=60, items=120))
        >>> item, nobody = int(np.flatnonzero(world.films.previous >= 0)[0]), np.full(120, -1)
        >>> before = nobody.copy()
        >>> before[world.films.previous[item]] = 3
        >>> fresh = full_liking(3, item, world.crowd, world.shelf, 0, 0, nobody, nobody)
        >>> given_up = full_liking(3, item, world.crowd, world.shelf, 0, 0, before, nobody)
        >>> round(given_up - fresh, 6)
        0.5
    """
    day = second // 86_400
    x = liking(user, item, crowd.vector, crowd.favourite, crowd.drift, shelf.taste, shelf.quality, day, mood)
    x += CONTEXT[shelf.kind[item], DAY_PARTS[second % 86_400 // 3600], 1 if day % 7 < 2 else 0]
    previous = shelf.previous[item]
    if previous >= 0:
        if seen[previous] != user:
            x += CHAIN[0]
        elif ended[previous] < 0:
            x += CHAIN[1]
        else:
            x += CHAIN[3] if day - ended[previous] <= 14 else CHAIN[2]
    return x


@compiled()
def _anything(state: IntVector, user: int, day: int, shelf: Shelf, seen: IntVector) -> int:
    """An item that the user has not seen, from a random place on; one not yet released only if there is no other."""
    items = len(seen)
    start, found = np.int64(uniform(state) * items), -1
    for step in range(items):
        item = (start + step) % items
        if seen[item] != user:
            if shelf.release[item] <= day:
                return item
            if found < 0:
                found = item
    return found


@compiled()
def _percent(state: IntVector, tenths: FloatVector, likeness: float) -> int:
    """How much of it is watched: the U-shaped spread, its upper part for what is liked more (0..1)."""
    mixture = likeness + uniform(state)
    share = 0.5 * mixture * mixture if mixture < 1.0 else 1.0 - 0.5 * (2.0 - mixture) * (2.0 - mixture)
    tenth, lot = count_up_to(tenths, share), uniform(state)
    if tenth == 0:
        return 0 if lot < 0.55 else 1 + np.int64((lot - 0.55) * 20.0)
    if tenth >= 9:
        return 100 if lot < 0.8 else 90 + np.int64((lot - 0.8) * 50.0)
    return tenth * 10 + np.int64(lot * 10.0)


@compiled()
def _duration(state: IntVector, seconds: float, percent: int) -> int:
    """Seconds watched; a few views run on for days."""
    lot, wide = uniform(state), uniform(state)
    if lot < _LONG_RUN and seconds > 15_000.0:
        return np.int64(200_000.0 / np.sqrt(1.0 - 0.96 * wide))
    if percent == 0:
        return np.int64(1.0 + wide * min(0.01 * seconds, 120.0))
    return np.int64(1.0 + seconds * percent * 0.01 * (0.9 + 0.2 * wide))


@compiled()
def _propose(
    state: IntVector, user: int, crowd: Crowd, shelf: Shelf, stage: Stage, second: int, mood: int,
    seen: IntVector, ended: IntVector,
) -> int:  # fmt: skip
    """The first item that finds favour among those that the front page of the day proposes."""
    items, day = len(seen), second // 86_400
    for attempt in range(_MOST_TRIES):
        item = np.int64(uniform(state) * items)
        if uniform(state) >= stage.keep[day, item]:
            item = np.int64(stage.other[day, item])
        if seen[item] == user or shelf.release[item] > day:
            continue
        if attempt >= _PATIENCE:
            return item
        if uniform(state) < chance(full_liking(user, item, crowd, shelf, second, mood, seen, ended)):
            return item
    return _anything(state, user, day, shelf, seen)


@compiled(INT64, INT64, INT64, CROWD, SHELF, STAGE, VIEWS)
def watch(seed: int, first: int, stop: int, crowd: Crowd, shelf: Shelf, stage: Stage, out: Views) -> None:
    """All views of the users ``first`` to ``stop``, by user and time.

    Args:
        seed: of the world.
        first: user to begin with.
        stop: user to end before.
        crowd: all users.
        shelf: all items.
        stage: what the world does.
        out: written; as many rows as these users have views.

    Example:
        >>> from encorec.data.synthetic.settings import WorldConfig
        >>> from encorec.data.synthetic.world import World
        >>> world = World.of(WorldConfig(users=60, items=120))
        >>> again = Views(*(np.zeros_like(column) for column in world.views))
        >>> watch(7, 0, len(world.people.id), world.crowd, world.shelf, world.stage, again)
        >>> bool((again.item == world.views.item).all())
        True
    """
    items, row = len(shelf.quality), 0
    seen, ended = np.full(items, -1, np.int64), np.empty(items, np.int64)
    state = np.empty(1, np.int64)
    for user in range(first, stop):
        n = np.int64(crowd.amount[user])
        if n == 0:
            continue
        start_stream(state, seed, user)
        _plan(state, crowd.arrival[user], stage, out.second[row : row + n])
        following, plant = -1, stage.plant_indptr[user]
        for place in range(row, row + n):
            second = np.int64(out.second[place])
            day = second // 86_400
            mood = crowd.favourite[user, mood_of(user, day)]
            item, plants = -1, stage.plant_indptr[user + 1] - plant
            if plants > 0 and (plants >= row + n - place or uniform(state) < 0.3):
                item, plant = np.int64(stage.plant[plant]), plant + 1
                if seen[item] == user:
                    item = -1
            if item < 0 and following >= 0 and seen[following] != user and shelf.release[following] <= day:
                x = full_liking(user, following, crowd, shelf, second, mood, seen, ended)
                if uniform(state) < chance(x + _NEXT):
                    item = following
            if item < 0:
                item = _propose(state, user, crowd, shelf, stage, second, mood, seen, ended)
            taken = chance(full_liking(user, item, crowd, shelf, second, mood, seen, ended))
            percent = _percent(state, stage.tenths, count_up_to(stage.grid, taken) / np.float64(GRID))
            out.item[place], out.chance[place], out.percent[place] = item, taken, percent
            out.duration[place] = _duration(state, shelf.seconds[item], percent)
            seen[item], ended[item] = user, day if percent >= FINISHED else -1
            if percent >= FINISHED and shelf.following[item] >= 0:
                following = np.int64(shelf.following[item])
        row += n
