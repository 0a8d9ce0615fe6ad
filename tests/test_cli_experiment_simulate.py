"""`encorec experiment interleave` and `simulate`, in this process: what they print and write, and their exit codes."""

import json
from pathlib import Path

import polars as pl
import pytest
from tests.conftest import Command

from encorec.cli.experiment_simulate import world_config
from encorec.cli.world_systems import chosen_systems
from encorec.errors import ConfigError

LOG = pl.DataFrame(
    {
        "request": list(range(24)),
        "unit": [number // 2 for number in range(24)],
        "position": [1] * 24,
        "item": [5] * 24,
        "team": ["new", "old"] * 12,
        "click": [1, 0] * 9 + [0, 1] * 2 + [0, 0],
        "watch": [3.5, 0] * 9 + [0, 8] * 2 + [0, 0],
    }
)
SPEC = """
name = "loop"
days = 7
start = "2026-12-01"
[variants]
control = 0.5
treatment = 0.5
[[metric]]
name = "watch_time"
value = "watch_minutes"
role = "primary"
covariate = "watch_minutes_before"
[[metric]]
name = "ctr"
kind = "ratio"
numerator = "clicks"
denominator = "impressions"
[money]
metric = "watch_time"
value_per_unit = 0.01
population = 1000
"""


@pytest.fixture
def encorec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run_encorec: Command) -> Command:
    LOG.write_csv(tmp_path / "log.csv")
    (tmp_path / "spec.toml").write_text(SPEC)
    monkeypatch.chdir(tmp_path)
    return run_encorec


def test_interleave_says_who_is_preferred(encorec: Command) -> None:
    code, text, told = encorec("experiment", "interleave", "--log", "log.csv", "--json")
    assert (code, told) == (0, "")
    found = json.loads(text)
    assert list(found)[:7] == ["rankers", "preference", "ci95", "p", "wins", "losses", "ties"]
    assert (found["rankers"], found["wins"], found["losses"], found["ties"], found["units"]) == (
        ["new", "old"], 9, 2, 1, 12,
    )  # fmt: skip
    assert found["preference"] == pytest.approx(9.5 / 12 - 0.5)
    assert found["p"] == pytest.approx(2 * (1 + 11 + 55) / 2**11)
    assert found["ci95"][0] < found["preference"] < found["ci95"][1]
    assert found["credit"]["mean"] == pytest.approx(7 / 12)
    again = encorec("experiment", "interleave", "--log", "log.csv", "--json")
    assert again[1] == text


def test_interleave_takes_rankers_and_value(encorec: Command) -> None:
    options = ("--rankers", "old,new", "--value", "watch", "--json")
    found = json.loads(encorec("experiment", "interleave", "--log", "log.csv", *options)[1])
    assert (found["rankers"], found["wins"], found["value"]) == (["old", "new"], 2, "watch")
    assert found["credit"]["mean"] == pytest.approx((2 * 8 - 9 * 3.5) / 12)
    code, text, _ = encorec("experiment", "interleave", "--log", "log.csv")
    assert code == 0
    assert all(one in text for one in ("new over old", "+0.2917", "9/1/2", "12 units"))


def test_interleave_refuses_a_bad_log(encorec: Command) -> None:
    LOG.drop("team").write_csv("bad.csv")
    code, _, told = encorec("experiment", "interleave", "--log", "bad.csv")
    assert code == 1
    assert "bad.csv: unknown column 'team'" in told
    code, _, told = encorec("experiment", "interleave", "--log", "nowhere.csv")
    assert code == 1
    assert "cannot be read" in told


def test_simulate_plays_analyses_and_knows_the_truth(encorec: Command) -> None:
    world = ("--world", "users=500,items=150,interactions=3000,seed=3")
    command = ("experiment", "simulate", "spec.toml", *world, "--out", "out")
    code, text, told = encorec(*command, "--json")
    assert code == 0, told
    found = json.loads(text)
    assert found["systems"] == {"control": "popular", "treatment": "two-stage"}
    assert found["report"]["verdict"] in ("ship", "do-not-ship", "keep-running", "invalid")
    assert [one["name"] for one in found["truth"]] == ["watch_time", "ctr"]
    effect = next(one for one in found["report"]["metrics"] if one["name"] == "watch_time")
    assert found["truth"][0]["estimate"] == effect["effect"]
    assert found["truth"][0]["covered"] == (effect["ci95"][0] <= found["truth"][0]["effect"] <= effect["ci95"][1])
    assert json.loads(Path("out/simulation.json").read_text()) == found
    seen = pl.read_parquet("out/exposures.parquet")
    assert str(seen["first_exposed_at"].min())[:10] == "2026-12-01"
    assert "encorec experiment analyze" in told

    manifest = Path("out/systems/two-stage/manifest.json").read_bytes()
    code, again, _ = encorec(*command, "--json")
    assert (code, again) == (0, text)
    assert Path("out/systems/two-stage/manifest.json").read_bytes() == manifest

    files = ("--exposures", "out/exposures.parquet", "--metrics", "out/metrics.parquet", "--final", "--json")
    code, later, _ = encorec("experiment", "analyze", "out/experiment.toml", *files)
    assert code == 0
    assert json.loads(later)["metrics"] == found["report"]["metrics"]

    systems = ("--systems", "control=out/systems/popular", "--systems", "treatment=als", "--truth", 0)
    code, shown, told = encorec(*command, *systems)
    assert code == 0, told
    assert all(one in shown for one in ("watch_time", "treatment: als", "money, treatment: net"))


def test_simulate_refuses_what_it_cannot_play(encorec: Command) -> None:
    world = ("--out", "out", "--world", "users=60,items=120")
    cases = [
        (("--systems", "treatmnt=als"), "unknown variant 'treatmnt': did you mean 'treatment'"),
        (("--systems", "treatment=alz"), "unknown system 'alz': did you mean 'als'"),
        (("--systems", "treatment"), "is not NAME=VALUE"),
        (("--world", "tini"), "unknown size 'tini': did you mean 'tiny'"),
        (("--world", "user=60"), "unknown option 'user': did you mean 'users'"),
        (("--world", "users=many"), "users is 'many', allowed are whole numbers"),
        (("--world", "users=3"), "WorldConfig.users is 3"),
    ]
    for options, message in cases:
        code, _, told = encorec("experiment", "simulate", "spec.toml", *world, *options)
        assert code == 1
        assert message in told
    Path("odd.toml").write_text(SPEC.replace('value = "watch_minutes"', 'value = "watch_minuts"'))
    popular = ("--systems", "control=popular", "--systems", "treatment=popular")
    code, _, told = encorec("experiment", "simulate", "odd.toml", *world, *popular)
    assert code == 1
    assert "unknown column of a loop 'watch_minuts': did you mean 'watch_minutes'" in told


def test_systems_in_turn() -> None:
    assert chosen_systems(["a", "b", "c"], "b", {}) == {"b": "popular", "a": "two-stage", "c": "als"}
    assert chosen_systems(["als", "x"], "als", {}) == {"als": "als", "x": "two-stage"}
    assert chosen_systems(["a", "b"], "a", {"b": "als"}) == {"a": "popular", "b": "als"}
    with pytest.raises(ConfigError, match="variant 'd' has none"):
        chosen_systems(["a", "b", "c", "d"], "a", {})
    assert world_config("seed=3,users=100,items=200").seed == 3
