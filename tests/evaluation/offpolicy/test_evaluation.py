"""The whole way from tables to estimates: right where the truth is known, refused where the log cannot tell."""

import numpy as np
import polars as pl
import pytest
from tests.evaluation.offpolicy.worlds import contextual_world, slate_world

from encorec.errors import ConfigError, DataError
from encorec.evaluation.offpolicy import OffPolicyConfig, RewardModelConfig, evaluate_policy
from encorec.evaluation.offpolicy.diagnostics import Diagnostics
from encorec.evaluation.offpolicy.log_table import read_log
from encorec.evaluation.offpolicy.policy_table import read_policy, recovered_policy

QUICK = OffPolicyConfig(resamples=100, reward_model=RewardModelConfig())


def with_target(log: pl.DataFrame, policy: pl.DataFrame) -> pl.DataFrame:
    joined = log.join(policy, on=["city", "action"], how="left", maintain_order="left")
    return joined.rename({"probability": "target_probability"})


@pytest.mark.parametrize("kind", ["ridge", "logistic"])
def test_estimates_are_near_the_truth(kind: str) -> None:
    world = contextual_world(1, rows=6000)
    config = OffPolicyConfig(resamples=100, reward_model=RewardModelConfig(kind=kind))  # pyright: ignore[reportArgumentType]
    found = evaluate_policy(world.log, world.policy, config=config)
    names = ["ips", "clipped_ips", "snips", "dm", "dr", "sndr", "switch_dr", "dros", "mrdr"]
    assert list(found.estimators) == names
    for one in found.estimators.values():
        assert one["value"] == pytest.approx(world.truth, abs=0.04)
        assert one["ci95"][0] < one["value"] < one["ci95"][1]
        assert one["relative"] == pytest.approx(one["value"] / found.logged_value)
    assert found.logged_value == pytest.approx(world.logged_truth, abs=0.03)
    assert found.refused is None
    width = {name: np.diff(one["ci95"])[0] for name, one in found.estimators.items()}
    assert width["dr"] < width["ips"]


def test_a_policy_in_the_log_is_the_policy_in_a_table() -> None:
    """The column tells the logged actions only; here the contexts repeat, so it tells the whole policy."""
    world = contextual_world(2)
    one = evaluate_policy(world.log, world.policy, config=QUICK)
    other = evaluate_policy(with_target(world.log, world.policy), config=QUICK)
    assert other.as_dict()["diagnostics"] == one.as_dict()["diagnostics"]
    for name, entry in one.estimators.items():
        assert other.estimators[name]["value"] == pytest.approx(entry["value"])


def test_a_policy_that_the_log_tells_in_part_has_no_direct_method() -> None:
    world = contextual_world(3)
    log = with_target(world.log, world.policy).with_columns(noise=np.arange(2000) / 7)
    assert recovered_policy(read_log(log)) is None
    found = evaluate_policy(log, config=QUICK)
    assert "dm" not in found.estimators
    assert found.estimators["dr"]["value"] == pytest.approx(world.truth, abs=0.08)
    assert any("logged actions only" in one for one in found.warnings)
    assert evaluate_policy(log, config=QUICK, context=["city"]).estimators["dm"]["value"] is not None


def test_values_of_a_model_that_are_given_are_used_as_they_are() -> None:
    log = pl.DataFrame(
        {
            "action": ["a", "b"] * 100,
            "reward": [1.0, 0.0] * 100,
            "propensity": [0.8, 0.2] * 100,
            "target_probability": [0.4, 0.6] * 100,
            "q_logged": [0.5, 0.25] * 100,
            "v_target": [0.35] * 200,
        }
    )
    config = OffPolicyConfig(resamples=50, force=True, tau=2.0, lam=2.0, clip=2.0)
    found = evaluate_policy(log, config=config).estimators
    assert found["dm"]["value"] == pytest.approx(0.35)
    assert found["dr"]["value"] == pytest.approx(0.35 + (0.5 * 0.5 - 3 * 0.25) / 2)
    assert found["sndr"]["value"] == pytest.approx(0.35 + (0.5 * 0.5 - 3 * 0.25) / 3.5)
    assert found["switch_dr"] | {"tau": 2.0} == found["switch_dr"]
    assert found["switch_dr"]["value"] == pytest.approx(0.35 + 0.25 / 2)
    assert found["dros"]["value"] == pytest.approx(0.35 + (2 * 0.5 / 2.25 * 0.5 - 2 * 3 / 11 * 0.25) / 2)
    assert found["dros"]["lambda"] == 2.0
    assert found["clipped_ips"]["value"] == pytest.approx(0.25)


def test_slates_are_near_the_truth_and_independence_is_not() -> None:
    world = slate_world(4, slates=20_000)
    found = evaluate_policy(world.log, world.policy, config=QUICK)
    for name in ("sips", "rips", "cascade_dr"):
        one = found.estimators[name]
        assert one["per"] == "slate"
        assert one["value"] == pytest.approx(world.truth, abs=0.03)
    assert found.estimators["iips"]["value"] > world.truth + 0.03
    assert found.logged_slate_value == pytest.approx(world.logged_truth, abs=0.02)
    width = {name: np.diff(one["ci95"])[0] for name, one in found.estimators.items()}
    assert width["cascade_dr"] < width["rips"] < width["sips"]


