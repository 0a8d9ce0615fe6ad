"""Quantiles: errors against the bootstrap that really draws, against the asymptotic value, and their coverage."""

import numpy as np
import pytest
from scipy import stats

from encorec.experiment.analysis.adjustment import ArmMean
from encorec.experiment.analysis.effect import between
from encorec.experiment.analysis.quantiles import arm_quantile, order_weights


def test_the_error_is_that_of_a_bootstrap_that_draws() -> None:
    rng = np.random.default_rng(0)
    values = rng.exponential(size=301)
    for quantile in (0.25, 0.5, 0.9):
        rank = round(quantile * 300)
        drawn = np.sort(rng.choice(values, (20_000, 301)), axis=1)[:, rank]
        assert arm_quantile(values, quantile).error == pytest.approx(drawn.std(), rel=0.03)


def test_the_error_tends_to_the_asymptotic_one() -> None:
    values = stats.norm.ppf((np.arange(200_000) + 0.5) / 200_000)
    for quantile in (0.1, 0.5, 0.99):
        density = stats.norm.pdf(stats.norm.ppf(quantile))
        wanted = np.sqrt(quantile * (1 - quantile) / 200_000) / density
        assert arm_quantile(values, quantile).error == pytest.approx(wanted, rel=0.01)


def test_chances_are_binomial_tails() -> None:
    """The k-th value or a smaller one is the median of 5 if at least 3 of 5 draws fall on the k smallest."""
    first, chances = order_weights(5, 0.5)
    below = [stats.binom.sf(2, 5, k / 5) for k in range(6)]
    assert first == 0
    assert chances == pytest.approx(np.diff(below), abs=1e-12)


def test_ties_and_single_values() -> None:
    assert arm_quantile(np.array([3.0]), 0.5) == ArmMean(1, 3.0, 0.0)
    heap = np.array([0.0] * 100 + [1.0] * 800 + [5.0] * 100)
    assert arm_quantile(heap, 0.5).error == 0
    assert arm_quantile(np.full(50, 2.0), 0.9).mean == 2.0
    stated = between(arm_quantile(heap, 0.5), arm_quantile(heap, 0.5), "quantile")
    assert stated.p is None
    assert "no unit differs" in stated.notes[0]


@pytest.mark.parametrize(("quantile", "n"), [(0.5, 400), (0.9, 1000)])
def test_coverage_of_differences_of_skewed_values(quantile: float, n: int) -> None:
    rng = np.random.default_rng(7)
    truth = stats.gamma.ppf(quantile, 1.5) * 0.2
    covered = 0
    for _ in range(1200):
        arms = rng.gamma(1.5, size=n), 1.2 * rng.gamma(1.5, size=n)
        first, second = (arm_quantile(one, quantile) for one in arms)
        covered += abs(second.mean - first.mean - truth) < 1.96 * np.hypot(first.error, second.error)
    assert 0.93 < covered / 1200 < 0.97


def test_false_positives_with_many_ties() -> None:
    rng = np.random.default_rng(8)
    hits = 0
    for _ in range(800):
        first, second = (arm_quantile(np.round(rng.gamma(1.5, 4, 500)), 0.75) for _ in range(2))
        hits += abs(second.mean - first.mean) > 1.96 * np.hypot(first.error, second.error)
    assert hits / 800 < 0.07
