"""`encorec experiment side-by-side`, `judge` and `example`: a page for judges, what they answered, data to try."""

from pathlib import Path
from typing import Annotated

import typer

from encorec.cli.terminal import AsJson, out, print_json, tell

__all__ = ["app"]

app = typer.Typer()


@app.command("side-by-side")
def side_by_side_command(
    a: Annotated[Path, typer.Option("--a", help="Lists of one system: user_id, item_id and rank or score.")],
    b: Annotated[Path, typer.Option("--b", help="Lists of the other.")],
    to: Annotated[Path, typer.Option("--out", help="HTML page for the judges.")],
    key_out: Annotated[
        Path | None, typer.Option(help="Which side was which system, not for judges; none = PAGE.key.json beside it.")
    ] = None,
    items: Annotated[Path | None, typer.Option(help="The catalogue: item_id and title.")] = None,
    people: Annotated[Path | None, typer.Option(help="Personas, always shown: user_id and about.")] = None,
    history: Annotated[
        Path | None, typer.Option(help="What users took before: user_id, item_id, maybe timestamp.")
    ] = None,
    users: Annotated[int, typer.Option(help="Pairs at most.", min=1)] = 30,
    k: Annotated[int, typer.Option("-k", help="Places of a list that are shown.", min=1)] = 10,
    seed: Annotated[int, typer.Option(help="Of the draw of users, order and sides.", min=0)] = 0,
    title: Annotated[str, typer.Option(help="Of the page.")] = "Side by side",
    question: Annotated[str | None, typer.Option(help="That judges answer for every pair.")] = None,
    as_json: AsJson = False,
) -> None:
    """Lay the lists of two systems side by side for blind judging; the key goes into a file of its own."""
    from encorec.cli.run_files import refuse_unwritable
    from encorec.experiment.side_by_side import judging_page, pair_lists, write_judging_page, write_key
    from encorec.experiment.side_by_side.judging_page import QUESTION, key_of

    key_file = to.with_suffix(".key.json") if key_out is None else key_out
    if key_file.resolve() == to.resolve():
        raise typer.BadParameter("--out and --key-out name the same file; judges must not get the key")
    refuse_unwritable(to, "--out")
    refuse_unwritable(key_file, "--key-out")
    found = pair_lists(a, b, users=users, k=k, seed=seed, items=items, people=people, history=history)
    names = (str(a), str(b)) if a.stem == b.stem else (a.stem, b.stem)
    page = write_judging_page(judging_page(found, title=title, question=question or QUESTION), to)
    key = write_key(key_of(found, *names), key_file)
    if as_json:
        facts = {"pairs": len(found.pairs), "identical": len(found.identical), "one_sided": found.one_sided}
        print_json({"page": str(page), "key": str(key), **facts})
        return
    left_out = f"; {len(found.identical):,} users have equal lists" if found.identical else ""
    left_out += f"; {found.one_sided:,} users have a list of one system only" if found.one_sided else ""
    tell(f"{len(found.pairs):,} pairs: {page}; key, not for judges: {key}{left_out}")


@app.command("judge")
def judge_command(
    key: Annotated[Path, typer.Option(help="That was written beside the page.")],
    answers: Annotated[
        list[Path] | None, typer.Option(help="CSV or JSON that a judge downloaded; give it once per file.")
    ] = None,
    more: Annotated[list[Path] | None, typer.Argument(help="More files of answers.", metavar="[ANSWERS]...")] = None,
    as_json: AsJson = False,
) -> None:
    """Say which system the judges prefer, how sure that is, and whether they agree."""
    from encorec.cli.judged_pages import show_judgement
    from encorec.experiment.side_by_side import judge, read_answers, read_key

    files = [*(answers or ()), *(more or ())]
    if not files:
        raise typer.BadParameter("give at least one file with --answers")
    opened = read_key(key)
    found = judge(read_answers(files, opened), opened)
    if as_json:
        print_json(found)
    else:
        show_judgement(out, found)


@app.command("example")
def example_command(
    folder: Annotated[Path, typer.Argument(help="For the files; made where it is missing.", metavar="FOLDER")],
    users: Annotated[int, typer.Option(help="Of the generated cinema.", min=100)] = 8000,
    effect: Annotated[float, typer.Option(help="True gain of the treatment in minutes and revenue, a share.")] = 0.1,
    seed: Annotated[int, typer.Option(help="Of everything that is drawn.", min=0)] = 0,
    as_json: AsJson = False,
) -> None:
    """Write a specification and generated data of an experiment whose true effect is known."""
    from encorec.experiment.simulation.example import ExampleConfig, write_example

    files = write_example(folder, ExampleConfig(users=users, effect=effect, seed=seed))
    if as_json:
        print_json({name: str(path) for name, path in files.items()})
    else:
        tell("\n".join(f"{name}: {path}" for name, path in files.items()))
