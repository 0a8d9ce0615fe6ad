"""The commands of experiments with broken files: a clear line or a stated handling, never a silent number."""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from tests.conftest import Command

START, DAY = 1_796_083_200, 86_400
SPEC = """
name = "shelf"
{top}
[variants]
control = 0.5
new = 0.5
[[metric]]
name = "watch"
value = "minutes"
role = "primary"
covariate = "minutes_before"
[[metric]]
name = "revenue"
value = "revenue"
[analysis]
{analysis}
"""


def written(top: str = "", analysis: str = "") -> None:
    Path("spec.toml").write_text(SPEC.format(top=top, analysis=analysis), encoding="utf-8")


def exposures(n: int = 400, days: int = 6) -> pl.DataFrame:
    times = START + np.random.default_rng(1).integers(0, days * DAY, n)
    return pl.DataFrame({"unit": range(n), "variant": ["control", "new"] * (n // 2), "first_exposed_at": times})


def metrics(n: int = 400) -> pl.DataFrame:
    rng = np.random.default_rng(2)
    before = rng.gamma(2, 5, n)
    lift = 1 + np.arange(n) % 2
    values = {"minutes": before * lift + rng.gamma(2, 5, n), "minutes_before": before, "revenue": rng.gamma(1, 1, n)}
    return pl.DataFrame({"unit": range(n), **values})


def events(n: int = 400) -> pl.DataFrame:
    rng = np.random.default_rng(3)
    m = 10 * n
    times = START + rng.integers(-14 * DAY, 14 * DAY, m)
    return pl.DataFrame(
        {
            "unit": rng.integers(0, n, m),
            "timestamp": times,
            "minutes": rng.gamma(2, 5, m),
            "revenue": rng.gamma(1, 1, m),
        }
    )


@pytest.fixture
def encorec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run_encorec: Command) -> Command:
    """The command in a folder with a specification and its files."""
    monkeypatch.chdir(tmp_path)
    written()
    exposures().write_csv("exposures.csv")
    metrics().write_csv("metrics.csv")
    events().write_parquet("events.parquet")
    return run_encorec


def analyzed(encorec: Command, *more: str, table: str = "metrics.csv", seen: str = "exposures.csv") -> dict[str, Any]:
    code, text, told = encorec(
        "experiment", "analyze", "spec.toml", "--exposures", seen, "--metrics", table, "--json", *more
    )
    assert (code, told) == (0, "")
    return json.loads(text)


def test_windows_files_are_read_as_any_other(encorec: Command) -> None:
    plain = analyzed(encorec)
    for name in ("exposures.csv", "metrics.csv"):
        text = Path(name).read_text().replace("\n", "\r\n")
        Path(f"windows-{name}").write_bytes(b"\xef\xbb\xbf" + text.encode())
    windows = analyzed(encorec, table="windows-metrics.csv", seen="windows-exposures.csv")
    assert windows["metrics"] == plain["metrics"]


def test_an_early_look_by_command_is_that_of_the_files_as_they_were(encorec: Command) -> None:
    written(top='start = "2026-12-01"\ndays = 14', analysis='sequential = "asymptotic-cs"')
    found = analyzed(encorec, "--now", "2026-12-04", table="events.parquet")
    cut = START + 3 * DAY
    exposures().filter(pl.col("first_exposed_at") < cut).write_csv("early.csv")
    events().filter(pl.col("timestamp") < cut).write_csv("early-events.csv")
    twin = analyzed(encorec, "--now", "2026-12-04", table="early-events.csv", seen="early.csv")
    assert found["metrics"] == twin["metrics"]
    assert found["sequential"] == twin["sequential"]
    assert any("cannot be cut" in note for note in analyzed(encorec, "--now", "2026-12-04")["notes"])


def test_the_clock_ends_an_experiment_without_times(encorec: Command) -> None:
    exposures().drop("first_exposed_at").write_csv("exposures.csv")
    written(top='start = "2020-12-01"\ndays = 14')
    assert analyzed(encorec)["planned_end"]["reached"]
    written(top='start = "2999-12-01"\ndays = 14')
    assert not analyzed(encorec)["planned_end"]["reached"]
    written(top="days = 14")
    end = analyzed(encorec)["planned_end"]
    assert not end["reached"]
    assert "--final" in end["reason"]
    assert "--now" in end["reason"]


def test_views_are_cut_as_well(encorec: Command) -> None:
    written(top='start = "2026-12-01"\ndays = 14')
    text = Path("spec.toml").read_text().replace('covariate = "minutes_before"\n', "")
    Path("spec.toml").write_text(text)
    found = analyzed(encorec, "--per-view", "--now", "2026-12-04", "--final", table="events.parquet")
    cut = START + 3 * DAY
    exposures().filter(pl.col("first_exposed_at") < cut).write_csv("early.csv")
    events().filter(pl.col("timestamp") < cut).write_csv("early-events.csv")
    twin = analyzed(encorec, "--per-view", "--final", table="early-events.csv", seen="early.csv")
    assert found["metrics"] == twin["metrics"]


def test_a_covariate_of_events_is_split_again_and_again(encorec: Command) -> None:
    code, text, _ = encorec("experiment", "aa", "spec.toml", "--history", "events.parquet", "--rounds", "40", "--json")
    assert code in (0, 2)
    assert json.loads(text)["metrics"][0]["method"] == "Welch, CUPED"


def test_text_ids_are_not_taken_for_numbers(encorec: Command) -> None:
    """17 and "17" are one unit, "017" is another: what finds no partner is counted and said."""
    metrics().with_columns(pl.col("unit").cast(pl.String).str.zfill(3)).write_csv("text.csv")
    found = analyzed(encorec, table="text.csv")
    assert sum(found["checks"]["missing_units"]["counts"].values()) == 100
    assert "not exposed, so not counted: 100 units of text.csv" in found["notes"]
    assert "left out: 100 exposed units without a row in text.csv" in found["notes"]
    metrics().with_columns(pl.col("unit").cast(pl.String).str.zfill(5)).write_csv("text.csv")
    code, text, told = encorec(
        "experiment", "analyze", "spec.toml", "--exposures", "exposures.csv", "--metrics", "text.csv"
    )
    assert (code, text) == (1, "")
    assert "ids" in told


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"minutes": 1e200}, "beyond"),
        ({"minutes": 1e-200}, "all below 1e-100"),
        ({"minutes": None}, "missing"),
        ({"minutes": float("nan")}, "NaN"),
        ({"minutes": -float("inf")}, "infinite"),
        ({"minutes": "1,5"}, "unreadable as a number"),
        ({"unit": 7}, "400 rows|more than one row"),
        ({"unit": None}, "missing|of type Null"),
    ],
)
def test_broken_metrics_are_one_line(encorec: Command, change: dict[str, Any], told: str) -> None:
    broken = metrics().with_columns(**{name: pl.lit(value) for name, value in change.items()})
    broken.write_parquet("broken.parquet")
    code, text, line = encorec(
        "experiment", "analyze", "spec.toml", "--exposures", "exposures.csv", "--metrics", "broken.parquet"
    )
    assert (code, text) == (1, "")
    assert line.startswith("error: ")
    assert line.count("\n") == 1
    assert any(one in line for one in told.split("|"))


