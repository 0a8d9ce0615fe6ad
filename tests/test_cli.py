"""The commands, in this process: what they print, their exit codes, and one line for every mistake."""

import json
from pathlib import Path

import polars as pl
import pytest
from tests.conftest import Command
from tests.end_to_end.project import write_project
from tests.worlds import Trained

from encorec.pipeline.requests import Request


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tables")
    write_project(folder)
    return folder


@pytest.fixture
def encorec(tables: Path, monkeypatch: pytest.MonkeyPatch, run_encorec: Command) -> Command:
    """The command, as a function: exit code, output, errors."""
    monkeypatch.chdir(tables)
    return run_encorec


def test_sources_are_listed(encorec: Command) -> None:
    code, text, _ = encorec("data", "list", "--json")
    assert code == 0
    cards = json.loads(text)
    assert {"movielens-100k", "complete-journey", "kion", "table"} <= cards.keys()
    assert all({"summary", "size", "terms"} == card.keys() for card in cards.values())
    _, table, _ = encorec("data", "list")
    assert all(name in table for name in cards)


def test_a_table_with_the_usual_columns_is_described_without_a_configuration(encorec: Command, tables: Path) -> None:
    usual = {"viewer": "user_id", "film": "item_id", "seen_at": "timestamp"}
    pl.read_csv(tables / "log.csv").rename(usual).write_csv(tables / "usual.csv")
    for source in ("usual.csv", "films.toml"):
        code, text, _ = encorec("data", "describe", source, "--json")
        assert code == 0
        facts = json.loads(text)
        assert (facts["interactions"]["count"], facts["users"]["active"]) == (3494, 298)
        _, table, told = encorec("data", "describe", source)
        assert "3,494" in table
        assert f"· reading {'usual.csv' if source == 'usual.csv' else 'log.csv'}" in told


def test_items_alike_are_shown_with_titles(encorec: Command, trained: Trained) -> None:
    code, text, _ = encorec("similar", trained.folder, "--item", 6, "-k", 2)
    assert code == 0
    assert "alike Part 6" in text
    assert "7  Part 7" in text
    _, as_json, _ = encorec("similar", trained.folder, "--item", 6, "-k", 2, "--json")
    assert [row["item_id"] for row in json.loads(as_json)] == [one.item_id for one in trained.engine.similar(6, 2)]


def test_users_of_a_file_are_recommended_to(encorec: Command, trained: Trained, tmp_path: Path) -> None:
    pl.DataFrame({"user_id": [5, 7], "note": ["a", "b"]}).write_csv(tmp_path / "users.csv")
    options = ("--users", tmp_path / "users.csv", "--out", tmp_path / "slates.csv", "-k", 3)
    code, _, told = encorec("recommend", trained.folder, *options, "--clock", "data-end")
    assert code == 0
    assert f"2 users: {tmp_path / 'slates.csv'}" in told
    assert "note:" not in told
    answers = trained.engine.recommend([Request(user_id=user, k=3) for user in (5, 7)])
    wanted = [item.item_id for answer in answers for item in answer.items]
    assert pl.read_csv(tmp_path / "slates.csv")["item_id"].to_list() == wanted


def test_everybody_is_recommended_to_at_a_time_of_choice(encorec: Command, trained: Trained, tmp_path: Path) -> None:
    out = tmp_path / "slates.parquet"
    code, _, told = encorec("recommend", trained.folder, "--all", "--out", out, "--clock", "2025-06-01")
    assert code == 0
    assert "note: the data end on 2025-01-16, 136 days before the moment of asking" in told
    assert len(pl.read_parquet(out)) == 300 * 10


@pytest.mark.parametrize("options", [(), ("--all", "--users", "log.csv")])
def test_either_a_file_of_users_or_all_of_them(encorec: Command, trained: Trained, options: tuple[str, ...]) -> None:
    code, _, told = encorec("recommend", trained.folder, "--out", "x.csv", *options)
    assert code == 2
    assert "give either --users FILE or --all" in told


