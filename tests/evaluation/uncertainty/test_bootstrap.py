"""The fast bootstrap against a twin that draws user after user, and against the distribution it must have."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from encorec.evaluation.uncertainty import bootstrap
from encorec.evaluation.uncertainty.bootstrap import Resampling
from encorec.types import FloatVector

WORD, STEP = 1 << 64, 0x9E3779B97F4A7C15
VALUES = st.lists(st.floats(-5, 5).map(lambda x: round(x, 2)), min_size=1, max_size=40).map(np.array)
SEEDS = st.integers(0, 2**32)


def mixed(state: int) -> int:
    state = (state ^ state >> 30) * 0xBF58476D1CE4E5B9 % WORD
    state = (state ^ state >> 27) * 0x94D049BB133111EB % WORD
    return state ^ state >> 31


def slow_draws(key: int, resample: int, block: int, size: int, count: int) -> list[int]:
    """``count`` numbers below ``size``, with the integers of Python."""
    state = mixed((mixed((key + resample * STEP) % WORD) + block * STEP) % WORD)
    drawn: list[int] = []
    while len(drawn) < count:
        state = (state + STEP) % WORD
        for half in divmod(mixed(state), 1 << 32):
            if half * size % (1 << 32) >= (1 << 32) % size:
                drawn.append(half * size >> 32)
    return drawn[:count]


def slow_means(values: FloatVector, resampling: Resampling, block_size: int) -> list[float]:
    ordered = sorted(values)
    cuts = [*range(0, len(ordered), block_size), len(ordered)]
    means = []
    for resample, counts in enumerate(resampling.drawn.tolist()):
        total = 0.0
        for block, ((start, stop), count) in enumerate(zip(pairwise(cuts), counts, strict=True)):
            draws = slow_draws(resampling.key, resample, block, stop - start, count)
            total += sum(ordered[start + one] for one in draws)
        means.append(total / len(ordered))
    return means


@given(VALUES, SEEDS)
def test_means_equal_those_of_the_slow_twin(values: FloatVector, seed: int) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(bootstrap, "_USERS_AT_ONCE", 7)
        resampling = Resampling.of(len(values), np.random.default_rng(seed), resamples=5)
        found = resampling.means(values[:, None])[:, 0]
    assert found == pytest.approx(slow_means(values, resampling, 7), abs=1e-12)


@given(VALUES, SEEDS, st.randoms())
def test_the_order_of_users_changes_nothing_at_all(values: FloatVector, seed: int, random: np.random.Generator) -> None:
    shuffled = values.tolist()
    random.shuffle(shuffled)
    one = Resampling.of(len(values), np.random.default_rng(seed), resamples=20)
    other = Resampling.of(len(values), np.random.default_rng(seed), resamples=20)
    assert one.means(values[:, None]).tolist() == other.means(np.array(shuffled)[:, None]).tolist()


@given(VALUES, SEEDS, st.integers(1, 9))
def test_what_else_is_measured_changes_nothing_at_all(values: FloatVector, seed: int, others: int) -> None:
    resampling = Resampling.of(len(values), np.random.default_rng(seed), resamples=20)
    beside = np.column_stack([values * (place % 3) for place in range(others)] + [values])
    assert resampling.means(beside)[:, -1].tolist() == resampling.means(values[:, None])[:, 0].tolist()


def test_the_number_of_threads_changes_nothing_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(0).random((5000, 5))
    resampling = Resampling.of(5000, np.random.default_rng(1), resamples=101)
    alone = resampling.means(values)
    monkeypatch.setattr(bootstrap, "_DRAWS_WORTH_A_THREAD", 1)
    for processors in (2, 3, 7):
        monkeypatch.setattr("os.cpu_count", lambda processors=processors: processors)
        assert resampling._threads(101) == processors
        assert resampling.means(values).tolist() == alone.tolist()


def test_a_single_user_is_drawn_every_time() -> None:
    assert Resampling.of(1, np.random.default_rng(0), resamples=3).means(np.array([[4.0]])).tolist() == [[4.0]] * 3


@pytest.mark.parametrize("block", [2, 3, 1024])
def test_every_resample_of_three_users_is_as_likely_as_it_should_be(
    block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 27 draws of three from three, one gives 111, three give 112, six give 124: told apart by their sums."""
    monkeypatch.setattr(bootstrap, "_USERS_AT_ONCE", block)
    resamples = 27_000
    resampling = Resampling.of(3, np.random.default_rng(5), resamples=resamples)
    sums = Counter(np.rint(resampling.means(np.array([[1.0], [10.0], [100.0]]))[:, 0] * 3).astype(int).tolist())
    expected = Counter(a + b + c for a in (1, 10, 100) for b in (1, 10, 100) for c in (1, 10, 100))
    assert sums.keys() == expected.keys()
    chi2 = sum((sums[one] - 1000 * count) ** 2 / (1000 * count) for one, count in expected.items())
    assert chi2 < 27.9  # the 99.9 % point of chi2 with 9 degrees of freedom


def test_means_have_the_distribution_of_the_classic_bootstrap() -> None:
    """Kolmogorov and Smirnov, with 4,000 resamples of each kind: 0.0436 is exceeded once in 1,000 times."""
    rng = np.random.default_rng(8)
    values = rng.exponential(size=2500)  # three blocks
    fast = Resampling.of(2500, rng, resamples=4000).means(values[:, None])[:, 0]
    classic = np.array([values[rng.integers(2500, size=2500)].mean() for _ in range(4000)])
    every = np.sort(np.concatenate([fast, classic]))
    shares = [np.searchsorted(np.sort(one), every, side="right") / 4000 for one in (fast, classic)]
    assert np.abs(shares[0] - shares[1]).max() < 0.0436


def test_two_users_of_different_blocks_are_drawn_with_the_right_covariance() -> None:
    """Counts of the multinomial: variance 1 - 1 / n, covariance -1 / n."""
    users, resamples = 2048, 20_000
    resampling = Resampling.of(users, np.random.default_rng(3), resamples=resamples)
    first, last = np.zeros(users), np.zeros(users)
    first[:8], last[:8] = -1, 1  # in ascending order: the first eight of the first block, the last eight of the last
    counts = resampling.means(np.column_stack([first, last])) * users * [-1, 1]
    assert counts.mean(axis=0) == pytest.approx([8, 8], abs=0.1)
    assert np.cov(counts.T)[0, 1] == pytest.approx(-64 / users, abs=0.25)
    assert counts.var(axis=0) == pytest.approx([8, 8], rel=0.05)
