"""What the command line draws: progress bars, tables, verdicts."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

__all__ = ["progress_bar", "routing_line", "show_ablation", "show_facts", "show_report"]

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
    """The split, the retrieval ceiling, every system with its intervals, exams, segments, and the verdict.

    Args:
        console: to draw on.
        report: of ``encorec.workflow.examine``.
    """
    _show_exam(console, report)
    console.print(_ceiling_table(report))
    console.print(_verdict_table(report))
    console.print(_means_table(report))
    for table in (_exam_table(report), _length_table(report), _segment_table(report)):
        if table is not None:
            console.print(table)
    for table in _after_ranking_tables(report):
        console.print(table)
    routed = {one["events"]: one["order"] for one in report.get("routing", ()) if one["order"] is not None}
    if routed:
        console.print(routing_line(routed), highlight=False, markup=False)
    verdict = report["verdict"]
    console.print(verdict["sentence"], style="bold green" if verdict["win"] else "bold red", highlight=False)


def routing_line(orders: Mapping[str, str]) -> str:
    """Whose order is served where it is not the ranker's, in one line.

    Args:
        orders: events in the history -> source.

    Example:
        >>> routing_line({"new": "popular", "1-4": "als"})
        'routed past the ranker, by events in the history: new to popular, 1-4 to als'
    """
    told = ", ".join(f"{length} to {order}" for length, order in orders.items())
    return f"routed past the ranker, by events in the history: {told}"


def _show_exam(console: Console, report: Mapping[str, Any]) -> None:
    split, folds, cold = report["split"], report["folds"], report["cold_users"]
    console.print(
        f"[bold]{escape(report['name'])}[/]: {split['train_rows']:,} interactions to learn from, "
        f"exam {split['fold']} with {split['queries']:,} users and {split['truth_items']:,} items to find"
        + (f", the newest of {len(folds)} exams" if len(folds) > 1 else "")
    )
    judged, asked = sum(one["users"] for one in folds), sum(one["split"]["queries"] for one in folds)
    if judged < asked:
        console.print(f"judged on {judged:,} of {asked:,} users, drawn at random")
    if cold["users"]:
        console.print(f"{cold['users']:,} users without a past, judged {cold['judged']}")
    ceiling = report["ceilings"][0]
    console.print(
        f"retrieval ceiling (newest label fold): {ceiling['union']:.1%} of what was taken is among "
        f"{ceiling['candidates_per_query']:.0f} candidates per user"
    )


def _ceiling_table(report: Mapping[str, Any]) -> Table:
    """Share of what was taken that each source and all of them proposed, in every label fold."""
    folds = report["ceilings"]
    table = Table("retrieval ceiling", box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for number, one in enumerate(folds[:6], 1):
        about = f"\n{one['truth']:,} taken\n{one['candidates_per_query']:.0f} candidates"
        table.add_column(("newest fold" if number == 1 else f"fold {number}") + about, justify="right", no_wrap=True)
    table.add_row("any source", *(f"{one['union']:.1%}" for one in folds[:6]), style="bold")
    for name in folds[0]["sources"]:
        table.add_row(escape(name), *(f"{one['sources'][name]:.1%}" for one in folds[:6]))
    return table


def _ordered(report: Mapping[str, Any]) -> list[str]:
    """Systems by the metric of the verdict, best last."""
    metric = report["verdict"]["metric"]
    return sorted(report["systems"], key=lambda system: report["systems"][system][metric]["mean"])


def _verdict_table(report: Mapping[str, Any]) -> Table:
    """The metric of the verdict with its interval, and what the two-stage gains over each system, paired by user."""
    metric = report["verdict"]["metric"]
    table = Table("system", box=SIMPLE_HEAD)
    table.add_column(f"{metric} \\[95 % interval]", justify="right", no_wrap=True)
    table.add_column("two-stage gains \\[95 %]", justify="right", no_wrap=True)
    for system in _ordered(report):
        figure, gain = report["systems"][system][metric], report["comparisons"].get(system)
        cells = (_cell(figure, ""), _cell(gain, "+") if gain else "")
        table.add_row(system, *cells, style="bold" if system == "two-stage" else "")
    return table


def _means_table(report: Mapping[str, Any]) -> Table:
    """The other metrics: means over users."""
    systems, metric = report["systems"], report["verdict"]["metric"]
    names = [name for name, one in next(iter(systems.values())).items() if isinstance(one, dict) and name != metric]
    table = Table("system", box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for name in names:
        table.add_column(name.replace("@", "\n@"), justify="right", no_wrap=True)
    for system in _ordered(report):
        cells = [f"{systems[system][name]['mean']:.3f}" for name in names]
        table.add_row(system, *cells, style="bold" if system == "two-stage" else "")
    return table


def _exam_table(report: Mapping[str, Any]) -> Table | None:
    """Exam by exam: the two-stage, the best retriever, and the difference; none where there is one exam only."""
    folds, metric, best = report["folds"], report["verdict"]["metric"], report["verdict"]["best_retriever"]
    if len(folds) == 1:
        return None
    table = Table("exam", box=SIMPLE_HEAD)
    for head in ("users", "two-stage", best, "two-stage gains \\[95 %]"):
        table.add_column(head, justify="right", no_wrap=True)
    for one in folds:
        means = (f"{one['systems'][name][metric]['mean']:.4f}" for name in ("two-stage", best))
        table.add_row(one["split"]["fold"], f"{one['users']:,}", *means, _cell(one["comparisons"][best], "+"))
    return table


def _length_table(report: Mapping[str, Any]) -> Table | None:
    """By events in the history: what the two-stage gains over the best retriever, popularity and the fusion."""
    found = report.get("lengths")
    if not found:
        return None
    caption = "* adjusted for the number of comparisons, p is below 0.05"
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, caption=caption, caption_justify="left")
    for head in ("events", "users", "two-stage", "against", "its mean", "two-stage gains \\[95 %]"):
        table.add_column(head, justify="left" if head in ("events", "against") else "right", no_wrap=True)
    for label, one in found.items():
        about = (label, f"{one['users']:,}", f"{one['systems']['two-stage']['mean']:.4f}")
        for name, gain in one["differences"].items():
            mean = f"{one['systems'][name]['mean']:.4f}"
            table.add_row(*about, escape(name[:20]), mean, f"{_cell(gain, '+')}{_star(gain)}")
            about = ("", "", "")
    return table


def _star(gain: Mapping[str, Any]) -> str:
    return "*" if gain["p_holm"] is not None and gain["p_holm"] < 0.05 else " "


def _segment_table(report: Mapping[str, Any]) -> Table | None:
    """Segments with users: the two-stage, the best retriever, and the difference."""
    best = report["verdict"]["best_retriever"]
    caption = "* adjusted for the number of segments, p is below 0.05"
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, caption=caption, caption_justify="left")
    table.add_column("segment")
    for head in ("users", "two-stage", best[:14], "two-stage gains \\[95 %]"):
        table.add_column(head, justify="right", no_wrap=True)
    for name, groups in report["segments"].items():
        for label, one in groups.items() if len(groups) > 1 else ():
            means = (f"{one['systems'][system]['mean']:.4f}" for system in ("two-stage", best))
            gain, users = one["difference"], f"{one['users']:,}"
            sure = "*" if gain["p_holm"] is not None and gain["p_holm"] < 0.05 else " "
            table.add_row(escape(f"{name}: {label}"), users, *means, f"{_cell(gain, '+')}{sure}")
    return table if table.row_count else None


def _after_ranking_tables(report: Mapping[str, Any]) -> Iterator[Table]:
    """What variety costs and whether probabilities keep their word, where that was judged."""
    found = report.get("variety")
    if found:
        first = next(iter(found["curves"].values()))[0]
        names = [name for name in first if name not in ("strength", "difference")]
        table = Table("selection", box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
        for name in ("strength", *names, "against strength 0 \\[95 %]"):
            table.add_column(name.replace("@", "\n@"), justify="right")
        for kind, entries in found["curves"].items():
            for one in entries:
                cells = (f"{one['strength']:g}", *(f"{one[name]:.4f}" for name in names), _cell(one["difference"], "+"))
                table.add_row(kind, *cells, style="bold" if one["strength"] == found["configured"] else "")
        yield table
    kept = report.get("probabilities")
    if kept:
        table = Table("scores of all candidates", box=SIMPLE_HEAD)
        for name in ("ece", "log loss", "brier", "mean said", "share taken"):
            table.add_column(name, justify="right")
        for when, label in (("before", "raw, logistic"), ("after", f"calibrated, {kept['kind']}")):
            one = kept[when]
            cells = (f"{one[name]:.4f}" for name in ("ece", "log_loss", "brier", "predicted", "taken"))
            table.add_row(label, *cells)
        yield table


def show_ablation(console: Console, found: Mapping[str, Any]) -> None:
    """What each part is worth: the pipeline without it against the full one.

    Args:
        console: to draw on.
        found: ``ablation`` of a report.
    """
    metric, full = found["metric"], found["full"]
    caption = "* adjusted for the number of parts, p is below 0.05"
    table = Table("pipeline", "part", box=SIMPLE_HEAD, padding=(0, 1, 0, 0), caption=caption, caption_justify="left")
    for head in ("ceiling", metric, "against the full pipeline \\[95 %]"):
        table.add_column(head, justify="right", no_wrap=True)
    table.add_row("full", "", f"{full['ceiling']:.1%}", f"{full['mean']:.4f}", "", style="bold")
    for one in found["drops"]:
        sure = "*" if one["difference"]["p_holm"] < 0.05 else " "
        cells = (f"{one['ceiling']:.1%}", f"{one['mean']:.4f}", f"{_cell(one['difference'], '+')}{sure}")
        table.add_row(escape(f"without {one['name']}"), one["kind"], *cells)
    console.print(table)


def _p(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _cell(value: Mapping[str, Any], sign: str) -> str:
    low, high = value["ci95"]
    return f"{value['mean']:{sign}.4f} \\[{low:{sign}.4f}, {high:{sign}.4f}]"


def show_facts(console: Console, facts: Mapping[str, Any], title: str) -> None:
    """Nested facts as one indented table.

    Args:
        console: to draw on.
        facts: names and values, nested at will.
        title: of the table.
    """
    table = Table(title=escape(title), show_header=False)
    for name, value in _flat(facts):
        table.add_row(escape(name), _written(value))
    console.print(table)


def _written(value: Any) -> str:
    """Numbers with few digits and thousands apart, a figure beside its target, everything else as it is."""
    if isinstance(value, Mapping):
        return f"{_written(value['generated'])}   (target {_written(value['target'])})"
    if isinstance(value, float):
        return f"{value:,.4g}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else escape(str(value))


def _flat(facts: Mapping[str, Any], indent: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in facts.items():
        if isinstance(value, Mapping) and value.keys() != {"generated", "target"}:
            yield f"{indent}{name}", ""
            yield from _flat(value, indent + "  ")
        else:
            yield f"{indent}{name}", value
