"""Platt's curve against a general minimiser, by hand where it is flat, and on scores of any scale."""

import numpy as np
import pytest
from scipy.optimize import minimize

from encorec.errors import ArtifactError
from encorec.ranking.platt import PlattCalibration
from encorec.types import FloatVector


def world(rows: int, slope: float, offset: float, seed: int = 0) -> tuple[FloatVector, FloatVector, FloatVector]:
    rng = np.random.default_rng(seed)
    score = rng.normal(size=rows)
    taken = (rng.random(rows) < 1 / (1 + np.exp(-(slope * score + offset)))).astype(float)
    return score, taken, rng.choice(np.array([1.0, 2.0, 7.5]), rows)


@pytest.mark.parametrize("seed", range(4))
def test_the_curve_is_that_of_the_smallest_cross_entropy_of_the_smoothed_targets(seed: int) -> None:
    score, taken, weight = world(400, 1.7, -1.0, seed)
    positive, negative = weight[taken > 0].sum(), weight[taken == 0].sum()
    target = np.where(taken > 0, (positive + 1) / (positive + 2), 1 / (negative + 2))

    def loss(curve: FloatVector) -> float:
        chance = np.clip(1 / (1 + np.exp(-np.clip(curve[0] * score + curve[1], -30, 30))), 1e-12, 1 - 1e-12)
        return float(-(weight * (target * np.log(chance) + (1 - target) * np.log(1 - chance))).sum())

    wanted = minimize(loss, np.zeros(2), method="BFGS").x
    found = PlattCalibration.fit(score, taken, weight)
    assert (found.slope, found.offset) == pytest.approx(tuple(wanted), abs=1e-3)
    assert loss(np.array([found.slope, found.offset])) <= loss(wanted) + 1e-9


def test_known_probabilities_are_found_again() -> None:
    score, taken, _ = world(200_000, 1.3, -3.0)
    found = PlattCalibration.fit(score, taken, np.ones(len(score)))
    assert (found.slope, found.offset) == pytest.approx((1.3, -3.0), abs=0.05)


def test_the_scale_of_the_scores_does_not_matter() -> None:
    score, taken, weight = world(500, 1.5, -2.0)
    plain, moved = (PlattCalibration.fit(one, taken, weight) for one in (score, 1e6 * score - 3e7))
    np.testing.assert_allclose(moved.probability(1e6 * score - 3e7), plain.probability(score), rtol=1e-6)


def test_scores_that_mislead_give_the_mean_and_never_turn_the_order() -> None:
    score, taken, weight = world(500, -2.0, -1.0)
    found = PlattCalibration.fit(score, taken, weight)
    positive, negative = weight[taken > 0].sum(), weight[taken == 0].sum()
    target = (positive * (positive + 1) / (positive + 2) + negative / (negative + 2)) / (positive + negative)
    assert found.slope == 0
    assert found.probability(np.array([-9.0, 9.0])) == pytest.approx(target, abs=1e-6)


@pytest.mark.parametrize("taken", [0.0, 1.0])
@pytest.mark.parametrize("score", [np.zeros(6), np.arange(6.0)])
def test_rows_of_one_kind_and_scores_without_spread(taken: float, score: FloatVector) -> None:
    """Six rows of one kind: the smoothed target is 1/8 or 7/8, whatever the score."""
    found = PlattCalibration.fit(score, np.full(6, taken), np.ones(6))
    assert found.probability(score) == pytest.approx(abs(taken - 1 / 8), abs=1e-4)


def test_scores_that_part_the_rows_do_not_run_away() -> None:
    found = PlattCalibration.fit(np.arange(10.0), (np.arange(10) > 4).astype(float), np.ones(10))
    chance = found.probability(np.array([-1e9, 0.0, 9.0, 1e9, np.nan]))
    assert np.isfinite(chance[:4]).all()
    assert (np.diff(chance[:4]) >= 0).all()
    assert np.isnan(chance[4])


@pytest.mark.parametrize("curve", [[-1.0, 0.0], [np.nan, 0.0], [1.0], [np.inf, 0.0]])
def test_damaged_arrays_are_refused(curve: list[float]) -> None:
    with pytest.raises(ArtifactError, match="does not rise"):
        PlattCalibration.from_arrays({"curve": np.array(curve)})
