"""The parts of a decision by themselves: the planned end, guardrails, alarms, exact texts, a missing package."""

import sys
from datetime import date
from typing import Any

import numpy as np
import pytest

from encorec.errors import MissingExtra
from encorec.experiment.analysis.adjustment import ArmMean
from encorec.experiment.analysis.alarms import clickbait_alarms
from encorec.experiment.analysis.classical import welch
from encorec.experiment.analysis.decision import rule
from encorec.experiment.analysis.effect import Effect, between
from encorec.experiment.analysis.guardrail import guard
from encorec.experiment.analysis.interim import Horizon, interim
from encorec.experiment.analysis.planned_end import PlannedEnd, planned_end
from encorec.experiment.analysis.share_effect import newcombe
from encorec.experiment.sequential.confidence_sequence import cs_width
from encorec.experiment.spec import AnalysisSpec, ExperimentSpec, MetricSpec

DAY = 86_400
PRIMARY = MetricSpec(name="watch", value="minutes", role="primary")


def spec(**changed: Any) -> ExperimentSpec:
    given: dict[str, Any] = {"name": "x", "variants": {"a": 0.5, "b": 0.5}, "metric": (PRIMARY,)}
    return ExperimentSpec(**{**given, **changed})


@pytest.mark.parametrize(
    ("start", "days", "seen", "now", "reached"),
    [
        (date(1970, 1, 2), 2, [DAY, 3 * DAY - 1], None, True),
        (date(1970, 1, 2), 2, [DAY, 2 * DAY - 1], None, False),
        (date(1970, 1, 2), 2, [DAY], 3 * DAY - 1, False),
        (date(1970, 1, 2), 2, [DAY], 3 * DAY, True),
        (date(1970, 1, 2), 2, None, 3 * DAY, True),
        (date(1970, 1, 2), 2, None, None, False),
        (None, 2, [DAY + 5, 2 * DAY], None, True),
        (None, 2, None, 9 * DAY, False),
        (date(1970, 1, 2), None, [DAY, 90 * DAY], None, True),
        (None, None, None, None, True),
        (date(1970, 1, 9), 2, [DAY], None, False),
    ],
)
def test_the_end_is_that_of_the_plan(
    start: date | None, days: int | None, seen: list[int] | None, now: int | None, reached: bool
) -> None:
    found = planned_end(spec(start=start, days=days), None if seen is None else np.array(seen), now=now)
    assert (found.reached, found.final) == (reached, False)
    by_hand = planned_end(spec(start=start, days=days), None if seen is None else np.array(seen), now=now, final=True)
    assert by_hand.reached


@pytest.mark.parametrize(
    ("direction", "effect", "margin", "state"),
    [
        ("up", 0.0, 0.5, "holds"),
        ("up", -1.0, 0.5, "violated"),
        ("up", -0.45, 0.5, "unproven"),
        ("up", 2.0, 0.0, "holds"),
        ("down", 1.0, 0.5, "violated"),
        ("down", -1.0, 0.5, "holds"),
        ("down", 0.05, 0.02, "unproven"),
    ],
)
def test_guardrails_look_in_the_bad_direction(direction: Any, effect: float, margin: float, state: str) -> None:
    metric = MetricSpec(name="m", value="m", role="guardrail", margin=margin, direction=direction)
    found = guard(metric, between(ArmMean(1000, 10.0, 4.0), ArmMean(1000, 10.0 + effect, 4.0), "Welch"), 0.05)
    assert found.state == state


def test_a_guardrail_without_error_is_unknown() -> None:
    metric = MetricSpec(name="m", value="m", role="guardrail", margin=0.1)
    assert guard(metric, Effect.unknown("", (1, 1), "one unit"), 0.05).state == "unknown"


