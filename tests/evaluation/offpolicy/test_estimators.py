"""Every estimator against a twin that adds up row after row, and against the published formulas worked by hand."""

import math
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from encorec.evaluation.offpolicy import estimators, slates
from encorec.evaluation.offpolicy.terms import Terms

UNIT = st.floats(0, 1).map(lambda x: round(x, 3))


class Row(NamedTuple):
    weight: float
    reward: float
    q: float
    v: float


ROWS = st.lists(st.builds(Row, st.floats(0, 30).map(lambda x: round(x, 2)), UNIT, UNIT, UNIT), min_size=1, max_size=20)


def columns(rows: list[Row]) -> list[np.ndarray]:
    return [np.array(column) for column in zip(*rows, strict=True)]


def slow(name: str, rows: list[Row], level: float) -> float:
    """The formulas of the papers, as obp writes them: row rewards, then their mean."""
    count, mass = len(rows), sum(one.weight for one in rows)
    if name in ("snips", "sndr") and not mass:
        return math.nan
    total = 0.0
    for weight, reward, q, v in rows:
        total += {
            "ips": weight * reward,
            "clipped_ips": min(weight, level) * reward,
            "snips": weight * reward / (mass / count or 1),
            "dm": v,
            "dr": v + weight * (reward - q),
            "sndr": v + weight * (reward - q) / (mass / count or 1),
            "switch_dr": v + (weight * (reward - q) if weight <= level else 0),
            "dros": v + level * weight / (weight**2 + level) * (reward - q),
        }[name]
    return total / count


def fast(name: str, rows: list[Row], level: float) -> Terms:
    weight, reward, q, v = columns(rows)
    return {
        "ips": lambda: estimators.ips(weight, reward),
        "clipped_ips": lambda: estimators.clipped_ips(weight, reward, level),
        "snips": lambda: estimators.snips(weight, reward),
        "dm": lambda: estimators.direct(v),
        "dr": lambda: estimators.doubly_robust(weight, reward, q, v),
        "sndr": lambda: estimators.self_normalised_dr(weight, reward, q, v),
        "switch_dr": lambda: estimators.switch_dr(weight, reward, q, v, level),
        "dros": lambda: estimators.dros(weight, reward, q, v, level),
    }[name]()


NAMES = ("ips", "clipped_ips", "snips", "dm", "dr", "sndr", "switch_dr", "dros")


@pytest.mark.parametrize("name", NAMES)
@given(ROWS, st.floats(0.1, 50))
def test_estimators_equal_their_slow_twins(name: str, rows: list[Row], level: float) -> None:
    assert fast(name, rows, level).totals().value == pytest.approx(slow(name, rows, level), nan_ok=True, abs=1e-9)


# Two actions: logged with 0.8 and 0.2, target 0.4 and 0.6; the model says 0.5 and 0.25, so v is 0.35.
WORKED = [Row(0.5, 1.0, 0.5, 0.35), Row(0.5, 0.0, 0.5, 0.35), Row(3.0, 1.0, 0.25, 0.35), Row(0.5, 1.0, 0.5, 0.35)]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ips", (0.5 + 3.0 + 0.5) / 4),
        ("clipped_ips", (0.5 + 2.0 + 0.5) / 4),
        ("snips", 4.0 / 4.5),
        ("dm", 0.35),
        ("dr", 0.35 + (0.25 - 0.25 + 2.25 + 0.25) / 4),
        ("sndr", 0.35 + 2.5 / 4.5),
        ("switch_dr", 0.35 + 0.25 / 4),
        ("dros", 0.35 + (2 * 0.5 / 2.25 * 0.5 + 2 * 3 / 11 * 0.75) / 4),
    ],
)
def test_estimators_worked_by_hand(name: str, expected: float) -> None:
    assert fast(name, WORKED, 2.0).totals().value == pytest.approx(expected)


def test_limits_of_the_hyperparameters() -> None:
    """Without clip, switch or shrinkage they are IPS and DR; with all of it, nothing and the direct method."""
    weight, reward, q, v = columns(WORKED)
    ips, dr = estimators.ips(weight, reward).totals().value, fast("dr", WORKED, 1).totals().value
    assert estimators.clipped_ips(weight, reward, np.inf).totals().value == ips
    assert estimators.switch_dr(weight, reward, q, v, np.inf).totals().value == dr
    assert estimators.dros(weight, reward, q, v, np.inf).totals().value == dr
    assert estimators.dros(weight, reward, q, v, 1e12).totals().value == pytest.approx(dr)
    assert estimators.switch_dr(weight, reward, q, v, 0.0).totals().value == pytest.approx(0.35)
    assert estimators.dros(weight, reward, q, v, 0.0).totals().value == pytest.approx(0.35)


