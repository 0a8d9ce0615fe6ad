"""Systems side by side as a page: the summary first, then every persona with its history and its lists."""

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from encorec.page import Chart, Columns, Page, Prose, Section, Table, Verdict, charts
from encorec.page.blocks import Block, Cell
from encorec.personas.answers import Comparison, PersonaAnswers, Shown

__all__ = ["persona_page"]


def persona_page(found: Comparison, *, made: str = "") -> Page:
    """A page to look at what systems show to people one can imagine.

    Args:
        found: of ``compare_personas``.
        made: how and when, for the foot of the page.

    Example:
        >>> persona_page(Comparison(10, (), {})).title
        'Personas'
    """
    sections = [Section("Summary", [*_summary(found)])]
    sections += [Section(name, [*_persona(found, one)]) for name, one in found.personas.items()]
    lead = f"{', '.join(found.systems)}: {found.k} places for each of {len(found.personas)} personas."
    return Page("Personas", sections, lead=lead, made=made)


def _summary(found: Comparison) -> Iterator[Block]:
    if len(found.systems) > 1 and found.personas:
        yield Verdict(_most_unlike(found))
    yield _means(found)
    yield Prose(
        "ILD: how unlike each other the items of a list are (intra-list distance). MIUF: how rarely they are taken "
        "(mean inverse user frequency). Popularity rank 1 is the item that most users had."
    )
    if len(found.systems) > 1 and found.personas:
        yield Columns([*_charts(found)])


def _means(found: Comparison) -> Table:
    """Of every system; what two systems share is a column, what more of them share is drawn."""
    two = len(found.systems) == 2
    rows: list[list[Cell]] = []
    for system, mean in found.means().items():
        figures = [
            None if one is None else round(one, 2) for one in (mean["ild"], mean["miuf"], mean["popularity_rank"])
        ]
        rows.append([system, *figures, *([round(float(found.mean_common()[0, 1]), 2)] if two else [])])
    head = ("system", "ILD", "MIUF (bits)", "median popularity rank", *(["items shared"] if two else []))
    return Table(head, rows, caption="Means over personas")


def _most_unlike(found: Comparison) -> str:
    """The two systems whose lists have least in common, and the persona that tells them apart."""
    pairs = list(combinations(range(len(found.systems)), 2))
    means = found.mean_common()
    one, other = min(pairs, key=lambda pair: means[pair])
    persona = min(found.personas, key=lambda name: int(found.personas[name].common[one, other]))
    shared = int(found.personas[persona].common[one, other])
    start = "Least alike: " if len(pairs) > 1 else ""
    return (
        f"{start}{found.systems[one]} and {found.systems[other]} share {means[one, other]:.1f} of {found.k} items on "
        f"average, and {shared} for {persona}."
    )


def _charts(found: Comparison) -> Iterator[Chart]:
    names = list(found.personas)
    for title, field in (("MIUF (bits)", "miuf"), ("ILD", "ild")):
        series = {
            system: [_number(getattr(one.lists[system], field)) for one in found.personas.values()]
            for system in found.systems
        }
        if np.isfinite([*series.values()]).any():
            yield Chart(charts.grouped_bars(names, series, x=title))
    if len(found.systems) > 2:
        drawn = charts.heatmap(found.mean_common(), found.systems, found.systems, x="", y="")
        yield Chart(drawn, f"Items of {found.k} that two systems share, mean over personas.")


def _number(value: float | None) -> float:
    return np.nan if value is None else value


def _persona(found: Comparison, one: PersonaAnswers) -> Iterator[Block]:
    if one.about:
        yield Prose(one.about)
    yield _history(found, one.history)
    several = len(found.systems) > 1
    in_all = set.intersection(*({item.item_id for item in shown.items} for shown in one.lists.values()))
    tables: list[Block] = []
    for system, shown in one.lists.items():
        ild = "" if shown.ild is None else f", ILD {shown.ild:.2f}"
        bold = in_all if several else set()
        tables.append(_list(found, system, shown.items, bold, f"{system}: MIUF {shown.miuf:.2f}{ild}"))
    yield Columns(tables)
    if several:
        yield Prose(_shared(found, one, len(in_all)))


def _shared(found: Comparison, one: PersonaAnswers, in_all: int) -> str:
    if len(found.systems) == 2:
        return f"Both lists have {in_all} items (in bold) in common."
    pairs = combinations(range(len(found.systems)), 2)
    told = ", ".join(f"{found.systems[a]} and {found.systems[b]} {one.common[a, b]}" for a, b in pairs)
    return f"Items in common: {told}; in all lists {in_all} (in bold)."


def _history(found: Comparison, history: tuple[Shown, ...]) -> Block:
    if not history:
        return Prose("No history: a newcomer.")
    rows = [(one.title, one.traits, one.popularity_rank, one.days_ago) for one in reversed(history)]
    return Table(("history", found.traits, "popularity rank", "days ago"), rows)


def _list(found: Comparison, system: str, items: tuple[Shown, ...], bold: set[int | str], caption: str) -> Table:
    rows = [
        (place, one.title, one.traits, one.popularity_rank, _sources(one.source, found.sources[system]), one.score)
        for place, one in enumerate(items, 1)
    ]
    strong = frozenset(place for place, one in enumerate(items) if one.item_id in bold)
    return Table(("", "title", found.traits, "popular", "proposed by", "score"), rows, strong, caption)


def _sources(named: tuple[str, ...], all_of_them: tuple[str, ...]) -> str:
    """Who proposed an item, in few words."""
    others = [one for one in all_of_them if one not in named]
    if not others and len(named) > 1:
        return "all"
    return f"all but {', '.join(others)}" if 0 < len(others) < len(named) else ", ".join(named)
