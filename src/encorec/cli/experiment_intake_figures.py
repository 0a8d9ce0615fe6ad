"""Assignments and checks of an experiment, for people."""

from collections.abc import Mapping
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

__all__ = ["show_assignment", "show_checks"]

_NAMES = {
    "srm": "sample ratio",
    "units_in_two_arms": "units in two arms",
    "exposure_days": "exposure days",
    "missing_units": "units without a row",
    "covariate_balance": "covariate balance",
}


def show_assignment(console: Console, found: Mapping[str, Any]) -> None:
    """One row per variant, then those that have none.

    Args:
        console: to draw on.
        found: as for JSON.
    """
    table = Table("variant", box=SIMPLE_HEAD)
    for heading in ("units", "share of all"):
        table.add_column(heading, justify="right", no_wrap=True)
    counts = {escape(name): count for name, count in found["counts"].items()}
    for name, count in (counts | {"outside the share": found["outside"], "holdout": found["holdout"]}).items():
        table.add_row(name, f"{count:,}", f"{count / found['units']:.2%}")
    console.print(table)
    again = f"; {found['repeated_rows']:,} repeated rows left out" if found["repeated_rows"] else ""
    text = f"{found['units']:,} units of layer {found['layer']}{again}: {found['out']}"
    console.print(text, markup=False, highlight=False, soft_wrap=True)


def show_checks(console: Console, found: Mapping[str, Any]) -> None:
    """One row per check: whether it holds, and what was seen.

    Args:
        console: to draw on.
        found: as for JSON.
    """
    table = Table("check", "", "seen", box=SIMPLE_HEAD)
    for name, one in found["checks"].items():
        table.add_row(_NAMES[name], "ok" if one["ok"] else "[bold red]FAILED[/]", escape("\n".join(_SEEN[name](one))))
    console.print(table)
    for note in found["notes"]:
        console.print(note, markup=False, highlight=False, soft_wrap=True)


def _sample_ratio(one: Mapping[str, Any]) -> list[str]:
    rows = [f"{name}: {count:,} units, expected {one['expected'][name]:,.1f}" for name, count in one["counts"].items()]
    return [*rows, f"chi-square {one['chi2']:.2f}, p {_p(one['p'])}"]


def _two_arms(one: Mapping[str, Any]) -> list[str]:
    return [f"{one['count']:,} left out, {one['share']:.2%} of all"]


def _exposure_days(one: Mapping[str, Any]) -> list[str]:
    missing = one["missing"]
    shown = ", ".join(missing[:5]) + (f" and {len(missing) - 5} more" if len(missing) > 5 else "")
    days = f"{len(missing)} without a first exposure: {shown}" if missing else "each has first exposures"
    outside = f"{one['before_start']:,} units first exposed before the start, {one['after_end']:,} after the end"
    return [days, outside] if one["before_start"] or one["after_end"] else [days]


def _missing_units(one: Mapping[str, Any]) -> list[str]:
    rows = [f"{name}: {count:,}, {one['shares'][name]:.2%}" for name, count in one["counts"].items()]
    return [*rows, f"p {_p(one['p'])}"]


def _balance(one: Mapping[str, Any]) -> list[str]:
    return [
        f"{row['name']}: {_deviations(row['difference'])}, p {_p(row['p'])}, Holm {_p(row['p_adjusted'])}"
        for row in one["covariates"]
    ]


def _deviations(difference: float | None) -> str:
    return "without end (no spread)" if difference is None else f"{difference:+.3f} standard deviations"


def _p(p: float | None) -> str:
    return "unknown (an arm has one unit)" if p is None else f"{p:.3g}"


_SEEN = {
    "srm": _sample_ratio,
    "units_in_two_arms": _two_arms,
    "exposure_days": _exposure_days,
    "missing_units": _missing_units,
    "covariate_balance": _balance,
}
