"""`encorec logs` and `encorec replay`: what a service logged, as tables and as a state."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from encorec.cli.terminal import AsJson, out, print_json, tell

if TYPE_CHECKING:
    from encorec.serving.logs.compaction import Compacted, CompactionReport

__all__ = ["app", "replaying"]

app = typer.Typer(no_args_is_help=True, help="What a service logged.")
replaying = typer.Typer()

LogsPath = Annotated[Path, typer.Argument(help="The folder of `encorec serve --logs`.", metavar="FOLDER")]

_REFUSED, _DIFFERENT = 3, 4


@app.command("compact")
def compact_command(
    folder: LogsPath,
    tables: Annotated[Path, typer.Option("--out", help="Folder of the tables; made where there is none.")],
    remove: Annotated[bool, typer.Option("--remove", help="Delete log files that are in tables.")] = False,
    as_json: AsJson = False,
) -> None:
    """Turn closed log files into Parquet, each once; exit code 3 where a file is none of this version."""
    from encorec.serving.logs.compaction import compact

    report = compact(folder, tables, remove=remove)
    if as_json:
        print_json(report)
    else:
        _show(report)
    for name, reason in report.refused.items():
        tell(f"refused: {name}: {reason}")
    if report.refused:
        raise typer.Exit(_REFUSED)


@app.command("describe")
def describe_command(folder: LogsPath, as_json: AsJson = False) -> None:
    """Count frames, damage and open files of every stream."""
    from encorec.serving.logs.summary import describe_logs

    found = describe_logs(folder)
    if as_json:
        print_json(found)
        return
    _table(
        ("stream", "files", "open", "bytes", "frames", "corrupted", "torn bytes", "refused", "since"),
        [
            (
                *(name, one.segments, one.open, one.bytes, one.frames, one.corrupted, one.torn_bytes, one.refused),
                "" if one.began is None else time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime(one.began)),
            )
            for name, one in found.items()
        ],
    )


@app.command("exposures")
def exposures_command(
    tables: Annotated[Path, typer.Argument(help="What `encorec logs compact` made.", metavar="TABLES")],
    spec: Annotated[Path, typer.Argument(help="The TOML file of the experiment.", metavar="SPEC")],
    to: Annotated[Path, typer.Option("--out", help="A .csv or .parquet file: unit, variant, first_exposed_at.")],
) -> None:
    """Who met which variant, and when first: what `encorec experiment analyze` starts from."""
    from encorec.experiment.spec import load_spec
    from encorec.serving.logs.exposures import exposures_of, open_impressions, write_exposures

    found = exposures_of(open_impressions(tables), load_spec(spec))
    write_exposures(found, to)
    counts = found["variant"].value_counts(sort=True)
    tell(f"{to}: " + ", ".join(f"{name} {count:,}" for name, count in counts.iter_rows()))


@replaying.command("replay")
def replay_command(
    events: Annotated[Path, typer.Argument(help="Folder of logs, or of tables made of them.", metavar="EVENTS")],
    artifact: Annotated[Path, typer.Option(help="A folder that `encorec train` wrote.")],
    state: Annotated[Path | None, typer.Option(help="New SQLite file of the state; none = in memory.")] = None,
    against: Annotated[Path | None, typer.Option(help="SQLite file of a state to compare with.")] = None,
    as_json: AsJson = False,
) -> None:
    """Feed logged events into a fresh state; exit code 4 where it differs from the state to compare with."""
    from contextlib import closing

    from encorec.pipeline.artifact import load_artifact
    from encorec.serving.logs.replay import differing_users, logged_calls, replay
    from encorec.serving.state.sqlite_state import SqliteState

    _refuse_missing(against)
    _refuse_existing(state)
    calls, items = logged_calls(events), load_artifact(artifact).items
    with closing(SqliteState(":memory:" if state is None else str(state))) as fresh:
        report = replay(calls, items, fresh)
        different: list[str] | None = None
        if against is not None:
            with closing(SqliteState(str(against))) as other:
                different = differing_users(report.users, fresh, other, before=report.now)
    content: dict[str, Any] = {
        **{name: getattr(report, name) for name in ("calls", "accepted", "duplicates", "unknown_items", "now")},
        "users": len(report.users),
        "differing_users": different,
    }
    if as_json:
        print_json(content)
    else:
        _table(("replayed", ""), [(name, value) for name, value in content.items() if not isinstance(value, list)])
    if different:
        tell(f"{len(different)} users differ, first: {', '.join(different[:5])}")
        raise typer.Exit(_DIFFERENT)


def _refuse_missing(path: Path | None) -> None:
    from encorec.errors import DataError

    if path is not None and not path.is_file():
        raise DataError(f"--against {path}: no such file; name the state of the service")


def _refuse_existing(path: Path | None) -> None:
    from encorec.errors import DataError

    if path is not None and path.exists():
        raise DataError(f"--state {path}: is there already; a replay makes a new one, so name another file")


def _show(report: "CompactionReport") -> None:
    streams: dict[str, list[Compacted]] = {}
    for name, one in report.done.items():
        streams.setdefault(name.split("/")[0], []).append(one)
    names = ("frames", "rows", "repeated", "corrupted", "unreadable", "torn_bytes")
    rows = [
        (stream, len(parts), *(sum(getattr(part, name) for part in parts) for name in names))
        for stream, parts in streams.items()
    ]
    _table(("stream", "files", *(name.replace("_", " ") for name in names)), rows)
    tell(f"{report.before} files were in tables before, {len(report.open)} are still written to")
    if report.removed:
        tell(f"{report.removed} log files deleted")


def _table(heads: tuple[str, ...], rows: list[tuple[Any, ...]]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(heads[0], box=SIMPLE_HEAD)
    for head in heads[1:]:
        table.add_column(head, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(*(f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in row))
    out.print(table)
