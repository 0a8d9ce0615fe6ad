"""Looks before the end and after it: what they may see, which units they count as planned, what is refused."""

from datetime import date

import msgspec
import numpy as np
import polars as pl
import pytest
from tests.experiment.analysis.small_experiments import DAY, LEFT, LONG, START, WATCH, entry, frames, run, spec

from encorec.errors import DataError
from encorec.experiment.analysis.analyse import analyze
from encorec.experiment.analysis.outcome import Outcome
from encorec.experiment.intake.exposures import read_exposures
from encorec.experiment.intake.unit_table import UnitTable
from encorec.experiment.spec import AnalysisSpec, MetricSpec


def test_without_a_planned_end_nothing_is_held_back() -> None:
    found = run(spec(days=None), frames(days=9))
    assert found["verdict"] == "ship"
    assert found["planned_end"]["reached"]
    assert "every look counts as the one look" in found["reasons"][-1]
    assert entry(found, "watch")["ci95"] is not None
    untimed = frames()[0].drop("first_exposed_at"), frames()[1]
    assert run(spec(days=None, start=None), untimed)["verdict"] == "ship"


def test_without_a_planned_end_a_sequence_decides_alone() -> None:
    kinds = AnalysisSpec(sequential="asymptotic-cs")
    tables = frames(lift=(0.0, 0.045))
    registered = spec(days=None, analysis=kinds, metric=(WATCH, LEFT))
    found = run(registered, tables)
    assert entry(found, "watch")["p"] < 0.05
    assert found["sequential"]["metrics"][0]["p"] > 0.05
    assert found["verdict"] == "keep-running"
    assert "(no end is planned)" in found["rule"]
    assert run(registered, tables, final=True)["verdict"] == "ship"


def test_an_early_look_at_events_sees_nothing_of_the_future() -> None:
    """The slow twin: files that hold no more than what had happened."""
    rng = np.random.default_rng(1)
    exposures, _ = frames(n=900)
    again = exposures[:3].with_columns(variant=pl.lit("new"), first_exposed_at=pl.lit(START + 9 * DAY, pl.Int64))
    exposures = pl.concat([exposures, again])
    unit = rng.integers(0, 900, 9000)
    time = START + rng.integers(-14 * DAY, 20 * DAY, 9000)
    events = pl.DataFrame({"unit": unit, "timestamp": time, "minutes": rng.gamma(2, 5, 9000)})
    metric = MetricSpec(name="watch", value="minutes", covariate="minutes_before", role="primary")
    registered = spec(metric=(metric,), money=None)
    now = START + 6 * DAY
    seen = read_exposures(exposures, registered, until=now)
    table = UnitTable.read(registered, seen, events)
    twin = run(
        registered,
        (exposures.filter(pl.col("first_exposed_at") < now), events.filter(pl.col("timestamp") < now)),
        now=now,
        final=True,
    )
    found = analyze(registered, seen, table, now=now, final=True)
    assert found["metrics"] == twin["metrics"]
    assert found["checks"] == twin["checks"]
    assert any("exposures at or after the time of the look" in note for note in found["notes"])
    assert any("events at or after the time of the look" in note for note in found["notes"])


def test_what_happens_after_the_planned_end_does_not_count() -> None:
    exposures = pl.DataFrame(
        {
            "unit": range(9),
            "variant": ["control", "new"] * 4 + ["control"],
            "first_exposed_at": [START] * 8 + [START + 2 * DAY],
        }
    )
    events = pl.DataFrame(
        {
            "unit": [0, 1, 0, 8, 3],
            "timestamp": [START + 5, START + 2 * DAY - 1, START + 2 * DAY, START + 2 * DAY + 5, START - 5],
            "minutes": [1.0, 2, 50, 60, 70],
        }
    )
    metric = MetricSpec(name="watch", value="minutes", covariate="minutes_before", role="primary")
    registered = spec(metric=(metric,), money=None, days=2)
    seen = read_exposures(exposures, registered)
    table = UnitTable.read(registered, seen, events)
    assert table.columns["minutes"].tolist() == [1, 2, 0, 0, 0, 0, 0, 0]
    assert table.columns["minutes_before"].tolist() == [0, 0, 0, 70, 0, 0, 0, 0]
    assert table.missing == (0, 0)
    assert "left out: 1 unit first exposed after the planned end" in table.notes
    long = UnitTable.read(spec(metric=(metric,), days=30), seen, events)
    assert long.columns["minutes"].tolist() == [51, 2, 0, 0, 0, 0, 0, 0, 60]
    late = spec(metric=(metric,), days=2, start=date(2026, 11, 1))
    with pytest.raises(DataError, match="is 'start' of the specification right"):
        UnitTable.read(late, seen, events)


