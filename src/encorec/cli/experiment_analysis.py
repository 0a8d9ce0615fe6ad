"""`encorec experiment analyze` and `aa`: what an experiment says, and whether its tests may be believed."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from encorec.cli.terminal import AsJson, err, out, print_json, tell
from encorec.errors import DataError

if TYPE_CHECKING:
    from encorec.experiment.intake.exposures import Exposures
    from encorec.experiment.intake.unit_table import UnitTable
    from encorec.experiment.spec import ExperimentSpec

__all__ = ["app"]

app = typer.Typer()

SpecPath = Annotated[Path, typer.Argument(help="The TOML file of the experiment.", metavar="SPEC")]
FAILED = 2
_ROWS = "more than one row"


@app.command("analyze")
def analyze_command(
    spec: SpecPath,
    exposures: Annotated[Path, typer.Option(help="CSV or Parquet: unit, variant, maybe first_exposed_at.")],
    metrics: Annotated[Path, typer.Option(help="CSV or Parquet: one row per unit, or events with a timestamp.")],
    html: Annotated[Path | None, typer.Option(help="Write the report as one page.")] = None,
    final: Annotated[bool, typer.Option("--final", help="The experiment is over, whatever its plan says.")] = False,
    now: Annotated[
        str | None,
        typer.Option(
            help="An ISO time: nothing at or after it is looked at. None = that of the last first exposure, or this "
            "moment where exposures have no times."
        ),
    ] = None,
    planned_units: Annotated[
        int | None, typer.Option(help="Of all arms at the planned end; none = those of the specification.", min=2)
    ] = None,
    also: Annotated[
        list[str] | None, typer.Option(help="bootstrap or mann-whitney, beside the registered method.")
    ] = None,
    per_view: Annotated[
        bool, typer.Option("--per-view", help="Metrics are per row, units have several: compare ratios of sums.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Of the bootstrap.", min=0)] = 0,
    as_json: AsJson = False,
) -> None:
    """Checks, effects, money and the verdict."""
    import numpy as np

    from encorec.cli.experiment_figures import show_analysis
    from encorec.experiment.analysis.analyse import analyze
    from encorec.experiment.intake.exposures import read_exposures
    from encorec.experiment.spec import load_spec

    registered = load_spec(spec)
    given = None if now is None else _second(now)
    seen = read_exposures(exposures, registered, until=given)
    moment = int(time.time()) if given is None and seen.first_seen is None else given
    analysed, table, naive = _material(registered, seen, metrics, per_view=per_view)
    found = analyze(
        *(analysed, seen, table),
        final=final,
        now=moment,
        planned_units=planned_units,
        beside=also or (),  # type: ignore[arg-type]
        rng=np.random.default_rng(seed),
        naive=naive,
    )
    if html is not None:
        from encorec.experiment.report import write

        tell(f"page: {write(html, found, registered)}")
    if as_json:
        print_json(found)
    else:
        show_analysis(out, found)


@app.command("aa")
def aa_command(
    spec: SpecPath,
    history: Annotated[Path, typer.Option(help="CSV or Parquet: one row per unit, events, or views.")],
    rounds: Annotated[int, typer.Option(help="How often units are split.", min=20)] = 2000,
    seed: Annotated[int, typer.Option(help="Of the splits.", min=0)] = 0,
    as_json: AsJson = False,
) -> None:
    """Split real units again and again: how often does a test see an effect that is not there?

    Exit code 2 where a metric's rate is off.
    """
    from encorec.cli.experiment_figures import show_aa
    from encorec.console import progress_bar
    from encorec.experiment.resplits.aa import AAConfig, Material, aa_test
    from encorec.experiment.spec import load_spec

    config = AAConfig(rounds=rounds, seed=seed)
    material = Material.read(load_spec(spec), history)
    with progress_bar(err) as step:
        found = aa_test(material, config, progress=lambda done: step("splits", done, rounds))
    if as_json:
        print_json(found)
    else:
        show_aa(out, found)
    if not found["ok"]:
        raise typer.Exit(FAILED)


def _material(
    spec: "ExperimentSpec", seen: "Exposures", metrics: Path, *, per_view: bool
) -> tuple["ExperimentSpec", "UnitTable", Any]:
    """The specification to analyse by, the unit table, and effects of rows taken for units."""
    from encorec.experiment.intake.unit_table import UnitTable

    if per_view:
        from encorec.experiment.analysis.views import Views, per_view_spec
        from encorec.experiment.intake.left_out import left_out_notes

        planned = seen.planned(spec)
        views = Views.read(spec, metrics, planned)
        notes = left_out_notes(seen, planned, events=views.timed, where=str(metrics))
        return per_view_spec(spec), views.table(spec, planned, notes), views.naive(spec, planned.variant)
    try:
        return spec, UnitTable.read(spec, seen, metrics), None
    except DataError as error:
        if _ROWS in str(error):
            raise DataError(f"{error}; or --per-view, for metrics that are meant per row") from None
        raise


def _second(given: str) -> int:
    import polars as pl

    from encorec.data.sources.sheets import Column
    from encorec.data.sources.times import seconds

    return int(seconds(Column(pl.Series("--now", [given]), "option"))[0])
