"""`encorec experiment design`: units, smallest effect, power and days, before anything is shown to anybody."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from encorec.cli.terminal import AsJson, out, print_json, tell
from encorec.errors import MissingExtra

if TYPE_CHECKING:
    from encorec.experiment.design.baseline import Baseline
    from encorec.experiment.design.plan import Plan
    from encorec.experiment.spec import ExperimentSpec

__all__ = ["app"]

app = typer.Typer()

_FEWEST, _MOST = 2, 2_000_000  # units of an experiment that is drawn from the history again and again


@app.command("design")
def design_command(
    spec: Annotated[Path, typer.Argument(help="The TOML file of the experiment.", metavar="SPEC")],
    history: Annotated[
        Path | None,
        typer.Option(help="CSV or Parquet of the past: one row per unit, or, with a column timestamp, one per event."),
    ] = None,
    baseline: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="Where a metric stands; several times.")
    ] = None,
    std: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="Spread of one unit, with --baseline.")
    ] = None,
    correlation: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="Of a metric with its covariate, with --baseline.")
    ] = None,
    mde: Annotated[
        float | None, typer.Option(help="Smallest relative effect worth finding, as 0.05; none = solve for it.")
    ] = None,
    units_per_day: Annotated[
        float | None, typer.Option(help="New eligible units of every day; none = as in the history.")
    ] = None,
    simulations: Annotated[
        int, typer.Option(help="Experiments drawn from the history to try the power; 0 = none.", min=0)
    ] = 300,
    seed: Annotated[int, typer.Option(help="Of the drawing.", min=0)] = 0,
    html: Annotated[Path | None, typer.Option(help="Write a page with the curves.")] = None,
    as_json: AsJson = False,
) -> None:
    """How many units, for how many days, to find which effect with which power."""
    from encorec.experiment.design.designing import design
    from encorec.experiment.design.plan import Plan
    from encorec.experiment.intake.history import read_history
    from encorec.experiment.spec import load_spec

    registered = load_spec(spec)
    past = None if history is None else read_history(history, registered)
    bare = Plan(registered, past)
    given = _baselines(bare, _pairs(baseline, "--baseline"), _pairs(std, "--std"), _pairs(correlation, "--correlation"))
    plan = Plan(registered, past, given, units_per_day, mde)
    found = design(plan)
    found["simulated"] = _simulated(plan, found, simulations, seed)
    if html is not None:
        from encorec.experiment.design.page import write_design

        tell(f"page: {write_design(plan, found, html)}")
    if as_json:
        print_json(found)
    else:
        _show(plan, found)


def _pairs(given: Sequence[str] | None, option: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for one in given or ():
        name, equals, value = one.rpartition("=")
        try:
            number = float(value)
        except ValueError:
            equals, number = "", 0.0
        if not equals or not name or name in found:
            raise typer.BadParameter(f"{option} is {one!r}; wanted is NAME=VALUE with a number, each name once")
        found[name] = number
    return found


def _baselines(
    plan: "Plan", values: Mapping[str, float], stds: Mapping[str, float], correlations: Mapping[str, float]
) -> dict[str, "Baseline"]:
    """Those that were given by hand; what they leave open comes from the history."""
    from encorec.experiment.design.baseline import stated_baseline

    _refuse_unknown(plan.spec, [*values, *stds, *correlations])
    found: dict[str, Baseline] = {}
    for metric in plan.spec.metric:
        name = metric.name
        if name not in {*values, *stds, *correlations}:
            continue
        past = None
        if plan.history is not None and (name not in values or (name not in stds and metric.kind != "share")):
            past = plan.baseline(metric)
        if name not in values and past is None:
            raise typer.BadParameter(f"--std or --correlation of {name!r} needs its --baseline or a --history")
        value = values.get(name, past.value if past else 0.0)
        known = correlations.get(name, past.explained**0.5 if past else None)
        stated = stated_baseline(metric, value, stds.get(name, past.std if past else None), known)
        found[name] = replace(stated, units=past.units if past else None)
    return found


def _refuse_unknown(spec: "ExperimentSpec", names: Sequence[str]) -> None:
    from encorec.errors import ConfigError, unknown_name

    known = [one.name for one in spec.metric]
    for name in names:
        if name not in known:
            raise ConfigError(unknown_name("metric", name, known))


def _simulated(plan: "Plan", found: Mapping[str, Any], rounds: int, seed: int) -> dict[str, Any] | None:
    """Power of the primary metric by trial, where there is a history to draw from."""
    first = next(one for one in found["metrics"] if one["role"] == "primary")
    if plan.history is None or not rounds or first["mde"] is None or not first["mde_relative"]:
        return None
    if min(first["units"].values()) < _FEWEST or sum(first["units"].values()) > _MOST:
        found["notes"].append(f"not tried on the history: arms of {_FEWEST} units and {_MOST:,} in all are its limits")
        return None
    import numpy as np

    from encorec.experiment.design.power_simulation import simulated_power

    spec, columns = plan.spec, plan.units_of_history(plan.spec.primary, found["duration_days"])
    treatment = min(spec.treatments, key=spec.variants.__getitem__)
    units = first["units"][spec.control_variant], first["units"][treatment]
    lift = first["mde"] / first["baseline"]
    rng = np.random.default_rng(seed)
    try:
        told = simulated_power(spec.primary, columns, lift, units, alpha=first["alpha"], rounds=rounds, rng=rng)
    except MissingExtra as error:
        found["notes"].append(f"not tried on the history: {error}")
        return None
    return {
        "power": told.power,
        "ci95": [told.low, told.high],
        "rounds": told.rounds,
        "seed": seed,
        "lift": lift,
        "units": list(units),
    }


def _show(plan: "Plan", found: Mapping[str, Any]) -> None:
    from encorec.experiment.design.page import verdict_line

    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("metric", overflow="fold", min_width=12)
    for heading in ("baseline", "std", "explained", "units/arm", "effect", "power", "days"):
        table.add_column(heading, justify="right", no_wrap=True)
    for one in found["metrics"]:
        table.add_row(escape(one["name"]), *_cells(one))
    out.print(table)
    out.print(escape(verdict_line(plan, found)), highlight=False)
    told = found["simulated"]
    if told:
        ends = f"{told['ci95'][0]:.1%} to {told['ci95'][1]:.1%}"
        out.print(
            f"By trial on the history: power {told['power']:.1%} ({ends}), {told['rounds']} rounds.", highlight=False
        )
    if found["formulas"]:
        named = ", ".join(f"{name} {count:,}" for name, count in found["formulas"].items())
        out.print(f"Units of the control by formula: {named}.", highlight=False)
    if found["sequential"]:
        told = found["sequential"]
        out.print(f"{told['kind']}: {told['n_per_arm']:,} units per arm; {told['note']}.", highlight=False)
        out.print(f"For \\[analysis] of the specification: planned_units = {told['planned_units']}", highlight=False)
    rows = [f"{one['name']}: {one['note']}" for one in found["metrics"] if one["note"]]
    for note in [*found["notes"], *rows]:
        out.print(escape(note), highlight=False)


def _cells(one: Mapping[str, Any]) -> list[str]:
    def told(name: str, form: str) -> str:
        return "" if one[name] is None else format(one[name], form)

    shown = [told("baseline", ".4g"), told("std", ".4g"), told("explained", ".1%"), told("n_per_arm", ",")]
    return [*shown, told("mde_relative", ".2%"), told("power", ".1%"), told("duration_days", "d")]
