"""The other commands, and what becomes of mistakes: one line that says what to do, never a traceback."""

import json
from pathlib import Path

import polars as pl
import pytest

from tests.end_to_end.project import encorec, succeeded


def test_everybody_is_recommended_to(project: Path, tmp_path: Path) -> None:
    run = succeeded(project, "recommend", "artifact", "--all", "--out", tmp_path / "all.parquet", "-k", 3)
    frame = pl.read_parquet(tmp_path / "all.parquet")
    assert (len(frame), frame["user_id"].n_unique()) == (900, 300)
    assert f"300 users: {tmp_path / 'all.parquet'}" in run.stderr
    assert "note: the data end on 2025-01-1" in run.stderr


def test_similar_items_are_listed(project: Path) -> None:
    run = succeeded(project, "similar", "artifact", "--item", "f006", "-k", 2, "--json")
    first, second = json.loads(run.stdout)
    assert (first["item_id"], first["title"]) == ("f007", "Part 7")
    assert first["score"] >= second["score"]
    assert "f007  Part 7" in succeeded(project, "similar", "artifact", "--item", "f006").stdout


@pytest.mark.parametrize("source", ["films.toml", "renamed.csv"])
def test_data_are_described(project: Path, source: str) -> None:
    log = pl.read_csv(project / "log.csv").rename({"viewer": "user_id", "film": "item_id", "seen_at": "timestamp"})
    log.write_csv(project / "renamed.csv")
    facts = json.loads(succeeded(project, "data", "describe", source, "--json").stdout)
    assert facts["interactions"]["count"] == 3494
    assert facts["users"]["active"] == 298
    assert "interactions" in succeeded(project, "data", "describe", source).stdout


def mended(project: Path, name: str, old: str, new: str) -> None:
    text = (project / "films.toml").read_text()
    assert old in text
    (project / name).write_text(text.replace(old, new))


MISTAKES = {
    "a misspelt field": ("neighbours", "neighbors", "did you mean 'neighbours'?", "(at retrievers.knn)"),
    "a misspelt kind": ('"item-knn"', '"item-kn"', "did you mean 'item-knn'?", "(at retrievers.knn.kind)"),
    "a misspelt table": ("[training]", "[trainning]", "did you mean 'training'?", "unknown field 'trainning'"),
    "a value out of bounds": ("folds = 3", "folds = 0", "TrainingConfig.folds is 0, allowed is 1 to 1000", ""),
    "no such file": ('"log.csv"', '"lag.csv"', "lag.csv: cannot be read (No such file or directory)", ""),
    "no such column": ('"seen_at"', '"seen"', "log.csv", "'seen'"),
    "not TOML": ("[training]", "[training", "not valid TOML", ""),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_line_that_names_the_remedy(project: Path, mistake: str) -> None:
    old, new, *parts = MISTAKES[mistake]
    mended(project, "mistake.toml", old, new)
    run = encorec(project, "evaluate", "mistake.toml")
    assert run.returncode == 1
    assert run.stdout == ""
    [line] = [line for line in run.stderr.splitlines() if not line.startswith("·")]
    assert line.startswith("error: ")
    assert all(part in line for part in parts), line


COMMANDS = {
    "no such config": ("train nothing.toml --out x", "nothing.toml: cannot be read"),
    "no such source": ("data describe movielens", "did you mean 'movielens-100k'?"),
    "no artifact": ("similar . --item 3", "no manifest.json there; give a folder that `encorec train` wrote"),
    "a file as artifact": ("serve films.toml", "no manifest.json there"),
    "unknown item": ("similar artifact --item f999", "item_id 'f999' is not among the 150 items"),
    "unknown clock": ("recommend artifact --all --out x.csv --clock noon", "time 'noon' cannot be read"),
    "unknown format": ("recommend artifact --all --out x.xml", "x.xml: unknown format '.xml'"),
    "no such users": ("recommend artifact --users nobody.txt --out x.csv", "nobody.txt: cannot be read"),
    "over something else": ("train hopeless.toml --out films.csv", "films.csv: exists and is not an artifact"),
}


@pytest.mark.parametrize("case", COMMANDS)
def test_a_fault_is_one_line_and_exit_code_1(project: Path, case: str) -> None:
    command, told = COMMANDS[case]
    run = encorec(project, *command.split())
    assert run.returncode == 1
    [line] = [line for line in run.stderr.splitlines() if not line.startswith(("·", "note:"))]
    assert line.startswith("error: ")
    assert told in line
