"""What every row adds to an estimate, and the estimate with its standard error, rows of one request together."""

from dataclasses import dataclass

import numpy as np

from encorec.types import FloatVector, IntVector

__all__ = ["Terms", "Totals"]


@dataclass(frozen=True)
class Terms:
    """An estimator, row by row: mean(constant) + mean(correction) / mean(scale).

    Args:
        constant: (n,) float64 what the reward model says; 0 where there is none.
        correction: (n,) float64 weighted rewards or residuals.
        scale: (n,) float64 what the correction is divided by: the weights where they are self-normalised, else 1.

    Example:
        >>> terms = Terms(np.zeros(2), np.array([2.0, 0.0]), np.array([2.0, 0.5]))
        >>> terms.totals().value
        0.8
    """

    constant: FloatVector
    correction: FloatVector
    scale: FloatVector

    def totals(self, cluster: IntVector | None = None) -> "Totals":
        """Sums over what is resampled as one.

        Args:
            cluster: (n,) int64 0, 1, 2, …, each of them there; none = every row is one of its own.
        """
        rows = np.ones(len(self.constant))
        if cluster is None:
            return Totals(self.constant, self.correction, self.scale, rows)
        return Totals(*(np.bincount(cluster, one).astype(np.float64) for one in (*vars(self).values(), rows)))


@dataclass(frozen=True)
class Totals:
    """Sums of ``Terms`` over clusters: rows that are resampled as one.

    Args:
        constant: (g,) float64.
        correction: (g,) float64.
        scale: (g,) float64.
        rows: (g,) float64 number of rows.

    Example:
        >>> Terms(np.zeros(4), np.array([1.0, 0, 0, 1]), np.ones(4)).totals(np.array([0, 0, 1, 1])).rows.tolist()
        [2.0, 2.0]
    """

    constant: FloatVector
    correction: FloatVector
    scale: FloatVector
    rows: FloatVector

    @property
    def columns(self) -> FloatVector:
        """(g, 4) float64 the sums side by side."""
        return np.column_stack([self.constant, self.correction, self.scale, self.rows])

    @property
    def value(self) -> float:
        """The estimate; NaN where nothing has any weight."""
        constant, correction, scale, rows = (float(one.sum()) for one in vars(self).values())
        return constant / rows + correction / scale if scale else float("nan")

    @property
    def influence(self) -> FloatVector:
        """(g,) float64 by how much each cluster moves the estimate, to first order."""
        constant, correction, scale, rows = (float(one.sum()) for one in vars(self).values())
        if not scale:
            return np.full(len(self.rows), np.nan)
        model = (self.constant - constant / rows * self.rows) / rows
        return model + (self.correction - correction / scale * self.scale) / scale  # owen2013

    @property
    def standard_error(self) -> float:
        """Of the estimate, by the delta method; NaN for one cluster."""
        clusters = len(self.rows)
        if clusters < 2:
            return float("nan")
        return float(np.sqrt(np.sum(self.influence**2) * clusters / (clusters - 1)))
