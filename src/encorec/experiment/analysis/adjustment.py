"""One number per arm, and its variance: means and ratios, with what covariates explain taken out (CUPED)."""

from dataclasses import dataclass

import numpy as np

from encorec.experiment.analysis.moments import Moments
from encorec.types import FloatMatrix, FloatVector

__all__ = ["ArmMean", "adjusted"]

_CONSTANT = 1e-12
_COLLINEAR = 1e-10


@dataclass(frozen=True)
class ArmMean:
    """The value of an arm and how sure it is.

    Args:
        count: units.
        mean: of the metric, adjusted where there are covariates.
        variance: of one unit's part in it; that of the mean is ``variance / count``.

    Example:
        >>> ArmMean(4, 1.0, 2.0).error
        0.7071067811865476
    """

    count: int
    mean: float
    variance: float

    @property
    def error(self) -> float:
        """Standard error of the mean."""
        return float(np.sqrt(self.variance / self.count))


def adjusted(control: Moments, treatment: Moments, *, ratio: bool) -> tuple[ArmMean, ArmMean, FloatVector]:
    """Both arms, with the part that covariates explain taken out.

    A ratio of sums is linearised where its arm stands (the delta method); covariates explain that linearised value.
    The coefficients are those of the regression over the units of both arms, so they do not depend on which arm is
    which, and scaling a covariate scales its coefficient and nothing else. A covariate that is constant explains
    nothing: 0. Where covariates are collinear, the shortest coefficients of standardised covariates are taken; the
    effect is the same for any other choice.

    Args:
        control: of value (or numerator, denominator), then covariates.
        treatment: of the same columns.
        ratio: whether the first two columns are a numerator and a denominator; their means must not be 0.

    Returns:
        control, treatment, (covariates,) coefficients.

    Example:
        >>> before = np.array([1.0, 2.0, 3.0, 4.0])
        >>> control, treatment = Moments.of([before + 0, before]), Moments.of([before + 1, before])
        >>> first, second, theta = adjusted(control, treatment, ratio=False)
        >>> theta.round(3).tolist(), round(second.mean - first.mean, 3), round(first.variance, 9)
        ([1.0], 1.0, 0.0)
    """
    outcomes = 2 if ratio else 1
    total = control + treatment
    theta = _coefficients(total, outcomes)
    return _arm(control, total, theta, outcomes), _arm(treatment, total, theta, outcomes), theta


def _arm(arm: Moments, total: Moments, theta: FloatVector, outcomes: int) -> ArmMean:
    weights = np.concatenate([_gradient(arm, outcomes), -theta])
    value = arm.mean[0] / arm.mean[1] if outcomes == 2 else arm.mean[0]
    shift = theta @ (arm.mean[outcomes:] - total.mean[outcomes:])
    variance = float(weights @ arm.covariance @ weights)  # deng2013; deng2018 for the ratio
    return ArmMean(arm.count, float(value - shift), variance if variance > _noise(arm, weights) else 0.0)


def _gradient(arm: Moments, outcomes: int) -> FloatVector:
    """What a unit's columns add to the linearised metric."""
    if outcomes == 1:
        return np.ones(1)
    over, under = arm.mean[:2]
    return np.array([1.0, -over / under]) / under  # deng2018


def _noise(arm: Moments, weights: FloatVector) -> float:
    """What is left of a variance of 0 by rounding."""
    return float(1e-14 * np.square(weights) @ np.diag(arm.covariance))


def _coefficients(total: Moments, outcomes: int) -> FloatVector:
    covariance = total.covariance
    spread = np.sqrt(np.diag(covariance)[outcomes:])
    varies = spread > _CONSTANT * np.abs(total.mean[outcomes:])
    theta = np.zeros(len(spread))
    if not varies.any():
        return theta
    scale = spread[varies]
    within: FloatMatrix = covariance[outcomes:, outcomes:][np.ix_(varies, varies)] / np.outer(scale, scale)
    with_outcome = _gradient(total, outcomes) @ covariance[:outcomes, outcomes:][:, varies] / scale
    theta[varies] = np.linalg.pinv(within, rcond=_COLLINEAR, hermitian=True) @ with_outcome / scale  # deng2013
    return theta
