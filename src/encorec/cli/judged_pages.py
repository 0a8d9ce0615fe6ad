"""Tables of what judges answered, for people."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

__all__ = ["show_judgement"]


def show_judgement(console: Console, found: Mapping[str, Any]) -> None:
    """The verdict, the pairs it rests on, agreement, and every judge.

    Args:
        console: to draw on.
        found: as for JSON.
    """
    tasks, names = found["tasks"], found["systems"]
    console.print(f"[bold]{escape(found['verdict'])}[/]", highlight=False)
    table = _table("pairs", "count")
    for name in ("a", "b"):
        table.add_row(f"for {escape(names[name])}", f"{tasks[name]:,}")
    table.add_row("tie", f"{tasks['tie']:,}")
    console.print(table)
    if tasks["share_b"] is not None:
        console.print(
            f"{escape(names['b'])} wins {_percent(tasks['share_b'])} of {tasks['a'] + tasks['b']:,} decided pairs, "
            f"95 % interval {_ends(tasks['wilson95'])} (Wilson), {_ends(tasks['exact95'])} (exact); "
            f"sign test p = {tasks['p']:.3f}",
            highlight=False,
        )
    console.print(f"{tasks['judged']:,} of {tasks['shown']:,} pairs judged; {_agreement(found)}", highlight=False)
    console.print(_position(found["position_bias"]), highlight=False)
    judges = _table("judge", "answers", f"for {escape(names['a'])}", f"for {escape(names['b'])}", "tie", "left", "s")
    for one in found["judges"]:
        numbers = [f"{one[name]:,}" for name in ("count", "a", "b", "tie", "left")]
        seconds = "" if one["median_seconds"] is None else f"{one['median_seconds']:.1f}"
        judges.add_row(escape(one["judge"]), *numbers, seconds)
    console.print(judges)


def _table(first: str, *others: str) -> Table:
    table = Table(box=SIMPLE_HEAD)
    table.add_column(first, overflow="fold")
    for heading in others:
        table.add_column(heading, justify="right")
    return table


def _agreement(found: Mapping[str, Any]) -> str:
    agreement = found["agreement"]
    if not agreement["pairs"]:
        return "one judge, so no agreement to measure"
    parts = [f"Fleiss' kappa {_figure(agreement['fleiss_kappa'])}"]
    if len(agreement["pairs"]) == 1:
        parts.append(f"Cohen's kappa {_figure(agreement['pairs'][0]['kappa'])}")
    return ", ".join(parts)


def _position(bias: Mapping[str, Any]) -> str:
    if bias["p"] is None:
        return "position bias: too few answers to tell"
    said = "none shown" if bias["ok"] else "a side is favoured; let others judge, or more pairs"
    return f"position bias: left in {_percent(bias['left_share'])} of decided answers, p = {bias['p']:.3f}: {said}"


def _figure(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.2f}"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _ends(ends: Sequence[float]) -> str:
    return f"{100 * ends[0]:.1f} to {_percent(ends[1])}"
