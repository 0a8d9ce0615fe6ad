"""Losses against loops in plain Python and against values worked by hand."""

import math
from typing import Any

import numpy as np
import pytest
import torch

from encorec.nn.losses import bpr_loss, gbce_loss, in_batch_softmax, sampled_softmax, triplet_loss

RNG = np.random.default_rng(3)
TAKEN, OTHERS = RNG.normal(size=5), RNG.normal(size=(5, 4))
HIDDEN = OTHERS.copy()
HIDDEN[2, 1] = HIDDEN[4, :3] = -np.inf
PAIRS = [(row, place) for row in range(5) for place in range(4) if HIDDEN[row, place] > -np.inf]


def tensors(*values: Any) -> Any:
    return [torch.tensor(np.asarray(value)) for value in values]


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def test_triplet_is_the_mean_hinge_of_the_pairs_that_count() -> None:
    expected = np.mean([max(0.0, 0.7 - TAKEN[row] + HIDDEN[row, place]) for row, place in PAIRS])
    assert float(triplet_loss(torch.tensor(TAKEN), torch.tensor(HIDDEN), 0.7)) == pytest.approx(expected)


def test_bpr_is_the_mean_log_likelihood_of_the_pairs_that_count() -> None:
    expected = np.mean([-math.log(sigmoid(TAKEN[row] - HIDDEN[row, place])) for row, place in PAIRS])
    assert float(bpr_loss(*tensors(TAKEN, HIDDEN))) == pytest.approx(expected)


def test_in_batch_softmax_takes_the_frequency_from_the_scores_and_leaves_twins_out() -> None:
    """Against the batch written out: every example is an item of it, but for others that took one's own item."""
    scores, log_q, place = RNG.normal(size=(5, 3)), np.log([0.1, 0.2, 0.3]), [0, 1, 2, 0, 0]
    expected = 0.0
    for row in range(5):
        others = [at for at in range(5) if at == row or place[at] != place[row]]
        raised = {at: math.exp(scores[row, place[at]] - log_q[place[at]]) for at in others}
        expected -= math.log(raised[row] / sum(raised.values())) / 5
    assert float(in_batch_softmax(*tensors(scores, place, np.bincount(place), log_q))) == pytest.approx(expected)


def test_sampled_softmax_takes_the_expected_count_from_the_scores() -> None:
    own, drawn = np.log([0.1, 0.2, 0.1, 0.3, 0.3]), np.log([0.4, 0.3, 0.2, 0.1])
    expected = 0.0
    for row in range(5):
        first = math.exp(TAKEN[row] - own[row])
        rest = sum(math.exp(HIDDEN[row, place] - drawn[place]) for place in range(4))
        expected -= math.log(first / (first + rest)) / 5
    assert float(sampled_softmax(*tensors(TAKEN, HIDDEN, own, drawn))) == pytest.approx(expected)


def test_sampled_softmax_over_everything_is_the_softmax() -> None:
    """With every other item drawn once and no correction there is nothing left to approximate."""
    scores = torch.tensor(RNG.normal(size=6))
    full = torch.nn.functional.cross_entropy(scores[None], torch.tensor([0]))
    found = sampled_softmax(scores[:1], scores[None, 1:], torch.zeros(1), torch.zeros(5))
    assert float(found) == pytest.approx(float(full))


@pytest.mark.parametrize("calibration", [0.0, 0.4, 1.0])
def test_gbce_raises_the_taken_item_s_likelihood_to_beta(calibration: float) -> None:
    beta = 0.25 * (calibration * (1 - 1 / 0.25) + 1 / 0.25)
    expected = 0.0
    for row in range(5):
        others = [OTHERS[row, place] for place in range(4)]
        expected -= (math.log(sigmoid(TAKEN[row]) ** beta) + sum(math.log(1 - sigmoid(one)) for one in others)) / 25
    assert float(gbce_loss(torch.tensor(TAKEN), torch.tensor(OTHERS), 0.25, calibration)) == pytest.approx(expected)


def test_gbce_without_calibration_is_binary_cross_entropy() -> None:
    logits = np.concatenate([TAKEN[:, None], OTHERS], axis=1)
    wanted = np.zeros_like(logits)
    wanted[:, 0] = 1
    expected = torch.nn.functional.binary_cross_entropy_with_logits(*tensors(logits, wanted))
    assert float(gbce_loss(torch.tensor(TAKEN), torch.tensor(OTHERS), 0.25, 0.0)) == pytest.approx(float(expected))


@pytest.mark.parametrize(
    "loss",
    [
        lambda taken, others: triplet_loss(taken, others, 0.5),
        bpr_loss,
        lambda taken, others: gbce_loss(taken, others, 0.5, 0.5),
        lambda taken, others: sampled_softmax(taken, others, torch.zeros(5), torch.zeros(4)),
    ],
)
def test_a_hidden_item_has_no_slope_and_spoils_no_other(loss) -> None:
    taken = torch.tensor(TAKEN, requires_grad=True)
    scores = torch.tensor(OTHERS, requires_grad=True)
    loss(taken, scores.masked_fill(torch.tensor(-np.inf == HIDDEN), -torch.inf)).backward()
    assert taken.grad is not None
    assert scores.grad is not None
    assert torch.isfinite(taken.grad).all()
    assert torch.isfinite(scores.grad).all()
    assert (scores.grad[torch.tensor(-np.inf == HIDDEN)] == 0).all()
    assert (scores.grad != 0).any()


def test_pairs_that_all_are_hidden_cost_nothing() -> None:
    nothing = torch.full((2, 3), -torch.inf)
    assert float(bpr_loss(torch.zeros(2), nothing)) == 0
    assert float(triplet_loss(torch.zeros(2), nothing, 1.0)) == 0


@pytest.mark.parametrize("size", [1e4, -1e4])
def test_extreme_scores_stay_finite(size: float) -> None:
    taken, others = torch.full((2,), -size), torch.full((2, 3), size)
    assert math.isfinite(float(bpr_loss(taken, others)))
    assert math.isfinite(float(gbce_loss(taken, others, 0.1, 1.0)))
    assert math.isfinite(float(sampled_softmax(taken, others, torch.zeros(2), torch.zeros(3))))
