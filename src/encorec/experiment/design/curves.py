"""What a plan looks like over time and over units: the smallest effect against days, power against units."""

from typing import Any

import numpy as np

from encorec.errors import ConfigError, DataError
from encorec.experiment.design.duration import WEEK
from encorec.experiment.design.plan import Plan, two_arms
from encorec.experiment.design.power import TwoArms
from encorec.experiment.spec import MetricSpec

__all__ = ["effect_by_days", "power_by_units"]


def effect_by_days(plan: Plan, metric: MetricSpec, most_days: int = 12 * WEEK) -> list[dict[str, Any]]:
    """The smallest relative effect that a metric finds after each whole week.

    Args:
        plan: with a known accrual, else nothing comes out.
        metric: of its spec; a guardrail has no effect to find, so nothing comes out.
        most_days: the last day that is tried.

    Returns:
        ``[{"days", "units", "mde_relative"}]``, ``units`` of all arms; weeks that find no effect are left out.

    Example:
        >>> from encorec.experiment.design.baseline import Baseline
        >>> from encorec.experiment.spec import ExperimentSpec
        >>> clicks = MetricSpec(name="clicks", value="clicks", role="primary")
        >>> spec = ExperimentSpec(name="shelf", variants={"control": 0.5, "treatment": 0.5}, metric=(clicks,))
        >>> plan = Plan(spec, baselines={"clicks": Baseline(5.0, 5.0)}, units_per_day=1000)
        >>> [(one["days"], round(one["mde_relative"], 4)) for one in effect_by_days(plan, clicks, 14)]
        [(7, 0.067), (14, 0.0474)]
    """
    if plan.accrual is None or metric.role == "guardrail":
        return []
    weeks = [(days, _after(plan, metric, days)) for days in range(WEEK, most_days + 1, WEEK)]
    return [
        {"days": days, "units": round(plan.planned_units(days) or 0), "mde_relative": effect}
        for days, effect in weeks
        if effect is not None
    ]


def power_by_units(
    plan: Plan, metric: MetricSpec, effect: float, total: float, days: int | None = None, points: int = 40
) -> list[dict[str, Any]]:
    """Chance to find an effect against the units of all arms, up to twice those that are planned.

    Args:
        plan: of the experiment.
        metric: of its spec; of a guardrail, the chance to rule out a loss of its margin.
        effect: absolute.
        total: units of all arms that are planned.
        days: over which the metric is measured in a history with times.
        points: on the curve.

    Returns:
        ``[{"units", "power"}]``; of several treatments the least power.

    Raises:
        DataError: no baseline of the metric.

    Example:
        >>> from encorec.experiment.design.baseline import Baseline
        >>> from encorec.experiment.spec import ExperimentSpec
        >>> clicks = MetricSpec(name="clicks", value="clicks", role="primary")
        >>> spec = ExperimentSpec(name="shelf", variants={"control": 0.5, "treatment": 0.5}, metric=(clicks,))
        >>> curve = power_by_units(Plan(spec, baselines={"clicks": Baseline(5, 5)}), clicks, 0.5, 3200, points=3)
        >>> [(one["units"], round(one["power"], 2)) for one in curve]
        [(64, 0.07), (3232, 0.81), (6400, 0.98)]
    """
    baseline, spec = plan.baseline(metric, days), plan.spec
    arms = [two_arms(spec, metric, baseline, name) for name in spec.treatments]
    share = spec.variants[spec.control_variant]
    steps = np.linspace(0.02 * total, 2 * total, points).tolist()
    return [{"units": round(units), "power": min(one.power(effect, units * share) for one in arms)} for units in steps]


def _after(plan: Plan, metric: MetricSpec, days: int) -> float | None:
    """The smallest relative effect after that many days; none = no effect is found."""
    total, spec = plan.planned_units(days), plan.spec
    try:
        baseline = plan.baseline(metric, days)
        arms: list[TwoArms] = [two_arms(spec, metric, baseline, name) for name in spec.treatments]
        control = (total or 0.0) * spec.variants[spec.control_variant]
        found = max(abs(one.effect(control, spec.analysis.power, down=metric.direction == "down")) for one in arms)
    except (ConfigError, DataError):
        return None
    return found / abs(baseline.value) if baseline.value else None
