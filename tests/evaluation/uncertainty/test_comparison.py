"""Intervals and comparisons against a slow bootstrap, normal theory and a textbook."""

from math import sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from encorec.errors import ConfigError, DataError
from encorec.evaluation.uncertainty import bootstrap
from encorec.evaluation.uncertainty.bootstrap import Resampling
from encorec.evaluation.uncertainty.comparison import (
    compare,
    compare_systems,
    holm,
    interval,
    intervals,
    mean_over_users,
)
from encorec.types import FloatVector

VALUES = st.lists(st.floats(-5, 5).map(lambda x: round(x, 3)), min_size=1, max_size=30).map(np.array)
SEEDS = st.integers(0, 2**32)


def slow_means(values: FloatVector, seed: int, resamples: int) -> FloatVector:
    """The classic bootstrap, word for word: draw n users of n, take their mean, again and again."""
    rng = np.random.default_rng(seed)
    return np.array([values[rng.integers(len(values), size=len(values))].mean() for _ in range(resamples)])


def drawn_means(values: FloatVector, seed: int, resamples: int) -> FloatVector:
    """The resampled means that an interval of ``values`` rests on."""
    return Resampling.of(len(values), np.random.default_rng(seed), resamples=resamples).means(values[:, None])[:, 0]


@pytest.mark.parametrize("seed", range(4))
def test_an_interval_is_that_of_the_classic_bootstrap_but_for_chance(seed: int) -> None:
    values = np.random.default_rng(seed).gamma(0.5, size=40)
    found = interval(values, rng=np.random.default_rng(seed), resamples=20_000, level=0.9)
    low, high = np.percentile(slow_means(values, seed, 20_000), [5, 95])
    width = high - low
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.03 * width)
    assert found.mean == pytest.approx(values.mean())
    assert found.users == 40


@given(VALUES, SEEDS)
def test_an_interval_holds_the_middle_of_the_resampled_means(values: FloatVector, seed: int) -> None:
    found = interval(values, rng=np.random.default_rng(seed), resamples=60, level=0.9)
    low, high = np.percentile(drawn_means(values, seed, 60), [5, 95])
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-12)


@given(VALUES, VALUES, SEEDS)
def test_a_comparison_is_the_interval_of_the_differences(one: FloatVector, two: FloatVector, seed: int) -> None:
    first, second = one[: len(two)], two[: len(one)]
    found = compare(first, second, rng=np.random.default_rng(seed), resamples=2000)
    low, high = np.percentile(drawn_means(first - second, seed, 2000), [2.5, 97.5])
    slack = 0.2 * (high - low) + 1e-9
    assert (found.low, found.high) == pytest.approx((low, high), abs=slack)
    assert found.mean == pytest.approx((first - second).mean(), abs=1e-12)
    assert found.better == pytest.approx(np.mean(first > second))
    assert found.worse == pytest.approx(np.mean(first < second))
    assert found.better + found.equal + found.worse == pytest.approx(1)


@given(VALUES, VALUES, SEEDS, st.randoms())
def test_the_order_of_users_changes_nothing_at_all(
    one: FloatVector, two: FloatVector, seed: int, random: np.random.Generator
) -> None:
    pair = np.column_stack([one[: len(two)], two[: len(one)]])
    order = list(range(len(pair)))
    random.shuffle(order)
    mixed = pair[order]

    def told(values: FloatVector) -> tuple[object, ...]:
        rng = np.random.default_rng
        named = {"one": values[:, 0], "two": values[:, 1]}
        return (
            intervals(named, rng=rng(seed), resamples=20),
            compare(values[:, 0], values[:, 1], rng=rng(seed), resamples=20),
            compare_systems(named, rng=rng(seed), resamples=20),
        )

    assert told(pair) == told(mixed)


@given(VALUES, VALUES, SEEDS)
def test_together_or_alone_an_interval_is_the_same(one: FloatVector, two: FloatVector, seed: int) -> None:
    named = {"one": one[: len(two)], "two": two[: len(one)], "three": one[: len(two)] * two[: len(one)]}
    together = intervals(named, rng=np.random.default_rng(seed), resamples=20)
    assert together == {
        name: interval(values, rng=np.random.default_rng(seed), resamples=20) for name, values in named.items()
    }


@given(VALUES, VALUES, SEEDS)
def test_one_against_other_is_the_exact_reverse_of_other_against_one(
    one: FloatVector, two: FloatVector, seed: int
) -> None:
    first, second = one[: len(two)], two[: len(one)]
    there = compare(first, second, rng=np.random.default_rng(seed), resamples=50)
    back = compare(second, first, rng=np.random.default_rng(seed), resamples=50)
    assert (there.mean, there.low, there.high) == (-back.mean, -back.high, -back.low)
    assert (there.p, there.better, there.equal, there.worse) == (back.p, back.worse, back.equal, back.better)


@given(VALUES, SEEDS)
def test_first_against_second_is_the_reverse_of_second_against_first(values: FloatVector, seed: int) -> None:
    there = compare(values, values[::-1], rng=np.random.default_rng(seed), resamples=50)
    back = compare(values[::-1], values, rng=np.random.default_rng(seed), resamples=50)
    assert (there.mean, there.low, there.high) == pytest.approx((-back.mean, -back.high, -back.low))
    assert (there.p, there.better, there.worse) == (back.p, back.worse, back.better)


