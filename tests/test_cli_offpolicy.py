"""`encorec ope` in this process: what it prints, its exit codes, and that a mistake is one line."""

import json
from pathlib import Path

import polars as pl
import pytest
from tests.conftest import Command
from tests.evaluation.offpolicy.worlds import contextual_world, slate_world

from encorec.evaluation.offpolicy import OffPolicyConfig, RewardModelConfig, evaluate_policy

WORLD = contextual_world(1)


@pytest.fixture
def encorec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run_encorec: Command) -> Command:
    """The command in a folder with a log and a policy."""
    WORLD.log.write_csv(tmp_path / "log.csv")
    WORLD.log.head(50).write_csv(tmp_path / "short.csv")
    WORLD.policy.write_parquet(tmp_path / "policy.parquet")
    monkeypatch.chdir(tmp_path)
    return run_encorec


def test_json_is_that_of_the_function(encorec: Command) -> None:
    tables = ("--log", "log.csv", "--policy", "policy.parquet")
    options = ("--reward-model", "ridge", "--folds", 3, "--resamples", 50, "--clip", 4, "--seed", 2)
    code, text, told = encorec("ope", *tables, *options, "--json")
    assert (code, told) == (0, "")
    config = OffPolicyConfig(reward_model=RewardModelConfig(folds=3), resamples=50, clip=4.0)
    content = json.loads(text)
    assert content == evaluate_policy("log.csv", "policy.parquet", config=config, seed=2).as_dict()
    assert content["estimators"].keys() >= {"ips", "clipped_ips", "snips", "dm", "dr", "sndr", "switch_dr", "dros"}
    assert content["diagnostics"].keys() >= {"n", "ess", "mean_weight", "max_weight", "top_share", "support"}


def test_a_table_is_shown(encorec: Command) -> None:
    code, text, _ = encorec("ope", "--log", "log.csv", "--policy", "policy.parquet", "--resamples", 50)
    assert code == 0
    assert all(word in text for word in ("snips", "times logged", "logged: ", "ess", "mean_weight"))


def test_a_refusal_has_its_own_exit_code(encorec: Command) -> None:
    tables = ("--log", "short.csv", "--policy", "policy.parquet", "--resamples", 50)
    code, text, told = encorec("ope", *tables, "--json")
    content = json.loads(text)
    assert code == 3
    assert content["refused"] in told
    assert "ESS" in content["refused"]
    assert all(one["value"] is None for one in content["estimators"].values())
    code, text, told = encorec("ope", *tables, "--force", "--json")
    assert code == 0
    assert json.loads(text)["refused"] == content["refused"]
    assert json.loads(text)["estimators"]["ips"]["value"] is not None
    assert "shown because of --force" in told
    assert encorec("ope", *tables, "--min-ess", 5)[0] == 0
    assert "refused" in encorec("ope", *tables)[1]


def test_slates_are_shown_per_slate(encorec: Command) -> None:
    world = slate_world(2, slates=800)
    world.log.write_csv("slates.csv")
    world.policy.write_csv("policy.csv")
    code, text, told = encorec("ope", "--log", "slates.csv", "--policy", "policy.csv", "--resamples", 50)
    assert code == 0
    assert all(f"{name} per slate" in text for name in ("sips", "iips", "rips"))
    assert "note: iips takes" in told


MISTAKES = {
    "no such file": ("--log none.csv", 1, "none.csv: cannot be read"),
    "no target": ("--log log.csv", 1, "log.csv: no target policy"),
    "no log": ("", 2, ""),
    "an unknown data set": ("--dataset bandit", 2, ""),
    "two logs": ("--dataset open-bandit --log log.csv", 2, ""),
    "a path alone": ("--log log.csv --path .", 2, ""),
    "a folder without the data": ("--dataset open-bandit --path .", 1, "holds no 'random/all/all.csv'"),
    "an unknown interval": ("--log log.csv --policy policy.parquet --interval bcb", 1, "did you mean 'bca'?"),
    "an unknown model": ("--log log.csv --policy policy.parquet --reward-model rigde", 1, "did you mean 'ridge'?"),
    "an unknown context": ("--log log.csv --policy policy.parquet --context town", 1, "unknown context column 'town'"),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_is_told_without_a_traceback(encorec: Command, case: str) -> None:
    options, expected, message = MISTAKES[case]
    code, shown, told = encorec("ope", *options.split())
    assert (code, shown) == (expected, "")
    assert message in told
    assert "Traceback" not in told


def test_files_that_are_wrong_name_column_and_row(encorec: Command) -> None:
    WORLD.log.with_columns(propensity=pl.when(pl.int_range(pl.len()) == 4).then(0.0).otherwise(0.5)).write_csv(
        "bad.csv"
    )
    code, _, told = encorec("ope", "--log", "bad.csv", "--policy", "policy.parquet")
    assert code == 1
    assert "bad.csv: column 'propensity' has 1 value outside 0..1 or 0 (first: data row 5, '0.0')" in told
