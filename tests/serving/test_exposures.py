"""Exposures from the log of impressions: what the analysis of the experiment reads."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from tests.serving.specs import write_spec

from encorec.errors import DataError
from encorec.experiment.intake.exposures import read_exposures
from encorec.experiment.spec import ExperimentSpec, load_spec
from encorec.serving.logs.exposures import exposures_of, open_impressions, write_exposures
from encorec.serving.logs.impressions import Impression
from encorec.serving.logs.tables import impression_table


@pytest.fixture
def spec(tmp_path: Path) -> ExperimentSpec:
    return load_spec(write_spec(tmp_path, "shelf"))


def shown(time: float, user: Any, variants: dict[str, str], session: str | None = None) -> Impression:
    empty: dict[str, Any] = {"items": [], "scores": [], "sources": [], "positions": [], "propensities": []}
    about: dict[str, Any] = {"placement": "main", "snapshot": "s", "variants": variants, "session_id": session}
    return Impression(request_id=f"r{time}", time=time, user_id=user, **about, **empty)


LOG = impression_table(
    [
        shown(70.25, 17, {"shelf": "treatment", "row": "control"}),
        shown(50.5, "17", {"shelf": "treatment"}, session="s-9"),
        shown(60.0, None, {"shelf": "control"}, session="s-1"),
        shown(61.0, None, {}, session="s-2"),
        shown(62.0, None, {}),
        shown(63.0, "ann", {"row": "treatment"}),
        shown(64.0, "bob", {"shelf": "control"}),
        shown(65.0, "bob", {"shelf": "treatment"}),
    ]
)


def rows(frame: pl.DataFrame) -> list[tuple[Any, ...]]:
    return frame.with_columns(pl.col("first_exposed_at").dt.epoch("ms") / 1000).rows()


def test_the_first_exposure_of_every_unit_by_user_or_session(spec: ExperimentSpec) -> None:
    found = exposures_of(LOG, spec)
    assert rows(found) == [
        ("17", "treatment", 50.5),
        ("bob", "control", 64.0),
        ("bob", "treatment", 65.0),
        ("s-1", "control", 60.0),
    ]


def test_sessions_count_alone_where_they_are_randomised(tmp_path: Path) -> None:
    spec = load_spec(write_spec(tmp_path, "shelf", 'unit = "session_id"'))
    assert rows(exposures_of(LOG, spec)) == [("s-1", "control", 60.0), ("s-9", "treatment", 50.5)]


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_the_analysis_reads_what_is_written(spec: ExperimentSpec, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"exposures.{suffix}"
    write_exposures(exposures_of(LOG, spec), path)
    seen = read_exposures(path, spec)
    assert seen.first_seen is not None
    assert (seen.counts, seen.two_arms) == ({"control": 1, "treatment": 1}, 1)
    assert sorted(seen.first_seen.tolist()) == [50, 60]


def test_tables_are_found_in_the_folder_of_the_logs_or_below(spec: ExperimentSpec, tmp_path: Path) -> None:
    below = tmp_path / "tables" / "impressions"
    below.mkdir(parents=True)
    LOG[:3].write_parquet(below / "a.parquet")
    LOG[3:].write_parquet(below / "b.parquet")
    whole = exposures_of(LOG, spec)
    assert exposures_of(open_impressions(tmp_path / "tables"), spec).equals(whole)
    assert exposures_of(open_impressions(below), spec).equals(whole)
    assert len(exposures_of(open_impressions(below / "a.parquet"), spec)) == 2
    with pytest.raises(DataError, match="holds no tables of impressions"):
        open_impressions(tmp_path / "nowhere")


def test_what_says_nothing_of_the_experiment_is_refused(spec: ExperimentSpec, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nobody met the experiment 'shelf'"):
        exposures_of(LOG[3:6], spec)
    with pytest.raises(DataError, match="nobody met"):
        exposures_of(LOG[:0], spec)
    with pytest.raises(DataError, match="no column 'variants'"):
        exposures_of(LOG.drop("variants"), spec)
    with pytest.raises(DataError, match="cannot be written"):
        write_exposures(LOG, tmp_path / "no" / "folder" / "a.parquet")
