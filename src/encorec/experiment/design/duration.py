"""How long until enough units have come: unique units accrue ever slower, and weeks are whole."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from encorec.errors import ConfigError, DataError
from encorec.types import FloatVector, IntVector

__all__ = ["LONGEST_DAYS", "WEEK", "Accrual", "days_until"]

WEEK = 7
"""Days of a week: an experiment runs whole ones, so that no weekday counts double."""
LONGEST_DAYS = 728
"""Beyond two years no duration is given."""
_MOST_PER_DAY = 1e12


@dataclass(frozen=True)
class Accrual:
    """Unique units seen by the end of each day.

    Beyond the last day the units that are new fall, or stay, in the proportion in which they fell between the last two
    equal stretches of the history, a week each where it has two: never faster than before, and with a ceiling.

    Args:
        seen: (d,) units by the end of day 1 to d, never falling.
        decay: new units of a day over those of the day before, beyond the last day; 1 = as many every day.
        recent: new units of a day at the end of the history.

    Raises:
        DataError: units that fall, or none at all.

    Example:
        >>> steady = Accrual.steady(100)
        >>> steady.units(1), steady.units(14), steady.ceiling
        (100.0, 1400.0, inf)
        >>> known = Accrual.of(np.array([100, 150, 175]))
        >>> known.units(2), round(known.units(4), 1), round(known.ceiling, 1)
        (150.0, 187.5, 200.0)
    """

    seen: FloatVector
    decay: float
    recent: float

    def __post_init__(self) -> None:
        if not len(self.seen) or not self.seen[-1] > 0 or (np.diff(self.seen) < 0).any():
            raise DataError("accrual: unique units by day must not fall and must reach one at least")

    @classmethod
    def of(cls, seen: FloatVector | IntVector) -> "Accrual":
        """From the unique units that a history had seen by the end of each of its days, (d,)."""
        seen = np.asarray(seen, np.float64)
        stretch = min(WEEK, (len(seen) - 1) // 2)
        if stretch < 1:
            return cls(seen, 1.0, float(seen[-1] / max(len(seen), 1)) if len(seen) else 0.0)
        last = seen[-1] - seen[-1 - stretch]
        before = seen[-1 - stretch] - seen[-1 - 2 * stretch]
        decay = min(1.0, (last / before) ** (1 / stretch)) if before > 0 else 1.0
        days = np.arange(stretch)
        recent = last / (decay**-days).sum() if decay > 0 else 0.0  # of the last day, so that the stretch adds up
        return cls(seen, float(decay), float(recent))

    @classmethod
    def steady(cls, units_per_day: float) -> "Accrual":
        """As many new units every day.

        Raises:
            ConfigError: not above 0, or above 1e12.
        """
        if not 0 < units_per_day <= _MOST_PER_DAY:
            raise ConfigError(f"units per day is {units_per_day}, allowed is above 0 and up to {_MOST_PER_DAY:g}")
        return cls(np.array([float(units_per_day)]), 1.0, float(units_per_day))

    def units(self, days: int) -> float:
        """Unique units by the end of a day, counted from 1."""
        known = len(self.seen)
        if days <= known:
            return float(self.seen[days - 1])
        further = days - known
        if self.decay == 1:
            return float(self.seen[-1] + self.recent * further)
        return float(self.seen[-1] + self.recent * self.decay * (1 - self.decay**further) / (1 - self.decay))

    @property
    def ceiling(self) -> float:
        """Units that are never exceeded, by that rule."""
        if self.decay == 1:
            return float("inf") if self.recent > 0 else float(self.seen[-1])
        return float(self.seen[-1] + self.recent * self.decay / (1 - self.decay))


def days_until(
    accrual: Accrual, needed: Callable[[int], float], taken: float = 1.0, longest: int = LONGEST_DAYS
) -> int | None:
    """Whole weeks, in days, until the experiment has the units it needs; none = not within ``longest``.

    Args:
        accrual: of all eligible units.
        needed: days -> units needed in all arms when it runs that long: the spread of a metric grows with time.
        taken: share of the units that enter the experiment.
        longest: days that are tried.

    Example:
        >>> days_until(Accrual.steady(100), lambda days: 750), days_until(Accrual.steady(100), lambda days: 750, 0.5)
        (14, 21)
    """
    weeks = range(WEEK, longest + 1, WEEK)
    return next((days for days in weeks if accrual.units(days) * taken >= needed(days)), None)
