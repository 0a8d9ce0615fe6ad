"""Methods to hold beside the registered one: the bootstrap over units, and the test of Mann and Whitney."""

from typing import Any, Literal

import numpy as np

from encorec.errors import ConfigError, unknown_name
from encorec.evaluation.uncertainty.bootstrap import Resampling
from encorec.experiment.analysis.effects import Rows, adjusted_values
from encorec.experiment.analysis.outcome import Outcome
from encorec.experiment.analysis.quantiles import order_weights
from encorec.types import FloatVector

__all__ = ["RESAMPLES", "Beside", "beside_effect", "bootstrap_effect", "mann_whitney"]

Beside = Literal["bootstrap", "mann-whitney"]
RESAMPLES = 2000


def beside_effect(
    method: Beside, outcome: Outcome, control: Rows, treatment: Rows, rng: np.random.Generator | None
) -> dict[str, Any] | None:
    """A metric by another method, as for JSON; none where the method says nothing of such a metric.

    Args:
        method: ``bootstrap`` or ``mann-whitney``.
        outcome: of the metric.
        control: rows of the control.
        treatment: rows of the variant.
        rng: of the bootstrap.

    Raises:
        ConfigError: an unknown method, or a bootstrap without ``rng``.

    Example:
        >>> from encorec.experiment.spec import MetricSpec
        >>> seen = Outcome.of(MetricSpec(name="m", value="m", role="primary"), {"m": np.arange(6.0)})
        >>> beside_effect("mann-whitney", seen, np.arange(3), np.arange(3, 6), None)["superiority"]
        1.0
    """
    if method == "mann-whitney":
        return mann_whitney(outcome, control, treatment)
    if method != "bootstrap":
        raise ConfigError(unknown_name("method", method, ("bootstrap", "mann-whitney")))
    if rng is None:
        raise ConfigError("a bootstrap needs rng: pass numpy.random.default_rng(seed)")
    return bootstrap_effect(outcome, control, treatment, rng)


def bootstrap_effect(
    outcome: Outcome, control: Rows, treatment: Rows, rng: np.random.Generator, resamples: int = RESAMPLES
) -> dict[str, Any] | None:
    """Percentile intervals over resampled units; p by counting.

    Ratios are linearised and coefficients of covariates stay as they are in all resamples. The resampled quantile of
    an arm is drawn from its exact distribution.

    Args:
        outcome: of the metric.
        control: rows of the control.
        treatment: rows of the variant.
        rng: source of chance.
        resamples: how many.

    Example:
        >>> from encorec.experiment.spec import MetricSpec
        >>> seen = Outcome.of(MetricSpec(name="m", value="m", role="primary"), {"m": np.arange(200.0)})
        >>> found = bootstrap_effect(seen, np.arange(100), np.arange(100, 200), np.random.default_rng(0))
        >>> 90 < found["ci95"][0] < 100 < found["ci95"][1] < 110
        True
    """
    if outcome.metric.kind == "quantile":
        values, quantile = outcome.values[0], outcome.metric.quantile or 0.5
        first, second = (_quantiles(values[rows], quantile, rng, resamples) for rows in (control, treatment))
    else:
        if outcome.metric.kind == "ratio" and min(outcome.values[1][rows].sum() for rows in (control, treatment)) <= 0:
            return None
        arms = adjusted_values(outcome, control, treatment)
        first, second = (Resampling.of(len(one), rng, resamples=resamples).means(one[:, None])[:, 0] for one in arms)
    gained = second - first
    low, high = np.quantile(gained, (0.025, 0.975))  # efron1993
    below, above = (1 + (gained <= 0).sum()) / (1 + resamples), (1 + (gained >= 0).sum()) / (1 + resamples)
    relative = None
    if first.min() > 0:
        relative = [float(end) for end in np.quantile(second / first - 1, (0.025, 0.975))]
    p = min(2 * float(min(below, above)), 1.0)
    return {"ci95": [float(low), float(high)], "relative_ci95": relative, "p": p, "resamples": resamples}


def mann_whitney(outcome: Outcome, control: Rows, treatment: Rows) -> dict[str, Any] | None:
    """Whether a unit of the variant tends to have the larger value; not a statement about means.

    Args:
        outcome: of the metric; a ratio has no value per unit, so none is returned.
        control: rows of the control.
        treatment: rows of the variant.

    Returns:
        ``p`` by the normal approximation with ties, and ``superiority``: the chance that a unit of the variant has more
        than one of the control, ties half.

    Example:
        >>> from encorec.experiment.spec import MetricSpec
        >>> seen = Outcome.of(MetricSpec(name="m", value="m", role="primary"), {"m": np.array([1.0, 2, 2, 3])})
        >>> mann_whitney(seen, np.arange(2), np.arange(2, 4))["superiority"]
        0.875
    """
    from scipy.stats import mannwhitneyu

    if outcome.metric.kind == "ratio":
        return None
    first, second = outcome.values[0][control], outcome.values[0][treatment]
    if first.min() == first.max() == second.min() == second.max():
        return {"p": 1.0, "superiority": 0.5}
    found = mannwhitneyu(second, first, alternative="two-sided", method="asymptotic")  # mann1947
    return {"p": float(found.pvalue), "superiority": float(found.statistic) / len(first) / len(second)}


def _quantiles(values: FloatVector, quantile: float, rng: np.random.Generator, resamples: int) -> FloatVector:
    ordered = np.sort(values)
    if len(ordered) < 2:
        return np.full(resamples, ordered[0])
    first, chances = order_weights(len(ordered), quantile)
    return ordered[first + rng.choice(len(chances), resamples, p=chances)]
