"""Intervals of an analysis as blocks to draw and as cells of tables, the same in every section."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from encorec.experiment.report.numerals import p_text, percent_with_ends, with_ends
from encorec.experiment.spec import ExperimentSpec, MetricSpec
from encorec.page.forest import ForestBlock, ForestRow

__all__ = ["drawable", "effect_cells", "interval_blocks", "label", "whose"]

_LARGEST = 1e15


def interval_blocks(
    rows: Sequence[Mapping[str, Any]],
    spec: ExperimentSpec,
    value: str,
    ends: str,
    write: Callable[[Any, Any], str],
    *,
    key: Callable[[Mapping[str, Any]], str] | None = None,
) -> list[ForestBlock]:
    """Rows that have an interval, in blocks to draw.

    Args:
        rows: of metrics or segments.
        spec: of the experiment.
        value: name of the number.
        ends: name of its interval.
        write: number and interval as text.
        key: what a block is of, and its title; none = the metric.

    Example:
        >>> from encorec.experiment.spec import MetricSpec
        >>> clicks = MetricSpec(name="clicks", value="clicks", role="primary")
        >>> spec = ExperimentSpec(name="shelf", variants={"control": 0.5, "new": 0.5}, metric=(clicks,))
        >>> row = {"name": "clicks", "role": "primary", "variant": "new", "effect": 0.5, "ci95": [0.25, 0.75]}
        >>> interval_blocks([row], spec, "effect", "ci95", with_ends)[0].title
        'clicks (primary)'
    """
    key = key or (lambda row: _title(row, spec))
    colours = {name: number for number, name in enumerate(spec.treatments)}
    kept: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        if drawable(row, value, ends):
            kept.setdefault(key(row), []).append(row)
    return [
        ForestBlock(
            title,
            [
                ForestRow(row[value], low, high, label(row["variant"], spec, write(row[value], row[ends])), colour)
                for row in own
                for (low, high), colour in [(row[ends], colours.get(row["variant"], len(colours)))]
            ],
            _margin(own, spec, value),
        )
        for title, own in kept.items()
    ]


def drawable(row: Mapping[str, Any], value: str, ends: str) -> bool:
    """Whether a row has a number and an interval, both of a size that an axis holds.

    Args:
        row: of an analysis.
        value: name of the number.
        ends: name of its interval.

    Example:
        >>> drawable({"effect": 1.0, "ci95": [0.0, 2.0]}, "effect", "ci95"), drawable({"effect": 1.0}, "effect", "ci95")
        (True, False)
    """
    numbers = [row.get(value), *(row.get(ends) or (None,))]
    return all(one is not None and math.isfinite(one) and abs(one) <= _LARGEST for one in numbers)


def effect_cells(row: Mapping[str, Any]) -> list[str]:
    """Effect and relative effect with their intervals, p and p adjusted, as cells of a table.

    Args:
        row: of a metric or a segment.

    Example:
        >>> effect_cells({"effect": None, "p": 0.25})
        ['not shown yet', '', '0.250', '']
    """
    return [
        with_ends(row.get("effect"), row.get("ci95")),
        percent_with_ends(row.get("relative"), row.get("relative_ci95")),
        p_text(row.get("p")),
        p_text(row.get("p_adjusted")),
    ]


def label(variant: str, spec: ExperimentSpec, numbers: str) -> str:
    """Numbers beside a drawn interval, after the variant where there are several treatments.

    Args:
        variant: whose they are.
        spec: of the experiment.
        numbers: as text.

    Example:
        >>> from encorec.experiment.spec import MetricSpec
        >>> clicks = MetricSpec(name="clicks", value="clicks", role="primary")
        >>> spec = ExperimentSpec(name="shelf", variants={"control": 0.5, "new": 0.5}, metric=(clicks,))
        >>> label("new", spec, "+3")
        '+3'
    """
    return whose(variant, spec) + numbers.replace("\N{NO-BREAK SPACE}", " ")


def whose(variant: str, spec: ExperimentSpec) -> str:
    """The variant before what is said of it, where there are several treatments.

    Args:
        variant: a name, empty where nobody says it.
        spec: of the experiment.

    Example:
        >>> from encorec.experiment.spec import MetricSpec
        >>> clicks = MetricSpec(name="clicks", value="clicks", role="primary")
        >>> spec = ExperimentSpec(name="shelf", variants={"control": 0.4, "a": 0.3, "b": 0.3}, metric=(clicks,))
        >>> whose("a", spec), whose("", spec)
        ('a: ', '')
    """
    return f"{variant}: " if variant and len(spec.treatments) > 1 else ""


def _title(row: Mapping[str, Any], spec: ExperimentSpec) -> str:
    metric = _named(spec, row["name"])
    wanted = "" if metric is None or metric.direction == "up" else ", lower is better"
    return f"{row['name']} ({row.get('role', 'secondary')}{wanted})"


def _margin(rows: Sequence[Mapping[str, Any]], spec: ExperimentSpec, value: str) -> float | None:
    """Where a guardrail's loss is no longer accepted, in the units of the axis."""
    metric = _named(spec, rows[0]["name"])
    if metric is None or metric.margin is None:
        return None
    against = metric.margin if metric.direction == "down" else -metric.margin
    if value == "effect":
        return against
    control = rows[0].get("control")
    return against / control if control and control > 0 else None


def _named(spec: ExperimentSpec, name: str) -> MetricSpec | None:
    return next((one for one in spec.metric if one.name == name), None)
