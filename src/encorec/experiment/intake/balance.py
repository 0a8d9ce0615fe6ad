"""Whether a covariate is spread alike over the arms: what random assignment promises and a broken one does not keep."""

from dataclasses import dataclass

import numpy as np

from encorec.types import FloatVector, IntVector

__all__ = ["Balance", "covariate_balance"]


@dataclass(frozen=True)
class Balance:
    """One covariate in all arms.

    Args:
        means: (arms,) float64.
        difference: (arms,) float64 mean minus that of the control, in standard deviations of the two arms.
        p: of equal means, by Welch's analysis of variance; none = an arm has less than two units.

    Example:
        >>> covariate_balance(np.array([1.0, 3.0, 1.0, 3.0]), np.array([0, 0, 1, 1]), 2, 0).p
        1.0
    """

    means: FloatVector
    difference: FloatVector
    p: float | None


def covariate_balance(values: FloatVector, variant: IntVector, arms: int, control: int) -> Balance:
    """How evenly the values lie.

    Args:
        values: (n,) float64.
        variant: (n,) arm of each unit; no arm is empty.
        arms: how many there are.
        control: the arm that the others are held against.

    Example:
        >>> found = covariate_balance(np.array([1.0, 3.0, 2.0, 4.0]), np.array([0, 0, 1, 1]), 2, 0)
        >>> found.means.tolist(), found.difference.round(3).tolist(), round(found.p, 3)
        ([2.0, 3.0], [0.0, 0.707], 0.553)
    """
    size = np.bincount(variant, minlength=arms)
    means = np.bincount(variant, values, arms) / size
    around = (values - means[variant]) ** 2
    variances = np.bincount(variant, around, arms) / np.maximum(size - 1, 1)
    spread = np.sqrt((variances + variances[control]) / 2)  # austin2011
    gaps = means - means[control]
    gaps[np.abs(gaps) <= 1e-12 * np.abs(means).max()] = 0
    endless = np.where(gaps == 0, 0.0, np.copysign(np.inf, gaps))
    difference = np.divide(gaps, spread, out=endless, where=spread > 0)
    return Balance(means, difference, _equal_means(size, means, variances) if size.min() > 1 else None)


def _equal_means(size: IntVector, means: FloatVector, variances: FloatVector) -> float:
    """p of Welch's analysis of variance; with two arms it is that of Welch's t-test."""
    from scipy.stats import f

    scale = np.abs(means).max()
    if np.ptp(means) <= 1e-12 * scale:
        return 1.0
    if not variances.all():  # the weights below would be infinite: the plain analysis of variance, pooled
        within, k, n = float(((size - 1) * variances).sum()), len(size), int(size.sum())
        between = float((size * (means - np.average(means, weights=size)) ** 2).sum())
        return float(f.sf(between / (k - 1) * (n - k) / within, k - 1, n - k)) if within > 0 else 0.0
    k, weight = len(size), size / variances  # welch1951
    share = weight / weight.sum()
    between = float((weight * (means - (share * means).sum()) ** 2).sum()) / (k - 1)
    doubt = float(((1 - share) ** 2 / (size - 1)).sum()) / (k * k - 1)
    return float(f.sf(between / (1 + 2 * (k - 2) * doubt), k - 1, 1 / (3 * doubt)))