def test_order_of_rows_and_missing_positions_do_not_matter() -> None:
    world = slate_world(5, slates=400)
    config = OffPolicyConfig(min_ess=1)
    log = world.log.filter(~((pl.col("request_id") % 5 == 0) & (pl.col("position") == 2)))
    one = evaluate_policy(log, world.policy, config=config)
    other = evaluate_policy(log.sample(fraction=1, shuffle=True, seed=1), world.policy, config=config)
    for name, entry in one.estimators.items():
        assert other.estimators[name]["value"] == pytest.approx(entry["value"])


def test_a_new_ranking_is_a_policy_that_is_sure() -> None:
    log = pl.DataFrame(
        {
            "request_id": [1, 1, 2, 2],
            "position": [1, 2, 1, 2],
            "action": ["a", "b", "b", "a"],
            "reward": [1, 1, 1, 0],
            "propensity": [0.5, 1.0, 0.5, 1.0],
        }
    )
    ranking = pl.DataFrame({"request_id": [1, 1, 2, 2], "position": [1, 2, 1, 2], "action": ["a", "b", "a", "b"]})
    policy = read_policy(ranking, read_log(log))
    assert policy.logged.tolist() == [1.0, 1.0, 0.0, 0.0]
    found = evaluate_policy(log, ranking, config=OffPolicyConfig(min_ess=0, resamples=50)).estimators
    assert found["sips"]["value"] == pytest.approx(2 * 2 / 2)
    assert found["rips"]["value"] == pytest.approx((2 + 2) / 2)


def test_a_log_that_hardly_shows_the_target_is_refused() -> None:
    world = contextual_world(6, rows=60)
    found = evaluate_policy(world.log, world.policy, config=QUICK)
    assert found.refused is not None
    assert "effective sample size (ESS)" in found.refused
    assert f"{found.diagnostics.ess:.1f}" in found.refused
    assert all(one["value"] is None and one["ci95"] is None for one in found.estimators.values())
    forced = evaluate_policy(world.log, world.policy, config=OffPolicyConfig(force=True, resamples=50))
    assert forced.refused == found.refused
    assert forced.estimators["ips"]["value"] is not None


def test_actions_that_the_log_never_shows_are_named() -> None:
    world = contextual_world(7)
    policy = world.policy.with_columns(action=pl.col("action").replace({"d": "x"}))
    found = evaluate_policy(world.log, policy, config=QUICK)
    assert found.refused is not None
    assert "support is violated: 34.8 %" in found.refused
    assert "policy: column 'action' has 2 values that log never shows (first: data row 4, 'x')" in found.refused
    assert found.diagnostics.unseen == pytest.approx(0.35, abs=0.01)
    assert evaluate_policy(world.log, policy, config=OffPolicyConfig(max_unseen=1)).refused is not None


def test_weights_that_do_not_average_one_are_refused() -> None:
    world = contextual_world(8)
    halved = with_target(world.log, world.policy).with_columns(pl.col("propensity") / 2)
    refused = evaluate_policy(halved, config=QUICK).refused
    assert refused is not None
    assert "average" in refused
    assert "propensities are too small" in refused


