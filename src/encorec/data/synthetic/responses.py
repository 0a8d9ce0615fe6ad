"""What people do with what they are shown: look, click, watch, come back; as draws and as exact expectations.

A list is read from the top, by some people further down than by others. A looked-at item is clicked with its true
preference and watched as far as it is liked. Who gave it up goes on reading; who watched enough of it has found
something, and the visit is over (a cascade: chapelle2009). Who found something comes back more often.
"""

from dataclasses import dataclass

import numpy as np

from encorec.config import Config, bounded
from encorec.data.synthetic.records import GRID
from encorec.errors import QueryError
from encorec.types import BoolMatrix, BoolVector, FloatMatrix, FloatVector, IntMatrix, IntVector

__all__ = ["READERS", "Expectations", "ReadingConfig", "Responses", "Shown", "draw_responses", "examination", "expect"]

_ONE_VISIT = 10_800.0
"""Seconds that one visit lasts at most."""
_RETURN, _PLEASED, _DELIGHTED = (0.12, 0.62), 0.10, 0.22
_FINISHED = 8
"""Tenth of the length from which a view counts as finished."""
_MEAN_PERCENT = np.array([2.25, 14.5, 24.5, 34.5, 44.5, 54.5, 64.5, 74.5, 84.5, 98.9])
"""Mean per cent watched in each tenth: 55 % of the lowest are 0, 80 % of the highest are 100."""


class ReadingConfig(Config):
    """How far people read a list. KION does not say what was shown, so these are assumptions, not fitted to it.

    Args:
        fading: the list is read down to place j = 0, 1, .. by 1 / (1 + fading j) of those who find nothing.
        enough: tenths of the length that are watched by somebody who has found something; 0 = any click ends the
            visit, 10 = none does.

    Raises:
        ConfigError: a number out of bounds.

    Example:
        >>> ReadingConfig().enough
        5
    """

    fading: float = 0.2
    enough: int = 5

    def __post_init__(self) -> None:
        bounded(self, fading=(0, 100), enough=(0, 10))


READERS = ReadingConfig()
"""Those of every world that says nothing else."""


@dataclass(frozen=True)
class Shown:
    """Slates in front of users.

    Args:
        user: (n,) rows of users.
        item: (n, k) rows of items in the order shown, -1 for empty places.
        time: (n,) int64 seconds since 1970.

    Raises:
        QueryError: shapes that do not fit each other.

    Example:
        >>> Shown(np.array([3]), np.array([[7, 5]]), np.array([1_629_000_000])).item.shape
        (1, 2)
    """

    user: IntVector
    item: IntMatrix
    time: IntVector

    def __post_init__(self) -> None:
        shapes = self.user.shape, self.item.shape, self.time.shape
        if self.item.ndim != 2 or not self.user.shape == self.time.shape == self.item.shape[:1]:
            raise QueryError(f"Shown: user, item and time must be (n,), (n, k) and (n,), got {shapes}")


@dataclass(frozen=True)
class Responses:
    """What n users did with slates of k items.

    Args:
        examined: (n, k) bool, looked at.
        clicked: (n, k) bool.
        percent: (n, k) float32 per cent watched, 0 without a click.
        minutes: (n, k) float32 watched in this visit, at most 180 each.
        returned: (n,) bool, back within 7 days.

    Example:
        >>> none = np.zeros((1, 2), bool)
        >>> Responses(none, none, none * 0.0, none * 0.0, np.array([True])).returned.tolist()
        [True]
    """

    examined: BoolMatrix
    clicked: BoolMatrix
    percent: FloatMatrix
    minutes: FloatMatrix
    returned: BoolVector


@dataclass(frozen=True)
class Expectations:
    """The exact means of ``Responses``.

    Args:
        examined: (n, k) float64 probability of being looked at.
        clicks: (n, k) float64 probability of a click.
        percent: (n, k) float64 mean per cent watched, counting 0 without a click.
        minutes: (n, k) float64 mean minutes, counting 0 without a click.
        returns: (n,) float64 probability of being back within 7 days.

    Example:
        >>> none = np.zeros((1, 2))
        >>> float(Expectations(none, none, none, none, np.array([0.4])).returns[0])
        0.4
    """

    examined: FloatMatrix
    clicks: FloatMatrix
    percent: FloatMatrix
    minutes: FloatMatrix
    returns: FloatVector


def examination(k: int, fading: float = READERS.fading) -> FloatVector:
    """(k,) float64 probability that somebody who finds nothing reads down to each place: 1 / (1 + fading j).

    Args:
        k: places.
        fading: see ``ReadingConfig``.

    Example:
        >>> examination(3).round(3).tolist()
        [1.0, 0.833, 0.714]
    """
    return 1.0 / (1.0 + fading * np.arange(k))  # craswell2008


