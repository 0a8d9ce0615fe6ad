"""A plan from baselines and from a history: equal to its parts, and tried by simulation."""

from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import polars as pl
import pytest

from encorec.errors import ConfigError, DataError
from encorec.experiment.design.baseline import Baseline
from encorec.experiment.design.curves import effect_by_days, power_by_units
from encorec.experiment.design.designing import design
from encorec.experiment.design.page import design_page, write_design
from encorec.experiment.design.plan import Plan, metric_alpha, two_arms
from encorec.experiment.design.power_simulation import lifted, simulated_power
from encorec.experiment.intake.history import DAY, read_history
from encorec.experiment.spec import AnalysisSpec, ExperimentSpec, MetricSpec

CONVERSION = MetricSpec(name="conversion", kind="share", value="bought", role="primary")
MINUTES = MetricSpec(name="minutes", value="minutes", role="secondary", covariate="minutes_before")
CTR = MetricSpec(name="ctr", kind="ratio", numerator="clicks", denominator="views")
CANCELLED = MetricSpec(name="left", kind="share", value="left", role="guardrail", margin=0.01, direction="down")
HALVES = {"control": 0.5, "treatment": 0.5}
SPEC = ExperimentSpec(name="shelf", variants=HALVES, metric=(CONVERSION, MINUTES, CTR, CANCELLED), days=14)


def log(users: int = 3000, days: int = 28, seed: int = 0) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    chance = rng.beta(0.7, 5, users)
    came = [np.flatnonzero(rng.random(users) < chance) for _ in range(days)]
    user = np.concatenate(came)
    day = np.repeat(np.arange(days), [len(one) for one in came])
    return pl.DataFrame(
        {
            "user_id": user,
            "timestamp": 1_700_006_400 + day * DAY + rng.integers(0, DAY, len(user)),
            "minutes": rng.gamma(1, 40, len(user)) * (1 + 3 * chance[user]),
            "bought": (rng.random(len(user)) < 0.03).astype(int),
            "left": (rng.random(len(user)) < 0.002).astype(int),
            "clicks": rng.binomial(10, 0.1, len(user)),
            "views": np.full(len(user), 10),
        }
    )


def rows(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in found["metrics"]}


def test_ten_to_eleven_per_cent() -> None:
    given = {"conversion": Baseline(0.1, 0.3)}
    found = design(Plan(SPEC, baselines=given, units_per_day=3000, mde=0.1))
    first = rows(found)["conversion"]
    assert (first["n_per_arm"], first["units"]) == (14_749, {"control": 14_749, "treatment": 14_749})
    assert (first["mde_relative"], first["mde"], first["power"]) == (0.1, pytest.approx(0.01), 0.8)
    assert first["power_planned"] == pytest.approx(0.9167, abs=1e-4)
    assert found["duration_days"] == 14
    assert found["formulas"] == {"z": 14_749, "z-pooled": 14_751, "z-baseline": 14_313, "arcsine": 14_745}
    assert rows(found)["ctr"]["n_per_arm"] is None
    assert "--baseline ctr=VALUE" in rows(found)["ctr"]["note"]


@pytest.mark.parametrize("days", [7, 28])
def test_days_give_the_effect_that_gives_the_days(days: int) -> None:
    given = {one.name: Baseline(0.1, 0.3) for one in SPEC.metric}
    spec = msgspec.structs.replace(SPEC, days=days, share=0.4, holdout=0.1)
    found = design(Plan(spec, baselines=given, units_per_day=2000))
    first = rows(found)["conversion"]
    assert first["n_per_arm"] == days * 2000 * 0.4 * 0.9 / 2
    again = design(Plan(spec, baselines=given, units_per_day=2000, mde=first["mde_relative"]))
    assert rows(again)["conversion"]["n_per_arm"] == pytest.approx(first["n_per_arm"], abs=1)
    assert again["duration_days"] in (days, days + 7)
    assert rows(found)["left"]["mde"] == 0.01
    assert rows(found)["left"]["power"] > 0.05


def test_several_treatments_share_alpha_and_are_all_served() -> None:
    spec = msgspec.structs.replace(SPEC, variants={"control": 0.5, "a": 0.4, "b": 0.1})
    given = {"conversion": Baseline(0.1, 0.3)}
    found = rows(design(Plan(spec, baselines=given, mde=0.1)))["conversion"]
    assert found["alpha"] == 0.025
    assert found["n_per_arm"] == found["units"]["b"]
    one = ExperimentSpec(
        name="x", variants={"control": 5 / 6, "b": 1 / 6}, metric=(CONVERSION,), analysis=AnalysisSpec(alpha=0.025)
    )
    alone = rows(design(Plan(one, baselines=given, mde=0.1)))["conversion"]
    assert found["units"]["control"] == pytest.approx(alone["units"]["control"], abs=1)
    assert metric_alpha(spec, MINUTES) == 0.05 / 4
    assert metric_alpha(spec, CANCELLED) == 0.05
    plain = msgspec.structs.replace(spec, analysis=AnalysisSpec(correction="none"))
    assert metric_alpha(plain, MINUTES) == 0.05


