"""The generated cinema: what it writes can be read, follows the assignment, and its true effect is what it says."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from encorec.errors import ConfigError, DataError
from encorec.experiment.assignment.draw import assign
from encorec.experiment.simulation.example import ExampleConfig, write_example
from encorec.experiment.spec import load_spec

USERS = 6000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("example")
    write_example(found, ExampleConfig(users=USERS, effect=0.5, clicks_effect=0.5, seed=1))
    return found


def test_exposures_are_the_first_visits_of_assigned_users(folder: Path) -> None:
    spec = load_spec(folder / "experiment.toml")
    exposures, events = pl.read_csv(folder / "exposures.csv"), pl.read_csv(folder / "metrics.csv")
    codes = assign(spec, exposures["user_id"].to_numpy()).variant
    assert [list(spec.variants)[code] for code in codes] == exposures["variant"].to_list()
    inside = events.filter(pl.col("timestamp") >= 1_793_577_600)  # 2026-11-02
    first = inside.group_by("user_id").agg(pl.col("timestamp").min())
    seen = exposures.join(first, on="user_id", how="left")
    assert (seen["first_exposed_at"] == seen["timestamp"]).all()
    assigned = assign(spec, np.arange(1, USERS + 1)).variant >= 0
    visited = set(inside["user_id"].to_list())
    assert set(exposures["user_id"].to_list()) == {user for user in visited if assigned[user - 1]}


def test_the_true_effect_is_there_after_the_exposure_and_not_before(folder: Path) -> None:
    exposures, events = pl.read_csv(folder / "exposures.csv"), pl.read_csv(folder / "metrics.csv")
    joined = events.join(exposures, on="user_id").with_columns(after=pl.col("timestamp") >= pl.col("first_exposed_at"))
    found = joined.group_by("variant", "after").agg(
        pl.col("watch_minutes").mean(), ctr=pl.col("clicks").sum() / pl.col("impressions").sum()
    )
    gain = {after: found.filter(variant="treatment", after=after).row(0)[2:] for after in (True, False)}
    base = {after: found.filter(variant="control", after=after).row(0)[2:] for after in (True, False)}
    for after, expected in ((True, 1.5), (False, 1.0)):
        for ours, theirs in zip(gain[after], base[after], strict=True):
            assert ours / theirs == pytest.approx(expected, abs=0.09)


def test_history_ends_before_the_start_and_a_user_cancels_once_in_a_period(folder: Path) -> None:
    history, events = pl.read_csv(folder / "history.csv"), pl.read_csv(folder / "metrics.csv")
    assert events.filter(pl.col("timestamp") < 1_793_577_600).equals(history)
    assert history.group_by("user_id").agg(pl.col("cancelled").sum())["cancelled"].max() == 1
    assert 0.02 < history.group_by("user_id").agg(pl.col("cancelled").sum())["cancelled"].mean() < 0.06  # pyright: ignore[reportOperatorIssue]


def test_a_seed_writes_the_same_files(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_example(tmp_path / name, ExampleConfig(users=200, seed=4))
    write_example(tmp_path / "c", ExampleConfig(users=200, seed=5))
    for file in ("units.csv", "metrics.csv", "exposures.csv"):
        same, other = (tmp_path / name / file for name in ("b", "c"))
        assert (tmp_path / "a" / file).read_bytes() == same.read_bytes() != other.read_bytes()


def test_what_cannot_be_made_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="users is 5"):
        ExampleConfig(users=5)
    (tmp_path / "taken").write_text("")
    with pytest.raises(DataError, match="cannot be written"):
        write_example(tmp_path / "taken", ExampleConfig(users=200))
