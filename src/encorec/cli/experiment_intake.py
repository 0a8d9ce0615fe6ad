"""`encorec experiment assign` and `check`: who gets which variant, and whether the logs kept to it."""

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from encorec.cli.terminal import AsJson, out, print_json
from encorec.errors import DataError

if TYPE_CHECKING:
    import polars as pl

    from encorec.experiment.spec import ExperimentSpec

__all__ = ["app"]

app = typer.Typer()

SpecPath = Annotated[Path, typer.Argument(help="The TOML file of the experiment.", metavar="SPEC")]
FAILED = 2


@app.command("assign")
def assign_command(
    spec: SpecPath,
    units: Annotated[Path, typer.Option(help="CSV or Parquet: the units, and the strata if the experiment has some.")],
    to: Annotated[Path, typer.Option("--out", help="A .csv or .parquet file: unit, layer, variant, bucket.")],
    as_json: AsJson = False,
) -> None:
    """Give every unit its variant; empty where it is outside the experiment's share or held out."""
    from encorec.cli.experiment_intake_figures import show_assignment
    from encorec.experiment.assignment.draw import assign
    from encorec.experiment.intake.exposures import open_units
    from encorec.experiment.spec import load_spec

    if to.suffix.lower() not in (".csv", ".parquet"):
        raise typer.BadParameter(f"--out is {to}, allowed are .csv and .parquet files")
    experiment = load_spec(spec)
    opened, unit = open_units(units, "units", experiment, experiment.strata, ())
    rows = opened.sheet.frame.with_columns(opened.ids(unit).values.alias(unit))
    kept = rows if experiment.strata else rows.unique(unit, keep="first", maintain_order=True)
    found = assign(experiment, kept[unit], {name: kept[name] for name in experiment.strata})
    _write(_table(kept[unit], found.bucket, found.names, experiment), to)
    content = {
        "experiment": experiment.name,
        "layer": found.layer,
        "units": len(found),
        "repeated_rows": len(rows) - len(kept),
        "counts": found.counts,
        "outside": found.outside,
        "holdout": int(found.held_out.sum()),
        "out": str(to),
    }
    if as_json:
        print_json(content)
    else:
        show_assignment(out, content)


@app.command("check")
def check_command(
    spec: SpecPath,
    exposures: Annotated[Path, typer.Option(help="CSV or Parquet: unit, variant, maybe first_exposed_at.")],
    metrics: Annotated[Path | None, typer.Option(help="CSV or Parquet: one row per unit, or events.")] = None,
    as_of: Annotated[
        str | None,
        typer.Option(help="An ISO time: exposures at or after it are left out, its days are not missed. None = now."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Look for what would make any effect meaningless; exit code 2 where a check fails."""
    from encorec.cli.experiment_intake_figures import show_checks
    from encorec.experiment.intake.checks import check, failed_checks
    from encorec.experiment.intake.exposures import read_exposures
    from encorec.experiment.intake.left_out import left_out_notes
    from encorec.experiment.intake.unit_table import UnitTable
    from encorec.experiment.spec import load_spec

    experiment = load_spec(spec)
    until = None if as_of is None else _second(as_of)
    seen = read_exposures(exposures, experiment, until=until)
    table = None if metrics is None else UnitTable.read(experiment, seen, metrics)
    found = check(experiment, seen, table, now=int(time.time()) if until is None else until)
    failed = failed_checks(found)
    notes = left_out_notes(seen, seen, events=True, where="") if table is None else list(table.notes)
    content = {"experiment": experiment.name, "ok": not failed, "failed": failed, "checks": found, "notes": notes}
    if as_json:
        print_json(content)
    else:
        show_checks(out, content)
    if failed:
        raise typer.Exit(FAILED)


def _second(given: str) -> int:
    import polars as pl

    from encorec.data.sources.sheets import Column
    from encorec.data.sources.times import seconds

    return int(seconds(Column(pl.Series("--as-of", [given]), "option"))[0])


def _table(unit: "pl.Series", bucket: Any, variant: "pl.Series", spec: "ExperimentSpec") -> "pl.DataFrame":
    import polars as pl

    columns = {"unit": unit, "layer": pl.repeat(spec.layer, len(unit), eager=True), "variant": variant}
    return pl.DataFrame(columns | {"bucket": pl.Series(bucket)})


def _write(frame: "pl.DataFrame", path: Path) -> None:
    """Beside its place first: whoever reads the file finds all of it or nothing."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.draft")
    write = frame.write_csv if path.suffix.lower() == ".csv" else frame.write_parquet
    try:
        write(draft)
        draft.replace(path)
    except OSError as error:
        raise DataError(f"{path}: cannot be written ({error.strerror or error}); check folder and rights") from error
    finally:
        draft.unlink(missing_ok=True)
