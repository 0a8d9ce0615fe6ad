"""The other commands as processes, and what becomes of mistakes: one line that says what to do, never a traceback."""

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


def test_data_are_described(project: Path) -> None:
    facts = json.loads(succeeded(project, "data", "describe", "films.toml", "--json").stdout)
    assert facts["interactions"]["count"] == 3494
    assert facts["users"]["active"] == 298


FAULTS = {
    "misspelt.toml": ("evaluate misspelt.toml", "did you mean 'neighbours'?", "(at retrievers.knn)"),
    "unknown item": ("similar artifact --item f999", "item_id 'f999' is not among the 150 items"),
    "over something else": ("train films.toml --out films.csv", "films.csv: exists and is not an artifact"),
}


@pytest.mark.parametrize("case", FAULTS)
def test_a_fault_is_one_line_and_exit_code_1(project: Path, case: str) -> None:
    (project / "misspelt.toml").write_text((project / "films.toml").read_text().replace("neighbours", "neighbors"))
    command, *parts = FAULTS[case]
    run = encorec(project, *command.split())
    assert (run.returncode, run.stdout) == (1, "")
    [line] = run.stderr.splitlines()
    assert line.startswith("error: ")
    assert all(part in line for part in parts), line
