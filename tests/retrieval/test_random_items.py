"""Chance that can be asked again: even, another for every history and time, the same under one seed."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from tests.contracts.worlds import world
from tests.retrieval.asking import HISTORIES, asks

from encorec.retrieval.fingerprints import history_fingerprints, mixed_number
from encorec.retrieval.random_items import RandomItems
from encorec.types import Histories

WORLD = world()
ITEMS = WORLD.interactions.items
LOW = 2**64 - 1


def fitted(seed: int = 0) -> RandomItems:
    return RandomItems().fit(WORLD, rng=np.random.default_rng(seed))


def finalised(number: int) -> int:
    """splitmix64 in unsigned arithmetic of any length."""
    number = (number + 0x9E3779B97F4A7C15) & LOW
    number = ((number ^ (number >> 30)) * 0xBF58476D1CE4E5B9) & LOW
    number = ((number ^ (number >> 27)) * 0x94D049BB133111EB) & LOW
    return number ^ (number >> 31)


def test_the_stream_of_splitmix64_is_the_published_one() -> None:
    """The first three numbers of seed 1234567, as the author's reference program prints them."""
    step = 0x9E3779B97F4A7C15
    found = [
        mixed_number(((1234567 + place * step) & LOW) - ((1234567 + place * step) & 2**63) * 2) for place in range(3)
    ]
    assert [one % 2**64 for one in found] == [6457827717110365317, 3203168211198807973, 9817491932198370423]


@pytest.mark.parametrize("number", [0, 1, -1, 2**62, -(2**63), 123_456_789])
def test_mixing_is_that_of_unsigned_arithmetic(number: int) -> None:
    assert mixed_number(number) & LOW == finalised(number & LOW)


def test_scores_follow_from_seed_history_and_time_step_by_step() -> None:
    model, queries = fitted(), asks(WORLD, HISTORIES)
    scores, seed = model.scores(queries), int(model.arrays()["seed"][0])
    for row, events in enumerate(HISTORIES):
        key = finalised(seed ^ int(queries.now[row]))
        for item, time, _ in events:
            key = finalised(finalised(key ^ item) ^ time)
        for item in range(ITEMS):
            high = finalised((key + item * 0x9E3779B97F4A7C15) & LOW) >> 40
            assert scores[row, item] == high / 2**24


def test_fingerprints_know_order_times_seed_and_where_a_history_ends() -> None:
    rows = [([3, 4], [1, 2]), ([4, 3], [1, 2]), ([3, 4], [1, 3]), ([3], [1]), ([], []), ([3, 4], [1, 2])]
    one, out = Histories.of(rows), np.empty(6, np.int64)
    history_fingerprints(one.starts, one.stops, one.item, one.time, np.zeros(6, np.int64), out)
    assert len(set(out.tolist())) == 5
    assert out[0] == out[5]
    other = np.empty(6, np.int64)
    history_fingerprints(one.starts, one.stops, one.item, one.time, np.ones(6, np.int64), other)
    assert not set(out.tolist()) & set(other.tolist())


def test_every_item_is_first_about_equally_often() -> None:
    queries = asks(WORLD, [[]] * 13_000)
    queries = replace(queries, now=np.arange(13_000) + 1_700_000_000)
    found = fitted().retrieve(queries, 3)
    for place in (1, 2, 3):
        counts = np.bincount(found.item[found.rank[:, 0] == place], minlength=ITEMS)
        assert stats.chisquare(counts).pvalue > 1e-4
    assert stats.kstest(fitted().scores(queries.take(slice(0, 200))).ravel(), "uniform").pvalue > 1e-4


def test_other_seeds_histories_and_times_give_other_lists() -> None:
    queries = asks(WORLD, HISTORIES)
    later = replace(queries, now=queries.now + 1)
    asked = [(fitted(0), queries), (fitted(1), queries), (fitted(0), later)]
    lists = [model.retrieve(one, 10).item.reshape(4, 10)[row].tolist() for model, one in asked for row in range(4)]
    assert len({tuple(one) for one in lists}) == 12
    assert fitted(0).retrieve(queries, 10).item.tolist() == fitted(0).retrieve(queries, 10).item.tolist()


def test_an_update_keeps_the_seed() -> None:
    table = WORLD.interactions
    assert fitted(3).update(WORLD, table.take(np.arange(2))).arrays()["seed"] == fitted(3).arrays()["seed"]
