"""`encorec experiment assign` and `check` in this process: what they print and write, and their exit codes."""

import json
from pathlib import Path

import polars as pl
import pytest
from tests.conftest import Command
from tests.experiment.intake.intake_specs import spec_of

from encorec.experiment.assignment.draw import assign

SPEC = """
name = "shelf"
layer = "page"
share = 0.8
holdout = 0.1
start = "2026-12-01"
days = 2
{more}
[variants]
control = 0.5
treatment = 0.5
[[metric]]
name = "clicks"
value = "clicks"
role = "primary"
covariate = "clicks_before"
"""


@pytest.fixture
def encorec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run_encorec: Command) -> Command:
    """The command in a folder with a specification and units, as a function: exit code, output, errors."""
    (tmp_path / "spec.toml").write_text(SPEC.format(more=""))
    (tmp_path / "strata.toml").write_text(SPEC.format(more='strata = ["city"]'))
    units = pl.DataFrame({"user_id": range(1000), "city": ["x", "y"] * 500})
    units.write_csv(tmp_path / "units.csv")
    pl.concat([units, units[:5]]).write_parquet(tmp_path / "units.parquet")
    monkeypatch.chdir(tmp_path)
    return run_encorec


def test_assign_writes_every_unit_once(encorec: Command) -> None:
    code, text, told = encorec("experiment", "assign", "spec.toml", "--units", "units.parquet", "--out", "a.csv")
    assert (code, told) == (0, "")
    spec = spec_of(layer="page", share=0.8, holdout=0.1)
    found = assign(spec, range(1000))
    assert f"{found.counts['control']:,}" in text
    assert "1,000 units of layer page; 5 repeated rows left out: a.csv" in text
    written = pl.read_csv("a.csv")
    assert written.columns == ["unit", "layer", "variant", "bucket"]
    assert written["unit"].to_list() == list(range(1000))
    assert written["variant"].to_list() == found.names.to_list()
    assert written["bucket"].to_list() == found.bucket.tolist()
    assert set(written["layer"]) == {"page"}
    assert [one.name for one in Path().iterdir() if "draft" in one.name] == []


def test_assign_says_its_counts_as_json_and_writes_parquet(encorec: Command) -> None:
    arguments = ("--units", "units.csv", "--out", "a.parquet", "--json")
    code, text, _ = encorec("experiment", "assign", "strata.toml", *arguments)
    content = json.loads(text)
    assert code == 0
    assert content["units"] == 1000 == sum(content["counts"].values()) + content["outside"] + content["holdout"]
    assert abs(content["counts"]["control"] - content["counts"]["treatment"]) <= 2
    assert pl.read_parquet("a.parquet")["variant"].null_count() == content["outside"] + content["holdout"]


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (("spec.toml", "--units", "none.csv", "--out", "a.csv"), "none.csv: cannot be read"),
        (("none.toml", "--units", "units.csv", "--out", "a.csv"), "none.toml: cannot be read"),
        (("spec.toml", "--units", "units.csv", "--out", "a.txt"), "allowed are .csv and .parquet files"),
        (("spec.toml", "--units", "units.csv", "--out", "no/where/a.csv"), "no/where/a.csv: cannot be written"),
        (("strata.toml", "--units", "units.parquet", "--out", "a.csv"), "10 of 1,005 units stand there more than once"),
    ],
)
def test_assign_says_what_is_wrong(encorec: Command, arguments: tuple[str, ...], fault: str) -> None:
    code, _, told = encorec("experiment", "assign", *arguments)
    assert code in (1, 2)
    assert fault in " ".join(told.replace("│", " ").split())
    assert not Path("a.csv").exists()


def log(control: int, treatment: int) -> pl.DataFrame:
    """Exposures on the first and the second day."""
    n = control + treatment
    times = [f"2026-12-0{1 + place % 2}T10:00:00Z" for place in range(n)]
    names = ["control"] * control + ["treatment"] * treatment
    return pl.DataFrame({"user_id": range(n), "variant": names, "first_exposed_at": times})


def test_check_passes_a_clean_log(encorec: Command) -> None:
    log(505, 495).write_csv("log.csv")
    rows = pl.DataFrame({"unit": range(1000), "clicks": [1, 2, 4, 3] * 250, "clicks_before": [4, 3, 2, 1] * 250})
    rows.write_parquet("rows.parquet")
    files = ("--exposures", "log.csv", "--metrics", "rows.parquet", "--as-of", "2027-01-01")
    code, text, told = encorec("experiment", "check", "spec.toml", *files, "--json")
    content = json.loads(text)
    assert (code, told, content["ok"], content["failed"]) == (0, "", True, [])
    assert list(content["checks"]) == [
        "srm",
        "units_in_two_arms",
        "exposure_days",
        "missing_units",
        "covariate_balance",
    ]
    code, text, _ = encorec("experiment", "check", "spec.toml", *files)
    assert code == 0
    assert "control: 505 units, expected 500.0" in text
    assert "each has first exposures" in text
    assert "clicks_before: " in text


def test_check_ends_with_two_where_a_check_fails(encorec: Command) -> None:
    log(600, 400).write_csv("log.csv")
    code, text, _ = encorec("experiment", "check", "spec.toml", "--exposures", "log.csv", "--json")
    assert code == 2
    assert json.loads(text)["failed"] == ["srm"]
    code, text, _ = encorec("experiment", "check", "spec.toml", "--exposures", "log.csv")
    assert code == 2
    assert "FAILED" in text


def test_check_as_of_a_time_sees_nothing_of_what_came_later(encorec: Command) -> None:
    """A thousand clean units on the first day; on the second, four hundred more in one arm."""
    more = log(0, 400).with_columns(user_id=pl.int_range(1000, 1400), first_exposed_at=pl.lit("2026-12-02T10:00:00Z"))
    clean = log(500, 500).with_columns(first_exposed_at=pl.lit("2026-12-01T10:00:00Z"))
    pl.concat([clean, more.select(clean.columns).cast(clean.schema)]).write_csv("log.csv")
    code, text, _ = encorec("experiment", "check", "spec.toml", "--exposures", "log.csv", "--json")
    assert (code, json.loads(text)["checks"]["srm"]["counts"]) == (2, {"control": 500, "treatment": 900})
    arguments = ("--exposures", "log.csv", "--as-of", "2026-12-02T10:00:00Z", "--json")
    code, text, _ = encorec("experiment", "check", "spec.toml", *arguments)
    content = json.loads(text)
    assert (code, content["checks"]["srm"]["counts"]) == (0, {"control": 500, "treatment": 500})
    assert content["notes"] == ["left out: 400 exposures at or after the time of the look"]
    early = ("--exposures", "log.csv", "--as-of", "2026-11-01")
    code, _, told = encorec("experiment", "check", "spec.toml", *early)
    assert code == 1
    assert "all of its 1,400 rows lie at or after the time of the look" in told


def test_check_names_a_broken_log(encorec: Command) -> None:
    log(3, 3).with_columns(variant=pl.lit("B")).write_csv("log.csv")
    code, _, told = encorec("experiment", "check", "spec.toml", "--exposures", "log.csv")
    assert code == 1
    assert "column 'variant' has 6 values that name no variant (first: data row 1, 'B')" in told
    log(3, 3).write_csv("log.csv")
    code, _, told = encorec("experiment", "check", "spec.toml", "--exposures", "log.csv", "--as-of", "soon")
    assert code == 1
    assert "column '--as-of' has 1 value unreadable as a time" in told
