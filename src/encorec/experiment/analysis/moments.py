"""Counts, means and covariances of columns: everything that a comparison of means needs to know of an arm."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from encorec.errors import DataError
from encorec.types import BoolVector, FloatMatrix, FloatVector, IntVector

__all__ = ["Moments"]


@dataclass(frozen=True)
class Moments:
    """Of the units of an arm.

    Args:
        count: of units, n.
        mean: (columns,) float64.
        covariance: (columns, columns) float64, divided by n - 1; 0 where there is one unit.

    Example:
        >>> found = Moments.of([np.array([1.0, 2.0, 3.0])])
        >>> found.count, found.mean.tolist(), found.covariance.tolist()
        (3, [2.0], [[1.0]])
    """

    count: int
    mean: FloatVector
    covariance: FloatMatrix

    @classmethod
    def of(cls, columns: Sequence[FloatVector], rows: IntVector | BoolVector | None = None) -> "Moments":
        """Moments of some rows.

        Args:
            columns: (n,) float64 each.
            rows: which of the n; none = all.

        Raises:
            DataError: no row, or values that are not finite.
        """
        chosen = np.stack([np.asarray(one, np.float64) if rows is None else one[rows] for one in columns])
        count = chosen.shape[1]
        if not count:
            raise DataError("an arm has no units; every variant needs some before it can be analysed")
        mean = chosen.mean(axis=1)
        if not np.isfinite(mean).all():
            raise DataError(f"column {int(np.argmin(np.isfinite(mean)))} has values that are not finite")
        chosen -= mean[:, None]
        return cls(count, mean, chosen @ chosen.T / max(count - 1, 1))

    def __add__(self, other: "Moments") -> "Moments":
        """Moments of the units of both."""
        count = self.count + other.count
        apart = self.mean - other.mean
        scatter = self._scatter + other._scatter + np.outer(apart, apart) * self.count * other.count / count
        mean = (self.count * self.mean + other.count * other.mean) / count
        return Moments(count, mean, scatter / (count - 1))  # chan1983

    @property
    def _scatter(self) -> FloatMatrix:
        return self.covariance * (self.count - 1)
