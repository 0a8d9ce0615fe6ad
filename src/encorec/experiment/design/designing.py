"""The design of an experiment: units, smallest effect and power of every metric, and how many days it takes."""

from collections.abc import Mapping
from math import ceil
from typing import Any

from encorec.errors import ConfigError, DataError
from encorec.experiment.design.baseline import Baseline
from encorec.experiment.design.duration import LONGEST_DAYS, WEEK, days_until
from encorec.experiment.design.plan import Plan, metric_alpha, two_arms
from encorec.experiment.design.power import TwoArms, share_formulas
from encorec.experiment.sequential.confidence_sequence import cs_width
from encorec.experiment.sequential.group_sequential import inflation
from encorec.experiment.spec import ExperimentSpec, MetricSpec

__all__ = ["FORMULA", "design"]

FORMULA = (
    "n = (z_alpha + z_power)^2 (variance of control + variance of treatment / ratio) / effect^2, two-sided, both tails "
    "counted; variance per unit: of a mean the sample's, of a share p (1 - p) of each arm (unpooled), of a ratio that "
    "of its delta-method terms, of a quantile q (1 - q) / density^2; covariates leave 1 - R^2 of it"
)
"""What ``n_per_arm`` is computed by."""
_LONGEST_CURVE = 12 * WEEK


def design(plan: Plan) -> dict[str, Any]:
    """The numbers of a plan: from the effect its units and days, or from the days (or units) the smallest effect.

    Args:
        plan: what is known.

    Returns:
        ``{"experiment", "metrics": [{"name", "role", "kind", "baseline", "std", "explained", "n_per_arm", "units",
        "mde_relative", "mde", "power", "power_planned", "alpha", "side", "duration_days", "note"}], "duration_days",
        "formula", "formulas", "sequential", "accrual", "notes"}``; a metric without a baseline has null numbers and a
        note, but for the primary one. ``n_per_arm`` is that of the smallest arm, ``units`` those of every arm.

    Raises:
        DataError: no baseline of the primary metric.
        ConfigError: numbers that make no plan; names what is missing.

    Example: see ``Plan``.
    """
    spec = plan.spec
    horizon = _horizon(plan)
    rows = [_row(plan, metric, horizon) for metric in spec.metric]
    first = next(row for row in rows if row["role"] == "primary")
    days = first["duration_days"]
    return {
        "experiment": spec.name,
        "metrics": rows,
        "duration_days": days,
        "formula": FORMULA,
        "formulas": _formulas(plan, horizon),
        "sequential": _sequential(plan, first, days),
        "accrual": _accrual(plan),
        "notes": _notes(plan, rows, days),
    }


def _horizon(plan: Plan) -> int | None:
    """Days over which the metrics are measured: those until the primary has its units, or those of the spec."""
    if plan.mde is None or plan.accrual is None:
        return plan.spec.days
    return _days(plan, plan.spec.primary) or plan.spec.days


def _row(plan: Plan, metric: MetricSpec, horizon: int | None) -> dict[str, Any]:
    head = {"name": metric.name, "role": metric.role, "kind": metric.kind}
    try:
        baseline = plan.baseline(metric, horizon)
    except DataError as fault:
        if metric.role == "primary":
            raise
        return {**head, **dict.fromkeys(_NUMBERS), "note": str(fault)}
    numbers = dict.fromkeys(_NUMBERS) | {"baseline": baseline.value, "std": baseline.std}
    numbers |= {"explained": baseline.explained, "alpha": metric_alpha(plan.spec, metric)}
    try:
        return {**head, **numbers, **_solved(plan, metric, baseline, horizon), "note": _note(plan, metric)}
    except ConfigError as fault:
        if metric.role == "primary":
            raise
        return {**head, **numbers, "note": str(fault)}


_NUMBERS = (
    *("baseline", "std", "explained", "n_per_arm", "units", "mde_relative", "mde", "power", "power_planned"),
    *("alpha", "side", "duration_days"),
)


