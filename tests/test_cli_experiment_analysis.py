"""`encorec experiment analyze` and `aa`, in this process: what they print and write, and their exit codes."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.conftest import Command

SPEC = """
name = "shelf"
start = "2026-12-01"
days = 14
[variants]
control = 0.5
new = 0.5
[[metric]]
name = "watch"
value = "minutes"
role = "primary"
covariate = "minutes_before"
winsorize = 0.999
[[metric]]
name = "left"
kind = "share"
value = "left"
role = "guardrail"
margin = 0.05
direction = "down"
[analysis]
segments = ["city"]
[money]
metric = "watch"
value_per_unit = 0.35
population = 1000
cost = 10
"""
VIEWS = (
    SPEC.partition('covariate = "minutes_before"')[0] + "[[metric]]\nname = 'left'\nkind = 'share'\nvalue = 'left'\n"
)
TABLES = ("--exposures", "exposures.parquet", "--metrics", "metrics.csv")


@pytest.fixture
def encorec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run_encorec: Command) -> Command:
    """The command in a folder with a specification and logs: exit code, output, errors."""
    rng = np.random.default_rng(0)
    n, arm = 2000, np.arange(2000) % 2
    taste = rng.gamma(2, 10, n)
    (tmp_path / "spec.toml").write_text(SPEC, encoding="utf-8")
    (tmp_path / "views.toml").write_text(VIEWS, encoding="utf-8")
    seen = {"user_id": np.arange(n), "variant": np.array(["control", "new"])[arm]}
    times = 1_796_083_200 + rng.integers(0, 14 * 86_400, n)
    pl.DataFrame({**seen, "first_exposed_at": times}).write_parquet(tmp_path / "exposures.parquet")
    done = {
        "user_id": np.arange(n),
        "minutes": taste * (1 + 0.15 * arm) * rng.gamma(9, 1 / 9, n),
        "minutes_before": taste * rng.gamma(9, 1 / 9, n),
        "left": (rng.random(n) < 0.1).astype(np.int64),
        "city": np.array(["Omsk", "Perm"])[rng.integers(0, 2, n)],
    }
    pl.DataFrame(done).write_csv(tmp_path / "metrics.csv")
    rows = np.repeat(np.arange(n), rng.poisson(6, n) + 1)
    left = (rng.random(len(rows)) < 0.1).astype(np.int64)
    pl.DataFrame({"user_id": rows, "minutes": taste[rows], "left": left}).write_parquet(tmp_path / "views.parquet")
    monkeypatch.chdir(tmp_path)
    return run_encorec


def test_the_verdict_comes_first(encorec: Command) -> None:
    code, text, _ = encorec("experiment", "analyze", "spec.toml", *TABLES)
    assert code == 0
    assert text.startswith("SHIP new")
    for part in ("rule: Ship a variant if 'watch'", "guardrail holds", "P(net > 0)", "city=Omsk"):
        assert part in text


def test_json_has_the_fields_of_the_contract(encorec: Command) -> None:
    code, text, told = encorec("experiment", "analyze", "spec.toml", *TABLES, "--json", "--also", "bootstrap")
    found = json.loads(text)
    assert (code, told, found["verdict"]) == (0, "", "ship")
    assert found.keys() >= {"experiment", "verdict", "reasons", "checks", "metrics", "money", "sequential"}
    watch = found["metrics"][0]
    fields = {"name", "role", "kind", "variant", "control", "treatment", "effect", "ci95", "relative", "relative_ci95"}
    assert watch.keys() >= fields | {"p", "p_adjusted", "method", "theta", "n"}
    assert watch["n"] == {"control": 1000, "new": 1000}
    assert watch["beside"]["bootstrap"]["p"] < 0.05
    assert found["money"].keys() >= {"net", "ci95", "p_positive", "break_even_effect", "shrunk_net"}
    again = json.loads(encorec("experiment", "analyze", "spec.toml", *TABLES, "--json", "--also", "bootstrap")[1])
    assert again == found


def test_before_the_end_it_keeps_running_unless_it_is_final(encorec: Command) -> None:
    early = ("--now", "2026-12-05")
    found = json.loads(encorec("experiment", "analyze", "spec.toml", *TABLES, *early, "--json")[1])
    assert (found["verdict"], found["metrics"][0]["p"]) == ("keep-running", None)
    assert encorec("experiment", "analyze", "spec.toml", *TABLES, *early)[1].startswith("KEEP RUNNING")
    final = json.loads(encorec("experiment", "analyze", "spec.toml", *TABLES, *early, "--final", "--json")[1])
    assert final["verdict"] == "ship"
    code, _, told = encorec("experiment", "analyze", "spec.toml", *TABLES, "--now", "soon")
    assert code == 1
    assert "--now" in told


def test_the_page_is_written(encorec: Command, tmp_path: Path) -> None:
    code, _, told = encorec("experiment", "analyze", "spec.toml", *TABLES, "--html", "report.html")
    assert code == 0
    assert "report.html" in told
    assert "Ship new" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_rows_per_view_are_refused_unless_asked_for(encorec: Command) -> None:
    tables = ("--exposures", "exposures.parquet", "--metrics", "views.parquet")
    code, _, told = encorec("experiment", "analyze", "views.toml", *tables)
    assert code == 1
    assert "not independent" in told
    assert "--per-view" in told
    code, text, _ = encorec("experiment", "analyze", "views.toml", *tables, "--per-view")
    assert code == 0
    assert "naive, wrong" in text
    found = json.loads(encorec("experiment", "analyze", "views.toml", *tables, "--per-view", "--json")[1])
    assert found["metrics"][0]["kind"] == "ratio"
    assert found["metrics"][0]["naive"]["errors_too_small_by"] > 2
    assert "several rows per unit" in found["notes"][0]


def test_aa_tells_rates_and_the_mistake_of_views(encorec: Command) -> None:
    code, text, _ = encorec("experiment", "aa", "spec.toml", "--history", "metrics.csv", "--rounds", 200, "--json")
    found = json.loads(text)
    assert (code, found["ok"], found["rounds"], len(found["metrics"])) == (0, True, 200, 2)
    code, text, _ = encorec("experiment", "aa", "views.toml", "--history", "views.parquet", "--rounds", 200)
    assert code == 0
    assert "WRONG" in text
