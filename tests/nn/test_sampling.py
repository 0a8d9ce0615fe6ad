"""Items are drawn as often as they are said to be, and the hardest are the highest."""

import numpy as np
import pytest
import torch

from encorec.errors import ConfigError
from encorec.nn.sampling import ItemSampler, hardest, hide_taken

COUNTS = np.array([0, 1, 16, 0, 81, 2, 0])


@pytest.mark.parametrize("alpha", [0.0, 0.5, 0.75, 1.0])
def test_items_come_up_in_proportion_to_a_power_of_their_counts(alpha: float) -> None:
    sampler = ItemSampler.by_popularity(COUNTS, alpha)
    weight = np.array([count**alpha if count else 0.0 for count in COUNTS])
    drawn = sampler.draw((200, 500), np.random.default_rng(0))
    assert drawn.shape == (200, 500)
    share = np.bincount(drawn.ravel(), minlength=len(COUNTS)) / drawn.size
    assert share == pytest.approx(weight / weight.sum(), abs=0.006)
    assert np.exp(sampler.log_q) == pytest.approx(weight / weight.sum(), abs=1e-6)
    assert set(np.flatnonzero(share == 0)) == {0, 3, 6}


def test_the_last_of_many_items_can_be_drawn_and_none_beyond() -> None:
    sampler = ItemSampler.by_popularity(np.ones(7, np.int64), 0.3)
    assert set(sampler.draw(2000, np.random.default_rng(0)).tolist()) == set(range(7))
    assert np.searchsorted(sampler.cumulative, np.nextafter(1, 0), side="right") == 6


def test_nothing_taken_is_nothing_to_sample() -> None:
    with pytest.raises(ConfigError, match="at least one interaction"):
        ItemSampler.by_popularity(np.zeros(3, np.int64), 0.5)


def test_the_taken_item_is_hidden_among_shared_and_among_own_ones() -> None:
    item, scores = torch.tensor([4, 2]), torch.ones(2, 3)
    assert hide_taken(scores, torch.tensor([4, 9, 2]), item).isinf().tolist() == [
        [True, False, False],
        [False, False, True],
    ]
    own = torch.tensor([[4, 4, 1], [1, 2, 3]])
    assert hide_taken(scores, own, item).isinf().tolist() == [[True, True, False], [False, True, False]]


def test_the_hardest_are_the_highest_and_no_more_than_there_are() -> None:
    scores = torch.tensor(np.random.default_rng(1).normal(size=(6, 5)))
    expected = np.sort(scores.numpy(), axis=1)[:, ::-1]
    assert hardest(scores, 2).numpy() == pytest.approx(expected[:, :2])
    assert hardest(scores, 99).numpy() == pytest.approx(expected)
