"""Several exams as one mean: the mean of the exams, with the spread of drawing users with all their exams."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from encorec.evaluation.backtest.pooling import Pool
from encorec.evaluation.uncertainty import interval


def drawn_pool(seed: int, exams: int = 3) -> tuple[Pool, np.ndarray]:
    """Exams of different sizes and levels; the same users are strong in all of theirs."""
    rng = np.random.default_rng(seed)
    strength = rng.normal(size=400)
    users = [np.sort(rng.choice(400, size, replace=False)) for size in (300, 150, 80)[:exams]]
    values = [level + strength[user] + rng.normal(size=len(user)) for level, user in enumerate(users)]
    return Pool.of(users), np.concatenate(values)


@given(st.integers(0, 1000), st.integers(1, 3))
def test_the_mean_is_the_mean_of_the_exams(seed: int, exams: int) -> None:
    pool, values = drawn_pool(seed, exams)
    means = [values[pool.fold == exam].mean() for exam in range(exams)]
    assert pool.per_user(values).mean() == pytest.approx(np.mean(means))
    assert len(pool.per_user(values)) == pool.users


def test_one_exam_is_left_as_it_is() -> None:
    values = np.array([0.1, 0.7, 0.3])
    assert Pool.of([np.array([4, 7, 9])]).per_user(values) is values


def cluster_bootstrap(pool: Pool, values: np.ndarray, resamples: int) -> np.ndarray:
    """The slow way: draw users, take all their answers, average each exam, average the exams."""
    rng, means = np.random.default_rng(1), []
    answers = [np.flatnonzero(pool.unit == unit) for unit in range(pool.users)]
    for _ in range(resamples):
        drawn = np.concatenate([answers[unit] for unit in rng.integers(pool.users, size=pool.users)])
        exams = [values[drawn][pool.fold[drawn] == exam].mean() for exam in np.unique(pool.fold)]
        means.append(np.mean(exams))
    return np.array(means)


def test_intervals_are_those_of_drawing_users_with_all_their_exams() -> None:
    pool, values = drawn_pool(5)
    slow = cluster_bootstrap(pool, values, 1500)
    fast = interval(pool.per_user(values), rng=np.random.default_rng(0), resamples=4000)
    low, high = np.quantile(slow, [0.025, 0.975])
    assert fast.high - fast.low == pytest.approx(high - low, rel=0.1)
    naive = interval(values, rng=np.random.default_rng(0), resamples=4000)
    assert fast.high - fast.low > 1.15 * (naive.high - naive.low), "answers of one user are not independent"


def test_a_constant_has_no_spread_however_often_users_come() -> None:
    pool, values = drawn_pool(2)
    assert pool.per_user(np.full(len(values), 0.5)) == pytest.approx(np.full(pool.users, 0.5))


def test_a_part_of_the_answers_is_averaged_as_one_exam() -> None:
    pool = Pool.of([np.array([1, 2]), np.array([2, 3])])
    some = pool.take(np.array([True, True, True, False]))
    assert (len(some), some.users) == (3, 2)
    assert some.per_user(np.array([0.0, 0.3, 0.9])).mean() == pytest.approx(0.4)


def test_a_ratio_of_sums_and_its_spread() -> None:
    """Hand-worked: user 0 found 1 of 3, user 1 found 2 of 2; 3/5, and 0.6 + (h - 0.6 w) / 2.5."""
    pool = Pool.of([np.array([0, 1]), np.array([0])])
    numbers = pool.ratio(np.array([0, 2, 1]), np.array([2, 2, 1]))
    assert numbers.tolist() == pytest.approx([0.6 + (1 - 1.8) / 2.5, 0.6 + (2 - 1.2) / 2.5])
    assert numbers.mean() == pytest.approx(0.6)
