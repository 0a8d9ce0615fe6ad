"""Pages: text stays text, drawings do not disturb each other, and a real browser has nothing to complain of."""

from pathlib import Path

import numpy as np
import pytest
from tests.browser import open_page

from encorec.errors import DataError
from encorec.page import Chart, Columns, Details, Facts, Page, Prose, Section, Table, Verdict, charts, write_page

HOSTILE = "<script>console.error('run')</script> & \"quoted\" $x^2$"


def every_chart(label: str = "als") -> list[Chart]:
    grid = np.arange(1, 30)
    return [
        Chart(
            charts.lines({label: (grid, grid / 30), "gap": (grid, np.where(grid > 9, np.nan, 1.0))}, x="k", y="recall")
        ),
        Chart(charts.lines({label: (grid * 86_400, grid)}, x="", y="users a day", dates=True, log="y")),
        Chart(charts.bars({label: 3.0, "popular": 1.0}, x="films")),
        Chart(charts.grouped_bars(["new", label], {"a": [1.0, np.nan], "b": [2.0, 1.0]}, x="ndcg@10")),
        Chart(charts.intervals({label: (0.1, 0.0, 0.2)}, x="difference", zero=True)),
        Chart(charts.scatter({label: (1.0, 2.0), "popular": (2.0, 1.0)}, x="miuf", y="ndcg", size={label: 0.5})),
        Chart(charts.histogram(np.array([1, 1, 2, 50]), x="items", y="users", log="xy")),
        Chart(charts.histogram(np.zeros(0), x="items", y="users")),
        Chart(charts.heatmap(np.array([[1.0, np.nan]]), [label], ["1", "2"], x="final", y="first")),
    ]


def whole_page(text: str) -> Page:
    table = Table((text, "n"), [(text, 1_234_567), (None, 0.25)], strong=frozenset({0}), caption=text)
    blocks = [Prose(text), Verdict(text, "bad"), Facts(((text, text),)), table, Columns(every_chart(text))]
    return Page(text, [Section(text, [*blocks, Details(text, [Prose(text)])])], lead=text, made=text)


def test_a_page_of_every_block_opens_without_complaint(tmp_path: Path) -> None:
    for width in (390, 1200):
        opened = open_page(f"file://{write_page(whole_page('кино'), tmp_path / 'page.html')}", width=width)
        assert opened.console == []
    assert "1,234,567" in opened.document
    assert opened.document.count("<svg") == len(every_chart())


def test_a_broken_page_would_be_noticed(tmp_path: Path) -> None:
    (tmp_path / "broken.html").write_text("<script>console.error('broken'); missing()</script>")
    assert len(open_page(f"file://{tmp_path / 'broken.html'}").console) == 2


def test_hostile_text_is_shown_not_run(tmp_path: Path) -> None:
    opened = open_page(f"file://{write_page(whole_page(HOSTILE), tmp_path / 'page.html')}")
    assert opened.console == []
    assert "<script>" not in opened.document
    assert "&lt;script&gt;" in opened.document


def test_a_page_needs_nothing_but_itself() -> None:
    html = whole_page("tea").html()
    assert "http://" not in html.replace("http://www.w3.org/", "")
    assert "https://" not in html


def test_ids_of_drawings_are_told_apart() -> None:
    chart = every_chart()[6]
    html = Page("two alike", [Section("s", [chart, chart])]).html()
    ids = [part.split('"')[0] for part in html.split(' id="')[1:]]
    assert len(ids) == len(set(ids)) > 0


def test_the_same_page_is_written_twice_the_same() -> None:
    assert whole_page("tea").html() == whole_page("tea").html()


def test_a_page_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be written"):
        write_page(whole_page("tea"), tmp_path / "no" / "page.html")
    (tmp_path / "taken").mkdir()
    with pytest.raises(DataError, match="taken"):
        write_page(whole_page("tea"), tmp_path / "taken")
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


def test_labels_must_fit_a_heatmap() -> None:
    with pytest.raises(DataError, match="row and"):
        charts.heatmap(np.zeros((2, 2)), ["a"], ["b", "c"], x="", y="")
