"""The commands that write pages, in this process: figures on the screen, JSON, a page that opens."""

import json
from pathlib import Path

import polars as pl
import pytest
from tests.browser import open_page
from tests.conftest import Command
from tests.worlds import Trained

PERSONAS = """
[personas."part by part"]
about = "One part after the other."
history = ["Part 6", 7]
features = { age = 30 }
[personas.newcomer]
"""


@pytest.fixture
def encorec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run_encorec: Command) -> Command:
    """The command, as a function: exit code, output, errors."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "personas.toml").write_text(PERSONAS)
    log = {"user_id": [1, 1, 2, 2], "item_id": ["a", "b", "a", "a"], "timestamp": [0, 90_000, 400_000, 400_000]}
    pl.DataFrame(log).write_csv(tmp_path / "log.csv")
    return run_encorec


def test_a_source_is_described_with_its_tails_faults_and_days(encorec: Command) -> None:
    code, text, _ = encorec("data", "describe", "log.csv", "--json")
    assert code == 0
    facts = json.loads(text)
    assert (facts["interactions"]["count"], facts["duplicates"]["exact"]) == (4, 1)
    assert facts["daily"]["day"] == ["1970-01-01", "1970-01-02", "1970-01-05"]
    assert facts["gaps"] == {"days": 2, "longest": [{"first": "1970-01-03", "days": 2}]}
    assert facts["suspicious"]["exact repeats"]["example"] == "user 2, item a, 1970-01-05 15:06:40"
    _, table, _ = encorec("data", "describe", "log.csv")
    assert "days without interactions" in table
    assert "exact repeats (interactions)" in table


def test_a_source_is_described_on_a_page(encorec: Command, tmp_path: Path) -> None:
    code, text, told = encorec("data", "describe", "log.csv", "--html", "eda.html")
    assert code == 0
    assert "page: eda.html" in told
    assert "gini" in text
    opened = open_page(f"file://{tmp_path / 'eda.html'}", width=390)
    assert opened.console == []
    assert "exact repeats" in opened.document


def test_personas_are_laid_side_by_side(encorec: Command, trained: Trained, tmp_path: Path) -> None:
    systems = (f"{trained.folder}:two-stage,als", "--personas", "personas.toml", "-k", 4)
    code, text, told = encorec("personas", *systems, "--html", "personas.html")
    assert code == 0
    for name in ("part by part", "newcomer", "shared with als", "what comes first"):
        assert name in text
    assert "page: personas.html" in told
    opened = open_page(f"file://{tmp_path / 'personas.html'}", width=390)
    assert opened.console == []
    assert "One part after the other." in opened.document
    _, as_json, _ = encorec("personas", *systems, "--json")
    found = json.loads(as_json)
    assert found["k"] == 4
    assert [one["title"] for one in found["personas"]["part by part"]["history"]] == ["Part 6", "Part 7"]
    assert len(found["personas"]["newcomer"]["lists"]["als"]["items"]) == 4


FAULTS = {
    "no such personas": ("--personas nothing.toml", "nothing.toml: cannot be read"),
    "none for this source": ("", "no personas come for 'small-world'"),
    "no such moment": ("--personas personas.toml --clock noon", "time 'noon' cannot be read"),
    "no such folder": ("--personas personas.toml --html no/where.html", "cannot be written"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_one_line(encorec: Command, trained: Trained, fault: str) -> None:
    options, part = FAULTS[fault]
    code, shown, told = encorec("personas", trained.folder, *options.split())
    assert (code, shown) == (1, "")
    assert told.startswith("error: ")
    assert part in told


def test_an_unknown_title_names_the_nearest(encorec: Command, trained: Trained, tmp_path: Path) -> None:
    (tmp_path / "personas.toml").write_text('[personas.a]\nhistory = ["Prat 6"]')
    code, _, told = encorec("personas", trained.folder, "--personas", "personas.toml")
    assert code == 1
    assert "no item is called 'Prat 6'; nearest: 'Part 6'" in told
