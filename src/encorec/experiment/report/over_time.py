"""Sections of time: what may be read before the planned end, and how the effect goes on after the first exposure."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from encorec.experiment.report.intervals import interval_blocks
from encorec.experiment.report.numerals import figure, p_text, percent, with_ends
from encorec.experiment.spec import ExperimentSpec
from encorec.page import Chart, Columns, Details, Prose, Table
from encorec.page.charts import lines
from encorec.page.forest import forest
from encorec.types import FloatVector, IntVector

__all__ = ["by_day", "looks"]

_LARGEST = 1e15
_KINDS = {
    "asymptotic-cs": "an asymptotic confidence sequence: it may be read at any time, as often as one likes",
    "obrien-fleming": "a group-sequential test with O'Brien-Fleming bounds: read once per planned look",
    "pocock": "a group-sequential test with Pocock bounds: read once per planned look",
}
Rows = Sequence[Mapping[str, Any]]


def looks(analysis: Mapping[str, Any], spec: ExperimentSpec) -> list[Any]:
    """What the sequential test says so far; it is wider than an interval that is read once, at the end.

    Args:
        analysis: of an experiment, as in its JSON.
        spec: of the experiment.

    Example:
        >>> from encorec.experiment.spec import MetricSpec
        >>> clicks = MetricSpec(name="clicks", value="clicks", role="primary")
        >>> spec = ExperimentSpec(name="shelf", variants={"control": 0.5, "new": 0.5}, metric=(clicks,))
        >>> looks({"sequential": None}, spec)
        []
    """
    found = analysis.get("sequential")
    if not found:
        return []
    rows = found.get("metrics") or ()
    planned = found.get("planned_units")
    words = f"Read by {_KINDS.get(found.get('kind'), found.get('kind'))}."
    if planned:
        words += f" {figure(found.get('units'))} of {figure(float(planned), 0)} planned units are there"
        words += f" ({found['note']})." if found.get("note") else "."
    elif found.get("note"):
        words += f" {found['note'][:1].upper()}{found['note'][1:]}."
    charts = interval_blocks(rows, spec, "effect", "ci", with_ends)
    blocks: list[Any] = [Prose(words)]
    if charts:
        drawing = forest(charts, x="in units of the metric", shared=False)
        blocks = [Columns([Chart(drawing, "Intervals that hold at any look."), *blocks])]
    head = ("metric", "variant", "effect", "interval", "alpha", "p", "boundary")
    return [*blocks, *([Table(head, [_look_row(row) for row in rows])] if rows else [])]


def by_day(analysis: Mapping[str, Any], spec: ExperimentSpec) -> list[Any]:
    """Effects by day since the first exposure: what is new wears off, or is learnt.

    Args:
        analysis: of an experiment, as in its JSON.
        spec: of the experiment.

    Example:
        >>> from encorec.experiment.spec import MetricSpec
        >>> clicks = MetricSpec(name="clicks", value="clicks", role="primary")
        >>> spec = ExperimentSpec(name="shelf", variants={"control": 0.5, "new": 0.5}, metric=(clicks,))
        >>> by_day({"novelty": []}, spec)
        []
    """
    rows: Rows = analysis.get("novelty") or ()
    names = [one.name for one in spec.metric if any(row["name"] == one.name for row in rows)]
    charts = {name: chart for name in names if (chart := _days(rows, name, spec)) is not None}
    if not charts:
        return []
    told = (
        "Day 1 is the first 24 hours after a unit met its variant. Later days have fewer units, so their intervals are "
        "wider; values are as they are, without covariates or caps. An effect that shrinks is novelty wearing off, one "
        "that grows is being learnt."
    )
    first = spec.primary.name if spec.primary.name in charts else next(iter(charts))
    others = [chart for name, chart in charts.items() if name != first]
    folded = [Details("Other metrics by day", [Columns(others)])] if others else []
    return [Columns([charts[first], Prose(told)]), *folded]


def _look_row(row: Mapping[str, Any]) -> list[str]:
    crossed = "crossed" if row.get("crossed") else "not crossed"
    if row.get("role") == "guardrail":
        crossed = "violated" if row.get("violated") else "holds" if row.get("crossed") else "open"
    return [
        f"{row['name']} ({row.get('role', 'secondary')})",
        row["variant"],
        figure(row.get("effect"), None, "+"),
        _one_sided(row.get("ci")),
        percent(row.get("alpha")),
        p_text(row.get("p")),
        crossed,
    ]


def _one_sided(ends: Sequence[float | None] | None) -> str:
    low, high = ends or (None, None)
    if low is not None and high is not None:
        return with_ends(low, [low, high]).partition(" ")[2].strip("[]").replace(",", " to")
    if low is not None:
        return f"{figure(low, None, '+')} or more"
    return "none yet" if high is None else f"{figure(high, None, '+')} or less"


def _days(rows: Rows, name: str, spec: ExperimentSpec) -> Chart | None:
    own = [row for row in rows if row["name"] == name and row.get("effect") is not None]
    if len({row["day"] for row in own}) < 2:
        return None
    whole = all(row.get("relative") is not None for row in own)
    value, ends = ("relative", "relative_ci95") if whole else ("effect", "ci95")
    scale = 100.0 if value == "relative" else 1.0
    series: dict[str, Any] = {}
    bands: dict[str, Any] = {}
    for variant in spec.treatments:
        mine = sorted((row for row in own if row["variant"] == variant), key=lambda row: row["day"])
        if mine:
            series[variant] = (_whole([row["day"] for row in mine]), scale * _numbers([row[value] for row in mine]))
            low, high = (scale * _numbers([(row.get(ends) or (None, None))[end] for row in mine]) for end in (0, 1))
            bands[variant] = (low, high)
    days = _whole(sorted({row["day"] for row in own}))
    series["no effect"] = (days, np.zeros(len(days)))
    unit = ", %" if value == "relative" else ""
    told = ", 95 % interval" if any(np.isfinite(low).any() for low, _ in bands.values()) else ", without intervals"
    return Chart(lines(series, x="day since first exposure", y=f"effect{unit}", bands=bands), f"{name}{told}.")


def _whole(values: Sequence[int]) -> IntVector:
    return np.array(values, np.int64)


def _numbers(values: Sequence[float | None]) -> FloatVector:
    found = np.array([np.nan if one is None else one for one in values], np.float64)
    return np.where(np.abs(found) <= _LARGEST, found, np.nan)
