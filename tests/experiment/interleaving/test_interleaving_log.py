"""Logs of mixed lists as files and frames, the good and the bad ones, and what is said of them."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from encorec.errors import DataError
from encorec.experiment.interleaving.log import InterleavingLog, read_interleaving_log
from encorec.experiment.interleaving.mixing import interleave
from encorec.experiment.interleaving.report import interleaving_report

LOG = pl.DataFrame(
    {
        "session": [1, 1, 1, 2, 2, 3, 3],
        "unit": ["u", "u", "u", "u", "u", "v", "v"],
        "position": [1, 2, 3, 1, 2, 1, 2],
        "item": [10, 20, 30, 10, 20, 10, 30],
        "team": ["new", "old", "new", "old", "new", None, "old"],
        "click": [1, 0, 1, 1, 0, 1, 1],
        "watch": [10.0, 0.0, 2.5, 30.0, 0.0, 5.0, 1.0],
    }
)


def test_credit_is_summed_by_unit(tmp_path: Path) -> None:
    LOG.write_csv(tmp_path / "log.csv")
    LOG.write_parquet(tmp_path / "log.parquet")
    for given in (
        LOG,
        tmp_path / "log.csv",
        tmp_path / "log.parquet",
        LOG.to_pandas(),
        LOG.sample(7, shuffle=True, seed=1),
    ):
        log = read_interleaving_log(given)
        assert log.rankers == ("new", "old")
        assert log.credit.tolist() == [[2, 1], [0, 1]]
        assert (log.places.tolist(), log.first_places.tolist()) == ([3, 3], [1, 2])
    assert read_interleaving_log(LOG, value="watch").credit.tolist() == [[12.5, 30], [0, 1]]
    assert read_interleaving_log(LOG.drop("click")).value == "watch"


def test_weights_and_rankers_as_given() -> None:
    weighted = LOG.with_columns(credit=pl.Series([0.5, 1, 1, 1, 1, 0, 3]))
    log = read_interleaving_log(weighted, rankers=["old", "new", "never"])
    assert log.rankers == ("old", "new", "never")
    assert log.credit.tolist() == [[1, 1.5, 0], [3, 0, 0]]


def test_teams_of_numbers_with_nobody_as_minus_one() -> None:
    log = read_interleaving_log(LOG.with_columns(team=pl.Series([0, 1, 0, 1, 0, -1, 1])))
    assert (log.rankers, log.credit.tolist()) == (("0", "1"), [[2, 1], [0, 1]])


def test_a_log_without_requests_is_enough() -> None:
    log = read_interleaving_log(LOG.select("unit", "team", "click"))
    assert log.credit.tolist() == [[2, 1], [0, 1]]
    assert log.first_places.tolist() == [0, 0]


def test_hostile_logs_are_refused() -> None:
    def changed(**columns: list[Any]) -> pl.DataFrame:
        return LOG.with_columns(**{name: pl.Series(values, strict=False) for name, values in columns.items()})

    cases: list[tuple[pl.DataFrame, str]] = [
        (LOG.drop("team"), "unknown column 'team'"),
        (LOG.drop("unit"), "unknown column 'unit'"),
        (LOG.drop("click", "watch"), "neither a column 'click' nor 'watch'"),
        (changed(click=[1, 0, -1, 0, 0, 0, 0]), "below 0"),
        (changed(click=[1, 0, None, 0, 0, 0, 0]), "missing"),
        (changed(click=[1, 0, float("inf"), 0, 0, 0, 0]), "infinite"),
        (changed(click=["a", "0", "0", "0", "0", "0", "0"]), "unreadable as a number"),
        (changed(unit=["u", None, "u", "u", "u", "v", "v"]), "missing"),
        (changed(unit=["u", "w", "u", "u", "u", "v", "v"]), "1 session with two units"),
        (changed(position=[1, 1, 3, 1, 2, 1, 2]), "twice in a session"),
        (changed(item=[10, 10, 3, 1, 2, 1, 2]), "twice in a session"),
        (changed(team=["new"] * 7), "at least two different ones"),
        (changed(team=[None] * 7), "the rankers are none"),
        (LOG[:0], "no rows"),
    ]
    for log, message in cases:
        with pytest.raises(DataError, match=message):
            read_interleaving_log(log)
    with pytest.raises(DataError, match="unknown team 'old': did you mean 'odl'"):
        read_interleaving_log(LOG, rankers=["new", "odl"])
    with pytest.raises(DataError, match="unknown column 'likes'"):
        read_interleaving_log(LOG, value="likes")
    with pytest.raises(DataError, match="no-such"):
        read_interleaving_log("no-such.csv")


def mixed_log(units: int, seed: int, liked: float, lead: int | None = None) -> InterleavingLog:
    """Lists of two rankers mixed by team draft; items of the first are clicked ``liked`` times as often."""
    rng = np.random.default_rng(seed)
    rows: list[tuple[Any, ...]] = []
    for unit in range(units):
        mixed = interleave([[1, 2, 3, 4, 5], [6, 2, 7, 8, 9]], 5, rng)
        team = mixed.team.tolist() if lead is None else [lead, *mixed.team.tolist()[1:]]
        for place, (item, whose) in enumerate(zip(mixed.items, team, strict=True), 1):
            chance = 0.2 * (liked if item in (1, 3, 4, 5) else 1)
            rows.append((unit, unit, place, item, ("A", "B", None)[whose], rng.random() < chance))
    return read_interleaving_log(
        pl.DataFrame(rows, ["request", "unit", "position", "item", "team", "click"], orient="row")
    )


def test_a_better_ranker_is_found_and_equal_ones_are_not() -> None:
    better = interleaving_report(mixed_log(400, 1, 1.8), resamples=300)
    assert better["preference"] > 0.05
    assert better["p"] < 0.01
    assert better["ci95"][0] > 0
    assert better["warnings"] == []
    p = [interleaving_report(mixed_log(150, seed, 1.0), resamples=20)["p"] for seed in range(40)]
    assert sum(one < 0.05 for one in p) <= 5


def test_lists_that_were_not_mixed_by_lot_raise_the_alarm() -> None:
    found = interleaving_report(mixed_log(200, 2, 1.0, lead=0), resamples=20)
    assert "not shared evenly (A 200, B 0" in found["warnings"][0]


def test_silence_and_several_rankers_have_the_same_shape() -> None:
    silent = interleaving_report(read_interleaving_log(LOG.with_columns(click=pl.lit(0))))
    assert (silent["preference"], silent["ci95"], silent["p"], silent["silent_units"]) == (0, None, 1.0, 2)
    assert "nothing can be said" in silent["warnings"][0]
    three = interleaving_report(read_interleaving_log(LOG, rankers=["new", "old", "third"]))
    assert list(three) == list(silent)
    assert three["preference"] is None
    assert len(three["pairs"]) == 3