def expect(
    shown: Shown, preference: FloatMatrix, likeness: FloatMatrix, seconds: FloatMatrix, activity: FloatVector,
    tenths: FloatVector, reading: ReadingConfig = READERS,
) -> Expectations:  # fmt: skip
    """Exact means of what ``draw_responses`` draws.

    Args:
        shown: n slates of k items.
        preference: (n, k) probability of a click in the first place.
        likeness: (n, k) place of the liking among what is watched, 0 to 1 in steps of 1/64.
        seconds: (n, k) length of the items.
        activity: (n,) share of users who are less active.
        tenths: (10,) cumulated share of views by tenth watched.
        reading: how far people read.

    Example:
        >>> shown = Shown(np.array([0]), np.array([[4]]), np.array([0]))
        >>> half, hour = np.full((1, 1), 0.5), np.full((1, 1), 3600.0)
        >>> expect(shown, half, half, hour, np.array([0.5]), np.arange(1, 11) / 10).clicks.tolist()
        [[0.5]]
    """
    cell, (percent, at_least) = np.rint(likeness * GRID).astype(np.int64), _watching(tenths)
    stop, found, finished = (preference * at_least[level][cell] for level in _levels(reading))
    read = examination(shown.item.shape[1], reading.fading)
    examined = np.where(shown.item >= 0, read * _still(stop), 0.0)  # chapelle2009
    clicks = examined * preference
    pleased, delighted = (
        np.sum(read * _still(end) * what, axis=1) for end, what in ((preference, preference), (found, finished))
    )
    each = clicks * percent[cell]
    return Expectations(
        examined, clicks, each, each * _visit_minutes(seconds) / 100, _return_chance(activity, pleased, delighted)
    )


def draw_responses(
    shown: Shown, preference: FloatMatrix, likeness: FloatMatrix, seconds: FloatMatrix, activity: FloatVector,
    tenths: FloatVector, rng: np.random.Generator, reading: ReadingConfig = READERS,
) -> Responses:  # fmt: skip
    """One draw of what people do; arguments as in ``expect``.

    Example:
        >>> shown = Shown(np.array([0]), np.array([[4]]), np.array([0]))
        >>> one, hour = np.ones((1, 1)), np.full((1, 1), 3600.0)
        >>> rng = np.random.default_rng(7)
        >>> draw_responses(shown, one, one, hour, np.array([0.5]), np.arange(1, 11) / 10, rng).clicked.tolist()
        [[True]]
    """
    shape = shown.item.shape
    read = (rng.random((shape[0], 1)) < examination(shape[1], reading.fading)) & (shown.item >= 0)
    liked = rng.random(shape) < preference
    tenth = np.searchsorted(tenths, _share(likeness + rng.random(shape)), side="right").clip(0, 9)
    examined = read & (_still(liked & (tenth >= reading.enough)) > 0)
    clicked = examined & liked
    percent = np.where(clicked, _percent(tenth, rng.random(shape)), 0).astype(np.float32)
    pleased, delighted = np.any(clicked, axis=1) * 1.0, np.any(clicked & (tenth >= _FINISHED), axis=1) * 1.0
    back = rng.random(shape[0]) < _return_chance(activity, pleased, delighted)
    minutes = percent * (_visit_minutes(seconds) / 100).astype(np.float32)
    return Responses(examined, clicked, percent, minutes, back)


def _share(mixture: FloatMatrix) -> FloatMatrix:
    """Distribution function of the sum of two uniform numbers."""
    return np.where(mixture < 1, mixture * mixture / 2, 1 - (2 - mixture) ** 2 / 2)


def _percent(tenth: IntMatrix, lot: FloatMatrix) -> FloatMatrix:
    lowest = np.where(lot < 0.55, 0, 1 + np.floor((lot - 0.55) * 20))
    highest = np.where(lot < 0.8, 100, 90 + np.floor((lot - 0.8) * 50))
    return np.where(tenth == 0, lowest, np.where(tenth == 9, highest, tenth * 10 + np.floor(lot * 10)))


def _still(ending: FloatMatrix | BoolMatrix) -> FloatMatrix:
    """(n, k) probability that none of the places before has ended it, from the probabilities that each one does."""
    left = np.ones(ending.shape)
    np.cumprod(1.0 - ending[:, :-1], axis=1, out=left[:, 1:])
    return left


def _levels(reading: ReadingConfig) -> tuple[int, int, int]:
    """Tenths that end the visit, that end the search for something to finish, and that are finished."""
    return reading.enough, min(reading.enough, _FINISHED), _FINISHED


def _watching(tenths: FloatVector) -> tuple[FloatVector, FloatMatrix]:
    """After a click, by likeness in steps of 1/64: (65,) mean per cent watched, (11, 65) chance of a tenth or more."""
    ends = np.where(tenths < 0.5, np.sqrt(2 * tenths), 2 - np.sqrt(2 * (1 - tenths.clip(max=1))))
    likeness = np.arange(GRID + 1)[:, None] / GRID
    below = np.clip(ends - likeness, 0, 1)
    below[:, -1] = 1
    chance = np.diff(below, axis=1, prepend=0)
    return chance @ _MEAN_PERCENT, 1 - np.pad(below, ((0, 0), (1, 0))).T


def _visit_minutes(seconds: FloatMatrix) -> FloatMatrix:
    return np.minimum(seconds, _ONE_VISIT) / 60


def _return_chance(activity: FloatVector, pleased: FloatVector, delighted: FloatVector) -> FloatVector:
    """Habit first, then a click, then something seen to its end."""
    habit = _RETURN[0] + _RETURN[1] * activity
    return habit + (1 - habit) * (_PLEASED * pleased + _DELIGHTED * delighted)