@pytest.mark.parametrize(
    "content", [b"", b"\n\n", b"unit,variant\n", b"unit,variant\n1", b"\xff\xfe\x00", b"a;b\n1;2\n"]
)
def test_files_that_are_none_are_one_line(encorec: Command, content: bytes) -> None:
    Path("broken.csv").write_bytes(content)
    for arguments in (
        ("check", "spec.toml", "--exposures", "broken.csv"),
        ("assign", "spec.toml", "--units", "broken.csv", "--out", "out.csv"),
        ("aa", "spec.toml", "--history", "broken.csv"),
        ("design", "spec.toml", "--history", "broken.csv"),
        ("interleave", "--log", "broken.csv"),
    ):
        if arguments[0] == "assign" and content == b"unit,variant\n1":
            continue
        code, _, line = encorec("experiment", *arguments)
        assert code == 1, arguments
        assert line.startswith("error: "), arguments


def test_all_alike_is_no_effect_and_no_verdict(encorec: Command) -> None:
    metrics().with_columns(minutes=0, minutes_before=0, revenue=-1).write_csv("alike.csv")
    found = analyzed(encorec, table="alike.csv")
    assert found["verdict"] == "invalid"
    for row in found["metrics"]:
        assert row["effect"] == 0
        assert row["ci95"] is row["relative_ci95"] is None
        assert any("no unit differs" in note for note in row["notes"])


