"""The table of `encorec ann-report`."""

from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    from encorec.retrieval.ann_report import IndexReport

__all__ = ["show_indexes"]


def show_indexes(console: Console, report: "IndexReport", name: str) -> None:
    """Every way to search with what it finds and costs, and the recommendation.

    Args:
        console: to draw on.
        report: of ``compare_indexes``.
        name: of the vectors.
    """
    console.print(
        f"[bold]{escape(name)}[/]: {report.items:,} vectors of {report.size} numbers; "
        f"{report.queries:,} queries, one at a time on one thread",
        highlight=False,
    )
    table = Table(box=SIMPLE_HEAD)
    table.add_column("search")
    for column in (f"recall@{report.k}", "p50 ms", "p99 ms", "build s", "MB"):
        table.add_column(column, justify="right")
    for row in report.rows:
        built = (f"{row.build_seconds:,.1f}", f"{row.bytes / 1e6:,.1f}") if row.setting else ("", "")
        table.add_row(row.name, f"{row.recall:.3f}", f"{row.p50_ms:.3f}", f"{row.p99_ms:.3f}", *built)
    console.print(table)
    console.print(report.recommendation, highlight=False, markup=False)
