"""`encorec metrics` and `encorec compare`: anybody's lists, judged by their files."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from encorec.cli.figures import show_comparison, show_metrics
from encorec.cli.terminal import AsJson, out, print_json, tell

__all__ = ["app"]

app = typer.Typer()

Truth = Annotated[Path, typer.Option(help="CSV or Parquet: user_id, item_id, maybe gain.")]
Train = Annotated[Path | None, typer.Option(help="What was learnt from: user_id, item_id.")]
Items = Annotated[Path | None, typer.Option(help="The catalogue: item_id and feature columns.")]
Features = Annotated[str | None, typer.Option(help="Columns of --items that are compared, as a,b; none = all.")]
Cuts = Annotated[str, typer.Option("--at", help="Cut-offs of the metrics that are named without one, as 1,5,10.")]
Metrics = Annotated[
    list[str] | None, typer.Option("--metric", help="map@10,ndcg@10, or map,ndcg with --at; none = all there are.")
]
Options = Annotated[list[str] | None, typer.Option("--option", help="A convention, as map.denominator=min.")]
PerUser = Annotated[Path | None, typer.Option(help="Write the values of every user to a .csv or .parquet file.")]
Seed = Annotated[int, typer.Option(help="Of the bootstrap.", min=0)]
Reference = Annotated[str | None, typer.Option(help="The system the others are held against; none = the first.")]
Resamples = Annotated[int, typer.Option(help="Of the bootstrap.", min=1)]


@app.command("metrics")
def metrics_command(
    recs: Annotated[Path, typer.Option(help="CSV or Parquet: user_id, item_id and rank or score.")],
    truth: Truth,
    train: Train = None,
    items: Items = None,
    features: Features = None,
    reference: Annotated[Path | None, typer.Option(help="Lists to hold these against: intersection@k.")] = None,
    at: Cuts = "10",
    metric: Metrics = None,
    option: Options = None,
    per_user: PerUser = None,
    seed: Seed = 0,
    resamples: Resamples = 1000,
    as_json: AsJson = False,
) -> None:
    """Judge the lists of one system, with 95 % intervals."""
    from encorec.evaluation.frames.measure import metrics
    from encorec.evaluation.options import MetricOptions

    found = metrics(
        recs,
        truth,
        _split(metric),
        at=_cuts(at),
        train=train,
        items=items,
        features=_split(features),
        reference=reference,
        options=MetricOptions.from_pairs(option or ()),
        seed=seed,
        resamples=resamples,
    )
    if per_user is not None:
        _write(found.per_user, per_user)
    if as_json:
        print_json(found.as_dict())
    else:
        show_metrics(out, found.as_dict(), found.order)


@app.command("compare")
def compare_command(
    recs: Annotated[list[Path], typer.Option(help="Lists of one system; give it twice or more.")],
    truth: Truth,
    reference: Annotated[
        str | None, typer.Option(help="The one the others are held against; none = the first.")
    ] = None,
    train: Train = None,
    items: Items = None,
    features: Features = None,
    at: Cuts = "10",
    metric: Metrics = None,
    option: Options = None,
    per_user: PerUser = None,
    seed: Seed = 0,
    resamples: Resamples = 1000,
    as_json: AsJson = False,
) -> None:
    """Hold systems against a reference, paired by user: differences, intervals, p, who is better off."""
    from encorec.evaluation.frames.comparison import compare_lists
    from encorec.evaluation.options import MetricOptions

    systems = _named(recs)
    found = compare_lists(
        systems,
        truth,
        _split(metric),
        reference=_reference(reference, systems),
        at=_cuts(at),
        train=train,
        items=items,
        features=_split(features),
        options=MetricOptions.from_pairs(option or ()),
        seed=seed,
        resamples=resamples,
    )
    if per_user is not None:
        _write(_stacked(found.per_user), per_user)
    if as_json:
        print_json(found.as_dict())
    else:
        show_comparison(out, found.as_dict())


def _split(given: str | Sequence[str] | None) -> list[str] | None:
    """Names parted by commas, given once or several times."""
    if given is None or not len(given):
        return None
    text = given if isinstance(given, str) else ",".join(given)
    return [name.strip() for name in text.split(",") if name.strip()]


def _cuts(given: str) -> list[int]:
    try:
        return [int(one) for one in given.split(",")]
    except ValueError:
        raise typer.BadParameter(f"--at is {given!r}, allowed are whole numbers such as 1,5,10") from None


def _named(recs: Sequence[Path]) -> dict[str, Path]:
    """Systems by the names of their files; by their paths where two files are called alike."""
    if len({str(one) for one in recs}) < len(recs):
        raise typer.BadParameter("--recs names a file twice; every system needs lists of its own")
    stems = [one.stem for one in recs]
    return {str(one) if stems.count(one.stem) > 1 else one.stem: one for one in recs}


def _reference(given: str | None, systems: dict[str, Path]) -> str | None:
    """A system by its name or by its file."""
    files = {str(path): name for name, path in systems.items()}
    return given if given is None else files.get(given, given)


def _stacked(per_user: dict[str, Any]) -> Any:
    """The values of all systems in one table with a column ``system``."""
    import polars as pl

    return pl.concat([frame.insert_column(0, pl.lit(name).alias("system")) for name, frame in per_user.items()])


def _write(frame: Any, path: Path) -> None:
    if path.suffix == ".csv":
        frame.write_csv(path)
    elif path.suffix == ".parquet":
        frame.write_parquet(path)
    else:
        raise typer.BadParameter(f"--per-user is {path}, allowed are .csv and .parquet files")
    tell(f"{len(frame):,} rows: {path}")
