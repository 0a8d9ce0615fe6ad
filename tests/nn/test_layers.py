"""Layers against torch's own, and against what chance is to give."""

import numpy as np
import pytest
import torch

from encorec.nn.layers import Dropout, kept_by_chance, sum_rows

ROW, OFFSET = torch.tensor([2, 0, 2, 1, 2]), torch.tensor([0, 2, 2, 5])  # the second and the last sum are empty


@pytest.mark.parametrize("learnt", [False, True])
def test_sums_of_rows_and_their_gradients_are_those_of_an_embedding_bag(learnt: bool) -> None:
    rng = np.random.default_rng(0)
    table = torch.tensor(rng.normal(size=(4, 3)), requires_grad=True)
    weight = torch.tensor(rng.normal(size=5), requires_grad=learnt)
    pull = torch.tensor(rng.normal(size=(4, 3)))
    found, wanted = [], []
    for sums, into in (
        (sum_rows(table, ROW, OFFSET, weight), found),
        (torch.nn.functional.embedding_bag(ROW, table, OFFSET, mode="sum", per_sample_weights=weight), wanted),
    ):
        into.append(sums.detach())
        into.extend(torch.autograd.grad((sums * pull).sum(), [table, weight] if learnt else [table]))
    for one, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.95])
def test_what_chance_keeps_is_the_rest_of_the_share_and_keeps_the_sum(share: float) -> None:
    kept = kept_by_chance(torch.zeros(300, 333), share, torch.Generator().manual_seed(1))
    assert float((kept == 0).float().mean()) == pytest.approx(share, abs=0.004)
    assert float(kept.mean()) == pytest.approx(1, abs=0.02)
    columns = (kept == 0).float().mean(dim=0)  # no column is favoured, whatever byte of a word it gets
    assert float(columns.std()) < 1.5 * np.sqrt(share * (1 - share) / 300)


def test_what_is_dropped_changes_from_call_to_call_and_returns_with_the_seed() -> None:
    x, layer = torch.ones(64), Dropout(0.5, torch.Generator().manual_seed(3))
    first, second = layer(x), layer(x)
    assert not torch.equal(first, second)
    assert torch.equal(first, Dropout(0.5, torch.Generator().manual_seed(3))(x))
