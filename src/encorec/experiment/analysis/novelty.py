"""Effects by day since the first exposure: what is new wears off, or is learnt."""

from typing import Any

import numpy as np

from encorec.experiment.analysis.adjustment import ArmMean, adjusted
from encorec.experiment.analysis.effect import Effect, between
from encorec.experiment.analysis.moments import Moments
from encorec.experiment.analysis.share_effect import between_shares
from encorec.experiment.intake.event_sums import DailySums
from encorec.experiment.spec import ExperimentSpec, MetricSpec

__all__ = ["effect_of_day", "novelty"]


def novelty(spec: ExperimentSpec, daily: DailySums) -> list[dict[str, Any]]:
    """Effects of every day, variant and metric but quantiles; values as they are, without covariates or caps.

    Args:
        spec: of the experiment.
        daily: sums by day since first exposure and arm.

    Returns:
        ``name``, ``variant``, ``day`` (1 = the first 24 hours), ``n``, and the figures of the effect.

    Example:
        >>> metric = MetricSpec(name="m", value="m", role="primary")
        >>> spec = ExperimentSpec(name="x", variants={"a": 0.5, "b": 0.5}, metric=(metric,))
        >>> daily = DailySums(np.array([[9, 9]]), {"m": np.array([[9.0, 18.0]])}, {"m": np.array([[18.0, 54.0]])}, {})
        >>> [(one["day"], one["variant"], one["effect"]) for one in novelty(spec, daily)]
        [(1, 'b', 1.0)]
    """
    names = list(spec.variants)
    control = names.index(spec.control_variant)
    found: list[dict[str, Any]] = []
    for metric in (one for one in spec.metric if one.kind != "quantile"):
        for variant in spec.treatments:
            arms = control, names.index(variant)
            for day in range(len(daily.units)):
                if not daily.units[day, list(arms)].all():
                    continue
                effect = effect_of_day(metric, daily, day, *arms)
                entry = {"name": metric.name, "variant": variant, "day": day + 1}
                counts = dict(zip((spec.control_variant, variant), effect.units, strict=True))
                found.append({**entry, "n": counts, **effect.figures()})
    return found


def effect_of_day(metric: MetricSpec, daily: DailySums, day: int, control: int, treatment: int) -> Effect:
    """The effect on one day.

    Args:
        metric: mean, share or ratio.
        daily: sums by day and arm.
        day: from 0.
        control: place of the arm.
        treatment: place of the arm.

    Example:
        >>> metric = MetricSpec(name="m", value="m", role="primary")
        >>> daily = DailySums(np.array([[2, 2]]), {"m": np.array([[2.0, 5.0]])}, {"m": np.array([[4.0, 13.0]])}, {})
        >>> effect_of_day(metric, daily, 0, 0, 1).effect
        1.5
    """
    arms = [_moments(metric, daily, day, arm) for arm in (control, treatment)]
    if metric.kind == "share":
        return between_shares(*(ArmMean(one.count, float(one.mean[0]), 0.0) for one in arms))
    if metric.kind == "ratio" and min(one.mean[1] for one in arms) <= 0:
        counts = arms[0].count, arms[1].count
        return Effect.unknown("delta method", counts, f"the sum of {metric.denominator!r} is not above 0 in an arm")
    first, second, _ = adjusted(*arms, ratio=metric.kind == "ratio")
    return between(first, second, "delta method" if metric.kind == "ratio" else "Welch")


def _moments(metric: MetricSpec, daily: DailySums, day: int, arm: int) -> Moments:
    count = int(daily.units[day, arm])
    mean = np.array([daily.sums[name][day, arm] for name in metric.columns]) / count
    products = np.diag([daily.squares[name][day, arm] for name in metric.columns])
    if metric.kind == "ratio":
        products[0, 1] = products[1, 0] = daily.products[metric.name][day, arm]
    scatter = products - count * np.outer(mean, mean)
    scatter[np.abs(scatter) < 1e-12 * np.abs(products)] = 0.0
    return Moments(count, mean, scatter / max(count - 1, 1))
