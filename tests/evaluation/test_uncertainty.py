"""Intervals and comparisons against a slow bootstrap, normal theory and a textbook."""

from math import sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from encorec.errors import ConfigError, DataError
from encorec.evaluation import uncertainty
from encorec.evaluation.uncertainty import compare, interval, intervals
from encorec.types import FloatVector

VALUES = st.lists(st.floats(-5, 5).map(lambda x: round(x, 3)), min_size=1, max_size=30).map(np.array)
SEEDS = st.integers(0, 2**32)


def slow_means(values: FloatVector, seed: int, resamples: int) -> FloatVector:
    """The classic bootstrap, word for word: draw n users of n, take their mean, again and again."""
    rng = np.random.default_rng(seed)
    return np.array([values[rng.integers(len(values), size=len(values))].mean() for _ in range(resamples)])


@given(VALUES, SEEDS)
def test_an_interval_is_that_of_the_classic_bootstrap(values: FloatVector, seed: int) -> None:
    found = interval(values, rng=np.random.default_rng(seed), resamples=60, level=0.9)
    low, high = np.percentile(slow_means(values, seed, 60), [5, 95])
    assert (found.mean, found.low, found.high) == pytest.approx((values.mean(), low, high), abs=1e-9)
    assert found.users == len(values)


@given(VALUES, VALUES, SEEDS)
def test_a_comparison_is_that_of_the_paired_classic_bootstrap(one: FloatVector, two: FloatVector, seed: int) -> None:
    first, second = one[: len(two)], two[: len(one)]
    found = compare(first, second, rng=np.random.default_rng(seed), resamples=60)
    drawn = slow_means(first - second, seed, 60)
    low, high = np.percentile(drawn, [2.5, 97.5])
    assert (found.mean, found.low, found.high) == pytest.approx(((first - second).mean(), low, high), abs=1e-9)
    assert found.better == pytest.approx(np.mean(first > second))
    assert found.worse == pytest.approx(np.mean(first < second))
    assert found.better + found.equal + found.worse == pytest.approx(1)


@given(VALUES, SEEDS)
def test_first_against_second_is_the_reverse_of_second_against_first(values: FloatVector, seed: int) -> None:
    there = compare(values, values[::-1], rng=np.random.default_rng(seed), resamples=50)
    back = compare(values[::-1], values, rng=np.random.default_rng(seed), resamples=50)
    assert (there.mean, there.low, there.high) == pytest.approx((-back.mean, -back.high, -back.low))
    assert (there.p, there.better, there.worse) == (back.p, back.worse, back.better)


def test_p_counts_the_resamples_on_the_smaller_side_of_zero_and_ties_on_both() -> None:
    gain = np.array([0.3, -0.1, 0.2, -0.2, 0.1, 0.3, -0.4])
    drawn = slow_means(gain, seed=5, resamples=200).round(9)
    assert (drawn == 0).any()
    below = int((drawn <= 0).sum())
    assert 0 < below < 100
    found = compare(gain, np.zeros(7), rng=np.random.default_rng(5), resamples=200)
    assert found.p == pytest.approx(2 * (1 + below) / 201)


def test_p_is_never_zero_and_a_clear_winner_wins() -> None:
    found = compare(np.full(50, 0.2), np.full(50, 0.1), rng=np.random.default_rng(0), resamples=999)
    assert found.p == pytest.approx(2 / 1000)
    assert (found.wins, found.better) == (True, 1.0)
    assert (found.low, found.high) == pytest.approx((0.1, 0.1))


def test_a_system_does_not_win_against_itself() -> None:
    values = np.random.default_rng(1).random(100)
    found = compare(values, values, rng=np.random.default_rng(0))
    assert (found.mean, found.low, found.high, found.p) == (0.0, 0.0, 0.0, 1.0)
    assert (found.wins, found.better, found.equal, found.worse) == (False, 0.0, 1.0, 0.0)


@given(st.floats(-1e6, 1e6), st.integers(1, 40))
def test_equal_values_have_an_interval_of_length_zero(value: float, users: int) -> None:
    found = interval(np.full(users, value), rng=np.random.default_rng(0), resamples=20)
    assert (found.low, found.high) == pytest.approx((found.mean, found.mean))


