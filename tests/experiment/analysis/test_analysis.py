"""Whole analyses: verdicts, what is withheld, families of tests, money, segments, novelty."""

from typing import Any

import msgspec
import numpy as np
import polars as pl
import pytest
from scipy import stats
from tests.experiment.analysis.small_experiments import (
    DAY,
    LEFT,
    START,
    WATCH,
    entry,
    frames,
    run,
    spec,
)

from encorec.errors import ConfigError, DataError
from encorec.evaluation.uncertainty import holm
from encorec.experiment.spec import AnalysisSpec, MetricSpec


def test_a_clear_gain_ships_at_the_planned_end() -> None:
    found = run(spec(), frames())
    assert (found["verdict"], found["recommended"]) == ("ship", "new")
    assert "'watch' is significantly better" in found["reasons"][0]
    watch = entry(found, "watch")
    assert set(watch) >= {"name", "role", "kind", "variant", "control", "treatment", "effect", "ci95", "relative"}
    assert watch["n"] == {"control": 2000, "new": 2000}
    assert watch["ci95"][0] < 0.2 * watch["control"] < watch["ci95"][1] * 1.3
    assert watch["relative_ci95"][0] < 0.2 < watch["relative_ci95"][1]
    assert entry(found, "left")["guardrail"]["state"] == "holds"


def test_before_the_planned_end_fixed_figures_are_withheld() -> None:
    found = run(spec(), frames(days=9))
    assert (found["verdict"], found["recommended"]) == ("keep-running", None)
    assert "day 9 of 14" in found["reasons"][-1]
    for row in found["metrics"]:
        assert row["effect"] is not None
        assert all(row[name] is None for name in ("ci95", "relative_ci95", "p", "p_adjusted", "se", "guardrail"))
    assert found["money"]["net"] is not None
    assert found["money"]["ci95"] is found["money"]["p_positive"] is found["money"]["shrunk_net"] is None
    final = run(spec(), frames(days=9), final=True)
    assert final["verdict"] == "ship"
    assert "by hand" in final["reasons"][-1]


def test_the_moment_may_be_given() -> None:
    tables = frames(days=9)
    assert run(spec(), tables, now=START + 14 * DAY - 1)["verdict"] == "keep-running"
    assert run(spec(), tables, now=START + 14 * DAY)["verdict"] == "ship"
    untimed = tables[0].drop("first_exposed_at"), tables[1]
    found = run(spec(), untimed)
    assert found["verdict"] == "keep-running"
    assert "no times" in found["reasons"][-1]
    assert "--final" in found["reasons"][-1]
    assert run(spec(), untimed, now=START + 14 * DAY)["verdict"] == "ship"
    with pytest.raises(DataError, match="at or after the time of the look"):
        run(spec(), tables, now=START + 3 * DAY)


def test_no_gain_and_a_loss_do_not_ship() -> None:
    assert run(spec(), frames(lift=(0.0, 0.0)))["verdict"] == "do-not-ship"
    lost = run(spec(), frames(lift=(0.0, -0.2)))
    assert lost["verdict"] == "do-not-ship"
    assert "significantly worse" in lost["reasons"][0]


def test_the_good_direction_may_be_down() -> None:
    down = (MetricSpec(name="watch", value="minutes", role="primary", direction="down"),)
    assert run(spec(metric=down), frames(lift=(0.0, -0.2)))["verdict"] == "ship"
    assert run(spec(metric=down), frames())["verdict"] == "do-not-ship"


def test_a_violated_guardrail_stops_a_gain() -> None:
    found = run(spec(), frames(left=(0.05, 0.15)))
    assert found["verdict"] == "do-not-ship"
    assert entry(found, "left")["guardrail"]["state"] == "violated"
    assert any("'left' is violated" in one for one in found["reasons"])


def test_guardrails_are_tested_one_sided_against_their_margin() -> None:
    found = run(spec(), frames())
    row = entry(found, "left")
    z = (row["effect"] - 0.03) / row["se"]
    assert row["guardrail"]["p"] == pytest.approx(stats.norm.cdf(z), rel=1e-9)
    assert row["guardrail"]["worst"] == pytest.approx(row["effect"] + stats.norm.ppf(0.95) * row["se"], rel=1e-9)
    tight = msgspec.structs.replace(LEFT, margin=0.0001)
    unproven = run(spec(metric=(WATCH, tight)), frames(seed=3))
    assert entry(unproven, "left")["guardrail"]["state"] == "unproven"
    assert any("too few units" in one for one in unproven["reasons"])


