"""The page of a data set: everything is said, whatever is in the data, and a browser has nothing to complain of."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.browser import open_page
from tests.data.exploration.worlds import DAY, table_of
from tests.worlds import small_world

from encorec.data.dataset import Dataset
from encorec.data.exploration import explore
from encorec.data.exploration.exploration_page import exploration_page
from encorec.data.features import Categories, FeatureTable, Tags
from encorec.data.interactions import Interactions
from encorec.data.sources import describe
from encorec.page import Page, write_page

HOSTILE = "<script>console.error('run')</script> & $x^2$"


def page_of(data: Dataset, **more: object) -> str:
    return exploration_page(describe(data) | more, explore(data)).html()


def hostile_world() -> Dataset:
    """Names that are markup, repeats, weights over decades, numbers that are all unknown, one row far away."""
    rng = np.random.default_rng(0)
    rows = [(int(rng.integers(6)), int(rng.integers(5)), int(rng.integers(90)) * DAY + 7, 1.0) for _ in range(300)]
    table = table_of([*rows, (0, 0, 9_000 * DAY, 1000.0)])
    shelf = FeatureTable(
        5,
        {"year": np.full(5, np.nan, np.float32), "flag": np.array([0, 1, 1, 0, 1], np.float32)},
        {"kind": Categories.of([HOSTILE, None, "b", "b", "b"])},
        {"genres": Tags.of([[HOSTILE], ["b"], [], [], []])},
    )
    return replace(Dataset.of(table, HOSTILE), item_features=shelf, titles=np.array([HOSTILE, "", "c", "d", "e"]))


@pytest.fixture(scope="module")
def small_page() -> Page:
    data = small_world()
    return exploration_page(describe(data), explore(data))


@pytest.fixture(scope="module")
def hostile_page() -> Page:
    data = hostile_world()
    return exploration_page(describe(data), explore(data))


@pytest.mark.parametrize(("page", "width"), [("small_page", 390), ("hostile_page", 1200)])
def test_the_page_opens_without_complaint(
    page: str, width: int, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    path = write_page(request.getfixturevalue(page), tmp_path / "page.html")
    opened = open_page(f"file://{path}", width=width)
    assert opened.console == []
    assert "<script>" not in opened.document
    assert "Items with most interactions" in opened.document


def test_what_is_in_the_data_is_on_the_page(small_page: Page) -> None:
    html = small_page.html()
    for said in (
        "3,494", "298", "Part 0", "space", "genres: items", "age: users", "Sun", "cold users (%)", "Gini",
        "No user has an item twice.", "Checks that found nothing", "missing (%)", "weight of an interaction",
    ):  # fmt: skip
        assert said in html, said
    assert "Generated beside target" not in html


def test_what_is_strange_is_on_the_page(hostile_page: Page) -> None:
    html = hostile_page.html()
    for said in ("repeated to the second", "10 and more", "1 interactions lie far outside", "long after the bulk"):
        assert said in html, said
    assert "8,909" in html or "8,910" in html


def test_nothing_but_tables_scrolls_sideways_on_a_phone(hostile_page: Page, tmp_path: Path) -> None:
    """The browser's own window cannot be that narrow, so the document is made so."""
    told = """<script>
    document.documentElement.style.width = "390px";
    document.querySelectorAll("details").forEach(one => { one.open = true; });
    const over = [...document.body.querySelectorAll("*")].filter(one => one.getBoundingClientRect().right > 391);
    document.title = "over: " + over.filter(one => !one.closest("figure.table > *")).length;
    </script></body>"""
    (tmp_path / "page.html").write_text(hostile_page.html().replace("</body>", told), encoding="utf-8")
    assert "<title>over: 0</title>" in open_page(f"file://{tmp_path / 'page.html'}", width=390).document


@pytest.mark.parametrize(
    "table",
    [
        Interactions.of([], [], []),
        Interactions.of([], [], [], users=2, items=2),
        Interactions.of([0], [0], [5], [np.inf]),
        Interactions.of([0, 0, 0], [0, 1, 2], [0, DAY, 2**33], [1e-20, 1, 1e20]),
    ],
)
def test_the_smallest_of_logs_have_a_page(table: Interactions) -> None:
    data = Dataset.of(table)
    facts = (
        describe(data) if np.all(np.isfinite(table.weight)) else describe(Dataset.of(Interactions.of([0], [0], [5])))
    )
    assert "At a glance" in exploration_page(facts, explore(data)).html()


def test_a_generated_data_set_stands_beside_its_target() -> None:
    target = {
        "interactions": {"count": 5000},
        "top item (%)": {"generated": 3.5, "target": 3.7},
        "users": {"interactions_each": {"50%": 12, "never": [1, 2]}},
    }
    html = page_of(small_world(), target=target)
    told = html[html.index("Generated beside target") :]
    cells = [part.split("</td>")[0].split(">")[1] for part in told.split("<td")[1:]]
    rows = {tuple(cells[place : place + 3]) for place in range(0, len(cells), 3)}
    wanted = {("count", "3,494", "5,000"), ("top item (%)", "3.5", "3.7"), ("50%", "11", "12"), ("never", "", "[1, 2]")}
    assert rows == wanted
    assert "users · interactions each" in told
