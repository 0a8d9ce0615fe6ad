"""What the command line draws: progress bars, tables, verdicts."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

__all__ = ["progress_bar", "show_facts", "show_report"]

Step = Callable[[str, int, int], None]


@contextmanager
def progress_bar(console: Console) -> Iterator[Step]:
    """A bar that follows ``step(what, done, total)``; where nobody watches, one line per new step.

    Args:
        console: to draw on, usually stderr.
    """
    if not console.is_terminal:
        yield _line_printer(console)
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("start", total=1)
        yield lambda what, done, total: bar.update(task, description=what, completed=done, total=max(total, 1))


def _line_printer(console: Console) -> Step:
    said: set[str] = set()

    def step(what: str, _done: int, _total: int) -> None:
        if what not in said:
            said.add(what)
            console.print(f"· {what}", highlight=False, markup=False)

    return step


def show_report(console: Console, report: Mapping[str, Any]) -> None:
    """The split, the retrieval ceiling, every system with its intervals, and the verdict.

    Args:
        console: to draw on.
        report: of ``encorec.workflow.examine``.
    """
    split = report["split"]
    console.print(
        f"[bold]{report['name']}[/]: {split['train_rows']:,} interactions to learn from, exam {split['fold']} with "
        f"{split['queries']:,} users and {split['truth_items']:,} items to find"
    )
    ceiling = report["ceilings"][0]
    console.print(
        f"retrieval ceiling (newest label fold): {ceiling['union']:.1%} of what was taken is among "
        f"{ceiling['candidates_per_query']:.0f} candidates per user"
    )
    console.print(_systems_table(report))
    verdict = report["verdict"]
    console.print(verdict["sentence"], style="bold green" if verdict["win"] else "bold red", highlight=False)


def _systems_table(report: Mapping[str, Any]) -> Table:
    systems, metric = report["systems"], report["verdict"]["metric"]
    names = [name for name, value in next(iter(systems.values())).items() if isinstance(value, dict)]
    shown = [metric, *(name for name in names if name != metric)]
    table = Table(title=f"mean over users [95 % interval on {metric}]; two-stage minus each, paired")
    table.add_column("system")
    for name in shown:
        table.add_column(name, justify="right")
    table.add_column("two-stage gains", justify="right")
    for system in sorted(systems, key=lambda one: systems[one][metric]["mean"]):
        cells = [_cell(systems[system][name], interval=name == metric) for name in shown]
        gain = report["comparisons"].get(system)
        table.add_row(system, *cells, _gain(gain) if gain else "", style="bold" if system == "two-stage" else "")
    return table


def _cell(value: Mapping[str, Any], *, interval: bool) -> str:
    if not interval or value["ci95"] is None:
        return f"{value['mean']:.4f}"
    low, high = value["ci95"]
    return f"{value['mean']:.4f} \\[{low:.4f}, {high:.4f}]"


def _gain(gain: Mapping[str, Any]) -> str:
    low, high = gain["ci95"]
    return f"{gain['mean']:+.4f} \\[{low:+.4f}, {high:+.4f}]"


def show_facts(console: Console, facts: Mapping[str, Any], title: str) -> None:
    """Nested facts as one indented table.

    Args:
        console: to draw on.
        facts: names and values, nested at will.
        title: of the table.
    """
    table = Table(title=title, show_header=False)
    for name, value in _flat(facts):
        table.add_row(
            name,
            f"{value:,.4g}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value),
        )
    console.print(table)


def _flat(facts: Mapping[str, Any], indent: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in facts.items():
        if isinstance(value, Mapping):
            yield f"{indent}{name}", ""
            yield from _flat(value, indent + "  ")
        else:
            yield f"{indent}{name}", value
