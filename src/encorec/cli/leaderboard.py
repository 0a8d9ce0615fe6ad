"""`encorec leaderboard`: make a submission, hold it against the rules, score it as the KION competition did."""

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from encorec.cli.figures import show_score
from encorec.cli.terminal import ArtifactPath, AsJson, ClockOption, asking_second, err, out, print_json, tell
from encorec.console import progress_bar

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Make, validate and score submissions, as in the KION competition.")

File = Annotated[Path, typer.Argument(help="user_id, item_id with [1, 2] in a cell; or user_id, item_id, rank.")]
Places = Annotated[int, typer.Option("-k", help="Items per user, at most.", min=1)]


@app.command("make")
def make_command(
    artifact: ArtifactPath,
    sample: Annotated[Path, typer.Option(help="Its user_id are the users to recommend to.")],
    to: Annotated[Path, typer.Option("--out", help="A .csv file.")],
    k: Places = 10,
    clock: ClockOption = "data-end",
) -> None:
    """A submission for everybody in a sample, whether the artifact knows them or not; resumes when called again."""
    from encorec.data.sources.user_lists import read_user_ids
    from encorec.evaluation.leaderboard.check import validate_submission
    from encorec.evaluation.leaderboard.submission import submission_path, write_submission
    from encorec.pipeline.batch import recommend_to_file
    from encorec.pipeline.engine import load_engine

    submission_path(to)
    users = list(dict.fromkeys(read_user_ids(sample)))
    engine = load_engine(artifact)
    now = asking_second(clock, engine.artifact.data_end)
    lists = to.with_name(f".{to.name}.lists.parquet")
    with progress_bar(err) as step:
        recommend_to_file(engine, users, k, lists, now=now, clock=clock, progress=step)
    write_submission(lists, users, to)
    lists.unlink()
    known = sum(row >= 0 for row in engine.artifact.users.rows(users).tolist())
    checked = validate_submission(to, sample, k=k)
    tell(
        f"{len(users):,} users, {known:,} of them known to the artifact; {checked.short_lists:,} lists below {k}: {to}"
    )


@app.command("validate")
def validate_command(
    submission: File,
    sample: Annotated[Path, typer.Option(help="Its user_id are the users to recommend to.")],
    items: Annotated[Path | None, typer.Option(help="Its item_id are the known items; none = not checked.")] = None,
    k: Places = 10,
    as_json: AsJson = False,
) -> None:
    """Hold a submission against the rules and name every kind of fault at once; exit 1 if there is any."""
    from encorec.evaluation.leaderboard.check import validate_submission

    found = validate_submission(submission, sample, items, k)
    if as_json:
        print_json(found.as_dict())
    for problem in () if as_json else found.problems:
        err.print(f"[bold red]error:[/] {escape(problem.sentence)}", highlight=False, soft_wrap=True)
    if not found.valid:
        raise typer.Exit(1)
    if not as_json:
        short = f", {found.short_lists:,} of them with fewer than {k} items" if found.short_lists else ""
        text = f"valid: {found.users:,} users{short}; {found.recommendations:,} places, {found.items:,} different items"
        out.print(text, highlight=False)


@app.command("score")
def score_command(
    submission: File,
    truth: Annotated[Path, typer.Option(help="user_id, item_id; maybe a column part or public.")],
    public_share: Annotated[float | None, typer.Option(help="Draw this share of the users as the public part.")] = None,
    split: Annotated[
        Path | None, typer.Option(help="user_id and part (public, private) or public (true, false).")
    ] = None,
    k: Places = 10,
    seed: Annotated[int, typer.Option(help="Of the draw and of the intervals.", min=0)] = 0,
    as_json: AsJson = False,
) -> None:
    """MAP@k of a submission, in all and for the public and the private part."""
    from encorec.evaluation.leaderboard.score import score_submission

    found = score_submission(submission, truth, k=k, public_share=public_share, split=split, seed=seed)
    if as_json:
        print_json(found.as_dict())
    else:
        show_score(out, found.as_dict(), found.metric)
