"""A design as one HTML page: what is planned, the curves behind it, and the formulas."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from encorec import __version__
from encorec.experiment.design.curves import effect_by_days, power_by_units
from encorec.experiment.design.plan import Plan
from encorec.experiment.spec import MetricSpec
from encorec.page import Chart, Facts, Page, Prose, Section, Table, Verdict, charts, write_page
from encorec.page.blocks import Block

__all__ = ["design_page", "write_design"]


def write_design(plan: Plan, found: Mapping[str, Any], path: str | Path) -> Path:
    """Write the page of a design.

    Args:
        plan: what it was planned from.
        found: what ``design`` says of it.
        path: of the HTML file.

    Raises:
        DataError: the file cannot be written.

    Example: see ``design_page``.
    """
    return write_page(design_page(plan, found), path)


def design_page(plan: Plan, found: Mapping[str, Any]) -> Page:
    """The page of a design, what decides first.

    Args:
        plan: what it was planned from.
        found: what ``design`` says of it.

    Example:
        >>> from encorec.experiment.design.baseline import Baseline
        >>> from encorec.experiment.design.designing import design
        >>> from encorec.experiment.spec import ExperimentSpec
        >>> clicks = MetricSpec(name="clicks", value="clicks", role="primary")
        >>> spec = ExperimentSpec(name="shelf", variants={"control": 0.5, "treatment": 0.5}, metric=(clicks,))
        >>> plan = Plan(spec, baselines={"clicks": Baseline(5.0, 5.0)}, units_per_day=1000, mde=0.05)
        >>> "6,280 units in each arm" in design_page(plan, design(plan)).html()
        True
    """
    sections = [
        Section("Plan", _summary(plan, found)),
        Section("Metrics", [_metrics(found)]),
        Section("Curves", _curves(plan, found)),
        Section("Method", _method(found)),
    ]
    return Page(f"Design of {plan.spec.name}", [one for one in sections if one.blocks], made=f"encorec {__version__}")


def verdict_line(plan: Plan, found: Mapping[str, Any]) -> str:
    """The plan in one sentence."""
    first = _primary(found)
    effect = "no effect" if first["mde_relative"] is None else f"an effect of {first['mde_relative']:.2%}"
    days = found["duration_days"]
    time = f", {days} days" if days else ""
    equal = len(set(first["units"].values())) == 1
    units = f"{first['n_per_arm']:,} units in {'each' if equal else 'the smallest'} arm{time}"
    return f"{units}: {plan.spec.primary.name} shows {effect} with a chance of {first['power']:.0%}."


def _primary(found: Mapping[str, Any]) -> Mapping[str, Any]:
    return next(one for one in found["metrics"] if one["role"] == "primary")


def _summary(plan: Plan, found: Mapping[str, Any]) -> list[Block]:
    first = _primary(found)
    facts = [(f"units of {name}", count) for name, count in first["units"].items()]
    facts += [("alpha of a comparison", first["alpha"]), ("share of traffic", plan.taken)]
    if found["sequential"]:
        facts += [(f"units per arm for {found['sequential']['kind']}", found["sequential"]["n_per_arm"])]
    if first["power_planned"] is not None:
        facts += [(f"power after the {plan.spec.days} days of the spec", first["power_planned"])]
    kind = "open" if plan.mde is not None and plan.accrual is not None and found["duration_days"] is None else "good"
    return [Verdict(verdict_line(plan, found), kind), Facts(facts), *map(Prose, found["notes"])]


def _metrics(found: Mapping[str, Any]) -> Table:
    head = ("metric", "role", "baseline", "std", "explained", "units per arm", "effect", "power", "days", "note")
    names = ("name", "role", "baseline", "std", "explained", "n_per_arm", "mde_relative", "power", "duration_days")
    rows = [[*(one[name] for name in names), one["note"] or ""] for one in found["metrics"]]
    strong = frozenset(place for place, one in enumerate(found["metrics"]) if one["role"] == "primary")
    return Table(head, rows, strong, "The effect is relative to the baseline; of a guardrail it is its margin.")


def _curves(plan: Plan, found: Mapping[str, Any]) -> list[Block]:
    first, metric = _primary(found), plan.spec.primary
    days = found["duration_days"] or plan.spec.days
    total = sum(first["units"].values())
    curve = power_by_units(plan, metric, first["mde"], total, days)
    points = np.array([one["units"] for one in curve]), np.array([one["power"] for one in curve])
    title = f"Power to find {first['mde']:+.4g} in {metric.name}, up to twice the planned units."
    blocks: list[Block] = [Chart(charts.lines({metric.name: points}, x="units of all arms", y="power"), title)]
    falling = {one.name: _falling(plan, one) for one in plan.spec.metric}
    known = {name: points for name, points in falling.items() if len(points[0])}
    if known:
        drawing = charts.lines(known, x="days", y="smallest effect (%)", log="y")
        blocks.append(
            Chart(drawing, f"The smallest effect that is found with a power of {plan.spec.analysis.power:g}.")
        )
    return blocks


def _falling(plan: Plan, metric: MetricSpec) -> tuple[Any, Any]:
    weeks = effect_by_days(plan, metric)
    return np.array([one["days"] for one in weeks]), np.array([100 * one["mde_relative"] for one in weeks])


def _method(found: Mapping[str, Any]) -> list[Block]:
    blocks: list[Block] = [Prose(found["formula"])]
    if found["formulas"]:
        rows = [(name, count) for name, count in found["formulas"].items()]
        blocks.append(
            Table(("formula of a share", "units of the control"), rows, caption="The formulas in use differ.")
        )
    if found["accrual"]:
        blocks.append(Prose(found["accrual"]["rule"]))
    if found["sequential"]:
        told = found["sequential"]
        blocks.append(Prose(f"{told['kind']} needs {told['inflation']:.3f} times the units; {told['note']}."))
        blocks.append(Prose(f"For [analysis] of the specification: planned_units = {told['planned_units']}"))
    if found.get("simulated"):
        told = found["simulated"]
        ends = f"{told['ci95'][0]:.1%} to {told['ci95'][1]:.1%}"
        blocks.append(Prose(f"By trial on the history: power {told['power']:.1%} ({ends}, {told['rounds']} rounds)."))
    return blocks
