"""Unit tables: one row per unit, events against a loop in plain Python, daily sums, and every fault by its place."""

from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.experiment.intake.intake_specs import CLICKS, spec_of

from encorec.errors import ConfigError, DataError
from encorec.experiment.intake.exposures import Exposures, read_exposures
from encorec.experiment.intake.unit_table import UnitTable
from encorec.experiment.spec import AnalysisSpec, ExperimentSpec, MetricSpec

DAY = 86_400
CTR = MetricSpec(name="ctr", kind="ratio", numerator="clicks", denominator="views")
BOUGHT = MetricSpec(name="bought", kind="share", value="bought")
BEFORE = MetricSpec(name="clicks", value="clicks", role="primary", covariate="clicks_before")


def exposed(spec: ExperimentSpec, times: tuple[int, ...] = (100, 200, 300, 400), **more: Any) -> Exposures:
    """Units 1, 3, 5 and 7; the first two are controls."""
    units = {"unit": [1, 3, 5, 7], "variant": ["control"] * 2 + ["treatment"] * 2, "first_exposed_at": times}
    return read_exposures(pl.DataFrame(units | more), spec)


def test_rows_are_brought_into_the_order_of_the_exposures() -> None:
    spec = spec_of(CLICKS, CTR, BOUGHT, analysis=AnalysisSpec(segments=("city",)))
    rows = pl.DataFrame(
        {
            "user_id": [7, 9, 1, 5],
            "clicks": [4, 1, 2, 3],
            "views": [8.0, float("nan"), 6.0, 7.0],
            "bought": [True, None, False, True],
            "city": ["b", "a", "a", None],
        }
    )
    table = UnitTable.read(spec, exposed(spec), rows)
    assert {name: one.tolist() for name, one in table.columns.items()} == {
        "clicks": [2, 3, 4],
        "views": [6, 7, 8],
        "bought": [0, 1, 1],
    }
    assert table.variant.tolist() == [0, 1, 1]
    assert table.first_seen is not None
    assert table.first_seen.tolist() == [100, 300, 400]
    codes, labels = table.segments["city"]
    assert [labels[code] for code in codes] == ["a", "unknown", "b"]
    assert table.missing == (1, 0)
    assert table.notes == (
        "not exposed, so not counted: 1 unit of metrics",
        "left out: 1 exposed unit without a row in metrics",
    )


def test_text_and_parquet_give_the_same_table(tmp_path: Path) -> None:
    spec = spec_of(BEFORE)
    rows = pl.DataFrame({"unit": [1, 3, 5, 7], "clicks": [1.5, 2, 3, 4], "clicks_before": [0, 1, 2, 3]})
    rows.write_csv(tmp_path / "rows.csv")
    rows.write_parquet(tmp_path / "rows.parquet")
    one, two = (UnitTable.read(spec, exposed(spec), tmp_path / f"rows.{kind}") for kind in ("csv", "parquet"))
    assert all((one.columns[name] == two.columns[name]).all() for name in ("clicks", "clicks_before"))


EVENT = st.tuples(st.sampled_from([1, 3, 5, 7, 9]), st.integers(0, 4 * DAY), st.integers(0, 5), st.integers(0, 1))


