"""Preferences of units: against a slow twin, scipy, worked values, and under no preference at all."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from encorec.errors import DataError
from encorec.experiment.interleaving.preference import Preference, preference, preferences

CREDITS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=30)


def found(first: Sequence[float], second: Sequence[float], seed: int = 0, resamples: int = 200) -> Preference:
    return preference(np.array(first), np.array(second), rng=np.random.default_rng(seed), resamples=resamples)


@given(CREDITS)
def test_preference_is_that_of_the_slow_twin(pairs: list[tuple[int, int]]) -> None:
    one = found([a for a, _ in pairs], [b for _, b in pairs], resamples=20)
    wins, losses = sum(a > b for a, b in pairs), sum(a < b for a, b in pairs)
    ties = len(pairs) - wins - losses
    assert (one.wins, one.losses, one.ties, one.units) == (wins, losses, ties, len(pairs))
    assert one.preference == pytest.approx((wins + ties / 2) / len(pairs) - 0.5)
    assert one.p == (pytest.approx(binomtest(wins, wins + losses).pvalue) if wins + losses else 1.0)
    assert one.credit["mean"] == pytest.approx(sum(a - b for a, b in pairs) / len(pairs))


@given(CREDITS)
def test_the_other_way_round_is_the_negative(pairs: list[tuple[int, int]]) -> None:
    one = found([a for a, _ in pairs], [b for _, b in pairs], resamples=20)
    other = found([b for _, b in pairs], [a for a, _ in pairs], resamples=20)
    assert (other.preference, other.p, other.wins) == (pytest.approx(-one.preference), one.p, one.losses)


def test_worked_sign_test() -> None:
    one = found([1] * 9 + [0], [0] * 9 + [1])
    assert one.p == pytest.approx(2 * (1 + 10) / 2**10)
    assert one.preference == pytest.approx(0.4)
    assert one.ci95 is not None
    assert 0 < one.ci95[0] < 0.4 < one.ci95[1] <= 0.5


def test_interval_where_all_agree_is_the_exact_one() -> None:
    one = found([2.0] * 8, [1.0] * 8)
    exact = binomtest(8, 8).proportion_ci(0.95, "exact")
    assert one.ci95 == pytest.approx((exact.low - 0.5, 0.5))
    assert found([1.0] * 8, [2.0] * 8).ci95 == pytest.approx((-0.5, 0.5 - exact.low))


def test_nobody_preferred_is_no_evidence() -> None:
    one = found([0, 0, 2], [0, 0, 2])
    assert (one.preference, one.ci95, one.p, one.ties) == (0.0, None, 1.0, 3)


def test_interval_is_that_of_the_normal_approximation_for_many_units() -> None:
    rng = np.random.default_rng(5)
    sign = rng.choice([-1, 0, 1], 4000, p=[0.2, 0.5, 0.3])
    one = found((sign > 0).astype(float).tolist(), (sign < 0).astype(float).tolist(), resamples=2000)
    half = 1.96 * (sign / 2).std() / np.sqrt(4000)
    assert one.ci95 == pytest.approx((one.preference - half, one.preference + half), abs=0.1 * half)


def test_false_alarms_are_rare_and_intervals_cover_nothing() -> None:
    rng = np.random.default_rng(6)
    alarms = covered = 0
    for number in range(300):
        both = rng.poisson(0.7, (2, 120)).astype(float)
        one = preference(*both, rng=np.random.default_rng(number), resamples=200)
        alarms += one.p < 0.05
        covered += one.ci95 is not None and one.ci95[0] <= 0 <= one.ci95[1]
    assert alarms / 300 <= 0.075
    assert covered / 300 >= 0.91


def test_pairs_of_several_rankers_are_corrected() -> None:
    credits = np.column_stack([np.ones(30), np.zeros(30), np.tile([1.0, 0.0, 2.0], 10)])
    pairs = preferences(credits, ["a", "b", "c"], rng=np.random.default_rng(0), resamples=50)
    assert [(one["first"], one["second"]) for one in pairs] == [("a", "b"), ("a", "c"), ("b", "c")]
    assert pairs[0]["p_holm"] == pytest.approx(3 * pairs[0]["p"])
    assert (pairs[1]["wins"], pairs[1]["ties"], pairs[1]["losses"]) == (10, 10, 10)


def test_bad_credits_are_named() -> None:
    with pytest.raises(DataError, match=r"first: 1 credits are below 0 or not finite \(first: row 1\)"):
        found([1, -1], [0, 0])
    with pytest.raises(DataError, match="second: 1 credits"):
        found([1, 1], [0, float("nan")])
    with pytest.raises(DataError, match="credits of 2 and 1 units"):
        found([1, 1], [0])
    with pytest.raises(DataError, match="credits of 0 and 0 units"):
        found([], [])
    with pytest.raises(DataError, match="1 rankers"):
        preferences(np.ones((3, 1)), ["a"], rng=np.random.default_rng(0))
