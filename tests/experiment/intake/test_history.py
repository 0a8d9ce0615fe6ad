"""A history of units or events, against a slow twin, and with broken rows."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from encorec.errors import DataError
from encorec.experiment.intake.history import DAY, read_history
from encorec.experiment.spec import ExperimentSpec, MetricSpec

SPEC = ExperimentSpec(
    name="shelf",
    variants={"control": 0.5, "treatment": 0.5},
    metric=(
        MetricSpec(name="minutes", value="minutes", role="primary", covariate="minutes_before"),
        MetricSpec(name="left", kind="share", value="left"),
    ),
)


def events(seed: int = 0) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    return pl.DataFrame(
        {
            "user_id": rng.integers(0, 60, 400),
            "timestamp": 1_700_000_000 + rng.integers(0, 10 * DAY, 400),
            "minutes": rng.gamma(1, 30, 400),
            "left": rng.integers(0, 2, 400),
        }
    )


@pytest.mark.parametrize("kind", ["csv", "parquet"])
@pytest.mark.parametrize("days", [1, 4, None])
def test_events_are_summed_within_their_window(tmp_path: Path, kind: Any, days: int | None) -> None:
    table, path = events(), tmp_path / f"log.{kind}"
    table.write_csv(path) if kind == "csv" else table.write_parquet(path)
    history = read_history(path, SPEC)
    start = min(table["timestamp"].to_list())
    sums: dict[int, float] = {}
    for user, second, minutes, _ in table.iter_rows():
        if days is None or second < start + days * DAY:
            sums[user] = sums.get(user, 0.0) + minutes
    found = history.within(days)
    assert sorted(found["minutes"].tolist()) == pytest.approx(sorted(sums.values()))
    assert set(found["left"].tolist()) <= {0.0, 1.0}
    assert history.accrual()[-1 if days is None else days - 1] == len(sums)


def test_covariates_are_what_lies_before_the_window() -> None:
    table = events(1)
    history = read_history(table, SPEC)
    assert history.sources == {"minutes_before": "minutes"}
    cut = min(table["timestamp"].to_list()) + ((history.days or 0) - 3) * DAY
    late = table.filter(pl.col("timestamp") >= cut).group_by("user_id").agg(pl.col("minutes").sum())
    early = table.filter(pl.col("timestamp") < cut).group_by("user_id").agg(before=pl.col("minutes").sum())
    twin = late.join(early, on="user_id", how="left").with_columns(pl.col("before").fill_null(0.0)).sort("user_id")
    found = history.paired(3)
    assert found["minutes"] == pytest.approx(twin["minutes"].to_numpy())
    assert found["minutes_before"] == pytest.approx(twin["before"].to_numpy())
    assert "minutes_before" not in history.within(3)


def test_half_of_the_history_is_left_for_covariates() -> None:
    history = read_history(events(), SPEC)
    assert history.paired(99)["minutes"] == pytest.approx(history.paired(5)["minutes"])
    one_day = read_history(events().with_columns(timestamp=pl.lit(1_700_000_000, pl.Int64)), SPEC)
    assert "minutes_before" not in one_day.paired()


def test_one_row_per_unit_is_taken_as_it_is() -> None:
    table = pl.DataFrame({"user_id": ["b", "a"], "minutes": [3.0, 5], "minutes_before": [1, 2], "left": [True, False]})
    history = read_history(table, SPEC)
    assert (history.units, history.days) == (2, None)
    assert history.within(7)["left"].tolist() == [1.0, 0.0]
    assert history.paired()["minutes_before"].tolist() == [1.0, 2.0]
    with pytest.raises(DataError, match="no column 'timestamp'"):
        history.accrual()


@pytest.mark.parametrize(
    ("table", "told"),
    [
        (pl.DataFrame({"user": [1], "minutes": [1.0]}), "did you mean 'user'"),
        (pl.DataFrame({"user_id": [1, 1], "minutes": [1.0, 2]}), "1 value repeated"),
        (pl.DataFrame({"user_id": [1, 2], "minutes": [1.0, None]}), "1 value missing"),
        (pl.DataFrame({"user_id": [1, 2], "minutes": [1.0, float("inf")]}), "infinite"),
        (pl.DataFrame({"user_id": [1, 2], "minutes": ["x", "1"]}), "unreadable"),
        (pl.DataFrame({"user_id": [1], "timestamp": ["soon"], "minutes": [1.0]}), "timestamp"),
        (pl.DataFrame({"user_id": pl.Series([], dtype=pl.Int64), "minutes": []}), "no rows|empty|without rows"),
    ],
)
def test_broken_tables_are_refused(table: pl.DataFrame, told: str) -> None:
    with pytest.raises(DataError, match=told):
        read_history(table, SPEC)


def test_units_may_be_called_unit() -> None:
    rows = {"minutes": [1.0, 2, 3]}
    first = read_history(pl.DataFrame({"user_id": [5, 7, 9], **rows}), SPEC)
    second = read_history(pl.DataFrame({"unit": [5, 7, 9], **rows}), SPEC)
    assert second.unit.tolist() == first.unit.tolist()
    assert list(second.columns) == ["minutes"]


def test_an_event_without_a_value_adds_nothing() -> None:
    table = pl.DataFrame({"user_id": [1, 1], "timestamp": [0, 5], "minutes": [None, 2.0]})
    assert read_history(table, SPEC).within()["minutes"].tolist() == [2.0]