def test_alarms_need_both_to_be_clear_and_better_upwards() -> None:
    metrics = (
        PRIMARY,
        MetricSpec(name="ctr", kind="ratio", numerator="clicks", denominator="views"),
        MetricSpec(name="load_seconds", value="load_seconds", direction="down"),
    )
    registered = spec(metric=metrics)

    def alarms(ctr: float, watch: float, p: float = 0.01) -> list[str]:
        seen = (("ctr", ctr), ("watch", watch), ("load_seconds", -1.0))
        return clickbait_alarms(registered, [{"name": n, "variant": "b", "effect": e, "p": p} for n, e in seen])

    assert len(alarms(0.1, -1.0)) == 1
    assert alarms(0.1, 1.0) == alarms(-0.1, -1.0) == alarms(0.1, -1.0, 0.3) == []


def test_sequential_looks_share_out_alpha() -> None:
    kinds = AnalysisSpec(sequential="asymptotic-cs")
    second = MetricSpec(name="second", value="second")
    registered = spec(variants={"a": 0.4, "b": 0.3, "c": 0.3}, metric=(PRIMARY, second), analysis=kinds)
    effect = between(ArmMean(100, 10.0, 4.0), ArmMean(100, 11.0, 4.0), "Welch")
    pairs = {(name, variant): effect for name in ("watch", "second") for variant in ("b", "c")}
    found = interim(registered, pairs, Horizon(300, 600.0, "given"))
    assert found is not None
    assert [one["alpha"] for one in found["metrics"]] == [0.025] * 4
    half = (effect.error or 0) * float(cs_width(0.5, 0.025))
    assert found["metrics"][0]["ci"] == pytest.approx([1 - half, 1 + half])
    unknown = interim(registered, pairs, Horizon.of(300, PlannedEnd(False, False, None, "")))
    assert unknown is not None
    assert unknown["metrics"] == []
    assert "nothing can be said" in unknown["note"]


def test_the_rule_names_everything_it_rests_on() -> None:
    guardrail = MetricSpec(name="left", kind="share", value="left", role="guardrail", margin=0.002, direction="down")
    kinds = AnalysisSpec(sequential="pocock", looks=4, alpha=0.01)
    text = rule(spec(variants={"a": 0.4, "b": 0.3, "c": 0.3}, metric=(PRIMARY, guardrail), analysis=kinds, days=14))
    for part in (
        "'watch'",
        "'a'",
        "alpha 0.01",
        "holm over 2 variants",
        "pocock",
        "4 looks",
        "14 days",
        "0.002",
        "0.001",
    ):
        assert part in text


def test_newcombe_is_the_published_one() -> None:
    """Newcombe (1998), table II: 56/70 against 48/80: 0.0524 to 0.3339; 9/10 against 3/10: 0.1705 to 0.8090."""
    assert newcombe(ArmMean(80, 0.6, 0), ArmMean(70, 0.8, 0)) == pytest.approx((0.0524, 0.3339), abs=5e-5)
    assert newcombe(ArmMean(10, 0.3, 0), ArmMean(10, 0.9, 0)) == pytest.approx((0.1705, 0.8090), abs=5e-5)


def test_without_tea_tasting_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tea_tasting.metrics", None)
    with pytest.raises(MissingExtra, match=r"pip install 'encorec\[ab\]'"):
        welch(ArmMean(10, 1.0, 1.0), ArmMean(10, 2.0, 1.0))


def test_fixed_test_after_a_confidence_sequence_hardly_errs_more() -> None:
    """What ``decide`` says: both together err in 5.3 % of experiments with 14 looks."""
    rng = np.random.default_rng(0)
    share = np.arange(1, 15) / 14
    z = rng.normal(0, np.sqrt(1 / 14), (100_000, 14)).cumsum(axis=1) / np.sqrt(share)
    crossed = (np.abs(z) > cs_width(share)).any(axis=1)
    assert (crossed | (np.abs(z[:, -1]) > 1.96)).mean() == pytest.approx(0.053, abs=0.002)
