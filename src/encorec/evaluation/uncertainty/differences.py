"""The difference of two systems, user by user: how large, how sure, for how many."""

from dataclasses import dataclass

import numpy as np

from encorec.types import FloatMatrix, FloatVector

__all__ = ["Difference", "Gain", "percentile_ends"]

_ROUNDING = 1e-12


@dataclass(frozen=True)
class Difference:
    """First system minus second, user by user.

    Args:
        mean: of the difference over users.
        low: lower end of its interval.
        high: upper end of its interval.
        p: two-sided, of "no difference".
        better: share of users for whom the first system's value is higher.
        equal: share of users with the same value.
        worse: share of users for whom it is lower.
        users: n.

    Example:
        >>> Difference(0.02, 0.01, 0.03, 0.002, better=0.3, equal=0.5, worse=0.2, users=900).wins
        True
    """

    mean: float
    low: float
    high: float
    p: float
    better: float
    equal: float
    worse: float
    users: int

    @property
    def wins(self) -> bool:
        """The whole interval is above 0."""
        return self.low > 0


@dataclass(frozen=True)
class Gain:
    """Differences of two systems, so oriented that the pair is resampled alike from both sides.

    Args:
        ascending: (n,) the differences, or their negatives: the one of both that is larger where they first differ.
        sign: -1 where they are the negatives; 0 where both are the same, so that neither system is ahead.

    Example:
        >>> Gain.of(np.array([0.1, -0.2])).ascending.tolist(), Gain.of(np.array([0.2, -0.1])).ascending.tolist()
        ([-0.1, 0.2], [-0.1, 0.2])
    """

    ascending: FloatVector
    sign: int

    @classmethod
    def of(cls, gain: FloatVector) -> "Gain":
        """From (n,) differences in any order."""
        ascending = np.sort(gain)
        mirrored = -ascending[::-1]
        apart = np.flatnonzero(ascending != mirrored)
        if len(apart) == 0:
            return cls(ascending, 0)
        ahead = bool(ascending[apart[0]] > mirrored[apart[0]])
        return cls(ascending if ahead else mirrored, 1 if ahead else -1)

    def judged(self, drawn: FloatVector, level: float) -> Difference:
        """With its interval and p, by its (resamples,) resampled means."""
        rounding = _ROUNDING * np.abs(self.ascending).max()
        drawn = np.where(np.abs(drawn) <= rounding, 0.0, drawn)  # a tie is a tie, whatever the order of addition
        low, high = percentile_ends(drawn, level).tolist()
        mean, p = float(np.mean(self.ascending)), _two_sided_p(drawn)
        above, below = float((self.ascending > 0).mean()), float((self.ascending < 0).mean())
        equal, users = float((self.ascending == 0).mean()), len(self.ascending)
        if self.sign == 0:
            half = (high - low) / 2
            return Difference(0.0, -half, half, p, above, equal, below, users)
        if self.sign < 0:
            return Difference(-mean, -high, -low, p, below, equal, above, users)
        return Difference(mean, low, high, p, above, equal, below, users)


def percentile_ends(drawn: FloatMatrix, level: float) -> FloatMatrix:
    """(2, ...) lower and upper end of the values along the first axis.

    Example:
        >>> percentile_ends(np.arange(101.0), 0.9).round(6).tolist()
        [5.0, 95.0]
    """
    return np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2], axis=0)  # efron1993: percentile interval


def _two_sided_p(drawn: FloatVector) -> float:
    tail = min(np.count_nonzero(drawn <= 0), np.count_nonzero(drawn >= 0))
    return min(1.0, float(2 * (1 + tail) / (1 + len(drawn))))  # davison1997: (1 + count) / (1 + B), for both tails
