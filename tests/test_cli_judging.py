"""`encorec metrics`, `compare` and `leaderboard`, in this process: what they print and write, and their exit codes."""

import ast
import json
from pathlib import Path

import polars as pl
import pytest
from tests.conftest import Command
from tests.worlds import ITEMS, USERS, Trained

from encorec.evaluation.frames.comparison import compare_lists
from encorec.evaluation.frames.measure import metrics
from encorec.evaluation.leaderboard.score import score_submission
from encorec.evaluation.options import MetricOptions
from encorec.pipeline.requests import Request

RECS = pl.DataFrame({"user_id": [1, 1, 1, 2, 2], "item_id": [10, 20, 30, 20, 40], "rank": [1, 2, 3, 2, 1]})
TRUTH = pl.DataFrame({"user_id": [1, 1, 2, 3], "item_id": [10, 30, 20, 10]})


@pytest.fixture
def encorec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run_encorec: Command) -> Command:
    """The command in a folder with lists and truth, as a function: exit code, output, errors."""
    RECS.write_csv(tmp_path / "new.csv")
    RECS.filter(pl.col("rank") < 2).write_parquet(tmp_path / "old.parquet")
    TRUTH.write_csv(tmp_path / "truth.csv")
    RECS.drop("rank").write_csv(tmp_path / "train.csv")
    pl.DataFrame({"item_id": [10, 20, 30, 40], "genres": ["war, drama", "war", "drama", ""]}).write_csv(
        tmp_path / "items.csv"
    )
    monkeypatch.chdir(tmp_path)
    return run_encorec


def test_metrics_are_those_of_the_function(encorec: Command) -> None:
    options = ("--metric", "map,ndcg", "--metric", "recall@2,miuf@2,ild@3", "--at", "1,3")
    tables = ("--recs", "new.csv", "--truth", "truth.csv", "--train", "train.csv", "--items", "items.csv")
    code, text, told = encorec("metrics", *tables, *options, "--option", "map.denominator=min", "--seed", 5, "--json")
    assert (code, told) == (0, "")
    found = metrics(
        "new.csv",
        "truth.csv",
        ["map", "ndcg", "recall@2", "miuf@2", "ild@3"],
        at=[1, 3],
        train="train.csv",
        items="items.csv",
        options=MetricOptions(map_denominator="min"),
        seed=5,
    )
    content = json.loads(text)
    assert content == found.as_dict()
    assert list(content)[:7] == ["map@1", "map@3", "ndcg@1", "ndcg@3", "recall@2", "miuf@2", "ild@3"]
    assert content["map@3"]["mean"] == pytest.approx(((1 + 2 / 3) / 2 + 1 / 2 + 0) / 3)


def test_metrics_are_shown_as_a_table(encorec: Command) -> None:
    code, text, _ = encorec("metrics", "--recs", "new.csv", "--truth", "truth.csv", "--train", "train.csv")
    assert code == 0
    assert all(name in text for name in ("map@10", "miuf@10", "coverage@10"))
    assert "3 users, 2 of them with a list (the others count as 0)" in text
    assert "seed 0, 1,000 resamples" in text


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_values_of_users_are_written(encorec: Command, tmp_path: Path, kind: str) -> None:
    out = tmp_path / f"values.{kind}"
    lists = ("--recs", "new.csv", "--truth", "truth.csv", "--metric", "mrr@3")
    code, _, told = encorec("metrics", *lists, "--per-user", out)
    assert (code, told) == (0, f"3 rows: {out}\n")
    written = pl.read_csv(out) if kind == "csv" else pl.read_parquet(out)
    assert written.to_dict(as_series=False) == {"user_id": [1, 2, 3], "mrr@3": [1.0, 0.5, 0.0]}
    code, _, _ = encorec("compare", "--recs", "old.parquet", *lists, "--per-user", out)
    written = pl.read_csv(out) if kind == "csv" else pl.read_parquet(out)
    assert written.columns == ["system", "user_id", "mrr@3"]
    assert written["system"].to_list() == ["old"] * 3 + ["new"] * 3
    assert encorec("metrics", *lists, "--per-user", "values.xml")[0] == 2


def test_systems_are_compared_with_the_first_or_with_a_reference(encorec: Command) -> None:
    lists = ("--recs", "old.parquet", "--recs", "new.csv", "--truth", "truth.csv", "--metric", "recall", "--at", "1,3")
    code, text, told = encorec("compare", *lists, "--json")
    assert (code, told) == (0, "")
    expected = compare_lists({"old": "old.parquet", "new": "new.csv"}, "truth.csv", ["recall"], at=[1, 3])
    assert json.loads(text) == expected.as_dict()
    for name in ("new", "new.csv"):
        turned = json.loads(encorec("compare", *lists, "--reference", name, "--json")[1])
        assert turned["reference"] == "new"
        assert turned["comparisons"]["old"]["recall@3"]["mean"] == pytest.approx(-(1 / 2 + 1) / 3)
    code, table, _ = encorec("compare", *lists)
    assert code == 0
    assert all(part in table for part in ("recall@3", "+0.5000", "p Holm", "66.7/33.3/0.0 %"))


