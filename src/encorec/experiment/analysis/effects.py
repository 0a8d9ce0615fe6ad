"""One metric, one variant against the control: the estimator that the kind of metric asks for."""

from encorec.errors import DataError
from encorec.experiment.analysis.adjustment import ArmMean, adjusted
from encorec.experiment.analysis.effect import Effect, between
from encorec.experiment.analysis.moments import Moments
from encorec.experiment.analysis.outcome import Outcome
from encorec.experiment.analysis.quantiles import arm_quantile
from encorec.experiment.analysis.share_effect import Z_TEST, between_shares
from encorec.types import BoolVector, FloatVector, IntVector

__all__ = ["Rows", "adjusted_values", "effect_of", "method_of"]

Rows = IntVector | BoolVector


def effect_of(outcome: Outcome, control: Rows, treatment: Rows) -> Effect:
    """The effect of a variant on a metric.

    Means: Welch. Shares: z, exact tests where numbers are small; with covariates they are means of 0 and 1. Ratios: the
    delta method. All three with covariates: CUPED. Quantiles: the error of the bootstrap over units, in closed form.

    The relative interval is that of the log of the ratio of both values, each with its own error. With covariates that
    leaves out what both share, the mean of the covariates over all units; for an effect of 10 % whose covariate
    explains 80 % of the variance that is 1 % of the variance, for one of 50 % it is 15 %: read those with care.

    Args:
        outcome: of the metric, for the units of all arms.
        control: rows of the control.
        treatment: rows of the variant.

    Raises:
        DataError: an empty arm.
        MissingExtra: tea-tasting is not installed.

    Example:
        >>> import numpy as np
        >>> from encorec.experiment.spec import MetricSpec
        >>> seen = Outcome.of(MetricSpec(name="m", value="m", role="primary"), {"m": np.array([1.0, 2, 3, 3, 4, 5])})
        >>> found = effect_of(seen, np.arange(3), np.arange(3, 6))
        >>> found.control, found.treatment, found.effect, round(found.p, 3)
        (2.0, 4.0, 2.0, 0.07)
    """
    metric, method = outcome.metric, method_of(outcome)
    if metric.kind == "quantile":
        return _between_quantiles(outcome, control, treatment, method)
    columns = [*outcome.values, *outcome.covariates]
    arms = Moments.of(columns, control), Moments.of(columns, treatment)
    units = arms[0].count, arms[1].count
    if metric.kind == "ratio" and min(arm.mean[1] for arm in arms) <= 0:
        return Effect.unknown(method, units, f"the sum of {metric.denominator!r} is not above 0 in an arm: no ratio")
    if metric.kind == "share" and not outcome.covariates:
        return between_shares(*(ArmMean(arm.count, _share(arm), 0.0) for arm in arms))
    first, second, theta = adjusted(*arms, ratio=metric.kind == "ratio")
    found = between(first, second, method, tuple(float(one) for one in theta))
    found = found.noting(cap=outcome.cap)
    idle = [name for name, one in zip(metric.covariates, theta, strict=True) if one == 0]
    return found.noting(*(f"covariate {name!r} explains nothing: it is constant or unrelated" for name in idle))


def method_of(outcome: Outcome) -> str:
    """The estimator in words.

    Example:
        >>> import numpy as np
        >>> from encorec.experiment.spec import MetricSpec
        >>> metric = MetricSpec(name="m", value="m", covariate="before", role="primary")
        >>> method_of(Outcome.of(metric, {"m": np.ones(2), "before": np.ones(2)}))
        'Welch, CUPED'
    """
    metric = outcome.metric
    if metric.kind == "quantile":
        return f"quantile {metric.quantile:g}, bootstrap over units in closed form"
    if metric.kind == "share" and not outcome.covariates:
        return Z_TEST
    words = ["delta method" if metric.kind == "ratio" else "Welch"]
    words += ["CUPED"] if outcome.covariates else []
    words += [f"capped at {outcome.cap:.6g}"] if outcome.cap is not None else []
    return ", ".join(words)


def adjusted_values(outcome: Outcome, control: Rows, treatment: Rows) -> tuple[FloatVector, FloatVector]:
    """A value per unit whose mean in an arm is the arm's value of the metric: linearised, covariates taken out.

    Args:
        outcome: of a mean, share or ratio.
        control: rows of the control.
        treatment: rows of the variant.

    Returns:
        (units,) float64 of the control and of the variant.

    Raises:
        DataError: a quantile, or a ratio without a denominator.

    Example:
        >>> import numpy as np
        >>> from encorec.experiment.spec import MetricSpec
        >>> seen = Outcome.of(MetricSpec(name="m", value="m", role="primary"), {"m": np.array([1.0, 2, 3, 4])})
        >>> [one.tolist() for one in adjusted_values(seen, np.arange(2), np.arange(2, 4))]
        [[1.0, 2.0], [3.0, 4.0]]
    """
    metric = outcome.metric
    columns = [*outcome.values, *outcome.covariates]
    arms = Moments.of(columns, control), Moments.of(columns, treatment)
    if metric.kind == "quantile" or (metric.kind == "ratio" and min(arm.mean[1] for arm in arms) <= 0):
        raise DataError(f"metric {metric.name!r}: a {metric.kind} has no value per unit here")
    *_, theta = adjusted(*arms, ratio=metric.kind == "ratio")
    total = arms[0] + arms[1]
    return _per_unit(outcome, control, arms[0], total, theta), _per_unit(outcome, treatment, arms[1], total, theta)


def _per_unit(outcome: Outcome, rows: Rows, arm: Moments, total: Moments, theta: FloatVector) -> FloatVector:
    values = outcome.values[0][rows]
    first = len(outcome.values)
    if first == 2:
        ratio = arm.mean[0] / arm.mean[1]
        values = ratio + (values - ratio * outcome.values[1][rows]) / arm.mean[1]  # deng2018
    for place, column in enumerate(outcome.covariates):
        values = values - theta[place] * (column[rows] - total.mean[first + place])
    return values


def _between_quantiles(outcome: Outcome, control: Rows, treatment: Rows, method: str) -> Effect:
    values, quantile = outcome.values[0], outcome.metric.quantile or 0.5
    return between(arm_quantile(values[control], quantile), arm_quantile(values[treatment], quantile), method)


def _share(arm: Moments) -> float:
    """Exact: a mean of 0 and 1 may be off by a rounding."""
    return round(float(arm.mean[0]) * arm.count) / arm.count