def test_a_broken_sample_ratio_shows_no_effect() -> None:
    exposures, metrics = frames()
    kept = exposures.filter((pl.col("variant") == "control") | (pl.col("unit") % 5 > 0))
    found = run(spec(), (kept, metrics), final=True)
    assert found["verdict"] == "invalid"
    assert "sample ratio" in found["reasons"][0]
    for row in found["metrics"]:
        assert all(row[name] is None for name in ("control", "treatment", "effect", "relative", "p", "ci95"))
    assert found["money"] is None


def test_units_missing_from_one_arm_show_no_effect() -> None:
    exposures, metrics = frames()
    gone = metrics.filter((pl.col("unit") % 2 == 0) | (pl.col("unit") % 7 > 0))
    assert run(spec(), (exposures, gone))["verdict"] == "invalid"


def test_families_of_tests_are_corrected() -> None:
    registered = spec(variants={"control": 0.34, "new": 0.33, "third": 0.33})
    found = run(registered, frames(6000, lift=(0.0, 0.05, 0.02), left=(0.05, 0.05, 0.05)))
    primary = [one for one in found["metrics"] if one["role"] == "primary"]
    secondary = [one for one in found["metrics"] if one["role"] == "secondary"]
    assert len(secondary) == 4
    for family in (primary, secondary):
        assert [one["p_adjusted"] for one in family] == holm([one["p"] for one in family])
    assert all(one["p_adjusted"] == one["p"] for one in found["metrics"] if one["role"] == "guardrail")


def test_of_several_variants_the_best_is_recommended() -> None:
    registered = spec(variants={"control": 0.34, "new": 0.33, "third": 0.33})
    found = run(registered, frames(6000, lift=(0.0, 0.15, 0.3), left=(0.05, 0.05, 0.05)))
    assert (found["verdict"], found["recommended"], found["money"]["variant"]) == ("ship", "third", "third")
    assert {name: one["verdict"] for name, one in found["variants"].items()} == {"new": "ship", "third": "ship"}


def test_clicks_up_and_time_down_raise_the_alarm() -> None:
    exposures, metrics = frames(lift=(0.0, -0.2))
    more = metrics.with_columns(clicks=pl.when(pl.col("unit") % 2 == 1).then(pl.col("views")).otherwise("clicks"))
    found = run(spec(), (exposures, more))
    told = "new: 'ctr' is up while 'watch' is down: clickbait is likely, look at what is clicked"
    assert told in found["alarms"]
    assert any(one.startswith("alarm") for one in found["reasons"])
    assert run(spec(), (exposures, metrics))["alarms"] == []


def test_money_is_linear_in_the_effect() -> None:
    found = run(spec(), frames())
    money, watch = found["money"], entry(found, "watch")
    slope, cost = 1000 * 0.5 * (1 + 0.5 + 0.25), 300
    assert money["net"] == pytest.approx(slope * watch["effect"] - cost)
    assert money["ci95"] == pytest.approx([slope * end - cost for end in watch["ci95"]])
    assert money["break_even_effect"] == pytest.approx(cost / slope)
    assert money["per_period"]["net"] == pytest.approx(500 * watch["effect"] - 100)
    assert money["p_positive"] > 0.99
    assert money["shrunk_net"] <= money["net"]


def test_a_confidence_sequence_may_end_it_early() -> None:
    early = spec(analysis=AnalysisSpec(sequential="asymptotic-cs"))
    found = run(early, frames(days=7))
    looks = {one["name"]: one for one in found["sequential"]["metrics"]}
    assert looks["watch"]["crossed"]
    assert found["verdict"] == "ship"
    assert entry(found, "watch")["p"] is None
    assert found["sequential"]["planned_from"] == "time"
    assert run(early, frames(days=7, lift=(0.0, 0.0)))["verdict"] == "keep-running"
    assert run(early, frames(days=7, left=(0.05, 0.5)))["verdict"] == "do-not-ship"


@pytest.mark.parametrize("kind", ["obrien-fleming", "pocock"])
def test_group_sequential_tests_keep_their_bound_at_the_end(kind: Any) -> None:
    registered = spec(analysis=AnalysisSpec(sequential=kind, looks=4))
    ended = run(registered, frames())
    assert ended["verdict"] == "ship"
    assert ended["sequential"]["metrics"][0]["look"] == 4
    assert run(registered, frames(days=6), planned_units=8000)["sequential"]["metrics"][0]["look"] == 2