@given(st.lists(EVENT, min_size=1, max_size=40))
def test_events_are_summed_as_a_loop_sums_them(rows: list[tuple[int, int, int, int]]) -> None:
    rows = [*rows, (1, 4 * DAY, 1, 0)]
    spec = spec_of(BEFORE, CTR, BOUGHT)
    first: dict[int, int] = dict(zip((1, 3, 5, 7), (100, DAY, 300, 3 * DAY), strict=True))
    events = pl.DataFrame(
        {
            "unit": [row[0] for row in rows],
            "timestamp": [row[1] for row in rows],
            "clicks": [row[2] for row in rows],
            "views": [row[2] + 1 for row in rows],
            "bought": [row[3] for row in rows],
        }
    )
    table = UnitTable.read(spec, exposed(spec, tuple(first.values())), events)
    after: dict[int, list[float]] = {unit: [0, 0, 0, 0] for unit in first}
    daily: dict[tuple[int, int], list[float]] = defaultdict(lambda: [0, 0, 0])
    end = max(row[1] for row in rows if row[0] in first)
    end = max(end, *first.values()) + 1
    for unit, time, clicks, bought in rows:
        if unit not in first:
            continue
        if time < first[unit]:
            after[unit][3] += clicks
            continue
        day = (time - first[unit]) // DAY
        after[unit] = [
            after[unit][0] + clicks,
            after[unit][1] + clicks + 1,
            max(after[unit][2], bought),
            after[unit][3],
        ]
        if first[unit] + (day + 1) * DAY <= end:
            seen = daily[unit, day]
            daily[unit, day] = [seen[0] + clicks, seen[1] + clicks + 1, max(seen[2], bought)]
    for place, name in enumerate(("clicks", "views", "bought", "clicks_before")):
        assert table.columns[name].tolist() == [after[unit][place] for unit in first]
    assert table.daily is not None
    for day in range(len(table.daily.units)):
        for arm, units in enumerate(((1, 3), (5, 7))):
            assert table.daily.units[day, arm] == sum(first[unit] + (day + 1) * DAY <= end for unit in units)
            cells = [daily[unit, day] for unit in units]
            for place, name in enumerate(("clicks", "views", "bought")):
                assert table.daily.sums[name][day, arm] == sum(cell[place] for cell in cells)
                assert table.daily.squares[name][day, arm] == sum(cell[place] ** 2 for cell in cells)
            assert table.daily.products["ctr"][day, arm] == sum(cell[0] * cell[1] for cell in cells)


def test_an_event_in_the_second_of_the_exposure_counts_and_a_covariate_of_that_second_does_not() -> None:
    spec = spec_of(BEFORE)
    events = {"unit": [1, 1, 1], "timestamp": [99, 100, 101], "clicks": [1, 2, 4], "clicks_before": [10, 20, 40]}
    table = UnitTable.read(spec, exposed(spec), pl.DataFrame(events))
    assert table.columns["clicks"].tolist() == [6, 0, 0, 0]
    assert table.columns["clicks_before"].tolist() == [10, 0, 0, 0]
    assert "not counted for covariate 'clicks_before': 2 events at or after the exposure" in table.notes
    assert table.missing == (0, 0)
    assert table.daily is None


def test_an_empty_cell_of_an_event_is_nothing() -> None:
    spec = spec_of(CLICKS)
    events = {"unit": [1, 3], "timestamp": ["1970-01-01T00:10:00", "1970-01-01T00:10:00Z"], "clicks": ["", "2"]}
    assert UnitTable.read(spec, exposed(spec), pl.DataFrame(events)).columns["clicks"].tolist() == [0, 2, 0, 0]


def test_a_covariate_that_was_measured_too_late_is_refused() -> None:
    spec = spec_of(BEFORE)
    rows = {"unit": [1, 3, 5, 7], "clicks": [1, 2, 3, 4], "clicks_before": [1, 2, 3, 4]}
    in_time = pl.DataFrame(rows | {"clicks_before_at": [99, 100, 100, 100]})
    assert len(UnitTable.read(spec, exposed(spec), in_time)) == 4
    late = pl.DataFrame(rows | {"clicks_before_at": [99, 100, 300, 999]})
    with pytest.raises(DataError, match=r"'clicks_before_at' has 2 times at or after the first exposure .*unit 5"):
        UnitTable.read(spec, exposed(spec), late)
    both = spec_of(MetricSpec(name="clicks", value="clicks", role="primary", covariate="clicks"))
    with pytest.raises(ConfigError, match="measured after the exposure cannot be a covariate"):
        UnitTable.read(both, exposed(both), pl.DataFrame(rows))


