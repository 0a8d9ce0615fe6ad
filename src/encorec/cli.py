"""The commands. Each is a few lines over a function that a notebook can call as well."""

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from encorec.console import progress_bar, show_facts, show_report
from encorec.errors import EncorecError

__all__ = ["app", "main"]

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Encorec: retrieve, rank, serve, measure.",
)
data_app = typer.Typer(no_args_is_help=True, help="Where data come from and what is in them.")
app.add_typer(data_app, name="data")

out, err = Console(), Console(stderr=True)

ConfigPath = Annotated[Path, typer.Argument(help="A TOML file; see configs/ for examples.", metavar="CONFIG")]
ArtifactPath = Annotated[Path, typer.Argument(help="A folder that `encorec train` wrote.", metavar="ARTIFACT")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]
RequireWin = Annotated[bool, typer.Option("--require-win", help="Exit 2 unless the two-stage beats every retriever.")]
ClockOption = Annotated[str, typer.Option(help="now, data-end, or an ISO time: the moment of asking.")]


def main() -> None:
    """Run a command; a fault that has a remedy is one line, not a traceback."""
    try:
        app()
    except EncorecError as error:
        err.print(f"[bold red]error:[/] {_escape(str(error))}", highlight=False, soft_wrap=True)
        sys.exit(1)


@data_app.command("list")
def list_data(as_json: AsJson = False) -> None:
    """The sources that a configuration can name."""
    from encorec.data.sources import catalogue

    cards = {card.name: {"summary": card.summary, "size": card.size, "terms": card.terms} for card in catalogue()}
    if as_json:
        _print_json(cards)
    else:
        show_facts(out, cards, "sources")


@data_app.command("fetch")
def fetch_data(source: Annotated[str, typer.Argument(help="Name of a source, or a CONFIG.")]) -> None:
    """Download a source into the cache and print where it lies."""
    from encorec.data.sources import fetch

    with progress_bar(err) as step:
        path = fetch(_source(source), progress=lambda message: step(message, 0, 1))
    out.print(str(path), soft_wrap=True, highlight=False)


@data_app.command("describe")
def describe_data(
    source: Annotated[str, typer.Argument(help="Name of a source, a CONFIG, or a CSV or Parquet file.")],
    as_json: AsJson = False,
) -> None:
    """Counts, time range, activity, repeats and missing values of a source."""
    from encorec.data.sources import describe, load

    with progress_bar(err) as step:
        facts = describe(load(_source(source), progress=lambda message: step(message, 0, 1)))
    if as_json:
        _print_json(facts)
    else:
        show_facts(out, facts, source)


@app.command("train")
def train_command(
    config: ConfigPath,
    to: Annotated[Path, typer.Option("--out", help="Folder of the artifact.")],
    require_win: RequireWin = False,
    as_json: AsJson = False,
) -> None:
    """Measure on the test period, then refit on all the data and save the artifact.

    An interrupted run goes on where it stopped: finished label folds wait in OUT.checkpoints.
    """
    from encorec.pipeline.artifact import refuse_foreign
    from encorec.pipeline.checkpoints import Checkpoints
    from encorec.pipeline.manifest import read_manifest
    from encorec.workflow import train

    refuse_foreign(to)
    checkpoints = Checkpoints(f"{to}.checkpoints")
    run, data, exam = _examine(config, checkpoints)
    _show(exam.report, as_json)
    if require_win and not exam.won:
        raise typer.Exit(2)
    with progress_bar(err) as step:
        folder = train(run, data, to, exam=exam, progress=step)
    checkpoints.clear()
    order = read_manifest(folder).order
    served = f"; the ranker gained nothing, so the order of {order} is served" if order else ""
    _tell(f"artifact, refit on all {len(data.interactions):,} interactions: {folder}{served}")


@app.command("evaluate")
def evaluate_command(config: ConfigPath, require_win: RequireWin = False, as_json: AsJson = False) -> None:
    """Measure on the test period and save nothing."""
    _, _, exam = _examine(config, None)
    _show(exam.report, as_json)
    if require_win and not exam.won:
        raise typer.Exit(2)


@app.command("recommend")
def recommend_command(
    artifact: ArtifactPath,
    to: Annotated[Path, typer.Option("--out", help="A .csv or .parquet file.")],
    users: Annotated[Path | None, typer.Option(help="File with a column user_id, or one id per line.")] = None,
    everybody: Annotated[bool, typer.Option("--all", help="All users of the training data.")] = False,
    k: Annotated[int, typer.Option("-k", help="Items per user.", min=1)] = 10,
    clock: ClockOption = "now",
) -> None:
    """Recommendations for many users into one file; resumes when called again."""
    from encorec.pipeline.batch import recommend_to_file
    from encorec.pipeline.engine import load_engine

    if everybody == (users is not None):
        raise typer.BadParameter("give either --users FILE or --all")
    engine = load_engine(artifact)
    ids = engine.artifact.users.ids.tolist() if users is None else _user_ids(users)
    now = _moment(clock, engine.artifact.data_end)
    with progress_bar(err) as step:
        recommend_to_file(engine, ids, k, to, now=now, clock=clock, progress=step)
    _tell(f"{len(ids):,} users: {to}")


