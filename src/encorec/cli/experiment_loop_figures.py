"""Tables of preferences and of simulated experiments, for people."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

__all__ = ["show_preferences", "show_simulation"]


def show_preferences(console: Console, found: Mapping[str, Any]) -> None:
    """One row per pair of rankers, then what it rests on.

    Args:
        console: to draw on.
        found: as for JSON.
    """
    table = Table("rankers", box=SIMPLE_HEAD)
    for heading in ("preference", "95 % interval", "p", "p Holm", "wins/ties/losses", "credit per unit"):
        table.add_column(heading, justify="right", no_wrap=True)
    for one in found["pairs"]:
        credit = one["credit"]
        table.add_row(
            f"{escape(one['first'])} over {escape(one['second'])}",
            f"{one['preference']:+.4f}",
            _ends(one["ci95"]),
            f"{one['p']:.3f}",
            f"{one['p_holm']:.3f}",
            f"{one['wins']:,}/{one['ties']:,}/{one['losses']:,}",
            f"{credit['mean']:+.4f} {_ends(credit['ci95'])}",
        )
    console.print(table)
    console.print(
        f"{found['units']:,} units, {found['silent_units']:,} of them without any {escape(found['value'])} (ties); "
        "preference: (wins + ties / 2) / units - 1/2; p: sign test; credit per unit: first - second; "
        f"seed {found['seed']}, {found['resamples']:,} resamples",
        highlight=False,
    )
    for warning in found["warnings"]:
        console.print(f"[yellow]warning:[/] {escape(warning)}", highlight=False)


def show_simulation(console: Console, found: Mapping[str, Any]) -> None:
    """Verdict, every effect beside the truth, the money line.

    Args:
        console: to draw on.
        found: as for JSON.
    """
    report = found["report"]
    console.print(f"[bold]{report['verdict']}[/]: {escape('; '.join(report['reasons']))}", highlight=False)
    table = Table("metric", "variant", box=SIMPLE_HEAD)
    for heading in ("effect \\[95 %]", "truth", "covered"):
        table.add_column(heading, justify="right", no_wrap=True)
    true = {(one["name"], one["variant"]): one for one in found["truth"] or ()}
    for one in report["metrics"]:
        known = true.get((one["name"], one["variant"]))
        table.add_row(
            escape(one["name"]),
            escape(one["variant"]),
            f"{_number(one['effect'])} {_ends(one['ci95'])}",
            _number(known and known["effect"]),
            "" if known is None or known["covered"] is None else "yes" if known["covered"] else "no",
        )
    console.print(table)
    for name, money in ((report.get("money") or {}).get("variants") or {}).items():
        if money["net"] is not None:
            console.print(
                f"money, {escape(name)}: net {money['net']:,.0f} {_whole(money['ci95'])} over the horizon; "
                f"P(net > 0) {money['p_positive']:.3f}; break-even effect {money['break_even_effect']:.4g}",
                highlight=False,
            )
    served = ", ".join(f"{name}: {system}" for name, system in found["systems"].items())
    console.print(f"{found['visits']:,} visits; {escape(served)}; seed {found['seed']}", highlight=False)


def _whole(ends: Sequence[float]) -> str:
    return f"\\[{ends[0]:,.0f}, {ends[1]:,.0f}]"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def _ends(ends: Sequence[float] | None) -> str:
    return "" if ends is None else f"\\[{ends[0]:+.4f}, {ends[1]:+.4f}]"
