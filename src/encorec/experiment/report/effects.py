"""Sections of effects: every metric and variant as a table, as intervals on one axis, and each on its own."""

from collections.abc import Mapping, Sequence
from typing import Any

from encorec.experiment.report.intervals import drawable, effect_cells, interval_blocks
from encorec.experiment.report.numerals import NOT_SHOWN, figure, p_text, percent_with_ends, with_ends
from encorec.experiment.spec import ExperimentSpec
from encorec.page import Chart, Columns, Details, Prose, Table
from encorec.page.forest import forest

__all__ = ["effects"]

_ROLES = {"primary": "primary, decides", "secondary": "secondary", "guardrail": "guardrail"}
_HEAD = ("metric", "variant", "control", "treatment", "effect, 95 % interval", "relative", "p", "p adjusted")


def effects(analysis: Mapping[str, Any], spec: ExperimentSpec) -> list[Any]:
    """Intervals first, then all numbers.

    Args:
        analysis: of an experiment, as in its JSON.
        spec: of the experiment.

    Example:
        >>> from encorec.experiment.spec import MetricSpec
        >>> clicks = MetricSpec(name="clicks", value="clicks", role="primary")
        >>> spec = ExperimentSpec(name="shelf", variants={"control": 0.5, "new": 0.5}, metric=(clicks,))
        >>> row = {"name": "clicks", "variant": "new", "role": "primary", "effect": None, "ci95": None}
        >>> effects({"metrics": [row]}, spec)[0].text[:53]
        'Intervals and p are not shown before the planned end:'
    """
    rows = analysis["metrics"]
    blocks: list[Any] = []
    if rows and all(row.get("ci95") is None for row in rows):
        blocks.append(Prose(_hidden(analysis, spec)))
    if all(row.get("effect") is None for row in rows):
        return blocks
    relative = interval_blocks(rows, spec, "relative", "relative_ci95", percent_with_ends)
    absolute = interval_blocks(rows, spec, "effect", "ci95", with_ends)
    charts = [
        Chart(forest(found, x=x, shared=shared, percent=shared), caption)
        for found, x, shared, caption in (
            (relative, "relative to the control", True, _told(rows, "Relative effects on one axis.")),
            (absolute, "in units of the metric", False, "Absolute effects, each metric on an axis of its own."),
        )
        if found
    ]
    blocks += [Columns(charts)] if charts else []
    guarded = any(row.get("guardrail") for row in rows)
    head = (*_HEAD, "guardrail") if guarded else _HEAD
    cells = [[*_row(row), _guarded(row)][: len(head)] for row in rows]
    blocks.append(Table(head, cells, _decisive(rows), _captions(rows)))
    folded = {"Notes on these numbers": [Prose(one) for one in _notes(rows)], "By other methods": _others(rows)}
    return [*blocks, *(Details(title, inner) for title, inner in folded.items() if inner)]


def _hidden(analysis: Mapping[str, Any], spec: ExperimentSpec) -> str:
    """Why no interval is shown."""
    if analysis.get("verdict") == "invalid":
        return "No effect is shown: what failed comes first, for the arms may not be what was randomised."
    planned = "" if spec.days is None else f" ({spec.days} days)"
    meanwhile = (
        "what may be read meanwhile stands under “Looking before the end”"
        if spec.analysis.sequential != "none"
        else "the specification has no sequential test, so nothing may be read meanwhile but the checks"
    )
    return (
        f"Intervals and p are not shown before the planned end{planned}: who looks at a run again and again, and stops "
        "when it looks good, finds effects that are none. The numbers below are estimates without their error; "
        f"{meanwhile}."
    )


def _row(row: Mapping[str, Any]) -> list[str]:
    return [
        f"{row['name']} ({_ROLES.get(row.get('role', ''), row.get('role', ''))})",
        row["variant"],
        figure(row.get("control")),
        figure(row.get("treatment")),
        *effect_cells(row),
    ]


def _decisive(rows: Sequence[Mapping[str, Any]]) -> frozenset[int]:
    return frozenset(place for place, row in enumerate(rows) if row.get("role") == "primary")


def _captions(rows: Sequence[Mapping[str, Any]]) -> str:
    parts = ["The primary metric stands out. Effects are treatment minus control."]
    if any(row.get("p_adjusted") is not None for row in rows):
        parts.append("p adjusted: corrected for the number of metrics and variants that were looked at.")
    if any(row.get("effect") is None for row in rows):
        parts.append(f"“{NOT_SHOWN}”: hidden until the planned end, or not to be had.")
    return " ".join(parts)


def _told(rows: Sequence[Mapping[str, Any]], text: str) -> str:
    shown = [row for row in rows if row.get("effect") is not None]
    many = sum(not drawable(row, "relative", "relative_ci95") for row in shown)
    return f"{text} {many} of {len(rows)} have no relative effect that can be drawn." if many else text


def _guarded(row: Mapping[str, Any]) -> str:
    """What became of a guardrail."""
    found = row.get("guardrail")
    if not found:
        return ""
    words = {"holds": "holds", "violated": "violated", "unproven": "not violated, not shown to hold"}
    worst = found.get("worst")
    loss = "" if worst is None else f"; loss at most {figure(worst)}, margin {figure(found.get('margin'))}"
    return f"{words.get(found['state'], found['state'])}{loss}"


def _notes(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """What the analysis says about numbers that are not there or are to be read with care."""
    return [f"{row['name']}, {row['variant']}: {note}" for row in rows for note in row.get("notes") or ()]


def _others(rows: Sequence[Mapping[str, Any]]) -> list[Any]:
    """The same effects by methods that were asked for beside the registered ones, and as if views were independent."""
    cells = [
        [row["name"], row["variant"], name, with_ends(one.get("effect"), one.get("ci95")), p_text(one.get("p"))]
        for row in rows
        for name, one in [*(row.get("beside") or {}).items(), ("per view, wrong", row.get("naive"))]
        if one
    ]
    if not cells:
        return []
    told = "The registered method decides. Per view, errors are too small, because views of one unit are alike."
    return [Table(("metric", "variant", "method", "effect, 95 % interval", "p"), cells, caption=told)]
