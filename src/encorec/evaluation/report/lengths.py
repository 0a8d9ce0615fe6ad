"""How much must be known of a user: a section of the report."""

from collections.abc import Mapping
from typing import Any

from encorec.evaluation.backtest.breakdown import LEAST_TESTED
from encorec.evaluation.report.figures import SUBJECT, p_text, with_interval
from encorec.page import Chart, Columns, Prose, Table, charts

__all__ = ["lengths"]


def lengths(report: Mapping[str, Any]) -> list[Any]:
    """The two-stage against its rivals for users with no, few and many events in their history.

    Args:
        report: of ``encorec.workflow.examine``.

    Example:
        >>> lengths({})
        []
    """
    found = report.get("lengths")
    if not found:
        return []
    metric = report["verdict"]["metric"]
    rivals = list(next(iter(found.values()))["differences"])
    drawn = [
        Chart(
            charts.intervals(
                {label: _triple(one["differences"][rival]) for label, one in found.items()},
                x=f"gain over {rival} in {metric}",
                zero=True,
            )
        )
        for rival in rivals
    ]
    rows = [
        [label, one["users"], *(with_interval(one["systems"][name]) for name in (SUBJECT, *rivals))]
        for label, one in found.items()
    ]
    gains = [
        [
            label, f"over {rival}", with_interval(one["differences"][rival], "+"),
            p_text(one["differences"][rival]["p_holm"]),
        ]
        for label, one in found.items()
        for rival in rivals
    ]  # fmt: skip
    told = (
        f"Users by the number of events in their history when they were asked; {metric} with 95 % intervals, "
        "differences paired by user. p is adjusted for all of them; lengths of fewer than "
        f"{LEAST_TESTED} users are not tested."
    )
    return [
        Prose(told),
        Columns(drawn),
        Table(("events", "users", SUBJECT, *rivals), rows),
        Table(("events", "gain", f"{metric} [95 %]", "p (Holm)"), gains),
    ]


def _triple(figure: Mapping[str, Any]) -> tuple[float, float, float]:
    return figure["mean"], *figure["ci95"]
