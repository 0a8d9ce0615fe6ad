"""How the clip, the switch and the shrinkage are chosen from the data, unless they are given."""

from collections.abc import Callable, Sequence
from statistics import NormalDist
from typing import Literal

import numpy as np

from encorec.evaluation.offpolicy.terms import Terms, Totals
from encorec.types import FloatVector, IntVector

__all__ = ["TuningRule", "least_error_bound", "slope", "tuned"]

TuningRule = Literal["mse", "slope"]

_LEVELS = 12
_Z = NormalDist().inv_cdf(0.975)


def least_error_bound(estimates: Sequence[Totals]) -> int:
    """The estimate with the least bound of its squared error: variance, plus the square of a bound of its bias.

    The bias is bounded by how far the estimate lies from the one without bias, plus one standard error of that
    distance.

    Args:
        estimates: the first without bias.

    Example:
        >>> def of(*earned):
        ...     return Terms(np.zeros(4), np.array(earned), np.ones(4)).totals()
        >>> least_error_bound([of(9.0, 0.0, 1.0, 2.0), of(1.0, 1.0, 1.0, 1.0), of(9.0, 1.0, 1.0, 2.0)])
        2
    """
    plain = estimates[0]
    bounds = []
    for one in estimates:
        apart = one.influence - plain.influence
        bias = abs(one.value - plain.value) + float(np.sqrt(np.sum(apart**2)))
        bounds.append(one.standard_error**2 + bias**2)  # su2020
    return int(np.argmin(bounds))


def slope(estimates: Sequence[Totals]) -> int:
    """The last estimate that agrees with all before it, within their intervals.

    It is nearly as good as the best of them up to a constant, but takes more bias than its interval shows.

    Args:
        estimates: the first without bias, each one with more bias and less variance than the last.

    Example:
        >>> def of(mean, spread):
        ...     return Terms(np.zeros(4), mean + spread * np.array([1, -1, 1, -1]), np.ones(4)).totals()
        >>> slope([of(5.0, 2.0), of(5.1, 0.4), of(4.6, 0.2)]), slope([of(5.0, 2.0), of(5.1, 0.4), of(1.0, 0.2)])
        (2, 1)
    """
    chosen = 0
    for place, one in enumerate(estimates):
        for before in estimates[:place]:
            width = _Z * (one.standard_error + (np.sqrt(6) - 1) * before.standard_error)  # suslope2020
            if not abs(one.value - before.value) <= width:
                return chosen
        chosen = place
    return chosen


def tuned(
    terms: Callable[[float], Terms],
    weight: FloatVector,
    cluster: IntVector | None = None,
    *,
    power: int = 1,
    rule: TuningRule = "mse",
) -> tuple[float, Totals]:
    """The hyperparameter that the rule chooses among infinity and falling levels of the weights, and its sums.

    Args:
        terms: of a hyperparameter; infinity is the estimator without bias.
        weight: (n,) float64.
        cluster: as for ``Terms.totals``.
        power: of the weights that the hyperparameter is compared with: 1 for the weights, 2 for their squares.
        rule: ``mse`` is ``least_error_bound``, ``slope`` is ``slope``.

    Example:
        >>> from encorec.evaluation.offpolicy.estimators import clipped_ips
        >>> weight, reward = np.full(9, 1.0), np.arange(9.0)
        >>> tuned(lambda clip: clipped_ips(weight, reward, clip), weight)[1].value
        4.0
    """
    shown = weight[weight > 0]
    levels = np.quantile(shown, 1 - np.geomspace(1e-3, 0.5, _LEVELS)) if len(shown) else np.empty(0)
    grid = [np.inf, *np.unique(levels)[::-1] ** power]
    found = [terms(one).totals(cluster) for one in grid]
    chosen = {"mse": least_error_bound, "slope": slope}[rule](found)
    return float(grid[chosen]), found[chosen]