@given(ROWS, st.floats(-3, 3))
def test_self_normalised_estimates_move_with_the_rewards(rows: list[Row], shift: float) -> None:
    weight, reward, _, _ = columns(rows)
    plain = estimators.snips(weight, reward).totals().value
    moved = estimators.snips(weight, reward + shift).totals().value
    assert moved == pytest.approx(plain + shift, nan_ok=True, abs=1e-9)


def slow_slates(name: str, weight: np.ndarray, reward: np.ndarray, q: np.ndarray, v: np.ndarray) -> float:
    total = 0.0
    for slate in range(len(weight)):
        down, whole = 1.0, math.prod(weight[slate])
        for place in range(weight.shape[1]):
            above, down = down, down * weight[slate, place]
            total += {
                "sips": whole * reward[slate, place],
                "iips": weight[slate, place] * reward[slate, place],
                "rips": down * reward[slate, place],
                "cascade_dr": down * (reward[slate, place] - q[slate, place]) + above * v[slate, place],
            }[name]
    return total / len(weight)


@pytest.mark.parametrize("name", ["sips", "iips", "rips", "cascade_dr"])
@given(st.integers(1, 8), st.integers(1, 4), st.integers(0, 2**32))
def test_slate_estimators_equal_their_slow_twins(name: str, count: int, places: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    weight, reward, q, v = rng.gamma(1.0, 1.0, (count, places)), *rng.random((3, count, places))
    found = {
        "sips": slates.standard_ips(weight, reward),
        "iips": slates.independent_ips(weight, reward),
        "rips": slates.reward_interaction_ips(weight, reward),
        "cascade_dr": slates.cascade_dr(weight, reward, q, v),
    }[name]
    assert found.totals().value == pytest.approx(slow_slates(name, weight, reward, q, v))


def test_slate_estimators_are_unbiased_over_all_slates_of_a_cascade() -> None:
    """Every slate of three items at two positions, weighted by its chance: the exact expectation of each estimator.

    Users read from the top and stop at a click, so what the second item earns depends on the first: SIPS, RIPS and
    cascade-DR are right whatever the model says, IIPS is not.
    """
    log, target, appeal = np.array([0.5, 0.3, 0.2]), np.array([0.1, 0.2, 0.7]), np.array([0.1, 0.5, 0.8])
    pairs = [(a, b) for a in range(3) for b in range(3) if a != b]
    chance = {policy: [p[a] * p[b] / (1 - p[a]) for a, b in pairs] for policy, p in (("log", log), ("target", target))}
    earned = np.array([[appeal[a], (1 - appeal[a]) * appeal[b]] for a, b in pairs])
    truth = float(np.array(chance["target"]) @ earned.sum(axis=1))
    weight = np.array([[target[a] / log[a], target[b] / (1 - target[a]) / (log[b] / (1 - log[a]))] for a, b in pairs])
    guess = np.array([0.3, 0.2, 0.6])
    q = np.array([[guess[a], guess[b]] for a, b in pairs])
    first = float(target @ guess)
    v = np.array([[first, (first - target[a] * guess[a]) / (1 - target[a])] for a, _ in pairs])

    def expected(terms: Terms) -> float:
        return float(np.array(chance["log"]) @ terms.correction)

    assert expected(slates.standard_ips(weight, earned)) == pytest.approx(truth)
    assert expected(slates.reward_interaction_ips(weight, earned)) == pytest.approx(truth)
    assert expected(slates.cascade_dr(weight, earned, q, v)) == pytest.approx(truth)
    assert abs(expected(slates.independent_ips(weight, earned)) - truth) > 0.01


def test_marginal_weights_make_independent_positions_unbiased() -> None:
    log, target, appeal = np.array([0.5, 0.3, 0.2]), np.array([0.1, 0.2, 0.7]), np.array([0.1, 0.5, 0.8])
    pairs = [(a, b) for a in range(3) for b in range(3) if a != b]
    joint = {name: np.array([p[a] * p[b] / (1 - p[a]) for a, b in pairs]) for name, p in (("log", log), ("to", target))}
    marginal = {
        name: np.array(
            [[sum(p[i] for i, one in enumerate(pairs) if one[k] == item) for item in range(3)] for k in (0, 1)]
        )
        for name, p in joint.items()
    }
    weight = np.array([[marginal["to"][k, pair[k]] / marginal["log"][k, pair[k]] for k in (0, 1)] for pair in pairs])
    earned = np.array([[appeal[a], 0.5 * appeal[b]] for a, b in pairs])
    found = float(joint["log"] @ slates.independent_ips(weight, earned).correction)
    assert found == pytest.approx(float(joint["to"] @ earned.sum(axis=1)))
