"""How much people watch: items per user, tied to how long ago they came."""

import numpy as np

from encorec.data.synthetic.figures import ACTIVITY_TAIL
from encorec.types import FloatMatrix, FloatVector, IntVector

__all__ = ["GROWTH", "HABITS", "HABIT_BOUNDS", "HALF_LIVES", "MORE", "activity_table", "amounts", "mean_rows"]

HALF_LIVES = (0.8409, 0.9659, 0.0)
"""Factor per day by which the wish to return fades, by habit; 0 = never."""
HABITS = np.array([[0.52, 0.78], [0.36, 0.66], [0.16, 0.44]])
"""Cumulated shares of the first two habits among users of up to 3, of 4 to 10 and of more items."""
HABIT_BOUNDS = (3, 10)
MORE = (0.185, 0.335)
"""Probability of one more item in the same session, for users of up to and above 10 items, times ``GROWTH``."""
GROWTH = (0.62, 0.0047)
"""Factor of that probability on the first day, and what each day adds to it."""
_STAY = 0.27
_CELLS = 2048


def activity_table(mean: float, most: int) -> FloatVector:
    """(n + 1,) share of users with more than 0, 1, .. n items, with the wanted mean.

    Args:
        mean: items per user, at least 1.
        most: no user has more.

    Example:
        >>> table = activity_table(5.69, 1341)
        >>> round(float(table.sum()), 2), float(table[0])
        (5.69, 1.0)
    """
    known = np.array([0, *(n for n, _ in ACTIVITY_TAIL)]), np.array([1.0, *(share for _, share in ACTIVITY_TAIL)])
    tail = np.interp(np.arange(known[0][-1] + 1), *known)
    low, high = -12.0, 12.0
    for _ in range(60):
        tilt = (low + high) / 2
        table = _tilted(tail, tilt, most)
        low, high = (tilt, high) if table.sum() < mean else (low, tilt)
    return table


def _tilted(tail: FloatVector, tilt: float, most: int) -> FloatVector:
    """The same distribution with weights n ** tilt, cut off at ``most``, on a grid of 1e-9."""
    count = np.arange(1, len(tail))
    chance = -np.diff(tail) * count**tilt
    chance = np.append(chance[: most - 1], chance[most - 1 :].sum()) if most < len(chance) else chance
    share = np.round(np.cumsum(chance[::-1])[::-1] / chance.sum(), 9)
    return np.append(share, 0.0)


def _stay(days: int) -> FloatVector:
    """(days,) head start of those who came on each day: the longer ago, the more."""
    left = np.arange(days, 0, -1)
    return _STAY * left / (left + 25.0)


def _levels(score: FloatVector, new: FloatVector) -> FloatVector:
    """Share of users below each score, where a score is a uniform number plus the head start of the arrival."""
    share = np.zeros(len(score))
    for start, weight in zip(_stay(len(new)), new, strict=True):
        share += weight * np.clip(score - start, 0, 1)
    return share


def amounts(
    rank: FloatVector, arrival: IntVector, new: FloatVector, table: FloatVector
) -> tuple[IntVector, FloatVector]:
    """Items of each user and the share of users below them.

    Args:
        rank: (n,) float64 uniform.
        arrival: (n,) day of arrival.
        new: (days,) share of users by day of arrival.
        table: of ``activity_table``.

    Returns:
        (n,) int32 items, (n,) float64 share of users that watch less.

    Example:
        >>> new, table = np.array([0.5, 0.5]), activity_table(5.69, 100)
        >>> items, _ = amounts(np.array([0.1, 0.9]), np.array([0, 1]), new, table)
        >>> bool(items[0] < items[1])
        True
    """
    grid = np.linspace(0, 1 + _STAY, _CELLS + 1)
    share = np.round(np.interp(rank + _stay(len(new))[arrival], grid, _levels(grid, new)), 12)
    return np.searchsorted(-table, -(1.0 - share), side="left").clip(1).astype(np.int32), share


def mean_rows(table: FloatVector, new: FloatVector) -> tuple[FloatVector, FloatMatrix]:
    """Items of the first session and of later ones by habit, on average over those who came on a day.

    Args:
        table: of ``activity_table``.
        new: (days,) share of users by day of arrival.

    Returns:
        (days,) and (habits, days) float64.

    Example:
        >>> first, later = mean_rows(activity_table(5.69, 1341), np.array([0.5, 0.5]))
        >>> round(float(first.mean() + later.sum(axis=0).mean()), 1)
        5.7
    """
    middles = (np.arange(512) + 0.5) / 512
    first, later = np.zeros(len(new)), np.zeros((len(HALF_LIVES), len(new)))
    for day in range(len(new)):
        items, _ = amounts(middles, np.full(512, day), new, table)
        group = (items > HABIT_BOUNDS[0]).astype(int) + (items > HABIT_BOUNDS[1])
        more = np.array(MORE)[(group > 1).astype(int)] * (GROWTH[0] + GROWTH[1] * day)
        at_once = (1 - more**items) / (1 - more)
        shares = np.diff(np.column_stack([np.zeros(3), HABITS, np.ones(3)]), axis=1)[group]
        first[day] = at_once.mean()
        later[:, day] = (shares * (items - at_once)[:, None]).mean(axis=0)
    return np.round(first, 9), np.round(later, 9)
