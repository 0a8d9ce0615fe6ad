"""How much must be known of a user: a section of the report."""

from collections.abc import Mapping, Sequence
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
        *_routing(report.get("routing", ())),
    ]


def _routing(found: Sequence[Mapping[str, Any]]) -> list[Any]:
    """Who orders for whom, and what the newest label fold said of it."""
    if not found:
        return []
    told = (
        "Who orders the candidates, decided on the newest label fold before the exam, by NDCG@10. Where the ranker has "
        "learnt from such histories it orders, unless another order is better in a paired test; where it has not, the "
        "best list that is the same for everybody is served, unless the ranker or a source is better than that. "
        "Histories that the fold hardly holds are those of its other users, cut short; they decide nothing that users "
        "who really have such a history contradict."
    )
    rows = [
        [
            one["events"], one["order"] or "the ranker", one["queries"], one["shortened"], one["taught"],
            _number(one["ranker"]), one["best"] or "", _number(one["mean"]), _number(one["p"]),
        ]
        for one in found
    ]  # fmt: skip
    heads = ("events", "ordered by", "queries", "cut short", "taught", "ranker", "best other", "its NDCG@10", "p")
    return [Prose(told), Table(heads, rows)]


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def _triple(figure: Mapping[str, Any]) -> tuple[float, float, float]:
    return figure["mean"], *figure["ci95"]
