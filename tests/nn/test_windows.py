"""Windows and prefixes against loops over the plain lists of what every user did."""

import numpy as np
import pytest
from tests.contracts.worlds import world

from encorec.data.interactions import Interactions
from encorec.nn.held_out import barred_items, held_out_users, mean_ndcg
from encorec.nn.prefixes import example_rows, pool_before
from encorec.nn.time_gaps import gap_bucket
from encorec.nn.torch_package import torch
from encorec.nn.training_config import TrainingConfig
from encorec.nn.windows import Windows, padded
from encorec.retrieval.user_order import order_by_deeds

TABLE = world().interactions
ORDER = order_by_deeds(TABLE)
HELD_OUT = ORDER[[3, 11, 40]]
LISTS = {
    int(user): TABLE.item[TABLE.indptr[user] : TABLE.indptr[user + 1] - (user in HELD_OUT)].tolist() for user in ORDER
}


@pytest.mark.parametrize("length", [1, 4, 7, 500])
def test_every_event_but_the_first_is_foretold_once_from_those_before_it(length: int) -> None:
    found: dict[tuple[int, int], list[int]] = {}
    windows = Windows.of(TABLE, ORDER, HELD_OUT, length)
    for part in windows.batches(5, np.random.default_rng(0)):
        batch = padded(TABLE, part, gaps=False)
        for row, start in enumerate(part.start):
            user, size = int(TABLE.user[start]), int(batch.real[row].sum())
            offset = int(start - TABLE.indptr[user])
            assert size <= length
            for place in range(size):
                key = user, offset + place + 1
                assert key not in found
                assert batch.target[row, place] == LISTS[user][key[1]]
                found[key] = batch.item[row, : place + 1].tolist()
                assert found[key] == LISTS[user][offset : key[1]]
            assert (batch.item[row, size:] == TABLE.items).all()
    assert set(found) == {(user, at) for user, items in LISTS.items() for at in range(1, len(items))}


def test_time_gaps_are_those_from_the_events_of_a_window_to_the_second_after_the_next_one() -> None:
    windows = Windows.of(TABLE, ORDER[:4], HELD_OUT, 5)
    batch = padded(TABLE, windows, gaps=True)
    assert batch.gap is not None
    for row, start in enumerate(windows.start):
        size = int(batch.real[row].sum())
        for later in range(size):
            for earlier in range(later + 1):
                seconds = int(TABLE.time[start + later + 1] + 1 - TABLE.time[start + earlier])
                assert batch.gap[row, later, earlier] == min((seconds + 1).bit_length() - 1, 31)


def test_buckets_are_powers_of_two() -> None:
    seconds = [-(10**12), -1, 0, 1, 2, 3, 6, 7, 8, 86_399, 86_400, 2**31, 2**62]
    assert gap_bucket(np.array(seconds)).tolist() == [min((max(one, 0) + 1).bit_length() - 1, 31) for one in seconds]


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize(("last", "decay"), [(3, 0.5), (200, 0.95), (1, 1.0)])
def test_a_history_is_pooled_from_what_came_before(first: int, last: int, decay: float) -> None:
    rows = example_rows(TABLE, ORDER, HELD_OUT, first)
    expected = [(user, at) for user in ORDER for at in range(first, len(LISTS[int(user)]))]
    assert [(int(TABLE.user[row]), int(row - TABLE.indptr[TABLE.user[row]])) for row in rows] == expected
    empty = np.arange(len(rows)) % 5 == 4
    pool = pool_before(TABLE, rows, last, decay, empty)
    bounds = [*pool.offset.tolist(), len(pool.item)]
    for place, (user, at) in enumerate(expected):
        mine = slice(bounds[place], bounds[place + 1])
        before = [] if empty[place] else LISTS[int(user)][max(at - last, 0) : at]
        weight = [decay ** (len(before) - 1 - step) for step in range(len(before))]
        assert pool.item[mine].tolist() == before
        assert pool.weight[mine] == pytest.approx(np.array(weight) / max(sum(weight), 1), abs=1e-6)


def test_who_is_kept_aside_has_three_events_and_is_drawn_without_names() -> None:
    config = TrainingConfig(validation_share=0.2, validation_users=7)
    found = held_out_users(TABLE, ORDER, config, np.random.default_rng(2))
    assert len(set(found.tolist())) == 7
    assert (TABLE.user_counts[found] >= 3).all()
    assert len(held_out_users(TABLE, ORDER, TrainingConfig(validation_share=0.2), np.random.default_rng(2))) == 11
    few = Interactions.of([0, 0, 1], [0, 1, 2], [1, 2, 3])
    assert held_out_users(few, np.array([0, 1]), TrainingConfig(), np.random.default_rng(2)).tolist() == []


def test_ndcg_of_one_wanted_item_is_that_of_its_rank() -> None:
    scores = torch.tensor(np.random.default_rng(4).normal(size=(40, 30)))
    scores[:, 3] = -torch.inf
    target = torch.arange(40) % 30
    for row, value in enumerate(mean_ndcg(scores, target).tolist()):
        own = scores[row, target[row]]
        rank = 1 + int((scores[row] > own).sum())
        if target[row] == 3:
            rank = 30
        assert value == pytest.approx(1 / np.log2(1 + rank) if rank <= 10 else 0)
    assert mean_ndcg(torch.zeros(1, 30), torch.tensor([5])).tolist() == [0]


def test_what_was_taken_before_is_barred_and_what_is_wanted_is_not() -> None:
    users = ORDER[:5]
    target = TABLE.item[TABLE.indptr[1:][users] - 1]
    barred = barred_items(TABLE, users, target)
    for row, user in enumerate(users):
        taken = set(TABLE.item[TABLE.user == user].tolist())
        never = set(np.flatnonzero(TABLE.item_counts == 0).tolist())
        assert set(np.flatnonzero(barred[row]).tolist()) == (taken | never) - {int(target[row])}
