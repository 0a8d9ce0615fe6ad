"""`encorec recommend` and `encorec similar`: what an artifact answers."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from encorec.cli.terminal import ArtifactPath, AsJson, ClockOption, asking_second, err, out, print_json, tell
from encorec.console import progress_bar, show_facts

__all__ = ["app"]

app = typer.Typer()


@app.command("recommend")
def recommend_command(
    artifact: ArtifactPath,
    to: Annotated[Path, typer.Option("--out", help="A .csv or .parquet file.")],
    users: Annotated[Path | None, typer.Option(help="File with a column user_id, or one id per line.")] = None,
    everybody: Annotated[bool, typer.Option("--all", help="All users of the training data.")] = False,
    k: Annotated[int, typer.Option("-k", help="Items per user.", min=1)] = 10,
    clock: ClockOption = "now",
    threads: Annotated[
        int | None, typer.Option(help="Used side by side; none = as many as there are cores.", min=1)
    ] = None,
) -> None:
    """Recommendations for many users into one file; resumes when called again."""
    from encorec.pipeline.batch import recommend_to_file
    from encorec.pipeline.engine import load_engine

    if everybody == (users is not None):
        raise typer.BadParameter("give either --users FILE or --all")
    engine = load_engine(artifact)
    ids = engine.artifact.users.ids.tolist() if users is None else _user_ids(users)
    now = asking_second(clock, engine.artifact.data_end)
    with progress_bar(err) as step:
        recommend_to_file(engine, ids, k, to, now=now, clock=clock, threads=threads, progress=step)
    tell(f"{len(ids):,} users: {to}")


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
        print_json(rows)
    else:
        facts = {f"{row['item_id']}  {row['title']}": row["score"] for row in rows}
        show_facts(out, facts, f"alike {known.title(known.items.row(item))}")


def _user_ids(path: Path) -> Sequence[int | str]:
    from encorec.data.sources.user_lists import read_user_ids

    return read_user_ids(path)
