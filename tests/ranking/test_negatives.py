"""Which candidates that were not taken are learnt from: each strategy against what it promises."""

from math import ceil
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from encorec.ranking.negatives import Negatives, NegativeStrategy
from encorec.ranking.training_set import label, sample
from encorec.types import Candidates, ItemLists

STRATEGIES: tuple[NegativeStrategy, ...] = ("random", "all", "popularity", "hard", "impressions")
ITEMS = 12


@st.composite
def asked(draw: st.DrawFn) -> tuple[Candidates, np.ndarray, ItemLists]:
    """Candidates of three queries with the ranks of two sources, what was taken, and what was shown."""
    pairs = sorted(draw(st.sets(st.tuples(st.integers(0, 2), st.integers(0, ITEMS - 1)), min_size=1)))
    rank = st.one_of(st.just(np.nan), st.integers(1, 9).map(float))
    ranks = np.array([[draw(rank), draw(rank)] for _ in pairs], np.float32)
    taken = np.array([draw(st.booleans()) for _ in pairs], np.float32)
    query, item = (np.array(column, np.int32) for column in zip(*pairs, strict=True))
    shown = [sorted(draw(st.sets(st.integers(0, ITEMS - 1)))) for _ in range(3)]
    return Candidates(query, item, ranks, ranks, ("a", "b")), taken, ItemLists.of(shown)


def drawn(strategy: NegativeStrategy, world: Any, count: int, seed: int, share: float = 0.5) -> set[int]:
    found, taken, shown = world
    draw = Negatives(strategy, count, hard_share=share)
    popularity = np.arange(ITEMS)  # item 0 is of nobody
    return set(draw.rows(found, taken, np.random.default_rng(seed), popularity=popularity, shown=shown).tolist())


@pytest.mark.parametrize("strategy", STRATEGIES)
@given(asked(), st.integers(1, 5), st.integers(0, 9))
def test_all_that_was_taken_and_so_many_others_of_queries_that_took_any(
    strategy: NegativeStrategy, world: Any, count: int, seed: int
) -> None:
    found, taken, _ = world
    kept = drawn(strategy, world, count, seed)
    for query in range(3):
        own = [row for row in range(len(found)) if found.query[row] == query]
        positive = {row for row in own if taken[row]}
        others = len(own) - len(positive)
        assert positive & kept == positive
        wanted = (others if strategy == "all" else min(count, others)) if positive else 0
        assert len(kept & set(own)) == len(positive) + wanted


@given(asked(), st.integers(1, 5), st.integers(0, 9), st.sampled_from([0.0, 0.4, 1.0]))
def test_hard_ones_are_those_that_the_sources_place_highest(world: Any, count: int, seed: int, share: float) -> None:
    found, taken, _ = world
    kept = drawn("hard", world, count, seed, share)
    fused = [sum(1 / (60 + rank) for rank in row if not np.isnan(rank)) for row in found.rank.astype(float)]
    for query in {int(found.query[row]) for row in kept}:
        others = [row for row in range(len(found)) if found.query[row] == query and not taken[row]]
        best = sorted(others, key=lambda row: (-np.float32(fused[row]), row))[: ceil(share * count)]
        assert {round(fused[row], 9) for row in best} <= {round(fused[row], 9) for row in kept if row in others}


@given(asked(), st.integers(1, 5), st.integers(0, 9))
def test_what_was_shown_comes_before_what_was_not(world: Any, count: int, seed: int) -> None:
    found, taken, shown = world
    kept = drawn("impressions", world, count, seed)
    for query in {int(found.query[row]) for row in kept}:
        others = {row for row in range(len(found)) if found.query[row] == query and not taken[row]}
        seen = {row for row in others if found.item[row] in shown.row(query)}
        assert len(kept & seen) == min(count, len(seen))


def test_random_is_the_draw_that_there_has_always_been() -> None:
    taken, query = np.array([0, 1, 0, 0, 0, 1], np.float32), np.array([0, 0, 0, 0, 1, 1])
    ones = np.ones((6, 1), np.float32)
    found = Candidates(query, np.arange(6), ones, ones, ("a",))
    for seed in range(9):
        plain = sample(taken, query, 2, np.random.default_rng(seed))
        assert Negatives(count=2).rows(found, taken, np.random.default_rng(seed)).tolist() == plain.tolist()


def test_popular_items_are_drawn_in_proportion() -> None:
    """One of three others with popularity 1, 4, 16 and power 0.5: weights 1, 2, 4; five standard deviations."""
    ones = np.ones((4, 1), np.float32)
    found = Candidates(np.zeros(4, int), np.arange(4), ones, ones, ("a",))
    draw, rng = Negatives("popularity", 1, power=0.5), np.random.default_rng(0)
    counts = np.zeros(4)
    for _ in range(7000):
        counts[draw.rows(found, np.array([1.0, 0, 0, 0]), rng, popularity=np.array([9, 1, 4, 16]))] += 1
    assert counts[0] == 7000
    chance = np.array([1, 2, 4]) / 7
    assert (np.abs(counts[1:] - 7000 * chance) < 5 * np.sqrt(7000 * chance * (1 - chance))).all()


def test_an_item_of_nobody_is_drawn_last() -> None:
    ones = np.ones((3, 1), np.float32)
    found, counts = Candidates(np.zeros(3, int), np.arange(3), ones, ones, ("a",)), np.array([5, 0, 1])
    for seed in range(20):
        rng = np.random.default_rng(seed)
        assert Negatives("popularity", 1).rows(found, np.array([1.0, 0, 0]), rng, popularity=counts).tolist() == [0, 2]


@given(asked(), st.integers(0, 9))
def test_strengths_of_labels_are_those_of_the_truth(world: Any, seed: int) -> None:
    found, _, truth = world
    strength = np.random.default_rng(seed).random(len(truth.item)).astype(np.float32)
    told = {
        (query, int(item)): float(value)
        for query, item, value in zip(truth.owner.tolist(), truth.item, strength, strict=True)
    }
    wanted = [told.get((int(query), int(item)), 0.0) for query, item in zip(found.query, found.item, strict=True)]
    assert label(found, truth, strength).tolist() == wanted
