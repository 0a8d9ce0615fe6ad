"""Tables of judged lists, for people."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

__all__ = ["show_comparison", "show_metrics", "show_score"]


def show_metrics(console: Console, found: Mapping[str, Any], order: Sequence[str]) -> None:
    """One row per metric: mean and interval; then how many users that was.

    Args:
        console: to draw on.
        found: as for JSON.
        order: names of the metrics.
    """
    table = Table("metric", box=SIMPLE_HEAD)
    for heading in ("mean", "95 % interval"):
        table.add_column(heading, justify="right", no_wrap=True)
    for name in order:
        table.add_row(name, f"{found[name]['mean']:.4f}", _ends(found[name]["ci95"], ""))
    console.print(table)
    console.print(
        f"{found['users']:,} users, {found['covered_users']:,} of them with a list (the others count as 0); "
        f"{found['ignored_users']:,} users with a list are not in the truth; "
        f"seed {found['seed']}, {found['resamples']:,} resamples",
        highlight=False,
    )


def show_comparison(console: Console, found: Mapping[str, Any]) -> None:
    """One table per metric: every system with its mean and what it gains over the reference.

    Args:
        console: to draw on.
        found: as for JSON.
    """
    reference, systems = found["reference"], found["systems"]
    for metric in systems[reference]["means"]:
        table = Table(title=metric, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
        table.add_column("system", overflow="fold")
        for heading in ("mean", "minus reference \\[95 %]", "p", "p Holm", "better/equal/worse"):
            table.add_column(heading, justify="right", no_wrap=True)
        for name, one in systems.items():
            gain = found["comparisons"].get(name, {}).get(metric)
            cells = _gained(gain) if gain else ["reference"]
            table.add_row(escape(name), f"{one['means'][metric]:.4f}", *cells)
        console.print(table)
    console.print(
        f"{found['users']:,} users, paired; differences are system minus {escape(reference)}; "
        f"p Holm: corrected for the number of systems; seed {found['seed']}, {found['resamples']:,} resamples",
        highlight=False,
    )


def show_score(console: Console, found: Mapping[str, Any], metric: str) -> None:
    """The score in all, and of the public and the private part where there are some.

    Args:
        console: to draw on.
        found: as for JSON.
        metric: name of the score.
    """
    table = Table("users", box=SIMPLE_HEAD)
    for heading in ("count", metric, "95 % interval"):
        table.add_column(heading, justify="right", no_wrap=True)
    for name in (metric, "public", "private"):
        if name in found:
            one = found[name]
            label = "all" if name == metric else name
            table.add_row(label, f"{one['users']:,}", f"{one['mean']:.6f}", _ends(one["ci95"], ""))
    console.print(table)
    split = f"; parts: {found['split']}" if found["split"] else ""
    console.print(
        f"{found['covered_users']:,} of {found['users']:,} users with a list (the others count as 0); "
        f"{found['ignored_users']:,} users with a list are not in the truth{escape(split)}; seed {found['seed']}",
        highlight=False,
    )


def _gained(gain: Mapping[str, Any]) -> list[str]:
    difference = f"{gain['mean']:+.4f}"
    if gain["p"] is None:
        return [difference]
    shares = "/".join(f"{100 * gain[name]:.1f}" for name in ("better", "equal", "worse"))
    return [f"{difference} {_ends(gain['ci95'], '+')}", f"{gain['p']:.3f}", f"{gain['p_holm']:.3f}", f"{shares} %"]


def _ends(ends: Sequence[float] | None, sign: str) -> str:
    return "" if ends is None else f"\\[{ends[0]:{sign}.4f}, {ends[1]:{sign}.4f}]"