def test_three_hundred_arms_are_dealt_and_analysed(encorec: Command) -> None:
    arms = "\n".join(f"v{place} = {1 / 300!r}" for place in range(300))
    text = Path("spec.toml").read_text().replace("control = 0.5\nnew = 0.5", arms)
    Path("spec.toml").write_text(text.replace('covariate = "minutes_before"\n', ""))
    pl.DataFrame({"unit": range(9000)}).write_csv("units.csv")
    code, _, _ = encorec("experiment", "assign", "spec.toml", "--units", "units.csv", "--out", "dealt.csv")
    dealt = pl.read_csv("dealt.csv")
    assert code == 0
    assert dealt["variant"].null_count() == 0
    assert dealt["variant"].n_unique() == 300
    rng = np.random.default_rng(0)
    dealt.select("unit", "variant").write_csv("exposures.csv")
    pl.DataFrame({"unit": range(9000), "minutes": rng.gamma(2, 5, 9000), "revenue": rng.random(9000)}).write_csv(
        "m.csv"
    )
    found = analyzed(encorec, table="m.csv")
    assert found["checks"]["srm"]["ok"]
    assert len(found["metrics"]) == 2 * 299
    assert min(row["p_adjusted"] for row in found["metrics"]) > 0.01


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--baseline", "watch=0", "--std", "watch=1e-200", "--units-per-day", "9"), "use another unit"),
        (("--baseline", "watch=-3", "--std", "watch=1e200", "--mde", "2"), "use another unit"),
        (("--baseline", "watch=nan", "--std", "watch=1"), "must be finite"),
        (("--baseline", "watch=5", "--std", "watch=1", "--units-per-day", "1e300"), "units per day is 1e+300"),
    ],
)
def test_plans_out_of_all_bounds_are_one_line(encorec: Command, options: tuple[str, ...], told: str) -> None:
    written(top="days = 14")
    code, _, line = encorec("experiment", "design", "spec.toml", *options)
    assert code == 1
    assert told in line


def test_the_design_says_the_line_to_paste(encorec: Command) -> None:
    written(top="days = 14", analysis='sequential = "asymptotic-cs"')
    options = ("--baseline", "watch=5", "--std", "watch=5", "--units-per-day", "1000", "--mde", "0.05")
    code, text, _ = encorec("experiment", "design", "spec.toml", *options)
    assert code == 0
    line = next(one for one in text.splitlines() if "planned_units" in one)
    assert line.endswith("planned_units = 14000")
    written(top='start = "2026-12-01"\ndays = 14', analysis=f'sequential = "asymptotic-cs"\n{line.split(": ")[1]}')
    found = analyzed(encorec)
    assert (found["sequential"]["planned_units"], found["sequential"]["planned_from"]) == (14_000, "plan")


def test_without_tea_tasting_only_what_needs_it_stops(encorec: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tea_tasting.metrics", None)
    code, _, told = encorec(
        "experiment", "analyze", "spec.toml", "--exposures", "exposures.csv", "--metrics", "metrics.csv"
    )
    assert code == 1
    assert "pip install 'encorec[ab]'" in told
    code, text, _ = encorec("experiment", "design", "spec.toml", "--history", "metrics.csv", "--mde", "0.1", "--json")
    assert code == 0
    found = json.loads(text)
    assert found["simulated"] is None
    assert any("pip install 'encorec[ab]'" in note for note in found["notes"])
    assert encorec("experiment", "check", "spec.toml", "--exposures", "exposures.csv")[0] == 0
    assert encorec("experiment", "aa", "spec.toml", "--history", "metrics.csv", "--rounds", "20")[0] in (0, 2)
