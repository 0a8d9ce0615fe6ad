"""The page of personas: everything is on it, and a browser has nothing to complain of."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.browser import open_page
from tests.worlds import ITEMS, Trained

from encorec.page import write_page
from encorec.personas import Comparison, Persona, compare_personas, open_systems
from encorec.personas.persona_page import persona_page
from encorec.personas.shelf import Shelf

HOSTILE = "<script>console.error('run')</script> & $x^2$"
PERSONAS = {
    HOSTILE: Persona(about=HOSTILE, history=(6, 7, 8)),
    "newcomer": Persona(),
}


def compared(trained: Trained, *parts: str) -> Comparison:
    titles = np.array([HOSTILE if one % 2 else "a film" for one in range(ITEMS)])
    artifact = replace(trained.engine.artifact, titles=titles)
    systems = open_systems([f"{trained.folder}:{part}" for part in parts])
    return compare_personas([replace(one, shelf=Shelf(artifact, "x")) for one in systems], PERSONAS, k=6)


@pytest.mark.parametrize(("width", "parts"), [(390, ("als", "knn")), (1200, ("two-stage", "als", "knn", "popular"))])
def test_the_page_opens_without_complaint(trained: Trained, tmp_path: Path, width: int, parts: tuple[str, ...]) -> None:
    page = persona_page(compared(trained, *parts), made="now")
    opened = open_page(f"file://{write_page(page, tmp_path / 'page.html')}", width=width)
    assert opened.console == []
    assert "<script>" not in opened.document
    assert opened.document.count("proposed by") == 2 * len(parts)
    assert "No history: a newcomer." in opened.document


def test_nothing_but_tables_scrolls_sideways_on_a_phone(trained: Trained, tmp_path: Path) -> None:
    """The browser's own window cannot be that narrow, so the document is made so."""
    told = """<script>
    document.documentElement.style.width = "390px";
    document.querySelectorAll("details").forEach(one => { one.open = true; });
    const over = [...document.body.querySelectorAll("*")].filter(one => one.getBoundingClientRect().right > 391);
    document.title = "over: " + over.filter(one => !one.closest("figure.table > *")).length;
    </script></body>"""
    html = persona_page(compared(trained, "two-stage", "als", "knn")).html()
    (tmp_path / "page.html").write_text(html.replace("</body>", told), encoding="utf-8")
    assert "<title>over: 0</title>" in open_page(f"file://{tmp_path / 'page.html'}", width=390).document


def test_two_systems_say_what_they_share(trained: Trained) -> None:
    found = compared(trained, "als", "knn")
    html = persona_page(found).html()
    shared = found.mean_common()[0, 1]
    assert f"als and knn share {shared:.1f} of 6 items on average" in html
    assert f"Both lists have {found.personas['newcomer'].common[0, 1]} items" in html
    assert "items shared" in html


def test_many_systems_are_compared_in_pairs(trained: Trained) -> None:
    html = persona_page(compared(trained, "als", "knn", "popular")).html()
    assert "Least alike: " in html
    assert "Items of 6 that two systems share" in html
    assert "Items in common: als and knn " in html


def test_one_system_is_shown_alone(trained: Trained) -> None:
    html = persona_page(compared(trained, "als")).html()
    assert "in common" not in html
    assert "als: MIUF" in html


def test_who_proposed_an_item_is_said_in_few_words(trained: Trained) -> None:
    html = persona_page(compared(trained, "two-stage")).html()
    assert ">all<" in html or ">all but " in html