def test_every_position_is_a_policy_of_its_own() -> None:
    """In all there is enough, at the second position there is not."""
    rows = 1000
    log = pl.DataFrame(
        {
            "action": (["a"] * 7 + ["b"] * 3) * (rows // 10) + ["a"] * 97 + ["b"] * 3,
            "position": [1] * rows + [2] * 100,
            "reward": [0.5] * (rows + 100),
            "propensity": ([0.7] * 7 + [0.3] * 3) * (rows // 10) + [0.97] * 97 + [0.03] * 3,
        }
    )
    policy = pl.DataFrame({"action": ["a", "b"], "probability": [0.5, 0.5]})
    found = evaluate_policy(log, policy, config=OffPolicyConfig(min_ess=20))
    assert found.diagnostics.ess > 20 > found.diagnostics.positions["2"]
    assert found.refused is not None
    assert "at position 2 is" in found.refused


def test_diagnostics_equal_their_slow_twins() -> None:
    rng = np.random.default_rng(9)
    weight, reward = rng.gamma(0.5, 2.0, 1000), rng.random(1000)
    found = Diagnostics.of(weight, reward)
    assert found.ess == pytest.approx(sum(weight) ** 2 / sum(one * one for one in weight))
    top = sorted(range(1000), key=lambda row: -weight[row])[:10]
    assert found.top_share == pytest.approx(sum(weight[row] * reward[row] for row in top) / sum(weight * reward))
    assert found.support == 1.0
    tied = Diagnostics.of(np.ones(100), np.append(5.0, np.ones(99)))
    assert tied.top_share == pytest.approx(1 / 100)


BASE = {"action": ["a", "b"], "reward": [1.0, 0.0], "propensity": [0.5, 0.5]}
EVEN = {"action": ["a", "b"], "probability": [0.5, 0.5]}
MISTAKES: dict[str, tuple[dict, dict | None, str]] = {
    "propensity 0": (
        {**BASE, "propensity": [0.5, 0.0]},
        EVEN,
        r"log: column 'propensity' has 1 value outside 0..1 or 0 \(first: data row 2, 0.0\)",
    ),
    "negative": ({**BASE, "propensity": [-0.5, 0.5]}, EVEN, "outside 0..1 or 0 .first: data row 1, -0.5"),
    "above 1": ({**BASE, "propensity": [0.5, 1.5]}, EVEN, "outside 0..1 or 0 .first: data row 2, 1.5"),
    "no propensity": ({**BASE, "propensity": [None, 0.5]}, EVEN, "column 'propensity' has 1 value missing"),
    "NaN reward": ({**BASE, "reward": [1.0, float("nan")]}, EVEN, "column 'reward' has 1 value missing or NaN"),
    "infinite reward": ({**BASE, "reward": [1.0, float("inf")]}, EVEN, "column 'reward' has 1 value infinite"),
    "text reward": ({**BASE, "reward": ["yes", "no"]}, EVEN, "column 'reward' has 2 values unreadable as a number"),
    "no action": ({**BASE, "action": ["a", None]}, EVEN, "column 'action' has 1 value missing"),
    "no column": ({"action": ["a"], "reward": [1]}, EVEN, "unknown column 'propensity'"),
    "no target": (BASE, None, "no target policy"),
    "two targets": ({**BASE, "target_probability": [0.5, 0.5]}, EVEN, "drop one of them"),
    "target above 1": ({**BASE, "target_probability": [0.5, 2.0]}, None, "'target_probability' has 1 value outside"),
    "half a model": ({**BASE, "q_logged": [0.5, 0.5]}, EVEN, "q_logged and v_target belong together"),
    "half marginal": ({**BASE, "item_propensity": [0.5, 0.5]}, EVEN, "item_target_probability belong together"),
    "a position twice": (
        {**BASE, "request_id": [1, 1], "position": [1, 1]},
        EVEN,
        r"column 'position' has 1 value that a row of the same request_id has already \(first: data row 2, 1\)",
    ),
    "half a position": ({**BASE, "position": [1.5, 2.0]}, EVEN, "column 'position' has 1 value that is no position"),
    "a sum": (
        BASE,
        {"action": ["a", "b"], "probability": [0.5, 0.6]},
        r"'probability' adds up to something else than 1 in 1 of 1 situation \(first: data row 1, 1.1\)",
    ),
    "a sum at a position": (
        {**BASE, "position": [1, 2]},
        {"action": ["a", "b", "a"], "position": [1, 1, 2], "probability": [0.5, 0.5, 0.7]},
        r"in 1 of 2 situations \(first: data row 3, 0.7\)",
    ),
    "a probability": (BASE, {"action": ["a", "b"], "probability": [-0.5, 1.5]}, "column 'probability' has 2 values"),
    "an action twice": (
        BASE,
        {"action": ["a", "a"], "probability": [0.5, 0.5]},
        r"column 'action' has 1 value given twice in the same situation \(first: data row 2, 'a'\)",
    ),
    "other ids": (BASE, {"action": ["x", "y"], "probability": [0.5, 0.5]}, "are the ids spelt alike"),
    "no probability": (BASE, {"action": ["a", "b"]}, "neither a column 'probability' nor a column 'position'"),
    "an unknown key": (BASE, {**EVEN, "town": ["Riga", "Riga"]}, "policy: unknown column 'town'"),
    "a missing position": (
        {**BASE, "position": [1, 2]},
        {**EVEN, "position": [1, 1]},
        r"says nothing for 1 row of log \(first: data row 2, position 2\)",
    ),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_is_named(case: str) -> None:
    log, policy, message = MISTAKES[case]
    with pytest.raises(DataError, match=message):
        evaluate_policy(pl.DataFrame(log), None if policy is None else pl.DataFrame(policy))


def test_settings_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ConfigError, match="clip is 0, allowed is above 0"):
        OffPolicyConfig(clip=0)
    with pytest.raises(ConfigError, match=r"resamples is 3, allowed is 20 to 100000"):
        OffPolicyConfig(resamples=3)
    with pytest.raises(ConfigError, match="unknown context column 'town'"):
        evaluate_policy(pl.DataFrame(BASE), pl.DataFrame(EVEN), context=["town"])
    skewed = pl.DataFrame({**BASE, "reward": [3.0, 0.0]})
    config = OffPolicyConfig(reward_model=RewardModelConfig(kind="logistic"))
    with pytest.raises(ConfigError, match="logistic reward model needs rewards of 0 and 1"):
        evaluate_policy(skewed, pl.DataFrame(EVEN), config=config)


def test_the_seed_alone_decides() -> None:
    world = contextual_world(10)
    one, again, other = (evaluate_policy(world.log, world.policy, config=QUICK, seed=seed) for seed in (1, 1, 2))
    assert one.as_dict() == again.as_dict()
    assert one.estimators["ips"]["ci95"] != other.estimators["ips"]["ci95"]