ROWS: dict[str, list[Any]] = {"unit": [1, 3, 5, 7], "clicks": [1.0, 2.0, 3.0, 4.0], "views": [2, 3, 4, 5]}
ROWS |= {"bought": [0, 1, 0, 1]}
NAN, INF = float("nan"), float("inf")
FAULTS: list[tuple[dict[str, Any], str]] = [
    ({"clicks": [1.0, NAN, NAN, 4.0]}, r"'clicks' has 2 values that are not a number .*unit 3 in data row 2, nan"),
    ({"clicks": ["1", "2", "nan", "4"]}, r"'clicks' has 1 value that is not a number .*unit 5 in data row 3"),
    ({"clicks": [1.0, 2.0, INF, 4.0]}, r"'clicks' has 1 value that is infinite .*unit 5 in data row 3, inf"),
    ({"clicks": ["1", "2", "3", "-inf"]}, r"'clicks' has 1 value that is infinite .*unit 7 in data row 4"),
    ({"clicks": [1.0, None, 3.0, 4.0]}, r"'clicks' has 1 value missing \(first: unit 3 in data row 2"),
    ({"clicks": ["1", "two", "3", "4"]}, "'clicks' has 1 value unreadable as a number"),
    ({"bought": [0, 1, 2, 3]}, r"'bought' has 2 values that are neither 0 nor 1 \(first: unit 5, 2.0\)"),
    ({"unit": [1, 3, 3, 7]}, r"1 unit with more than one row \(first: 3\); rows of one unit, such as views, are not"),
    ({"unit": [1, 3, 11, 13]}, "no unit of the variant 'treatment' has a row"),
    ({"unit": [11, 13, 15, 17]}, "none of its units was exposed .it has such as 11, exposed are such as 1"),
    ({"unit": ["a", "b", "c", "d"]}, "ids must be of one kind"),
    ({"unit": [1, 3, None, 7]}, "column 'unit' has 1 value missing"),
]


@pytest.mark.parametrize(("change", "fault"), FAULTS)
def test_a_fault_is_named_with_its_place(change: dict[str, Any], fault: str) -> None:
    spec = spec_of(CLICKS, CTR, BOUGHT)
    with pytest.raises(DataError, match=fault):
        UnitTable.read(spec, exposed(spec), pl.DataFrame(ROWS | change))


def test_a_column_that_is_lacking_is_named_with_those_there_are(tmp_path: Path) -> None:
    spec = spec_of(CLICKS, CTR)
    path = tmp_path / "rows.csv"
    path.write_text("unit,clicks,veiws\n1,2,3\n")
    with pytest.raises(DataError, match="unknown column 'views': did you mean 'veiws'"):
        UnitTable.read(spec, exposed(spec), path)


def test_events_need_times_of_exposure_and_segments_there() -> None:
    spec = spec_of(CLICKS)
    events = pl.DataFrame({"unit": [1], "timestamp": [150], "clicks": [1]})
    untimed = read_exposures(pl.DataFrame({"unit": [1, 3], "variant": ["control", "treatment"]}), spec)
    with pytest.raises(DataError, match="has no column 'first_exposed_at', but metrics holds events"):
        UnitTable.read(spec, untimed, events)
    by_city = spec_of(CLICKS, analysis=AnalysisSpec(segments=("city",)))
    with pytest.raises(DataError, match=r"has no column 'city', .* segments stand in the exposures"):
        UnitTable.read(by_city, exposed(by_city), events)
    table = UnitTable.read(by_city, exposed(by_city, city=["a", "b", "a", "b"]), events)
    assert table.segments["city"][0].tolist() == [0, 1, 0, 1]
    with pytest.raises(DataError, match=r"'bought' has 1 value that is neither 0 nor 1 .first: unit 1, 2"):
        UnitTable.read(spec_of(BOUGHT, CLICKS), exposed(spec), events.with_columns(bought=2))


def test_arrays_are_checked_as_files_are() -> None:
    spec, clicks = spec_of(), {"clicks": np.array([1.0, 2.0])}
    codes = np.array([0, 1])
    table = UnitTable.of(spec, codes, clicks | {"other": np.array([1, 2])})
    assert table.counts == {"control": 1, "treatment": 1}
    assert table.columns["other"].dtype == np.float64
    for change, fault in [
        ({"variant": np.array([0, 2])}, "whole numbers from 0 to 1"),
        ({"variant": np.array([0, -1])}, "whole numbers from 0 to 1"),
        ({"variant": np.array([0, 0])}, "no unit of the variant 'treatment'"),
        ({"columns": {"views": clicks["clicks"]}}, "has no column 'clicks'"),
        ({"columns": {"clicks": np.array(["a", "b"])}}, "column 'clicks' holds no numbers"),
        ({"columns": {"clicks": np.array([1.0])}}, "allowed is .2,., one per unit"),
        ({"columns": {"clicks": np.array([1.0, NAN])}}, "1 value that is not finite .first: unit in row 1, nan"),
        ({"first_seen": np.array([1])}, "first_seen has 1 values for 2 units"),
        ({"segments": {"city": (np.array([0]), ("a",))}}, "segment 'city' has 1 values for 2 units"),
    ]:
        given: dict[str, Any] = {"variant": codes, "columns": clicks} | change
        with pytest.raises(DataError, match=fault):
            UnitTable.of(spec, **given)
