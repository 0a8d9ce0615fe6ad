"""When people come: new users, watching by day of the window, hours of the day.

Days are counted from 2021-03-13, seconds from its midnight (UTC).
"""

from dataclasses import dataclass

import numpy as np

from encorec.data.synthetic.activity import GROWTH, HALF_LIVES, MORE, mean_rows
from encorec.data.synthetic.figures import DAILY_USERS, NEW_USERS
from encorec.types import FloatMatrix, FloatVector

__all__ = ["DAYS", "DAY_SECONDS", "HOURS", "WEEK", "WINDOW_START", "Rhythm", "arrivals", "views_by_day"]

DAYS = 163
DAY_SECONDS = 86_400
WINDOW_START = 1_615_593_600
"""2021-03-13 in seconds since 1970, a Saturday."""
WEEK = np.array([1.07, 1.09, 0.96, 0.95, 0.95, 0.97, 1.02])
"""Rhythm of the week from Saturday on."""
SPIKES = {94: 1.90, 110: 1.93}
NEW_SPIKES = {94: 1.95, 110: 1.85}
HOURS = np.array([16, 10, 6, 4, 3, 3, 5, 9, 15, 21, 25, 28, 31, 33, 34, 36, 40, 47, 58, 71, 82, 80, 62, 35])
"""Starts of sessions by hour, in no unit."""
_ROUNDS = 40


@dataclass(frozen=True)
class Rhythm:
    """The pull of each day on users of each habit.

    Args:
        ahead: (habits, 164) float64; weight of all days from a day on for a session, drawn by one look-up.
        views: (163,) float64 views expected on each day, summing to 1.

    Example:
        >>> from encorec.data.synthetic.activity import activity_table
        >>> Rhythm.fitted(activity_table(5.69, 1341)).ahead.shape
        (3, 164)
    """

    ahead: FloatMatrix
    views: FloatVector

    @classmethod
    def fitted(cls, table: FloatVector) -> "Rhythm":
        """Such that arrivals, activity and habits together give the wanted views by day.

        Args:
            table: of ``activity_table``.
        """
        new, wanted = arrivals(), views_by_day()
        first, later = mean_rows(table, new)
        first, later = new * first, new * later
        target = wanted * (first.sum() + later.sum())
        pull = np.ones(DAYS)
        for _ in range(_ROUNDS):
            found = first + _spread(later, pull)
            pull = np.round(np.clip(pull * target / found, 1e-3, 1e3), 9)
        rows_per_session = 1 / (1 - sum(MORE) / 2 * (GROWTH[0] + GROWTH[1] * np.arange(DAYS)))
        return cls(_ahead(np.round(pull / rows_per_session, 9)), wanted)


def arrivals() -> FloatVector:
    """(163,) share of users whose first day it is.

    Example:
        >>> round(float(arrivals().sum()), 9)
        1.0
    """
    return _curve(NEW_USERS, NEW_SPIKES)


def views_by_day() -> FloatVector:
    """(163,) share of views of each day.

    Example:
        >>> bool(views_by_day()[110] > views_by_day()[109])
        True
    """
    return _curve(DAILY_USERS, SPIKES)


def _curve(knots: tuple[tuple[int, float], ...], spikes: dict[int, float]) -> FloatVector:
    days, levels = zip(*knots, strict=True)
    curve = np.interp(np.arange(DAYS), days, levels) * WEEK[np.arange(DAYS) % 7]
    for day, factor in spikes.items():
        curve[day] *= factor
    return np.round(curve / curve.sum(), 12)


def _ahead(pull: FloatVector) -> FloatMatrix:
    ahead = np.zeros((len(HALF_LIVES), DAYS + 1))
    for habit, half_life in enumerate(HALF_LIVES):
        weight, fade = pull.copy(), 1.0
        if half_life:
            for day in range(DAYS):
                weight[day] *= fade
                fade *= half_life
        for day in range(DAYS - 1, -1, -1):
            ahead[habit, day] = ahead[habit, day + 1] + weight[day]
    return ahead


def _spread(rest: FloatMatrix, pull: FloatVector) -> FloatVector:
    """(163,) views after the first session, by day, for (habits, 163) of them by habit and day of arrival."""
    ahead = _ahead(pull)
    found = np.zeros(DAYS)
    for habit in range(len(ahead)):
        per_weight = np.cumsum(rest[habit] / ahead[habit, :-1])
        found += per_weight * -np.diff(ahead[habit])
    return found