def test_files_of_one_name_are_told_apart_by_their_folders(encorec: Command, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        RECS.write_csv(tmp_path / name / "lists.csv")
    lists = ("--recs", "a/lists.csv", "--recs", "b/lists.csv", "--truth", "truth.csv")
    _, text, _ = encorec("compare", *lists, "--metric", "map@3", "--json")
    assert json.loads(text)["systems"].keys() == {"a/lists.csv", "b/lists.csv"}


MISTAKES: dict[str, tuple[str, str]] = {
    "a misspelt metric": ("metrics {lists} --metric mapp@10", "unknown metric 'mapp': did you mean 'map'?"),
    "a misspelt option": ("metrics {lists} --option map.denominater=min", "did you mean 'map.denominator'?"),
    "a missing table": ("metrics {lists} --metric miuf@10", "miuf reads train, which was not given"),
    "no such file": ("metrics --recs none.csv --truth truth.csv", "none.csv: cannot be read"),
    "no such column": (
        "metrics --recs train.csv --truth truth.csv",
        "has neither a column 'rank' nor a column 'score'",
    ),
    "one system": ("compare {lists}", "a comparison needs the lists of two systems or more, got 1"),
    "no such reference": ("compare {lists} --recs old.parquet --reference odl", "did you mean 'old'?"),
    "not a submission": ("leaderboard score truth.csv --truth truth.csv", "4 cells that cannot be read as a list"),
    "an unwritable kind": (
        "leaderboard make nowhere --sample truth.csv --out x.parquet",
        "unknown format '.parquet', a submission is a .csv file",
    ),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_is_told_without_a_traceback(encorec: Command, case: str) -> None:
    command, message = MISTAKES[case]
    code, shown, told = encorec(*command.format(lists="--recs new.csv --truth truth.csv").split())
    assert (code, shown) == (1, "")
    assert told.startswith("error: ")
    assert message in told


@pytest.mark.parametrize("options", ["--at ten", "--at 1.5", "--recs new.csv"])
def test_options_that_cannot_be_read_are_refused(encorec: Command, options: str) -> None:
    command = "compare --recs new.csv --recs old.parquet --truth truth.csv"
    assert encorec(*f"{command} {options}".split())[0] == 2


def test_a_submission_serves_everybody_and_is_valid(encorec: Command, trained: Trained, tmp_path: Path) -> None:
    """Users of the sample: two with interactions, one without, one unknown; in the order of the sample."""
    users = [7, USERS - 1, 5, 10_000]
    pl.DataFrame({"user_id": users, "item_id": ["[1, 2]"] * 4}).write_csv("sample.csv")
    pl.DataFrame({"item_id": range(ITEMS)}).write_csv("all.csv")
    code, _, told = encorec("leaderboard", "make", trained.folder, "--sample", "sample.csv", "--out", "mine.csv")
    assert code == 0
    assert "4 users, 3 of them known to the artifact; 0 lists below 10: mine.csv" in told
    assert not [one.name for one in tmp_path.iterdir() if one.name.startswith(".")]
    mine = pl.read_csv("mine.csv")
    assert mine["user_id"].to_list() == users
    answers = trained.engine.recommend([Request(user_id=user, k=10) for user in users])
    wanted = [[item.item_id for item in answer.items] for answer in answers]
    assert [ast.literal_eval(cell) for cell in mine["item_id"]] == wanted
    code, text, _ = encorec("leaderboard", "validate", "mine.csv", "--sample", "sample.csv", "--items", "all.csv")
    assert (code, text.startswith("valid: 4 users; 40 places, ")) == (0, True)


def test_faults_of_a_submission_are_told_all_at_once(encorec: Command) -> None:
    pl.DataFrame({"user_id": [1, 1, 9], "item_id": ["[1, 1]", "[2]", "1 2"]}).write_csv("mine.csv")
    code, text, told = encorec("leaderboard", "validate", "mine.csv", "--sample", "truth.csv", "--items", "items.csv")
    assert (code, text) == (1, "")
    lines = told.splitlines()
    assert all(line.startswith("error: mine.csv: ") for line in lines)
    assert len(lines) == 6
    assert "1 cell that cannot be read as a list (first: data row 3, user 9, 1 2)" in lines[0]
    code, text, told = encorec("leaderboard", "validate", "mine.csv", "--sample", "truth.csv", "--json")
    assert (code, told) == (1, "")
    content = json.loads(text)
    assert not content["valid"]
    assert {one["fault"] for one in content["problems"]} == {
        *("not a list", "user twice", "item twice", "user unknown", "user left out")
    }


def test_a_submission_is_scored(encorec: Command) -> None:
    pl.DataFrame({"user_id": [1, 2], "item_id": ["[10, 20, 30]", "[40, 20]"]}).write_csv("mine.csv")
    command = ("leaderboard", "score", "mine.csv", "--truth", "truth.csv")
    code, text, _ = encorec(*command, "--public-share", 0.4, "--seed", 1, "--json")
    assert code == 0
    assert json.loads(text) == score_submission("mine.csv", "truth.csv", public_share=0.4, seed=1).as_dict()
    pl.DataFrame({"user_id": [1, 2, 3], "public": [True, False, False]}).write_csv("split.csv")
    code, table, _ = encorec(*command, "--split", "split.csv")
    assert code == 0
    assert "0.444444" in table
    assert "parts: column 'public' of split.csv" in table