@app.command("similar")
def similar_command(
    artifact: ArtifactPath,
    item: Annotated[str, typer.Option(help="Id of the item.")],
    k: Annotated[int, typer.Option("-k", help="Items.", min=1)] = 10,
    as_json: AsJson = False,
) -> None:
    """Items alike one item."""
    from encorec.pipeline.engine import load_engine

    engine = load_engine(artifact)
    known = engine.artifact
    rows = [
        {"item_id": one.item_id, "title": known.title(known.items.row(one.item_id)), "score": one.score}
        for one in engine.similar(item, k)
    ]
    if as_json:
        _print_json(rows)
    else:
        facts = {f"{row['item_id']}  {row['title']}": row["score"] for row in rows}
        show_facts(out, facts, f"alike {known.title(known.items.row(item))}")


@app.command("serve")
def serve_command(
    artifact: ArtifactPath,
    host: str = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0 = any free one.")] = 8000,
    clock: ClockOption = "now",
    state: Annotated[str, typer.Option(help="SQLite file of what users did since.")] = "encorec-state.sqlite",
) -> None:
    """Answer over HTTP; /docs describes the routes."""
    from encorec.pipeline.engine import load_engine
    from encorec.serving.server import run
    from encorec.serving.settings import Settings

    settings = Settings(host=host, port=port, clock=clock, state=state)
    engine = load_engine(artifact)
    _moment(clock, engine.artifact.data_end)
    run(engine, settings)


@app.command("demo")
def demo_command(
    config: Annotated[Path | None, typer.Option(help="What to train; none = MovieLens-100K.")] = None,
    folder: Annotated[Path, typer.Option(help="Where the artifact and the state go.")] = Path(".demo"),
) -> None:
    """The whole system once: fetch, train, measure, serve, ask, tell, ask again."""
    from encorec.demo import default_config, run_demo

    run_demo(config or default_config(), folder, out)


def _examine(path: Path, checkpoints: Any) -> tuple[Any, Any, Any]:
    from encorec.config import load_toml
    from encorec.data.sources import load
    from encorec.workflow import RunConfig, examine

    run = load_toml(path, RunConfig)
    with progress_bar(err) as step:
        data = load(run.data, progress=lambda message: step(message, 0, 1))
        return run, data, examine(run, data, progress=step, checkpoints=checkpoints)


def _show(report: dict[str, Any], as_json: bool) -> None:
    if as_json:
        _print_json(report)
    else:
        show_report(out, report)


def _tell(text: str) -> None:
    """One line beside the output, as it is: a path that is broken in two is none."""
    err.print(text, highlight=False, markup=False, soft_wrap=True)


def _print_json(content: Any) -> None:
    import msgspec

    sys.stdout.write(msgspec.json.format(msgspec.json.encode(content), indent=2).decode() + "\n")


def _source(given: str) -> Any:
    """A source by its name, from a CONFIG, or a table file."""
    from encorec.config import decode, load_toml
    from encorec.data.sources import Source, Table, catalogue
    from encorec.workflow import RunConfig

    if given.endswith(".toml"):
        return load_toml(given, RunConfig).data
    if given in {card.name for card in catalogue()} or not Path(given).suffix:
        return decode({"source": given}, Source, where="source")
    return Table(path=given)


def _user_ids(path: Path) -> Sequence[int | str]:
    from encorec.data.sources.user_lists import read_user_ids

    return read_user_ids(path)


def _moment(clock: str, data_end: int) -> int:
    """The second of asking; said aloud where it lies far after the data, for recency means nothing then."""
    from encorec.serving.clock import Clock

    now = Clock.named(clock, data_end).first_open_second()
    days = (now - data_end) / 86_400
    if days > 30:
        ended = time.strftime("%Y-%m-%d", time.gmtime(data_end))
        err.print(
            f"[yellow]note:[/] the data end on {ended}, {days:,.0f} days before the moment of asking; "
            "features of recency see that gap. Retrain on newer data, or use --clock data-end for a demo.",
            soft_wrap=True,
            highlight=False,
        )
    return now


def _escape(text: str) -> str:
    from rich.markup import escape

    return escape(text)
