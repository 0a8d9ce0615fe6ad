"""`encorec personas`: what artifacts show to people one can imagine, side by side."""

from pathlib import Path
from typing import Annotated, Any

import typer

from encorec.cli.terminal import AsJson, asking_second, out, print_json, tell

__all__ = ["app"]

app = typer.Typer()

Artifacts = Annotated[
    list[str],
    typer.Argument(
        help="Folders that `encorec train` wrote; FOLDER:als,item_knn asks single retrievers of one, FOLDER:all all.",
        metavar="ARTIFACT...",
    ),
]


@app.command("personas")
def personas_command(
    artifacts: Artifacts,
    file: Annotated[
        Path | None, typer.Option("--personas", help="A TOML file of them; none = those that come for the data.")
    ] = None,
    page: Annotated[Path | None, typer.Option("--html", help="Write a page with all lists.")] = None,
    k: Annotated[int, typer.Option("-k", help="Items per list.", min=1)] = 10,
    clock: Annotated[str, typer.Option(help="data-end, now, or an ISO time: the moment of asking.")] = "data-end",
    as_json: AsJson = False,
) -> None:
    """Lay systems side by side: their lists for made-up users, what they share, how diverse and novel they are."""
    from encorec.personas import compare_personas, load_personas, open_systems
    from encorec.personas.persona import shipped_personas

    systems = open_systems(artifacts)
    personas = load_personas(file or shipped_personas(systems[0].shelf.artifact.manifest.data.source))
    now = {one.name: asking_second(clock, one.shelf.artifact.data_end) for one in systems}
    found = compare_personas(systems, personas, k=k, now=now)
    if page is not None:
        _write_page(found, page, clock)
    if as_json:
        print_json(found.as_dict())
    else:
        _show(found)
    if page is not None:
        tell(f"page: {page}")


def _write_page(found: Any, path: Path, clock: str) -> None:
    from datetime import UTC, datetime

    from encorec.page import write_page
    from encorec.personas.persona_page import persona_page

    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    write_page(persona_page(found, made=f"Made {now} by encorec personas; asked at {clock}."), path)


def _show(found: Any) -> None:
    """The summary, and what every system shows first to whom."""
    from rich.box import SIMPLE_HEAD
    from rich.markup import escape
    from rich.table import Table

    table = Table("system", box=SIMPLE_HEAD, title=f"means over {len(found.personas)} personas, {found.k} places")
    for name in ("ILD", "MIUF", "popularity rank", *(f"shared with {escape(one)}" for one in found.systems)):
        table.add_column(name, justify="right")
    common = found.mean_common()
    for place, (system, mean) in enumerate(found.means().items()):
        figures = (mean["ild"], mean["miuf"], mean["popularity_rank"])
        shared = ["" if at == place else f"{one:.1f}" for at, one in enumerate(common[place])]
        table.add_row(escape(system), *("" if one is None else f"{one:.2f}" for one in figures), *shared)
    out.print(table)
    first = Table("persona", *(escape(one) for one in found.systems), box=SIMPLE_HEAD, title="what comes first")
    for name, one in found.personas.items():
        shown = [lists.items[0].title if lists.items else "" for lists in one.lists.values()]
        first.add_row(escape(name), *map(escape, shown))
    out.print(first)
