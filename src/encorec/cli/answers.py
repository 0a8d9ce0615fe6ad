"""`encorec recommend`, `encorec similar` and `encorec ann-report`: what an artifact answers, and how it searches."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from encorec.cli.index_table import show_indexes
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
    item: Annotated[str | None, typer.Argument(help="Id of the item.", metavar="ITEM", show_default=False)] = None,
    named: Annotated[str | None, typer.Option("--item", help="The same as ITEM.", hidden=True)] = None,
    source: Annotated[
        str | None, typer.Option(help="Retriever that compares; none = the one that does it best.")
    ] = None,
    k: Annotated[int, typer.Option("-k", help="Items.", min=1)] = 10,
    as_json: AsJson = False,
) -> None:
    """Items alike one item."""
    from encorec.pipeline.engine import load_engine

    asked = named if item is None else item
    if asked is None or (item is not None and named is not None):
        raise typer.BadParameter("give the id of one ITEM")
    engine = load_engine(artifact)
    known = engine.artifact
    rows = [
        {"item_id": one.item_id, "title": known.title(known.items.row(one.item_id)), "score": one.score}
        for one in engine.similar(asked, k, source=source)
    ]
    if as_json:
        print_json(rows)
    else:
        facts = {f"{row['item_id']}  {row['title']}": row["score"] for row in rows}
        show_facts(out, facts, f"alike {known.title(known.items.row(asked))}")


@app.command("ann-report")
def ann_report_command(
    artifact: Annotated[
        Path | None, typer.Argument(help="A folder that `encorec train` wrote.", metavar="ARTIFACT", show_default=False)
    ] = None,
    source: Annotated[str | None, typer.Option(help="Retriever with vectors; none = the first one.")] = None,
    vectors: Annotated[Path | None, typer.Option(help="A .npy file of item vectors, in place of ARTIFACT.")] = None,
    queries_file: Annotated[
        Path | None, typer.Option(help="A .npy file of query vectors; none = some of the item vectors.")
    ] = None,
    k: Annotated[int, typer.Option("-k", help="Items per query.", min=1)] = 10,
    queries: Annotated[int, typer.Option(help="Queries asked, drawn at random.", min=1)] = 1000,
    seed: Annotated[int, typer.Option(help="Of the draw and of the indexes.", min=0)] = 0,
    as_json: AsJson = False,
) -> None:
    """What an index of the items would find and how fast, beside exact search."""
    from encorec.pipeline.vector_sets import artifact_vectors, file_vectors
    from encorec.retrieval.ann_report import compare_indexes

    if (artifact is None) == (vectors is None) or (queries_file is not None and vectors is None):
        raise typer.BadParameter("give either ARTIFACT or --vectors FILE; --queries-file goes with --vectors")
    if vectors is not None:
        asked = file_vectors(vectors, queries_file, queries, seed)
    else:
        from encorec.pipeline.artifact import load_artifact

        asked = artifact_vectors(load_artifact(artifact or Path()), source, queries, seed)
    with progress_bar(err) as step:
        report = compare_indexes(asked.users, asked.vectors, k, seed=seed, progress=step)
    if as_json:
        print_json(report)
    else:
        show_indexes(out, report, asked.name)


def _user_ids(path: Path) -> Sequence[int | str]:
    from encorec.data.sources.user_lists import read_user_ids

    return read_user_ids(path)