def test_a_metric_that_should_fall_is_planned_for_its_fall() -> None:
    down = msgspec.structs.replace(CONVERSION, direction="down")
    given = {"conversion": Baseline(0.1, 0.3)}
    falls = rows(design(Plan(ExperimentSpec(name="x", variants=HALVES, metric=(down,)), None, given, mde=0.1)))
    assert falls["conversion"]["mde"] == pytest.approx(-0.01)
    assert falls["conversion"]["n_per_arm"] < 14_000


def test_a_history_gives_baselines_accrual_and_covariates() -> None:
    history = read_history(log(), SPEC)
    found = design(Plan(SPEC, history, mde=0.4))
    assert found["duration_days"] % 7 == 0
    metrics = rows(found)
    assert all(one["n_per_arm"] > 0 for one in metrics.values())
    assert 0.05 < metrics["minutes"]["explained"] < 0.9
    assert "28" in found["accrual"]["rule"]
    by_days = [one["mde_relative"] for one in effect_by_days(Plan(SPEC, history), MINUTES, 28)]
    assert by_days == sorted(by_days, reverse=True)
    solved = design(Plan(SPEC, history))
    assert rows(solved)["conversion"]["n_per_arm"] == int(np.ceil(history.accrual()[13] / 2))


def test_units_that_never_come_are_named() -> None:
    history = read_history(log(300), SPEC)
    found = design(Plan(SPEC, history, mde=0.01))
    assert found["duration_days"] is None
    assert any("the units never come" in one for one in found["notes"])


@pytest.mark.parametrize(("kind", "factor"), [("obrien-fleming", 1.028), ("pocock", 1.228), ("asymptotic-cs", 1.92)])
def test_looking_early_has_its_price(kind: Any, factor: float) -> None:
    spec = msgspec.structs.replace(SPEC, analysis=AnalysisSpec(sequential=kind))
    found = design(Plan(spec, baselines={"conversion": Baseline(0.1, 0.3)}, mde=0.1))
    assert found["sequential"]["inflation"] == pytest.approx(factor, abs=0.01)
    assert found["sequential"]["n_per_arm"] == pytest.approx(14_749 * factor, rel=0.01)


@pytest.mark.parametrize("metric", [CONVERSION, MINUTES, CTR])
def test_the_planned_power_is_reached_on_the_history(metric: MetricSpec) -> None:
    primary = msgspec.structs.replace(metric, role="primary")
    spec = ExperimentSpec(name="x", variants=HALVES, metric=(primary,), days=14)
    plan = Plan(spec, read_history(log(), spec))
    columns = plan.units_of_history(primary, 14)
    measured = read_history(pl.DataFrame({"user_id": np.arange(len(columns[primary.columns[0]])), **columns}), spec)
    first = design(Plan(spec, measured, mde=0.08))["metrics"][0]
    found = simulated_power(
        primary, columns, 0.08, (first["n_per_arm"],) * 2, alpha=0.05, rounds=200, rng=np.random.default_rng(2)
    )
    assert found.low - 0.03 < 0.8 < found.high + 0.03
    assert found.rounds == 200


def test_a_large_effect_on_a_measured_mean_widens_the_spread_as_the_trial_does() -> None:
    """Times 1.4: a history plans for the wider spread and keeps the power; a std by hand is that of both arms."""
    rng = np.random.default_rng(3)
    minutes = MetricSpec(name="minutes", value="minutes", role="primary")
    spec = ExperimentSpec(name="x", variants=HALVES, metric=(minutes,))
    columns = {"minutes": rng.lognormal(0, 0.7, 60_000)}
    measured = Baseline(columns["minutes"].mean(), columns["minutes"].std(), units=60_000)
    grown, plain = (two_arms(spec, minutes, one, "treatment") for one in (measured, replace(measured, units=None)))
    effect = 0.4 * measured.value
    wanted = plain.units(effect, 0.8) * (1 + 1.4**2) / 2
    assert grown.units(effect, 0.8) == pytest.approx(wanted, rel=1e-3)
    units = round(wanted)
    found = simulated_power(minutes, columns, 0.4, (units, units), alpha=0.05, rounds=800, rng=rng)
    assert found.low - 0.03 < 0.8 < found.high + 0.03
    negative = Baseline(-1.0, 2.0, units=60_000)
    assert two_arms(spec, minutes, negative, "treatment").units(0.1, 0.8) == pytest.approx(
        two_arms(spec, minutes, replace(negative, units=None), "treatment").units(0.1, 0.8)
    )


def test_a_guardrail_is_tried_against_its_margin() -> None:
    rng = np.random.default_rng(1)
    columns = {"left": (rng.random(50_000) < 0.02).astype(float)}
    plan = Plan(
        ExperimentSpec(name="x", variants=HALVES, metric=(CONVERSION, CANCELLED)),
        baselines={"conversion": Baseline(0.1, 0.3), "left": Baseline(columns["left"].mean(), columns["left"].std())},
        mde=0.1,
    )
    units = rows(design(plan))["left"]["n_per_arm"]
    found = simulated_power(CANCELLED, columns, 0.0, (units, units), alpha=0.05, rounds=300, rng=rng)
    assert found.low - 0.03 < 0.8 < found.high + 0.03