def _solved(plan: Plan, metric: MetricSpec, baseline: Baseline, horizon: int | None) -> dict[str, Any]:
    """Units from the effect, or the effect (of a guardrail: its power) from the units."""
    spec, available = plan.spec, plan.planned_units(horizon)
    guarded = metric.role == "guardrail"
    effect = _effect(plan, metric, baseline)
    power = spec.analysis.power
    arms = [two_arms(spec, metric, baseline, name) for name in spec.treatments]
    if plan.mde is not None:
        total = _total(spec, arms, effect, power)
        found: dict[str, Any] = {"mde": effect, "power": power, "duration_days": _days(plan, metric)}
    else:
        if available is None:
            raise ConfigError("give --mde, or what the units follow from: a history, or --units-per-day and spec.days")
        total, control = available, available * spec.variants[spec.control_variant]
        down = metric.direction == "down"
        reached = min(one.power(effect, control) for one in arms) if guarded else power
        found = {"mde": effect if guarded else max((one.effect(control, power, down=down) for one in arms), key=abs)}
        found |= {"power": reached, "duration_days": None if plan.accrual is None else horizon}
    at_plan = None if plan.accrual is None else plan.planned_units(spec.days)
    units = {name: ceil(total * share - 1e-6) for name, share in spec.variants.items()}
    if guarded:
        found["mde"] = arms[0].null
    return {
        **found,
        "n_per_arm": min(units.values()),
        "units": units,
        "mde_relative": _relative(plan, found["mde"], baseline, guarded=guarded),
        "power_planned": at_plan and _power(spec, arms, effect, at_plan),
        "side": arms[0].side,
    }


def _relative(plan: Plan, effect: float, baseline: Baseline, *, guarded: bool) -> float | None:
    if plan.mde is not None and not guarded:
        return abs(plan.mde)
    return abs(effect / baseline.value) if baseline.value else None


def _effect(plan: Plan, metric: MetricSpec, baseline: Baseline) -> float:
    """Absolute, in the good direction; a guardrail is planned for no effect at all."""
    if metric.role == "guardrail" or plan.mde is None:
        return 0.0
    if baseline.value == 0:
        raise ConfigError(f"metric {metric.name!r} has the baseline 0, a relative effect of which is none")
    return abs(plan.mde * baseline.value) * (1 if metric.direction == "up" else -1)


def _total(spec: ExperimentSpec, arms: list[TwoArms], effect: float, power: float) -> float:
    """Units of all arms, so that every treatment has what it needs against the control."""
    return max(one.units(effect, power) for one in arms) / spec.variants[spec.control_variant]


def _power(spec: ExperimentSpec, arms: list[TwoArms], effect: float, total: float) -> float | None:
    if effect == 0 and arms[0].side == "two":
        return None
    return min(one.power(effect, total * spec.variants[spec.control_variant]) for one in arms)


def _days(plan: Plan, metric: MetricSpec) -> int | None:
    """Whole weeks until every arm has the units that the metric needs when it is measured over them."""
    accrual = plan.accrual
    if accrual is None:
        return None

    def needed(days: int) -> float:
        baseline = plan.baseline(metric, days)
        arms = [two_arms(plan.spec, metric, baseline, name) for name in plan.spec.treatments]
        try:
            return _total(plan.spec, arms, _effect(plan, metric, baseline), plan.spec.analysis.power)
        except ConfigError:
            return float("inf")

    if plan.history is None or plan.history.second is None or metric.name in (plan.baselines or {}):
        settled = needed(WEEK)
        return days_until(accrual, lambda _: settled, plan.taken)
    known = plan.history.days or 0
    spared: dict[int, float] = {}

    def once(days: int) -> float:
        reach = min(days, known)
        if reach not in spared:
            spared[reach] = needed(days)
        return spared[reach]

    return days_until(accrual, once, plan.taken)