@pytest.mark.parametrize("command", [(), ("data",)])
def test_without_a_command_one_is_told_which_there_are(encorec: Command, command: tuple[str, ...]) -> None:
    _, text, told = encorec(*command)
    assert "describe" in text + told if command else "recommend" in text + told


MISTAKES: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "a misspelt field": ("neighbours", "neighbors", ("did you mean 'neighbours'?", "(at retrievers.knn)")),
    "a misspelt kind": ('"item-knn"', '"item-kn"', ("did you mean 'item-knn'?", "(at retrievers.knn.kind)")),
    "a misspelt table": ("[training]", "[trainning]", ("unknown field 'trainning': did you mean 'training'?",)),
    "a misspelt metric": ("resamples = 200", 'metric = "ndgc@10"', ("did you mean 'ndcg'?", "(at evaluation)")),
    "a value out of bounds": ("folds = 3", "folds = 0", ("TrainingConfig.folds is 0, allowed is 1 to 1000",)),
    "a name that is taken": ("[retrievers.knn]", "[retrievers.rrf]", ("'rrf' is a system of every report",)),
    "a name that is no folder": ("[retrievers.knn]", '[retrievers."../knn"]', ("'../knn' must name a folder too",)),
    "no such file": ('"log.csv"', '"lag.csv"', ("lag.csv: cannot be read (No such file or directory)",)),
    "no such column": ('"seen_at"', '"seen"', ("log.csv", "'seen'")),
    "no such segment": ('kind = "popularity"', 'kind = "popularity"\nsegments = ["ag"]', ("did you mean 'age'?",)),
    "an exam longer than the data": ('kind = "last-n"', 'kind = "time-cut"\ndays = 999', ("choose another cut",)),
    "too little for a label fold": ('kind = "last-n"', 'kind = "time-cut"\ndays = 90', ("no label fold fits",)),
    "not TOML": ("[training]", "[training", ("not valid TOML",)),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_in_a_configuration_is_one_line(encorec: Command, tables: Path, mistake: str) -> None:
    old, new, parts = MISTAKES[mistake]
    text = (tables / "films.toml").read_text()
    assert old in text
    (tables / "mistake.toml").write_text(text.replace(old, new))
    code, shown, told = encorec("evaluate", "mistake.toml")
    assert (code, shown) == (1, "")
    [line] = [line for line in told.splitlines() if not line.startswith("·")]
    assert line.startswith("error: ")
    assert all(part in line for part in parts), line


COMMANDS: dict[str, tuple[str, str]] = {
    "no such config": ("train nothing.toml --out x", "nothing.toml: cannot be read"),
    "no such source": ("data describe movielens", "did you mean 'movielens-100k'?"),
    "no artifact": ("similar . --item 3", "no manifest.json there; give a folder that `encorec train` wrote"),
    "a file as artifact": ("serve films.toml", "no manifest.json there"),
    "unknown item": ("similar {artifact} --item [bold]", "item_id '[bold]' is not among the 150 items"),
    "unknown clock": ("recommend {artifact} --all --out x.csv --clock noon", "time 'noon' cannot be read"),
    "a clock that no service has": ("serve {artifact} --clock noon", "time 'noon' cannot be read"),
    "unknown format": ("recommend {artifact} --all --out x.xml", "x.xml: unknown format '.xml'"),
    "no such users": ("recommend {artifact} --users nobody.txt --out x.csv", "nobody.txt: cannot be read"),
    "over a file": ("train films.toml --out films.csv", "films.csv: exists and is not an artifact"),
    "over a folder": ("train films.toml --out .", "exists and is not an artifact; choose another folder"),
}


@pytest.mark.parametrize("case", COMMANDS)
def test_a_fault_of_a_command_is_one_line(encorec: Command, trained: Trained, case: str) -> None:
    command, part = COMMANDS[case]
    code, shown, told = encorec(*command.format(artifact=trained.folder).split())
    assert (code, shown) == (1, "")
    [line] = [line for line in told.splitlines() if not line.startswith("note:")]
    assert line.startswith("error: ")
    assert part in line