def test_an_equal_seed_gives_an_equal_interval_and_metrics_share_their_resamples() -> None:
    values = np.random.default_rng(3).random(500)
    together = intervals({"one": values, "double": 2 * values}, rng=np.random.default_rng(7), resamples=100)
    alone, again = (interval(values, rng=np.random.default_rng(7), resamples=100) for _ in range(2))
    assert alone == again
    assert (together["one"].low, together["one"].high) == pytest.approx((alone.low, alone.high))
    assert together["one"].mean == alone.mean == values.mean()
    assert together["double"].low == pytest.approx(2 * together["one"].low)
    assert together["double"].high == pytest.approx(2 * together["one"].high)


def test_the_bootstrap_error_of_the_mouse_data_is_that_of_the_textbook() -> None:
    """Treated mice of Efron and Tibshirani (1993, tables 2.1 and 2.2): mean 86.86, error tends to 23.36."""
    mice = np.array([94, 197, 16, 38, 99, 141, 23])
    one_sigma = interval(mice, rng=np.random.default_rng(0), resamples=20_000, level=0.6827)
    assert round(one_sigma.mean, 2) == 86.86
    assert (one_sigma.high - one_sigma.low) / 2 == pytest.approx(23.36, rel=0.03)


def test_many_users_drawn_block_by_block_agree_with_normal_theory() -> None:
    values = (np.random.default_rng(0).random(40_000) < 0.3).astype(float)
    assert len(values) > 2 * uncertainty._USERS_AT_ONCE
    found = interval(values, rng=np.random.default_rng(1), resamples=1000)
    expected = 1.96 * sqrt(values.var() / len(values))
    assert (found.mean - found.low, found.high - found.mean) == pytest.approx((expected, expected), rel=0.1)


def test_draws_are_spread_over_blocks_as_over_users(monkeypatch: pytest.MonkeyPatch) -> None:
    """With blocks of 2, the number of ones among 5 draws from 1, 0, 0, 0, 1 is binomial (5, 2 / 5)."""
    monkeypatch.setattr(uncertainty, "_USERS_AT_ONCE", 2)
    ones = np.array([1.0, 0, 0, 0, 1])
    middle_half = interval(ones, rng=np.random.default_rng(0), resamples=5000, level=0.5)
    all_but_5 = interval(ones, rng=np.random.default_rng(0), resamples=5000, level=0.95)
    assert (middle_half.low, middle_half.high) == pytest.approx((1 / 5, 3 / 5))
    assert (all_but_5.low, all_but_5.high) == pytest.approx((0 / 5, 4 / 5))


def test_a_95_percent_interval_holds_the_truth_about_95_times_of_100() -> None:
    rng = np.random.default_rng(2024)
    held = 0
    for _ in range(400):
        found = interval(rng.exponential(size=150), rng=rng, resamples=300)
        held += found.low <= 1 <= found.high
    assert 0.91 <= held / 400 <= 0.97


def test_a_comparison_of_equals_is_significant_about_5_times_of_100() -> None:
    rng = np.random.default_rng(2025)
    found = [compare(rng.normal(size=100), rng.normal(size=100), rng=rng, resamples=199) for _ in range(300)]
    assert 0.02 <= np.mean([one.p <= 0.05 for one in found]) <= 0.09


def test_no_metrics_have_no_intervals() -> None:
    assert intervals({}, rng=np.random.default_rng(0)) == {}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"a": [1.0, 2.0], "b": [1.0]}, "got lengths {'a': 2, 'b': 1}"),
        ({"a": []}, "there are no users"),
        ({"a": [1.0, np.nan, np.inf]}, "a: 2 values are not finite (first: row 1)"),
    ],
)
def test_values_that_have_no_mean_are_refused(values: dict[str, list[float]], message: str) -> None:
    with pytest.raises(DataError) as caught:
        intervals({name: np.array(column) for name, column in values.items()}, rng=np.random.default_rng(0))
    assert message in str(caught.value)


@pytest.mark.parametrize(("resamples", "level"), [(0, 0.95), (100, 0.0), (100, 1.0), (100, 95.0)])
def test_settings_without_meaning_are_refused(resamples: int, level: float) -> None:
    with pytest.raises(ConfigError, match="allowed is"):
        interval(np.ones(3), rng=np.random.default_rng(0), resamples=resamples, level=level)
    with pytest.raises(ConfigError, match="allowed is"):
        compare(np.ones(3), np.ones(3), rng=np.random.default_rng(0), resamples=resamples, level=level)