def _formulas(plan: Plan, horizon: int | None) -> dict[str, int] | None:
    """Units of the control by every formula in use, where the primary metric is a share and the effect is given."""
    metric = plan.spec.primary
    if metric.kind != "share" or plan.mde is None:
        return None
    baseline = plan.baseline(metric, horizon)
    arms = two_arms(plan.spec, metric, baseline, plan.spec.treatments[0])
    found = share_formulas(arms, _effect(plan, metric, baseline), plan.spec.analysis.power)
    return {name: ceil(units - 1e-6) for name, units in found.items()}


def _sequential(plan: Plan, first: Mapping[str, Any], days: int | None) -> dict[str, Any] | None:
    """What looking early costs: units of the last look over those of a fixed test, for the same power there.

    ``planned_units`` are those of all arms at the planned end: by the days and the accrual where both are known.
    """
    kind, analysis = plan.spec.analysis.sequential, plan.spec.analysis
    if kind == "none":
        return None
    if kind == "asymptotic-cs":
        from scipy.stats import norm

        fixed, beta = float(norm.isf(first["alpha"] / 2)), float(norm.ppf(analysis.power))
        factor = ((float(cs_width(1.0, first["alpha"])) + beta) / (fixed + beta)) ** 2
        note = "an upper bound: it counts a crossing at the planned end alone, not the earlier ones"
    else:
        factor = inflation(kind, analysis.looks, first["alpha"], analysis.power)
        note = f"over {analysis.looks} evenly spaced looks"
    needed = sum(first["units"].values()) * factor
    expected = None if plan.accrual is None else plan.planned_units(plan.spec.days or days)
    return {
        "kind": kind,
        "inflation": factor,
        "n_per_arm": ceil(first["n_per_arm"] * factor),
        "planned_units": max(ceil((needed if expected is None else expected) - 1e-6), 2),
        "note": note,
    }


def _accrual(plan: Plan) -> dict[str, Any] | None:
    accrual = plan.accrual
    if accrual is None:
        return None
    if plan.units_per_day is not None:
        rule = f"{plan.units_per_day:g} new units every day"
    else:
        rule = (
            f"unique units of the history up to day {len(accrual.seen)}; beyond it new units go on at "
            f"{accrual.decay:.4g} of the day before, as between the last two equal stretches of the history"
        )
    taken = f"{plan.taken:.4g} of them enter the experiment"
    units = {str(days): round(accrual.units(days) * plan.taken) for days in range(WEEK, _LONGEST_CURVE + 1, WEEK)}
    return {"rule": f"{rule}; {taken}", "units_by_day": units}


def _note(plan: Plan, metric: MetricSpec) -> str | None:
    if metric.role == "guardrail":
        return "non-inferiority, one-sided: the power to rule out a loss of the margin when there is none"
    known = plan.history.known if plan.history else frozenset[str]()
    missing = [name for name in metric.covariates if name not in known]
    if missing and metric.name not in (plan.baselines or {}):
        return f"planned without the covariate {', '.join(missing)}, which the history does not have"
    return None


def _notes(plan: Plan, rows: list[dict[str, Any]], days: int | None) -> list[str]:
    spec, notes = plan.spec, list[str]()
    if plan.mde is not None and plan.accrual is not None and days is None:
        most = plan.accrual.units(LONGEST_DAYS) * plan.taken
        notes.append(f"the units never come: {most:,.0f} enter within two years; plan for a larger effect")
    if days is not None and spec.days is not None and days > spec.days:
        notes.append(f"the spec plans {spec.days} days, {days} are needed")
    longer = [row["name"] for row in rows if days is not None and (row["duration_days"] or 0) > days]
    if longer:
        notes.append(f"{', '.join(longer)}: need longer than the primary metric, so they may stay open")
    if len(spec.treatments) > 1 and spec.analysis.correction != "none":
        notes.append(f"{len(spec.treatments)} treatments: planned with alpha over their number, the first step of Holm")
    known = plan.history.days if plan.history else None
    if known is not None and days is not None and days > known:
        notes.append(f"the history has {known} days: beyond them units are extrapolated and metrics taken as they are")
    return notes
