"""From scores to probabilities in worlds whose probabilities are known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from encorec.errors import DataError
from encorec.ranking.calibration import CalibrationKind, fit_calibration, restore_calibration
from encorec.ranking.reliability import reliability
from encorec.types import FloatVector

KINDS: tuple[CalibrationKind, ...] = ("isotonic", "platt")


def world(rows: int, seed: int) -> tuple[FloatVector, FloatVector, FloatVector]:
    """Raw scores of a bad scale, the true probabilities behind them (about 3 %), and what was taken."""
    rng = np.random.default_rng(seed)
    odds = rng.normal(-4.2, 1.2, rows)
    chance = 1 / (1 + np.exp(-odds))
    return 3 * odds + 8, chance, (rng.random(rows) < chance).astype(np.float32)


@pytest.mark.parametrize("kind", KINDS)
def test_drawn_negatives_with_their_weights_give_back_the_true_probabilities(kind: CalibrationKind) -> None:
    """All positives and 5 % of the others, each for 20; without weights the probabilities are far too high."""
    score, _, taken = world(200_000, 0)
    kept = (taken > 0) | (np.random.default_rng(1).random(len(taken)) < 0.05)
    weight = np.where(taken[kept] > 0, 1.0, 20.0)
    weighted = fit_calibration(kind, score[kept], taken[kept], weight)
    naive = fit_calibration(kind, score[kept], taken[kept])
    assert weighted is not None
    assert naive is not None
    fresh, chance, later = world(100_000, 2)
    said = weighted.probability(fresh)
    assert np.average(np.abs(said - chance)) < 0.003
    assert np.average(np.abs(naive.probability(fresh) - chance)) > 0.1
    raw = reliability(1 / (1 + np.exp(-fresh)), later)
    told = reliability(said, later)
    truth = reliability(chance, later)
    assert told.ece < 0.004 < raw.ece
    assert truth.log_loss <= told.log_loss < truth.log_loss + 0.002 < raw.log_loss
    assert told.brier < truth.brier + 0.0005 < raw.brier


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_no_order_is_ever_turned(kind: CalibrationKind, data: st.DataObject) -> None:
    finite = st.floats(-1e6, 1e6)
    rows = data.draw(st.lists(st.tuples(finite, st.sampled_from([0, 1])), min_size=1, max_size=30))
    score, label = (np.array(column, float) for column in zip(*rows, strict=True))
    found = fit_calibration(kind, score, label)
    assert found is not None
    asked = np.sort(np.array(data.draw(st.lists(finite, min_size=2, max_size=30))))
    chance = found.probability(asked)
    assert (np.diff(chance) >= 0).all()
    assert ((chance >= 0) & (chance <= 1)).all()
    again = restore_calibration(kind, found.arrays())
    assert again is not None
    np.testing.assert_array_equal(again.probability(asked), chance)


@pytest.mark.parametrize("kind", KINDS)
def test_scores_that_are_not_finite_are_left_out(kind: CalibrationKind) -> None:
    score, _, taken = world(500, 3)
    found = fit_calibration(kind, score, taken)
    more = fit_calibration(kind, np.append(score, [np.nan, np.inf, -np.inf]), np.append(taken, [1, 1, 1]))
    assert found is not None
    assert more is not None
    np.testing.assert_array_equal(found.probability(score), more.probability(score))
    with pytest.raises(DataError, match="none of 2 rows has a finite score"):
        fit_calibration(kind, np.array([np.nan, np.inf]), np.ones(2))


def test_without_calibration_there_is_none() -> None:
    assert fit_calibration("none", np.zeros(1), np.zeros(1)) is None
    assert restore_calibration("isotonic", {}) is None


def test_the_expected_error_is_that_of_the_paper() -> None:
    """guo2017 with ten bins, slowly: a probability on the border belongs to the bin below."""
    rng = np.random.default_rng(5)
    chance = np.append(rng.random(400), [0.0, 0.1, 0.2, 1.0])
    taken = (rng.random(404) < 0.4).astype(float)
    wanted = 0.0
    for one in range(10):
        inside = (chance > one / 10) & (chance <= (one + 1) / 10)
        inside |= (chance == 0) & (one == 0)
        if inside.any():
            wanted += inside.sum() / 404 * abs(chance[inside].mean() - taken[inside].mean())
    assert reliability(chance, taken, bins=10).ece == pytest.approx(wanted)


def test_bins_hold_equally_many_and_nothing_is_still_something() -> None:
    told = reliability(np.linspace(0, 1, 31), np.zeros(31), bins=3)
    assert [rows for _, _, rows in told.bins] == [11, 10, 10]
    assert reliability(np.array([np.nan]), np.array([1.0])).rows == 0
    sure = reliability(np.array([0.0, 1.0]), np.array([1.0, 1.0]))
    assert np.isfinite(sure.log_loss)
