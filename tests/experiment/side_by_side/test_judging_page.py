"""The judging page in a real browser: it is blind, it counts, keys work, answers survive, files can be read back."""

import json
import re
from pathlib import Path

import polars as pl
import pytest
from tests.browser import Opened, open_page
from tests.experiment.side_by_side.worked import pairs_of

from encorec.errors import DataError
from encorec.experiment.side_by_side import judging_page, pair_lists, read_answers, write_judging_page
from encorec.experiment.side_by_side.judging_page import key_of

HOSTILE = "</script><script>console.error('run')</script> & \"quoted\" \u2028 <!-- "
CLICKS = """
const said = [];
const Whole = Blob;
window.Blob = function (parts, options) { said.push(parts.join("")); return new Whole(parts, options); };
const press = (key, more) => document.dispatchEvent(new KeyboardEvent("keydown", { key, cancelable: true, ...more }));
const start = name => { at("judge").value = name; at("start").requestSubmit(); };
"""


def driven(html: str, steps: str, folder: Path) -> Opened:
    """The page after ``steps`` of script, which a judge's hand would do; what it says stands in ``#said``."""
    told = 'const box = document.createElement("pre"); box.id = "said"; box.textContent = JSON.stringify(said);'
    script = f"<script>{CLICKS}{steps};{told}document.body.append(box);</script></body>"
    html = html.replace("script-src 'unsafe-inline'", "script-src 'unsafe-inline' blob:")
    (folder / "driven.html").write_text(html.replace("</body>", script), encoding="utf-8")
    return open_page(f"file://{folder / 'driven.html'}", width=390)


def said(opened: Opened) -> list[str]:
    found = re.search(r'<pre id="said">(.*?)</pre>', opened.document, re.DOTALL)
    if found is None:
        raise AssertionError(opened.document[-2000:])
    return json.loads(found[1].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))


def test_it_opens_without_complaint_and_says_nothing_of_the_systems(tmp_path: Path) -> None:
    pairs = pairs_of(6)
    page = write_judging_page(judging_page(pairs), tmp_path / "page.html")
    for width in (390, 1200):
        opened = open_page(f"file://{page}", width=width)
        assert opened.console == []
        assert "6 pairs of lists" in opened.document
    content = json.loads(re.search(r'id="data">(.*?)</script>', page.read_text(), re.DOTALL)[1])  # pyright: ignore[reportOptionalSubscript]
    assert sorted(content) == ["page", "question", "tasks"]
    assert sorted(content["tasks"][0]) == ["about", "history", "left", "right"]
    assert [(one["left"], one["right"]) for one in content["tasks"]] == [
        (list(one.sides[0]), list(one.sides[1])) for one in pairs.pairs
    ]
    assert "://" not in page.read_text()


def test_keys_and_buttons_judge_and_both_files_are_read_back(tmp_path: Path) -> None:
    pairs = pairs_of(5)
    steps = """
    start('  Ada, "the" judge ');
    press("ArrowLeft"); press("ArrowRight"); press("ArrowDown"); press("Backspace"); press("t");
    press("ArrowLeft", { repeat: true }); press("ArrowLeft", { ctrlKey: true }); press("x");
    document.querySelector('[data-choice="left"]').click(); document.querySelector('[data-choice="tie"]').click();
    press("ArrowLeft"); said.push(at("count").textContent); said.push(String(at("done").hidden));
    at("csv").click(); at("json").click()"""
    opened = driven(judging_page(pairs), steps, tmp_path)
    assert opened.console == []
    count, hidden, as_csv, as_json = said(opened)
    assert (count, hidden) == ("5 judged", "false")
    (tmp_path / "a.csv").write_text(as_csv)
    (tmp_path / "a.json").write_text(as_json)
    key = key_of(pairs, "als", "ease")
    found = read_answers([tmp_path / "a.csv"], key)
    assert [one.choice for one in found] == ["left", "right", "tie", "left", "tie"]
    assert {one.judge for one in found} == {'Ada, "the" judge'}
    assert found == read_answers([tmp_path / "a.json"], key)
    assert [one.vote for one in found[:2]] == [pairs.pairs[0].left, "b" if pairs.pairs[1].left == "a" else "a"]


def test_answers_survive_a_reload_each_judge_has_their_own(tmp_path: Path) -> None:
    steps = """
    start("Ada"); press("ArrowLeft"); press("ArrowLeft");
    at("other").click(); start("Bo"); said.push(at("count").textContent); press("ArrowDown");
    answers = {}; place = 0; start("Ada"); said.push(at("count").textContent);
    press("Backspace"); said.push(document.querySelector('[aria-pressed="true"]').textContent);
    localStorage.setItem(prefix + "Cy", "[1"); start("Cy"); said.push(at("count").textContent)"""
    opened = driven(judging_page(pairs_of(4)), steps, tmp_path)
    assert opened.console == []
    assert said(opened) == ["pair 1 of 4, 0 judged", "pair 3 of 4, 2 judged", "Left", "pair 1 of 4, 0 judged"]


def test_hostile_titles_are_shown_not_run(tmp_path: Path) -> None:
    lists = pl.DataFrame({"user_id": [1, 1], "item_id": ["x", "y"], "rank": [1, 2]})
    items = pl.DataFrame({"item_id": ["x", "y"], "title": [HOSTILE, "tea"]})
    people = pl.DataFrame({"user_id": [1], "about": [HOSTILE]})
    pairs = pair_lists(lists, lists.with_columns(rank=pl.Series([2, 1])), items=items, people=people, history=lists)
    html = judging_page(pairs, title=HOSTILE, question=HOSTILE)
    opened = driven(html, 'start("A"); said.push(at("about").textContent, at("history").textContent)', tmp_path)
    assert opened.console == []
    about, history = said(opened)
    assert about == HOSTILE.strip()
    assert HOSTILE.strip() in history


def test_a_page_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be written"):
        write_judging_page("tea", tmp_path / "no" / "page.html")
    assert list(tmp_path.iterdir()) == []


def test_other_pairs_have_another_name() -> None:
    names = {key_of(pairs_of(6, seed), "als", "ease").page for seed in range(5)}
    assert len(names) == 5
