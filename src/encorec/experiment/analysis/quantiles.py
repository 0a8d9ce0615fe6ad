"""Quantiles of an arm, and how sure they are."""

import numpy as np

from encorec.errors import DataError
from encorec.experiment.analysis.adjustment import ArmMean
from encorec.types import FloatVector

__all__ = ["arm_quantile", "order_weights", "quantile_of_sorted"]

_REACH = 9.0


def arm_quantile(values: FloatVector, quantile: float) -> ArmMean:
    """The quantile of an arm; its error is that of the bootstrap over units with infinitely many resamples.

    Nothing is drawn: in a resample of n units the order statistic r of the sample is the k-th value with a chance that
    the beta distribution knows. Ties need no care: equal values share their chances, and a quantile that lies deep in
    a heap of equal values has an error of 0.

    Args:
        values: (n,) float64 of the units, in any order.
        quantile: above 0 and below 1.

    Raises:
        DataError: no units, or values that are not finite.

    Example:
        >>> found = arm_quantile(np.arange(101.0), 0.5)
        >>> found.count, found.mean, round(found.error, 2)
        (101, 50.0, 4.98)
    """
    ordered = np.sort(values)
    if not len(ordered) or not np.isfinite(ordered[[0, -1]]).all():
        raise DataError(f"a quantile needs finite values of at least one unit, {len(ordered)} were given")
    return quantile_of_sorted(ordered, quantile)


def order_weights(count: int, quantile: float) -> tuple[int, FloatVector]:
    """Chances that the k-th smallest of ``count`` values is the quantile of a resample.

    Args:
        count: of values.
        quantile: above 0 and below 1.

    Returns:
        First k, from 0, and the (window,) chances from there on; they add up to 1, what lies outside is below 1e-15.

    Example:
        >>> first, chances = order_weights(3, 0.5)
        >>> first, chances.round(4).tolist()
        (0, [0.2593, 0.4815, 0.2593])
    """
    from scipy.special import betainc

    rank = quantile * (count - 1) + 1
    reach = _REACH * np.sqrt(count * quantile * (1 - quantile)) + 20
    first, last = max(int(rank - reach), 0), min(int(rank + reach) + 1, count)
    below = betainc(rank, count - rank + 1, np.arange(first, last + 1) / count)  # maritz1978
    chances = np.diff(below)
    return first, chances / chances.sum()


def quantile_of_sorted(ordered: FloatVector, quantile: float) -> ArmMean:
    """As ``arm_quantile``, of values that are ascending and finite.

    Args:
        ordered: (n,) float64, ascending.
        quantile: above 0 and below 1.

    Example:
        >>> quantile_of_sorted(np.arange(101.0), 0.5) == arm_quantile(np.arange(101.0), 0.5)
        True
    """
    count = len(ordered)
    place = quantile * (count - 1)
    low, share = int(place), place - int(place)
    value = float(ordered[low] + share * (ordered[min(low + 1, count - 1)] - ordered[low]))
    if count < 2:
        return ArmMean(count, value, 0.0)
    first, chances = order_weights(count, quantile)
    near = ordered[first : first + len(chances)] - value
    centre = chances @ near
    return ArmMean(count, value, float(chances @ np.square(near - centre)) * count)
