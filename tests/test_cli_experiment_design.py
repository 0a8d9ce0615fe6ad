"""`encorec experiment design`, in this process: what it prints and writes, and how it refuses."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.conftest import Command

SPEC = """
name = "shelf"
days = 14
share = 0.5
[variants]
control = 0.5
treatment = 0.5
[[metric]]
name = "conversion"
kind = "share"
value = "bought"
role = "primary"
[[metric]]
name = "minutes"
value = "watched"
covariate = "watched_before"
[analysis]
sequential = "obrien-fleming"
"""


@pytest.fixture
def encorec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run_encorec: Command) -> Command:
    """The command in a folder with a specification and two histories."""
    (tmp_path / "spec.toml").write_text(SPEC, encoding="utf-8")
    rng = np.random.default_rng(0)
    before = rng.gamma(1, 30, 4000)
    units = pl.DataFrame(
        {
            "user_id": np.arange(4000),
            "bought": (rng.random(4000) < 0.1).astype(int),
            "watched": 0.8 * before + rng.gamma(1, 10, 4000),
            "watched_before": before,
        }
    )
    units.write_csv(tmp_path / "units.csv")
    events = units.drop("watched_before").sample(20_000, with_replacement=True, seed=1)
    moment = pl.Series(1_700_006_400 + rng.integers(0, 28 * 86_400, 20_000))
    events.with_columns(timestamp=moment).write_parquet(tmp_path / "events.parquet")
    monkeypatch.chdir(tmp_path)
    return run_encorec


def test_a_share_is_planned_from_its_baseline(encorec: Command) -> None:
    given = ("--baseline", "conversion=0.1", "--mde", 0.1, "--units-per-day", 6000)
    code, text, told = encorec("experiment", "design", "spec.toml", *given, "--json")
    assert (code, told) == (0, "")
    found = json.loads(text)
    first = found["metrics"][0]
    wanted = {"name": "conversion", "baseline": 0.1, "std": 0.3, "n_per_arm": 14_749, "mde_relative": 0.1, "power": 0.8}
    assert {name: first[name] for name in wanted} == wanted
    assert found["duration_days"] == 14
    assert found["formula"].startswith("n = (z_alpha + z_power)^2")
    assert found["sequential"]["kind"] == "obrien-fleming"
    assert found["metrics"][1]["note"].startswith("metric 'minutes' has no baseline")


def test_a_history_gives_the_effect_of_the_planned_days(encorec: Command) -> None:
    asked = ("--history", "events.parquet", "--simulations", 40, "--seed", 3)
    code, text, _ = encorec("experiment", "design", "spec.toml", *asked, "--json")
    assert code == 0
    found = json.loads(text)
    assert found["duration_days"] == 14
    assert all(one["mde_relative"] > 0 and one["n_per_arm"] > 0 for one in found["metrics"])
    assert found["simulated"]["rounds"] == 40
    assert json.loads(encorec("experiment", "design", "spec.toml", *asked, "--json")[1]) == found


def test_tables_and_page_say_the_same(encorec: Command, tmp_path: Path) -> None:
    given = ("--history", "units.csv", "--mde", 0.1, "--simulations", 20, "--html", "plan.html")
    code, text, told = encorec("experiment", "design", "spec.toml", *given)
    assert code == 0
    assert told == "page: plan.html\n"
    page = (tmp_path / "plan.html").read_text(encoding="utf-8")
    line = next(one for one in text.splitlines() if "units in each arm" in one)
    assert line.strip() in page
    assert "By trial on the history" in text
    assert "By trial on the history" in page
    assert "z-baseline" in text


def test_numbers_by_hand_complete_or_replace_the_history(encorec: Command) -> None:
    common = ("experiment", "design", "spec.toml", "--history", "units.csv", "--mde", 0.1, "--json", "--simulations", 0)
    measured = json.loads(encorec(*common)[1])["metrics"][1]
    moved = json.loads(encorec(*common, "--baseline", "minutes=100", "--correlation", "minutes=0.5")[1])["metrics"][1]
    assert moved["std"] == measured["std"]
    assert (moved["baseline"], moved["explained"]) == (100, 0.25)
    doubled = json.loads(encorec(*common, "--std", f"minutes={2 * measured['std']}")[1])["metrics"][1]
    assert doubled["n_per_arm"] == pytest.approx(4 * measured["n_per_arm"], abs=4)


@pytest.mark.parametrize(
    ("given", "code", "told"),
    [
        (("--baseline", "conversion"), 2, "wanted is NAME=VALUE"),
        (("--baseline", "conversion=x"), 2, "wanted is NAME=VALUE"),
        (("--baseline", "conversion=0.1", "--baseline", "conversion=0.2"), 2, "each name once"),
        (("--baseline", "conversions=0.1"), 1, "did you mean 'conversion'"),
        (("--baseline", "conversion=1.2"), 1, "no share above 0"),
        (("--baseline", "minutes=30", "--mde", 0.1), 1, "give --std minutes=VALUE"),
        (("--std", "minutes=3"), 2, "needs its --baseline"),
        (("--mde", 0.1), 1, "has no baseline: give --baseline conversion=VALUE"),
        (("--baseline", "conversion=0.1"), 1, "give --mde"),
        (("--baseline", "conversion=0.1", "--mde", 0), 1, "mde is 0"),
        (("--baseline", "conversion=0.1", "--mde", "nan"), 1, "mde is nan"),
        (("--baseline", "conversion=0.1", "--units-per-day", -5), 1, "units per day is -5"),
        (("--history", "nowhere.csv"), 1, "nowhere.csv"),
        (("--baseline", "conversion=0.1", "--mde", 0.1, "--html", "no/such/place.html"), 1, "cannot be written"),
    ],
)
def test_what_cannot_be_planned_is_refused(encorec: Command, given: tuple[object, ...], code: int, told: str) -> None:
    found, _, errors = encorec("experiment", "design", "spec.toml", *given)
    assert found == code
    assert told in " ".join(errors.replace("│", " ").split())