def test_segments_are_corrected_over_all_of_them() -> None:
    found = run(spec(analysis=AnalysisSpec(segments=("city",))), frames())
    rows = found["segments"]
    assert [(one["label"], one["variant"]) for one in rows] == [("Omsk", "new"), ("Perm", "new")]
    assert [one["p_adjusted"] for one in rows] == holm([one["p"] for one in rows])
    assert sum(sum(one["n"].values()) for one in rows) == 4000


def test_novelty_is_the_effect_of_each_day() -> None:
    """The slow twin: a table of one row per unit and day, compared by scipy."""
    rng = np.random.default_rng(0)
    n, days = 400, 4
    arm = np.arange(n) % 2
    exposures = pl.DataFrame(
        {"unit": np.arange(n), "variant": np.array(["control", "new"])[arm], "first_exposed_at": np.full(n, START)}
    )
    minutes = rng.gamma(2, 5, (days, n)) * (1 + arm * np.array([0.8, 0.4, 0.2, 0.1])[:, None])
    events = pl.DataFrame(
        {
            "unit": np.tile(np.arange(n), days),
            "timestamp": np.repeat(START + np.arange(days) * DAY + 60, n),
            "minutes": minutes.ravel(),
        }
    )
    ended = pl.DataFrame({"unit": [0], "timestamp": [START + days * DAY - 1], "minutes": [0.0]})
    registered = spec(metric=(MetricSpec(name="watch", value="minutes", role="primary"),), days=4, money=None)
    found = run(registered, (exposures, pl.concat([events, ended])), final=True)
    assert [one["day"] for one in found["novelty"]] == [1, 2, 3, 4]
    for row, today in zip(found["novelty"], minutes, strict=True):
        twin: Any = stats.ttest_ind(today[arm == 1], today[arm == 0], equal_var=False)
        assert row["effect"] == pytest.approx(today[arm == 1].mean() - today[arm == 0].mean(), rel=1e-9)
        assert row["p"] == pytest.approx(twin.pvalue, rel=1e-6)


def test_other_methods_stand_beside_the_registered_one() -> None:
    found = run(spec(), frames(), beside=("bootstrap", "mann-whitney"), rng=np.random.default_rng(0))
    watch = entry(found, "watch")
    assert watch["beside"]["bootstrap"]["ci95"] == pytest.approx(watch["ci95"], rel=0.15)
    assert watch["beside"]["mann-whitney"]["superiority"] > 0.5
    assert entry(found, "ctr")["beside"]["mann-whitney"] is None
    assert entry(found, "p90")["beside"]["bootstrap"]["p"] < 0.05
    with pytest.raises(ConfigError, match="needs rng"):
        run(spec(), frames(), beside=("bootstrap",))
    with pytest.raises(ConfigError, match="did you mean 'bootstrap'"):
        run(spec(), frames(), beside=("bootstrp",), rng=np.random.default_rng(0))


def test_a_primary_without_variance_cannot_be_judged() -> None:
    exposures, metrics = frames()
    same = metrics.with_columns(minutes=pl.lit(3.0))
    found = run(spec(metric=(msgspec.structs.replace(WATCH, covariate=()), LEFT)), (exposures, same))
    assert found["verdict"] == "invalid"
    assert "no unit differs" in found["reasons"][0]
    apart = metrics.with_columns(minutes=pl.col("unit") % 2 + 1.0)
    for kind in ("none", "asymptotic-cs", "pocock"):
        analysis = AnalysisSpec(sequential=kind)
        registered = spec(metric=(msgspec.structs.replace(WATCH, covariate=()), LEFT), analysis=analysis)
        assert run(registered, (exposures, apart))["verdict"] == "invalid"


def test_an_arm_without_units_is_refused() -> None:
    exposures, metrics = frames()
    with pytest.raises(DataError, match="new"):
        run(spec(), (exposures.filter(pl.col("variant") == "control"), metrics))


def test_the_order_of_rows_changes_nothing() -> None:
    tables = frames()
    mixed = tables[0].sample(fraction=1, shuffle=True, seed=1), tables[1].sample(fraction=1, shuffle=True, seed=2)
    assert run(spec(), mixed)["metrics"] == run(spec(), tables)["metrics"]
