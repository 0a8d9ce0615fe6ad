"""Sections of the report about the ranker: its SHAP values, and what each feature and each part is worth."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from encorec.evaluation.report.figures import with_interval
from encorec.page import Chart, Columns, Details, Prose, Table, charts

__all__ = ["features"]

_SHOWN = 20


def features(report: Mapping[str, Any]) -> list[Any]:
    """The SHAP summary plot, importance with intervals, and what is lost when a feature is shuffled.

    Args:
        report: of ``encorec.workflow.examine``.

    Example:
        >>> features({})
        []
    """
    found = report.get("explanation")
    if not found:
        return []
    every, metric = found["features"], found["metric"]
    top = dict(list(every.items())[:_SHOWN])
    means = {name: _triple(one) for name, one in top.items()}
    losses = {name: _triple(one["loss"]) for name, one in top.items() if one["loss"] is not None}
    lost = f"{metric} lost when the values are shuffled"
    rows = [
        [name, with_interval(one), "" if one["loss"] is None else with_interval(one["loss"])]
        for name, one in every.items()
    ]
    told = (
        f"SHAP values of {found['rows']:,} candidates of {found['users']:,} users of exam {found['fold']}, whom the "
        "ranker had not learnt from there. A point is a candidate: right of 0 the feature raised its score, left of "
        "0 it lowered it. Intervals are 95 %, over users."
    )
    return [
        Prose(told),
        *_summary(found.get("swarm")),
        Columns(
            [
                Chart(charts.intervals(means, x="mean |SHAP value|"), "How far the feature moves scores."),
                Chart(charts.intervals(losses, x=lost, zero=True), "Features that say the same replace each other."),
            ]
        ),
        Details("All features", [Table(("feature", "mean |SHAP value|", lost), rows)]),
    ]


def _summary(swarms: Mapping[str, Any] | None) -> list[Any]:
    if not swarms:
        return []
    points = {
        name: (np.array(one["contribution"], float), np.array(one["level"], float)) for name, one in swarms.items()
    }
    caption = "Blue: a low value of the feature, red: a high one, grey: not known. The strongest feature is on top."
    return [Chart(charts.beeswarm(points, x="SHAP value (what the feature adds to the raw score)"), caption)]


def _triple(figure: Mapping[str, Any]) -> tuple[float, float, float]:
    return figure["mean"], *figure["ci95"]
