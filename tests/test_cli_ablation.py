"""`encorec ablate`: figures on the screen, as JSON and as a page; mistakes are one line."""

import json
from pathlib import Path

import pytest
from tests.conftest import Command
from tests.end_to_end.project import write_project


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ENCOREC_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    write_project(tmp_path)
    return tmp_path


def test_figures_come_as_a_table_as_json_and_as_a_page(run_encorec: Command, project: Path) -> None:
    code, text, told = run_encorec(
        "ablate", "films.toml", "--drop", "recent", "--drop", "popular", "--out", "a.json", "--html", "a.html"
    )
    assert code == 0
    found = json.loads((project / "a.json").read_text(encoding="utf-8"))
    assert [(one["kind"], one["name"]) for one in found["drops"]] == [("group", "recent"), ("retriever", "popular")]
    assert all(f"{one['mean']:.4f}" in text for one in (found["full"], *found["drops"]))
    assert "without popular: candidates of fold last-1" in told
    page = (project / "a.html").read_text(encoding="utf-8")
    assert "What each part is worth" in page
    assert "without popular" in page
    assert not list((project / "cache").rglob("*.npz"))


def test_json_alone_is_all_that_is_printed(run_encorec: Command, project: Path) -> None:
    code, text, _ = run_encorec("ablate", "films.toml", "--drop", "group:items", "--json")
    assert code == 0
    assert [one["name"] for one in json.loads(text)["drops"]] == ["items"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--drop", "reccent"), "did you mean 'recent'?"),
        (("--html", "no-folder/a.html"), "name a file in a folder that exists"),
        (("--out", "no-folder/a.json"), "name a file in a folder that exists"),
    ],
)
def test_mistakes_are_told_before_the_work(
    arguments: tuple[str, ...], told: str, run_encorec: Command, project: Path
) -> None:
    code, text, errors = run_encorec("ablate", "films.toml", *arguments)
    assert code == 1
    assert text == ""
    assert "error:" in errors
    assert told in errors
    assert "fit" not in errors