def test_p_counts_the_resamples_on_the_smaller_side_of_zero_and_ties_on_both() -> None:
    gain = np.array([0.3, -0.1, 0.2, -0.2, 0.1, 0.3, -0.4])
    oriented = gain if gain.min() > -gain.max() else -gain
    drawn = drawn_means(oriented, seed=5, resamples=200).round(9)
    assert (drawn == 0).any()
    tail = min(int((drawn <= 0).sum()), int((drawn >= 0).sum()))
    assert 0 < tail < 100
    found = compare(gain, np.zeros(7), rng=np.random.default_rng(5), resamples=200)
    assert found.p == pytest.approx(2 * (1 + tail) / 201)


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
    assert together["one"].mean == alone.mean == mean_over_users(values) == pytest.approx(values.mean())
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
    assert len(values) > 2 * bootstrap._USERS_AT_ONCE
    found = interval(values, rng=np.random.default_rng(1), resamples=1000)
    expected = 1.96 * sqrt(values.var() / len(values))
    assert (found.mean - found.low, found.high - found.mean) == pytest.approx((expected, expected), rel=0.1)


def test_draws_are_spread_over_blocks_as_over_users(monkeypatch: pytest.MonkeyPatch) -> None:
    """With blocks of 2, the number of ones among 5 draws from 1, 0, 0, 0, 1 is binomial (5, 2 / 5)."""
    monkeypatch.setattr(bootstrap, "_USERS_AT_ONCE", 2)
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


def test_holm_as_worked_by_hand() -> None:
    """Sorted 0.005, 0.01, 0.03, 0.04 times 4, 3, 2, 1: 0.02, 0.03, 0.06 and 0.04, which may not fall below 0.06."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.9]) == [1.0, 1.0]
    assert holm([0.2]) == [0.2]
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), max_size=8))
def test_holm_equals_its_slow_twin(p: list[float]) -> None:
    """Adjusted p of one test: the largest, over all tests with no larger p, of p times the tests not yet rejected."""
    order = sorted(range(len(p)), key=lambda one: p[one])
    place = {one: rank for rank, one in enumerate(order)}
    expected = [
        min(1.0, max(p[other] * (len(p) - place[other]) for other in order[: place[one] + 1])) for one in range(len(p))
    ]
    assert holm(p) == pytest.approx(expected)


@pytest.mark.parametrize("p", [[-0.1], [0.2, 1.1], [float("nan")]])
def test_holm_refuses_what_is_no_p(p: list[float]) -> None:
    with pytest.raises(DataError, match="p must be between 0 and 1"):
        holm(p)


def test_every_pair_of_systems_is_compared_as_if_there_were_no_others() -> None:
    rng = np.random.default_rng(4)
    systems = {name: rng.random(300) + lift for name, lift in [("a", 0.0), ("b", 0.02), ("c", 0.1), ("d", 0.3)]}
    found = compare_systems(systems, rng=np.random.default_rng(9), resamples=300)
    pairs = [(one.first, one.second) for one in found]
    assert pairs == [("a", "b"), ("a", "c"), ("a", "d"), ("b", "c"), ("b", "d"), ("c", "d")]
    for one in found:
        alone = compare(systems[one.first], systems[one.second], rng=np.random.default_rng(9), resamples=300)
        assert one.difference == alone
    assert [one.adjusted_p for one in found] == holm([one.difference.p for one in found])


def test_systems_are_compared_with_a_baseline_where_there_is_one() -> None:
    systems = {"old": np.zeros(20), "new": np.ones(20), "other": -np.ones(20)}
    found = compare_systems(systems, baseline="old", rng=np.random.default_rng(0))
    assert [(one.first, one.second, one.difference.mean) for one in found] == [
        ("new", "old", 1.0),
        ("other", "old", -1.0),
    ]
    assert [one.adjusted_p for one in found] == pytest.approx([4 / 1001, 4 / 1001])


def test_systems_that_cannot_be_compared_are_refused() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(DataError, match="1 systems were given; a comparison needs two or more"):
        compare_systems({"a": np.ones(3)}, rng=rng)
    with pytest.raises(ConfigError, match="unknown baseline 'bb'"):
        compare_systems({"a": np.ones(3), "b": np.ones(3)}, baseline="bb", rng=rng)
    with pytest.raises(DataError, match=r"got lengths \{'a': 3, 'b': 2\}"):
        compare_systems({"a": np.ones(3), "b": np.ones(2)}, rng=rng)


def test_no_false_alarm_among_many_comparisons_of_equals() -> None:
    rng = np.random.default_rng(11)
    alarms = 0
    for _ in range(60):
        systems = {str(one): rng.normal(size=80) for one in range(5)}
        alarms += any(one.adjusted_p <= 0.05 for one in compare_systems(systems, rng=rng, resamples=999))
    assert alarms <= 8  # a level of 0.05 gives 3 of 60, and more than 8 once in 250 times
