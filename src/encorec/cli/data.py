"""`encorec data`: where data come from and what is in them."""

from pathlib import Path
from typing import Annotated, Any

import typer

from encorec.cli.terminal import AsJson, err, out, print_json, tell
from encorec.console import progress_bar, show_facts

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Where data come from and what is in them.")


@app.command("list")
def list_data(as_json: AsJson = False) -> None:
    """The sources that a configuration can name."""
    from encorec.data.sources import catalogue

    cards = {card.name: {"summary": card.summary, "size": card.size, "terms": card.terms} for card in catalogue()}
    if as_json:
        print_json(cards)
    else:
        show_facts(out, cards, "sources")


@app.command("fetch")
def fetch_data(source: Annotated[str, typer.Argument(help="Name of a source, or a CONFIG.")]) -> None:
    """Download a source into the cache and print where it lies."""
    from encorec.data.sources import fetch

    with progress_bar(err) as step:
        path = fetch(_source(source), progress=lambda message: step(message, 0, 1))
    out.print(str(path), soft_wrap=True, highlight=False)


@app.command("describe")
def describe_data(
    source: Annotated[str, typer.Argument(help="Name of a source, a CONFIG, or a CSV or Parquet file.")],
    page: Annotated[Path | None, typer.Option("--html", help="Write a page with plots, too.")] = None,
    as_json: AsJson = False,
) -> None:
    """Counts, time range, activity, long tail, repeats, suspicious rows and missing values of a source."""
    from encorec.data.exploration import explore
    from encorec.data.sources import describe, load

    with progress_bar(err) as step:
        data = load(_with_repeats(_source(source)), progress=lambda message: step(message, 0, 1))
        step("counting", 0, 1)
        facts, found = describe(data), explore(data)
        if page is not None:
            step("drawing", 0, 1)
            _write_page(facts, found, page)
    if as_json:
        print_json(facts | found.figures())
    else:
        show_facts(out, facts | found.summary(), source)
    if page is not None:
        tell(f"page: {page}")


def _with_repeats(source: Any) -> Any:
    """A source that would refuse repeats keeps them here: they are to be seen, not to be learnt from."""
    import msgspec

    return (
        msgspec.structs.replace(source, duplicates="keep") if getattr(source, "duplicates", "") == "error" else source
    )


def _write_page(facts: Any, found: Any, path: Path) -> None:
    from encorec.data.exploration.exploration_page import exploration_page
    from encorec.page import write_page

    write_page(exploration_page(facts, found), path)


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
