"""Section of segments: effects in parts of the units, corrected for how many parts were looked at."""

from collections.abc import Mapping, Sequence
from typing import Any

from encorec.experiment.report.intervals import effect_cells, interval_blocks
from encorec.experiment.report.numerals import figure, with_ends
from encorec.experiment.spec import ExperimentSpec
from encorec.page import Chart, Columns, Prose, Table
from encorec.page.forest import forest

__all__ = ["parts"]


def parts(analysis: Mapping[str, Any], spec: ExperimentSpec) -> list[Any]:
    """One table per metric, and the intervals of the primary metric.

    Args:
        analysis: of an experiment, as in its JSON.
        spec: of the experiment.

    Example:
        >>> from encorec.experiment.spec import MetricSpec
        >>> clicks = MetricSpec(name="clicks", value="clicks", role="primary")
        >>> spec = ExperimentSpec(name="shelf", variants={"control": 0.5, "new": 0.5}, metric=(clicks,))
        >>> parts({"segments": []}, spec)
        []
    """
    rows: Sequence[Mapping[str, Any]] = analysis.get("segments") or ()
    if not rows:
        return []
    told = (
        "A segment is read only where its p adjusted says so: among many parts of the same units some look good or bad "
        "by chance. That an effect is significant in one segment and not in another does not make the two different."
    )
    blocks: list[Any] = []
    for name in dict.fromkeys(row["name"] for row in rows):
        own = [row for row in rows if row["name"] == name]
        drawn = interval_blocks(own, spec, "effect", "ci95", with_ends, key=_part)
        if drawn and name == spec.primary.name:
            chart = Chart(forest(drawn, x=f"effect on {name}"), "One axis for all segments.")
            blocks.append(Columns([chart, Prose(told)]))
        blocks.append(_table(name, own))
    return blocks if any(isinstance(one, Columns) for one in blocks) else [Prose(told), *blocks]


def _part(row: Mapping[str, Any]) -> str:
    return f"{row['segment']}: {row['label']}"


def _table(name: str, rows: Sequence[Mapping[str, Any]]) -> Table:
    head = ("segment", "variant", "units", "effect, 95 % interval", "relative", "p", "p adjusted")
    cells = [
        [
            _part(row),
            row["variant"],
            figure(sum((row.get("n") or {}).values())),
            *effect_cells(row),
        ]
        for row in rows
    ]
    return Table(head, cells, caption=name)