def test_a_table_of_units_cannot_be_cut_and_says_so() -> None:
    tables = frames()
    seen = read_exposures(tables[0], spec(), until=START + 5 * DAY)
    table = UnitTable.read(spec(), seen, tables[1])
    assert len(table) == len(seen) < 4000
    assert any("cannot be cut at the time of the look" in note for note in table.notes)
    untimed = read_exposures(tables[0].drop("first_exposed_at"), spec(), until=START + 5 * DAY)
    assert any("has no times" in note for note in UnitTable.read(spec(), untimed, tables[1]).notes)
    with pytest.raises(DataError, match="all of its 4,000 rows"):
        read_exposures(tables[0], spec(), until=START - 1)


def test_planned_units_of_the_specification_come_before_time() -> None:
    kinds = AnalysisSpec(sequential="asymptotic-cs", planned_units=9000)
    registered, tables = spec(analysis=kinds), frames(days=9)
    found = run(registered, tables)["sequential"]
    assert (found["planned_units"], found["planned_from"]) == (9000, "plan")
    assert found["metrics"][0]["share"] == pytest.approx(4000 / 9000)
    assert run(registered, tables, planned_units=5000)["sequential"]["planned_from"] == "given"
    by_time = run(spec(analysis=AnalysisSpec(sequential="asymptotic-cs")), tables)["sequential"]
    assert by_time["planned_from"] == "time"


@pytest.mark.parametrize(("ended", "look"), [(False, 3), (True, 5)])
def test_the_last_planned_look_is_taken_at_the_end_whatever_came(ended: bool, look: int) -> None:
    kinds = AnalysisSpec(sequential="obrien-fleming", planned_units=6000)
    found = run(spec(analysis=kinds), frames(days=14 if ended else 9))["sequential"]
    assert found["metrics"][0]["look"] == look


def test_a_guardrail_that_a_look_leaves_open_is_unproven() -> None:
    kinds = AnalysisSpec(sequential="asymptotic-cs")
    left = MetricSpec(name="left", kind="share", value="left", role="guardrail", margin=0.001, direction="down")
    found = run(spec(analysis=kinds, metric=(WATCH, left)), frames(days=9))
    told = next(one for one in found["reasons"] if "guardrail 'left'" in one)
    assert "not shown to be below the margin" in told
    without = run(spec(metric=(WATCH, left)), frames(days=9))
    assert any("guardrail 'left' is not read before the planned end" in one for one in without["reasons"])


@pytest.mark.parametrize("huge", [2e100, -1e200, 1.7e308])
def test_values_that_would_overflow_are_refused(huge: float) -> None:
    exposures, metrics = frames(n=40)
    minutes = metrics["minutes"].to_numpy().copy()
    minutes[[7, 9]] = huge
    for metric in (WATCH, LONG):
        registered = spec(metric=(msgspec.structs.replace(metric, role="primary"),), money=None)
        with pytest.raises(DataError, match=r"'minutes' has 2 values that are beyond 1e\+100 \(first: unit 7 "):
            run(registered, (exposures, metrics.with_columns(minutes=minutes)))
        arm = np.arange(40) % 2
        columns = {"minutes": minutes, "before": np.ones(40)}
        with pytest.raises(DataError, match=r"'minutes' has 2 values that are beyond 1e\+100 \(first: unit in row 7"):
            UnitTable.of(registered, arm, columns)
        with pytest.raises(DataError, match="'minutes' has 2 values beyond 1e"):
            Outcome.of(metric, columns)
