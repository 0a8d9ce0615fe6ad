"""The attention of the user tower beside plain loops, with values worked by hand."""

import math

import numpy as np
import pytest
import torch

from encorec.data.interactions import Interactions
from encorec.nn.history_attention import HistoryAttention
from encorec.nn.prefixes import pool_before

SIZE, ITEMS, LAST = 6, 30, 9


def attention(decay: float = 0.8, seed: int = 0, spread: float = 1.0) -> HistoryAttention:
    made, rng = HistoryAttention(SIZE, LAST, decay), np.random.default_rng(seed)
    with torch.no_grad():
        made.query.copy_(torch.tensor(rng.normal(0, spread, SIZE)))
        made.ago.copy_(torch.tensor(rng.normal(0, spread, LAST)))
    return made


def ragged(seed: int = 0) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, list[list[int]]]:
    """Vectors, and histories of all lengths there may be, some of them empty, first and last among these."""
    rng = np.random.default_rng(seed)
    lengths = [0, *rng.permutation([*range(LAST + 1), 0, 1, LAST]).tolist(), 0]
    histories = [rng.integers(0, ITEMS, length).tolist() for length in lengths]
    table = torch.tensor(rng.normal(size=(ITEMS, SIZE)), dtype=torch.float32)
    item = torch.tensor([one for history in histories for one in history])
    return table, item, torch.tensor(np.cumsum([0, *lengths[:-1]])), histories


def slow(made: HistoryAttention, table: torch.Tensor, histories: list[list[int]]) -> torch.Tensor:
    """One history after the other, one event after the other."""
    shares: list[torch.Tensor] = []
    for history in histories:
        strength = [table[item] @ made.query + made.ago[len(history) - 1 - at] for at, item in enumerate(history)]
        shares += [torch.exp(one) / sum(torch.exp(other) for other in strength) for one in strength]
    return torch.stack(shares)


def test_shares_and_their_gradients_are_those_of_plain_loops() -> None:
    table, item, offset, histories = ragged()
    weigh = torch.tensor(np.random.default_rng(7).normal(size=len(item)), dtype=torch.float32)
    found = []
    for compute in (lambda one, rows: one(rows, item, offset), lambda one, rows: slow(one, rows, histories)):
        made, rows = attention(), table.clone().requires_grad_()
        shares = compute(made, rows)
        (shares * weigh).sum().backward()
        found.append([shares.detach(), *(one.grad for one in (rows, made.query, made.ago))])
    for fast, plain in zip(*found, strict=True):
        assert fast.numpy() == pytest.approx(plain.numpy(), abs=2e-6)


def test_a_share_worked_by_hand() -> None:
    """Strengths ln 2 + ln 1/4, 0 + ln 1/2 and ln 3 + 0: 1/2, 1/2 and 3 of 4."""
    made = HistoryAttention(size=1, last=3, decay=0.5)
    table = torch.tensor([[math.log(2)], [0.0], [math.log(3)]])
    with torch.no_grad():
        made.query.fill_(1)
        shares = made(table, torch.tensor([0, 1, 2]), torch.tensor([0]))
    assert shares.tolist() == pytest.approx([1 / 8, 1 / 8, 3 / 4])


def test_it_begins_as_the_weights_by_recency() -> None:
    rng = np.random.default_rng(3)
    table = Interactions.of(np.sort(rng.integers(0, 9, 80)), rng.integers(0, ITEMS, 80), np.arange(80), items=ITEMS)
    pool = pool_before(table, rng.permutation(80), LAST, 0.7, rng.random(80) < 0.2)
    made = HistoryAttention(SIZE, LAST, 0.7)
    vectors = torch.tensor(rng.normal(size=(ITEMS, SIZE)), dtype=torch.float32)
    with torch.no_grad():
        found = made(vectors, torch.tensor(pool.item), torch.tensor(pool.offset)).numpy()
    assert found == pytest.approx(pool.weight, abs=1e-6)


@pytest.mark.parametrize("decay", [1e-6, 1.0])
def test_extreme_strengths_give_shares(decay: float) -> None:
    table, item, offset, histories = ragged(1)
    made = HistoryAttention(SIZE, LAST, decay)
    rows = (table * 1e4).requires_grad_()
    with torch.no_grad():
        made.query.fill_(30.0)
    shares = made(rows, item, offset)
    shares.square().sum().backward()
    assert made.query.grad is not None
    assert torch.isfinite(made.query.grad).all()
    ends = np.cumsum([len(history) for history in histories if history])
    sums = np.add.reduceat(shares.detach().numpy(), np.append(0, ends[:-1]))
    assert sums == pytest.approx(np.ones(len(ends)), abs=1e-6)


def test_nothing_at_all_is_nothing() -> None:
    nothing = torch.zeros(0, dtype=torch.int64)
    made = attention()
    assert made(torch.ones(3, SIZE), nothing, torch.tensor([0, 0])).shape == (0,)
    assert made(torch.ones(3, SIZE), nothing, nothing).shape == (0,)
