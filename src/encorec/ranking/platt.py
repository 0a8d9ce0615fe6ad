"""Platt scaling: a logistic curve from scores to probabilities."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from encorec.errors import ArtifactError
from encorec.protocols import Arrays
from encorec.types import FloatVector

__all__ = ["PlattCalibration", "logistic"]

_STEPS, _CLOSE = 100, 1e-10


@dataclass(frozen=True)
class PlattCalibration:
    """Probability 1 / (1 + exp(-(slope * score + offset))); the slope is not negative, so that no order changes.

    Args:
        slope: per unit of the score.
        offset: log odds at the score 0.

    Example:
        >>> PlattCalibration(slope=2.0, offset=0.0).probability(np.array([0.0, 0.5])).round(3).tolist()
        [0.5, 0.731]
    """

    slope: float
    offset: float

    @classmethod
    def fit(cls, score: FloatVector, label: FloatVector, weight: FloatVector) -> Self:
        """Largest likelihood of smoothed targets (platt1999) by Newton's method with halved steps (lin2007).

        Args:
            score: (r,) float64, finite.
            label: (r,) 1 = taken, 0 = not.
            weight: (r,) positive: how many rows each one stands for.
        """
        centre, spread = float(np.average(score, weights=weight)), float(score.std()) or 1.0
        unit = (score - centre) / spread
        positive = float((weight * label).sum())
        negative = float(weight.sum()) - positive
        target = np.where(label > 0, (positive + 1) / (positive + 2), 1 / (negative + 2))  # platt1999
        slope, offset = _newton(unit, target, weight, np.log((positive + 1) / (negative + 1)))
        if slope < 0:
            slope, (_, offset) = 0.0, _newton(np.zeros_like(unit), target, weight, offset)
        return cls(slope / spread, offset - slope * centre / spread)

    def probability(self, score: FloatVector) -> FloatVector:
        """(any shape) float64 probabilities; non-decreasing in the score, NaN where it is NaN."""
        return logistic(self.slope * np.clip(score, -1e300, 1e300, dtype=np.float64) + self.offset)

    def arrays(self) -> Arrays:
        """Everything learnt, as named arrays."""
        return {"curve": np.array([self.slope, self.offset])}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The curve that ``arrays()`` was taken from.

        Raises:
            ArtifactError: not a rising curve.
        """
        curve = np.asarray(arrays["curve"], np.float64)
        if curve.shape != (2,) or not np.isfinite(curve).all() or curve[0] < 0:
            raise ArtifactError("calibration: its curve does not rise; train again")
        return cls(float(curve[0]), float(curve[1]))


def logistic(odds: FloatVector) -> FloatVector:
    """(any shape) float64 probabilities of log odds; non-decreasing to the last bit, NaN where they are NaN.

    Example:
        >>> logistic(np.array([-np.inf, 0.0, np.nan])).round(3).tolist()
        [0.0, 0.5, nan]
    """
    return 1 / (1 + np.exp(-np.clip(odds, -700, 700, dtype=np.float64)))


def _newton(unit: FloatVector, target: FloatVector, weight: FloatVector, offset: float) -> tuple[float, float]:
    """Slope and offset of the smallest weighted cross entropy, from slope 0."""
    found = np.array([0.0, offset])
    loss = _loss(found, unit, target, weight)
    for _ in range(_STEPS):
        chance = logistic(found[0] * unit + found[1])
        wrong, curved = weight * (chance - target), weight * chance * (1 - chance)
        gradient = np.array([wrong @ unit, wrong.sum()])
        bend = np.array([[curved @ unit**2, curved @ unit], [curved @ unit, curved.sum()]]) + 1e-12 * np.eye(2)
        step, share = np.linalg.solve(bend, gradient), 1.0
        while share > _CLOSE and _loss(found - share * step, unit, target, weight) > loss:
            share /= 2
        if share <= _CLOSE:
            break
        found = found - share * step
        before, loss = loss, _loss(found, unit, target, weight)
        if before - loss <= _CLOSE * max(abs(loss), 1e-300):
            break
    return float(found[0]), float(found[1])


def _loss(curve: FloatVector, unit: FloatVector, target: FloatVector, weight: FloatVector) -> float:
    """Weighted cross entropy of the targets, in nats."""
    odds = curve[0] * unit + curve[1]
    return float(weight @ (np.logaddexp(0.0, odds) - target * odds))
