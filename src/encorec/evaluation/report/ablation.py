"""What each part of the pipeline is worth: a section of the report."""

from collections.abc import Mapping
from typing import Any

from encorec.evaluation.report.figures import p_text, with_interval
from encorec.page import Chart, Columns, Prose, Table, charts

__all__ = ["ablation"]

_KINDS = {"group": "group of features", "retriever": "retriever"}


def ablation(report: Mapping[str, Any]) -> list[Any]:
    """The exam without each part: differences to the full pipeline, as charts and as a table.

    Args:
        report: of ``encorec.workflow.examine``, with ``ablation`` of ``encorec ablate``.

    Example:
        >>> ablation({})
        []
    """
    found = report.get("ablation")
    if not found or not found["drops"]:
        return []
    metric, full = found["metric"], found["full"]
    drawn = {kind: [one for one in found["drops"] if one["kind"] == kind] for kind in _KINDS}
    parts = [
        Chart(
            charts.intervals(
                {one["name"]: _triple(one["difference"]) for one in drops},
                x=f"change of {metric} without it",
                zero=True,
            ),
            f"Without one {_KINDS[kind]}, against the full pipeline. Left of 0 it is missed.",
        )
        for kind, drops in drawn.items()
        if drops
    ]
    rows = [
        [
            f"without {one['name']}", _KINDS[one["kind"]], one["features"], f"{one['ceiling']:.1%}", one["mean"],
            with_interval(one["difference"], "+"), p_text(one["difference"]["p"]), p_text(one["difference"]["p_holm"]),
        ]
        for one in found["drops"]
    ]  # fmt: skip
    whole = ["full pipeline", "", full["features"], f"{full['ceiling']:.1%}", full["mean"], "", "", ""]
    told = (
        f"The ranker was fitted anew on {found['label_folds']} label folds without each part, and judged on the same "
        f"{found['users']:,} users of exam {found['fold']}; without a retriever its candidates are missing too. "
        "Differences are paired by user, with 95 % intervals; p (Holm) is adjusted for the number of parts."
    )
    head = ("pipeline", "part", "features", "ceiling", metric, "difference [95 %]", "p", "p (Holm)")
    return [Prose(told), Columns(parts), Table(head, [whole, *rows], frozenset({0}))]


def _triple(figure: Mapping[str, Any]) -> tuple[float, float, float]:
    return figure["mean"], *figure["ci95"]
