"""Analyses and A/A tests of an experiment, for people: the verdict first."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

__all__ = ["show_aa", "show_analysis"]

_WORDS = {
    "ship": "[bold green]SHIP[/]",
    "do-not-ship": "[bold red]DO NOT SHIP[/]",
    "keep-running": "[bold yellow]KEEP RUNNING[/]",
    "invalid": "[bold red]INVALID[/]",
}
_MANY = 12


def show_analysis(console: Console, found: Mapping[str, Any]) -> None:
    """Verdict and reasons, checks, effects, the sequential test, money, segments.

    Args:
        console: to draw on.
        found: as for JSON.
    """
    named = f" {escape(found['recommended'])}" if found["recommended"] else ""
    console.print(f"{_WORDS[found['verdict']]}{named}  {escape(found['experiment'])}", highlight=False)
    for reason in found["reasons"]:
        _say(console, f"- {reason}")
    _say(console, f"rule: {found['rule']}")
    _show_checks(console, found["checks"])
    _show_effects(console, found)
    if found["sequential"]:
        _show_sequential(console, found["sequential"])
    if found["money"]:
        _show_money(console, found["money"])
    if found["segments"]:
        _show_segments(console, found["segments"])
    for note in dict.fromkeys(found["notes"]):
        _say(console, f"note: {note}")


def show_aa(console: Console, found: Mapping[str, Any]) -> None:
    """One row per metric and variant: how often an effect was seen where there is none.

    Args:
        console: to draw on.
        found: as for JSON.
    """
    table = _table("metric", "variant", right=("false positives", "95 % interval", "p uniform", ""))
    for row in found["metrics"]:
        table.add_row(*_rate(row), "ok" if row["ok"] else "[bold red]OFF[/]")
    for row in found["naive"] or ():
        named = {**row, "name": f"{row['name']}, {row['method']}"}
        table.add_row(*_rate(named), "" if row["ok"] else "[bold red]WRONG[/]")
    console.print(table)
    _say(
        console,
        f"{found['units']:,} units, {found['rounds']:,} splits, seed {found['seed']}; wanted: {found['alpha']:.1%}",
    )
    for note in found["notes"]:
        _say(console, f"note: {note}")


def _rate(row: Mapping[str, Any]) -> list[str]:
    cells = [escape(row["name"]), escape(row["variant"])]
    if row["false_positive_rate"] is None:
        return [*cells, "no split has a p", "", ""]
    low, high = row["ci95"]
    return [*cells, f"{row['false_positive_rate']:.2%}", f"\\[{low:.2%}, {high:.2%}]", _p(row["uniform_p"])]


def _show_checks(console: Console, checks: Mapping[str, Any]) -> None:
    failed = [name for name, one in checks.items() if not one["ok"]]
    counts = ", ".join(f"{name} {count:,}" for name, count in checks["srm"]["counts"].items())
    state = f"checks failed: {', '.join(failed)}" if failed else f"checks hold: {', '.join(checks)}"
    _say(console, f"{state}; units: {counts}; sample ratio p {_p(checks['srm']['p'])}")


def _show_effects(console: Console, found: Mapping[str, Any]) -> None:
    """A table per metric: the control, then every variant."""
    for name in dict.fromkeys(row["name"] for row in found["metrics"]):
        rows = [row for row in found["metrics"] if row["name"] == name]
        method = f", {rows[0]['method']}" if rows[0]["method"] else ""
        table = _table("variant", right=("value", "effect \\[95 %]", "relative \\[95 %]", "p adj."))
        table.title, table.title_justify = escape(f"{name} ({rows[0]['role']}{method})"), "left"
        control = next((row["control"] for row in rows if row["control"] is not None), None)
        table.add_row(escape(found["control"]), _number(control))
        for row in rows:
            table.add_row(escape(row["variant"]), *_cells(row))
        console.print(table)
        for row in rows:
            for text in (*row["notes"], *_guarded(row), *_others(row)):
                _say(console, f"  {row['variant']}: {text}")


def _guarded(row: Mapping[str, Any]) -> list[str]:
    guard = row["guardrail"]
    if not guard or guard["worst"] is None:
        return []
    told = f"guardrail {guard['state']}: loss {guard['loss']:.3g}, at worst {guard['worst']:.3g}"
    return [f"{told}, margin {guard['margin']:.3g}, p {_p(guard['p'])}"]


def _others(row: Mapping[str, Any]) -> list[str]:
    """Methods beside the registered one, and the naive figures."""
    found = [
        f"{name}: p {_p(one['p'])}" + (f", {_ends(one['ci95'], '+.4g')}" if "ci95" in one else "")
        for name, one in (row["beside"] or {}).items()
        if one is not None
    ]
    naive = row["naive"]
    if naive and naive["errors_too_small_by"]:
        found.append(
            f"naive, wrong: p {_p(naive['p'])}, {_ends(naive['ci95'], '+.4g')}; its errors are too small by a factor "
            f"of {naive['errors_too_small_by']:.2f}"
        )
    return found


def _show_sequential(console: Console, found: Mapping[str, Any]) -> None:
    table = _table("metric", "variant", right=("interval at any look", "p", ""))
    for row in found["metrics"]:
        ends = ", ".join("none" if end is None else f"{end:+.4g}" for end in row["ci"])
        crossed = "crossed" if row["crossed"] else "violated" if row["violated"] else ""
        table.add_row(escape(row["name"]), escape(row["variant"]), f"\\[{ends}]", _p(row["p"]), crossed)
    console.print(table)
    planned = "unknown" if found["planned_units"] is None else f"{found['planned_units']:,.0f}"
    _say(console, f"{found['kind']}: {found['units']:,} of {planned} planned units; {found['note']}")


def _show_money(console: Console, found: Mapping[str, Any]) -> None:
    table = _table("money", right=("net \\[95 %]", "P(net > 0)", "break-even effect", "shrunk net"))
    for name, line in found["variants"].items():
        ends = "" if line["ci95"] is None else " " + escape(f"[{line['ci95'][0]:,.0f}, {line['ci95'][1]:,.0f}]")
        table.add_row(
            escape(name),
            "" if line["net"] is None else f"{line['net']:,.0f}{ends}",
            "" if line["p_positive"] is None else f"{line['p_positive']:.1%}",
            "none" if line["break_even_effect"] is None else f"{line['break_even_effect']:.4g}",
            "" if line["shrunk_net"] is None else f"{line['shrunk_net']:,.0f}",
        )
    console.print(table)
    terms = found["terms"]
    _say(
        console,
        f"{terms['population']:,.0f} units x effect on {terms['metric']} x {terms['value_per_unit']:g}, less "
        f"{terms['cost']:,.0f} per period; {terms['horizon_periods']} periods, {terms['decay']:.0%} of the effect is "
        "left in the next one",
    )


def _show_segments(console: Console, rows: Sequence[Mapping[str, Any]]) -> None:
    table = _table("segment", "metric", "variant", right=("units", "effect \\[95 %]", "p adj."))
    for row in rows[: 2 * _MANY]:
        effect = "" if row["effect"] is None else escape(f"{row['effect']:+.3g} {_ends(row['ci95'], '+.3g')}")
        label = escape(f"{row['segment']}={row['label']}")
        names = label, escape(row["name"]), escape(row["variant"])
        table.add_row(*names, f"{sum(row['n'].values()):,}", effect, _p(row["p_adjusted"]))
    console.print(table)
    if len(rows) > 2 * _MANY:
        _say(console, f"{len(rows) - 2 * _MANY} more rows: --json or --html")


def _cells(row: Mapping[str, Any]) -> list[str]:
    effect = "" if row["effect"] is None else f"{row['effect']:+.3g} {_ends(row['ci95'], '+.3g')}"
    relative = "" if row["relative"] is None else f"{row['relative']:+.1%} {_ends(row['relative_ci95'], '+.1%')}"
    return [_number(row["treatment"]), escape(effect), escape(relative), _p(row["p_adjusted"])]


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


def _ends(ends: Sequence[float] | None, form: str) -> str:
    return "" if ends is None else f"[{ends[0]:{form}}, {ends[1]:{form}}]"


def _p(p: float | None) -> str:
    if p is None:
        return ""
    return "< 0.0001" if p < 0.0001 else f"{p:.4f}"


def _table(*left: str, right: Sequence[str]) -> Table:
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for heading in left:
        table.add_column(heading, overflow="fold", min_width=9)
    for heading in right:
        table.add_column(heading, justify="right", overflow="fold")
    return table


def _say(console: Console, text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)
