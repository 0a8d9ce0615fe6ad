"""Effects by segment of the units, corrected for their number."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from encorec.experiment.analysis.correction import corrected
from encorec.experiment.analysis.effects import effect_of
from encorec.experiment.analysis.outcome import Outcome
from encorec.experiment.intake.unit_table import Segment, UnitTable
from encorec.experiment.spec import ExperimentSpec

__all__ = ["LARGEST", "by_segment"]

LARGEST = 20
"""So many labels of a segment are shown, those with most units."""


def by_segment(spec: ExperimentSpec, table: UnitTable, outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    """Effects in every segment, for the metrics given; p is corrected over all segments and variants of a metric.

    Args:
        spec: of the experiment.
        table: units with their segments.
        outcomes: of the metrics.

    Returns:
        ``segment``, ``label``, ``name``, ``variant``, ``n``, the figures of the effect and ``p_adjusted``.

    Example:
        >>> from encorec.experiment.spec import MetricSpec
        >>> metric = MetricSpec(name="m", value="m", role="primary")
        >>> spec = ExperimentSpec(name="x", variants={"a": 0.5, "b": 0.5}, metric=(metric,))
        >>> values, arm = {"m": np.arange(8.0)}, np.arange(8) % 2
        >>> table = UnitTable.of(spec, arm, values, segments={"city": (np.arange(8) // 4, ("Perm", "Omsk"))})
        >>> found = by_segment(spec, table, [Outcome.of(metric, values)])
        >>> [(one["label"], one["effect"]) for one in found]
        [('Perm', 1.0), ('Omsk', 1.0)]
    """
    found: list[dict[str, Any]] = []
    for outcome in outcomes:
        rows = [
            entry
            for name, segment in table.segments.items()
            for label in _largest(segment)
            for entry in _effects(spec, table, outcome, name, segment, label)
        ]
        adjusted = corrected([one["p"] for one in rows], spec.analysis.correction)
        found += [{**one, "p_adjusted": p} for one, p in zip(rows, adjusted, strict=True)]
    return found


def _effects(
    spec: ExperimentSpec, table: UnitTable, outcome: Outcome, name: str, segment: Segment, label: int
) -> list[dict[str, Any]]:
    mine = segment[0] == label
    arms: Mapping[str, Any] = {
        variant: np.flatnonzero(mine & (table.variant == place)) for place, variant in enumerate(table.variants)
    }
    control, found = arms[spec.control_variant], []
    for variant in spec.treatments:
        entry: dict[str, Any] = {
            "segment": name,
            "label": segment[1][label],
            "name": outcome.metric.name,
            "variant": variant,
        }
        entry["n"] = {spec.control_variant: len(control), variant: len(arms[variant])}
        if len(control) and len(arms[variant]):
            found.append({**entry, **effect_of(outcome, control, arms[variant]).figures()})
    return found


def _largest(segment: Segment) -> list[int]:
    """Labels with most units, in their own order."""
    codes, labels = segment
    counts = np.bincount(codes, minlength=len(labels))
    return sorted(np.argsort(-counts, kind="stable")[:LARGEST].tolist())