def test_effects_are_put_in_as_asked() -> None:
    rng = np.random.default_rng(0)
    bought = (rng.random(200_000) < 0.1).astype(float)
    for lift in (0.2, -0.3):
        assert lifted(CONVERSION, bought, lift, rng).mean() == pytest.approx(0.1 * (1 + lift), abs=2e-3)
    with pytest.raises(ConfigError, match="cannot change"):
        lifted(CONVERSION, bought, 10, rng)
    with pytest.raises(ConfigError, match="at least 1 round"):
        simulated_power(CONVERSION, {"bought": bought}, 0.1, (9, 9), alpha=0.05, rounds=0, rng=rng)


def test_curves_pass_through_the_plan() -> None:
    plan = Plan(SPEC, baselines={"conversion": Baseline(0.1, 0.3)}, units_per_day=3000, mde=0.1)
    curve = power_by_units(plan, CONVERSION, 0.01, 29_498, points=101)
    assert np.interp(29_498, [one["units"] for one in curve], [one["power"] for one in curve]) == pytest.approx(
        0.8, abs=1e-3
    )
    assert effect_by_days(plan, CANCELLED) == []
    assert effect_by_days(replace(plan, units_per_day=None), CONVERSION) == []


@pytest.mark.parametrize("mde", [None, 0.1])
def test_the_page_says_what_the_numbers_say(tmp_path: Any, mde: float | None) -> None:
    analysis = AnalysisSpec(sequential="pocock")
    spec = msgspec.structs.replace(SPEC, name="shelf <b>", analysis=analysis)
    plan = Plan(spec, baselines={"conversion": Baseline(0.1, 0.3)}, units_per_day=3000, mde=mde)
    found = design(plan)
    html = write_design(plan, found, tmp_path / "plan.html").read_text(encoding="utf-8")
    assert "shelf &lt;b&gt;" in html
    assert f"{found['metrics'][0]['n_per_arm']:,} units in each arm" in html
    assert html.count("<svg") == 2
    assert "pocock needs 1.228 times" in html
    assert design_page(plan, found).title == "Design of shelf <b>"


@pytest.mark.parametrize("kind", ["pocock", "asymptotic-cs"])
@pytest.mark.parametrize(("units_per_day", "days"), [(3000.0, 21), (3000.0, None), (None, 14)])
def test_planned_units_are_those_expected_at_the_end(kind: Any, units_per_day: float | None, days: int | None) -> None:
    spec = msgspec.structs.replace(SPEC, days=days, analysis=AnalysisSpec(sequential=kind))
    plan = Plan(spec, baselines={"conversion": Baseline(0.1, 0.3)}, units_per_day=units_per_day, mde=0.1)
    found = design(plan)
    if units_per_day is None:
        wanted = sum(rows(found)["conversion"]["units"].values()) * found["sequential"]["inflation"]
    else:
        wanted = 3000 * (days or found["duration_days"]) * plan.taken
    assert found["sequential"]["planned_units"] == pytest.approx(wanted, abs=1)
    again = msgspec.structs.replace(
        spec, analysis=AnalysisSpec(sequential=kind, planned_units=found["sequential"]["planned_units"])
    )
    assert again.analysis.planned_units == found["sequential"]["planned_units"]


def test_plans_that_cannot_be_made_are_refused() -> None:
    given = {"conversion": Baseline(0.1, 0.3)}
    with pytest.raises(DataError, match="has no baseline"):
        design(Plan(SPEC, mde=0.1))
    with pytest.raises(ConfigError, match="give --mde"):
        design(Plan(SPEC, baselines=given))
    with pytest.raises(ConfigError, match="did you mean 'conversion'"):
        Plan(SPEC, baselines={"conversions": Baseline(0.1, 0.3)})
    for mde in (0.0, float("nan"), float("inf")):
        with pytest.raises(ConfigError, match="mde is"):
            Plan(SPEC, baselines=given, mde=mde)
    with pytest.raises(ConfigError, match="units per day"):
        Plan(SPEC, baselines=given, units_per_day=-1)
    with pytest.raises(ConfigError, match="leave 0 to 1"):
        design(Plan(SPEC, baselines=given, mde=9.5))
    zero = ExperimentSpec(name="x", variants=HALVES, metric=(msgspec.structs.replace(MINUTES, role="primary"),))
    with pytest.raises(ConfigError, match="baseline 0"):
        design(Plan(zero, baselines={"minutes": Baseline(0.0, 1.0)}, mde=0.1))


def test_a_guardrail_without_room_has_no_numbers_but_a_note() -> None:
    strict = msgspec.structs.replace(CANCELLED, margin=0.0)
    spec = ExperimentSpec(name="x", variants=HALVES, metric=(CONVERSION, strict))
    given = {"conversion": Baseline(0.1, 0.3), "left": Baseline(0.02, 0.14)}
    found = rows(design(Plan(spec, baselines=given, mde=0.1)))["left"]
    assert found["n_per_arm"] is None
    assert found["baseline"] == 0.02
    assert "no number of units" in found["note"]
