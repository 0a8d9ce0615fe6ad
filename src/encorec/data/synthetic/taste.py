# pyright: reportArgumentType=false, reportReturnType=false, reportCallIssue=false
"""How likely a shown item is clicked: the truth of the world, one compiled formula for the past and for every test.

The liking of user u for item i at a time is a number x: taste of the user times traits of the item (named and hidden
axes), quality, the mood of the week, drift of taste, hour of the day and weekday, and, for a part of a chain, whether
the part before it was finished. The probability is ``(1 + x / sqrt(1 + x * x)) / 2``: an S-curve of additions and
square roots, which are equal on every machine.
"""

import numpy as np

from encorec.compiled import compiled
from encorec.data.synthetic.stream import mixed
from encorec.types import FloatMatrix, FloatVector, IntMatrix

__all__ = ["CHAIN", "CONTEXT", "DAY_PARTS", "REPEAT", "chance", "liking", "mood_of"]

BASE = np.float64(-3.35)
"""Liking of an item without any trait."""
MOOD = np.float64(1.5)
DAY_PARTS = np.array([3] * 6 + [0] * 6 + [1] * 5 + [2] * 5 + [3] * 2, np.int32)
"""(24,) morning, afternoon, evening or night by hour."""
CONTEXT = np.array(
    [
        [[-0.1, 0.1], [0.0, 0.2], [0.1, 0.3], [0.0, 0.1]],
        [[0.5, 0.7], [0.3, 0.5], [0.1, 0.2], [-0.9, -0.8]],
        [[-0.7, -0.6], [-0.4, -0.3], [0.1, 0.2], [0.6, 0.7]],
        [[0.0, -0.1], [0.1, -0.1], [0.3, 0.1], [0.1, 0.0]],
        [[0.2, 0.1], [0.1, 0.1], [0.0, 0.0], [0.0, 0.0]],
    ]
)
"""(kinds, parts of the day, workday or weekend) added to the liking."""
CHAIN = np.array([-0.9, -0.4, 1.0, 2.3])
"""Added for a further part: the one before not watched, given up, finished, finished within 14 days."""
REPEAT = np.float64(-3.0)
"""Added for what the user already watched."""


@compiled()
def mood_of(user: int, day: int) -> int:
    """Which of the three favourite axes a user is in the mood for on a day; it changes every nine days.

    Example:
        >>> {mood_of(5, day) for day in range(163)} == {0, 1, 2}
        True
    """
    shift = np.int64(np.uint64(mixed(np.int64(user))) >> np.uint64(40))
    span = (day + shift % 9) // 9
    return np.int64(np.uint64(mixed(np.int64(user) * 977 + span)) >> np.uint64(33)) % 3


@compiled()
def liking(
    user: int,
    item: int,
    vector: FloatMatrix,
    favourite: IntMatrix,
    drift: FloatVector,
    taste: FloatMatrix,
    quality: FloatVector,
    day: int,
    mood: int,
) -> float:
    """Liking of a user for an item on a day, without context and history.

    Args:
        user: row in the first three arrays.
        item: row in the next two.
        vector: (users, 20) float32.
        favourite: (users, 4) int32.
        drift: (users,) float32.
        taste: (items, 20) float32.
        quality: (items,) float32.
        day: of the window.
        mood: axis of the week.

    Example:
        >>> one, none = np.ones((1, 20), np.float32), np.zeros((1, 20), np.float32)
        >>> favourite, zero = np.zeros((1, 4), np.int32), np.zeros(1, np.float32)
        >>> liking(0, 0, one, favourite, zero, none, zero, 5, 0)
        -3.35
    """
    even, odd = 0.0, 0.0
    for axis in range(0, vector.shape[1], 2):
        even += vector[user, axis] * taste[item, axis]
        odd += vector[user, axis + 1] * taste[item, axis + 1]
    moved = taste[item, favourite[user, 3]] - taste[item, favourite[user, 0]]
    way = np.float64(drift[user]) * np.float64(day) / 163.0
    return (
        BASE + even + odd + way * np.float64(moved) + MOOD * np.float64(taste[item, mood]) + np.float64(quality[item])
    )


@compiled()
def chance(x: float) -> float:
    """Probability of a click, from the liking.

    Example:
        >>> chance(0.0), chance(-3.0) < 0.03
        (0.5, True)
    """
    return 0.5 + 0.5 * x / np.sqrt(1.0 + x * x)
