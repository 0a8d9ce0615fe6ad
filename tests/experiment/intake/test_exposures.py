"""Exposures: the first time counts, two arms are left out, and every fault is named with its place."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.experiment.intake.intake_specs import spec_of

from encorec.errors import DataError
from encorec.experiment.intake.checks import check
from encorec.experiment.intake.exposures import read_exposures
from encorec.experiment.intake.unit_table import UnitTable
from encorec.experiment.spec import AnalysisSpec


def test_the_first_time_of_a_unit_counts_and_two_arms_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text(
        "user_id,variant,first_exposed_at\n"
        "9,treatment,2026-12-02T00:00:00Z\n7,control,2026-12-01T10:00:00\n"
        "9,treatment,2026-12-01T00:00:05Z\n8,control,2026-12-01\n8,treatment,2026-12-01\n"
    )
    found = read_exposures(path, spec_of())
    assert found.ids.values.to_list() == [7, 9]
    assert found.variant.tolist() == [0, 1]
    assert found.first_seen is not None
    assert found.first_seen.tolist() == [1796119200, 1796083205]
    assert (found.rows, found.two_arms, found.counts) == (5, 1, {"control": 1, "treatment": 1})


@given(
    st.lists(st.tuples(st.integers(0, 6), st.sampled_from(["control", "treatment"]), st.integers(0, 50)), max_size=30)
)
def test_exposures_are_those_of_a_dictionary(rows: list[tuple[int, str, int]]) -> None:
    rows = [*rows, (100, "control", 1), (101, "treatment", 2)]
    met: dict[int, set[str]] = {}
    first: dict[int, int] = {}
    for unit, name, time in rows:
        met.setdefault(unit, set()).add(name)
        first[unit] = min(time, first.get(unit, time))
    kept = sorted(unit for unit, names in met.items() if len(names) == 1)
    frame = pl.DataFrame(rows, schema=["unit", "variant", "first_exposed_at"], orient="row")
    found = read_exposures(frame, spec_of())
    assert found.ids.values.to_list() == kept
    assert [found.variants[code] for code in found.variant] == [next(iter(met[unit])) for unit in kept]
    assert found.first_seen is not None
    assert found.first_seen.tolist() == [first[unit] for unit in kept]
    assert found.two_arms == len(met) - len(kept)


def test_a_segment_is_that_of_the_first_exposure() -> None:
    spec = spec_of(analysis=AnalysisSpec(segments=("city",)))
    log = pl.DataFrame(
        {
            "unit": ["a", "a", "b"],
            "variant": ["control", "control", "treatment"],
            "first_exposed_at": [20, 10, 5],
            "city": ["late", "early", None],
        }
    )
    assert read_exposures(log, spec).segments["city"].to_list() == ["early", None]


FAULTS: list[tuple[dict[str, list[Any]], str]] = [
    ({"unit": [1, 2], "variant": ["control", "x"]}, r"column 'variant' has 1 value that names no variant .*row 2, 'x'"),
    ({"unit": [1, 2], "variant": ["control", None]}, r"column 'variant' has 1 value missing \(first: data row 2"),
    ({"unit": [1, 2], "variant": ["control", "control"]}, "no unit has the variant 'treatment'; units are control 2"),
    ({"unit": [1.0, float("nan")], "variant": ["control", "treatment"]}, r"column 'unit' has 1 value missing"),
    ({"unit": [1, None], "variant": ["control", "treatment"]}, r"column 'unit' has 1 value missing"),
    ({"unit": [1, 1], "variant": ["control", "treatment"]}, r"control 0, treatment 0 \(1 unit in two arms left out\)"),
    ({"unit": [], "variant": []}, "has no rows"),
    ({"unit": [1]}, "unknown column 'variant'"),
    ({"person": [1], "variant": ["control"]}, "must be called 'user_id' .* or 'unit'"),
    (
        {"unit": [1, 2], "variant": ["control", "treatment"], "first_exposed_at": ["2026-12-01", "soon"]},
        r"column 'first_exposed_at' has 1 value unreadable as a time \(first: data row 2, 'soon'\)",
    ),
    (
        {"unit": [1, 2], "variant": ["control", "treatment"], "first_exposed_at": ["2026-12-01", ""]},
        r"column 'first_exposed_at' has 1 value missing \(first: data row 2",
    ),
    (
        {"unit": [1, 2], "variant": ["control", "treatment"], "first_exposed_at": [5.0, float("nan")]},
        r"column 'first_exposed_at' has 1 value missing",
    ),
]


@pytest.mark.parametrize(("columns", "fault"), FAULTS)
def test_a_fault_is_named_with_its_place(columns: dict[str, list[Any]], fault: str) -> None:
    with pytest.raises(DataError, match=fault):
        read_exposures(pl.DataFrame(columns), spec_of())


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        read_exposures(tmp_path / "none.csv", spec_of())
    (tmp_path / "empty.csv").write_text("unit,variant\n")
    with pytest.raises(DataError, match="no rows"):
        read_exposures(tmp_path / "empty.csv", spec_of())


def test_without_times_the_log_is_read_all_the_same() -> None:
    found = read_exposures(pl.DataFrame({"unit": ["b", "a"], "variant": ["control", "treatment"]}), spec_of())
    assert found.first_seen is None
    assert found.variant.dtype == np.int8
    assert found.ids.values.to_list() == ["a", "b"]


@pytest.mark.parametrize("text", [False, True])
def test_testers_are_left_out_of_counts_ratio_and_effects(text: bool) -> None:
    """Forty testers in one arm would break the sample ratio and lift the mean; without them both arms are alike."""
    spec = spec_of(overrides={str(unit): "treatment" for unit in (*range(200, 240), 999)})
    unit = pl.Series(range(240)).cast(pl.String if text else pl.Int64)
    log = pl.DataFrame({"unit": unit, "variant": ["control", "treatment"] * 100 + ["treatment"] * 40})
    rows = pl.DataFrame({"unit": unit, "clicks": [3, 3] * 100 + [50] * 40})
    found = read_exposures(log, spec)
    assert (found.testers, found.two_arms, found.counts) == (40, 0, {"control": 100, "treatment": 100})
    assert check(spec, found)["srm"]["p"] == 1
    assert check(spec_of(), read_exposures(log, spec_of()))["srm"]["p"] < 0.05
    table = UnitTable.read(spec, found, rows)
    assert table.counts == {"control": 100, "treatment": 100}
    assert set(table.columns["clicks"].tolist()) == {3.0}
    assert "left out: 40 testers, named under 'overrides'" in table.notes


def test_a_tester_who_met_both_arms_or_came_late_counts_nowhere() -> None:
    spec = spec_of(overrides={"9": "control", "8": "treatment"})
    log = pl.DataFrame(
        {
            "unit": [1, 2, 9, 9, 8],
            "variant": ["control", "treatment", "control", "treatment", "treatment"],
            "first_exposed_at": [1, 2, 3, 4, 50],
        }
    )
    found = read_exposures(log, spec, until=50)
    assert (found.testers, found.two_arms, found.later, len(found)) == (1, 0, 1, 2)


def test_testers_alone_are_no_experiment() -> None:
    spec = spec_of(overrides={"1": "control", "2": "treatment"})
    with pytest.raises(DataError, match="all of its units are testers"):
        read_exposures(pl.DataFrame({"unit": [1, 2], "variant": ["control", "treatment"]}), spec)
