"""Novelty, serendipity and exposure against slow twins and published values."""

from collections import Counter
from math import log2

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.evaluation.worlds import World, worlds

from encorec.data.interactions import Interactions
from encorec.errors import DataError
from encorec.evaluation.metrics.beyond_accuracy import (
    average_popularity,
    coverage,
    entropy,
    exposure,
    gini,
    miuf,
    popularity_lift,
    serendipity,
)
from encorec.evaluation.metrics.lists import judge
from encorec.types import ItemLists

CUTS = st.integers(1, 12)


def users_of(world: World) -> Counter[int]:
    return Counter(item for _, item in {*world.seen})


def mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else 0.0


@given(worlds(), CUTS)
def test_miuf_equals_its_slow_twins(world: World, k: int) -> None:
    had_by, users = users_of(world), len({user for user, _ in world.seen})
    bits = {item: -log2(max(had_by[item], 1) / users) for item in range(world.items)}
    counted = [mean([bits[item] for item in row[:k]]) for row in world.shown]
    skipped = [mean([bits[item] for item in row[:k] if had_by[item]]) for row in world.shown]
    assert miuf(world.lists, world.train, k, unseen="one_user") == pytest.approx(counted)
    assert miuf(world.lists, world.train, k, unseen="skip") == pytest.approx(skipped)


@given(worlds(), CUTS)
def test_average_popularity_equals_its_slow_twin(world: World, k: int) -> None:
    had_by = users_of(world)
    expected = [mean([had_by[item] for item in row[:k]]) for row in world.shown]
    assert average_popularity(world.lists, world.train, k) == pytest.approx(expected)


@given(worlds(), CUTS)
def test_popularity_lift_equals_its_slow_twin(world: World, k: int) -> None:
    had_by = users_of(world)
    had = [sorted({item for user, item in world.seen if user == row}) for row in range(len(world.shown))]
    expected = [
        mean([had_by[item] for item in row[:k]]) / mean([had_by[item] for item in one]) - 1 if one and row[:k] else 0.0
        for row, one in zip(world.shown, had, strict=True)
    ]
    assert popularity_lift(world.lists, world.train, ItemLists.of(had), k) == pytest.approx(expected)


@given(worlds(), CUTS, st.none() | st.integers(1, 40))
def test_serendipity_equals_its_slow_twin(world: World, k: int, items: int | None) -> None:
    size = items or world.items
    had_by = users_of(world)
    ranks = {count: rank for rank, count in enumerate(sorted({*had_by.values()}, reverse=True), 1)}

    def probability(rank: int) -> float:
        return (size + 1 - rank) / size

    def surprise(rank: int, item: int) -> float:
        popular = probability(ranks[had_by[item]]) if had_by[item] else 0.0
        return max(probability(rank) - popular, 0.0)

    expected = [
        sum(surprise(rank, item) for rank, item in enumerate(row[:k], 1) if item in wanted) / k
        for row, wanted in zip(world.shown, world.relevant, strict=True)
    ]
    assert serendipity(world.lists, world.train, k, items=items) == pytest.approx(expected)


@given(worlds(), CUTS)
def test_exposure_and_coverage_equal_their_slow_twins(world: World, k: int) -> None:
    shown = Counter(item for row in world.shown for item in row[:k])
    exposed = exposure(world.lists, k, world.items)
    assert exposed.tolist() == [shown[item] for item in range(world.items)]
    assert coverage(exposed) == pytest.approx(len(shown) / world.items)
    assert coverage(exposed, absolute=True) == len(shown)
    total = sum(shown.values())
    assert entropy(exposed) == pytest.approx(sum(-one / total * log2(one / total) for one in shown.values()))


@given(st.integers(1, 50), st.integers(1, 9))
def test_entropy_of_equal_exposure_is_the_logarithm_of_the_catalogue(items: int, times: int) -> None:
    assert entropy(np.full(items, times)) == pytest.approx(log2(items))


@given(st.lists(st.integers(0, 20), min_size=1, max_size=15).map(np.array))
def test_gini_is_half_the_relative_mean_difference(exposed: np.ndarray) -> None:
    differences = np.abs(exposed[:, None] - exposed[None, :]).mean()
    expected = differences / (2 * exposed.mean()) if exposed.any() else 0.0
    assert gini(exposed) == pytest.approx(expected)


@given(st.lists(st.integers(1, 20), min_size=1, max_size=15).map(np.array), st.integers(2, 5), st.randoms())
def test_gini_does_not_change_with_scale_or_order(
    exposed: np.ndarray, factor: int, random: np.random.Generator
) -> None:
    shuffled = exposed.tolist()
    random.shuffle(shuffled)
    assert gini(exposed * factor) == pytest.approx(gini(exposed))
    assert gini(np.array(shuffled)) == pytest.approx(gini(exposed))


def test_gini_of_one_item_tends_to_one_with_the_catalogue() -> None:
    assert gini(np.eye(1000, dtype=int)[0]) == pytest.approx(0.999)


def test_miuf_as_published_by_rectools() -> None:
    lists = judge(np.array([[3, -1], [2, 3], [1, 2]]), ItemLists.of([[1], [1], [1]]))
    train = Interactions.of(user=[1, 1, 2, 3], item=[1, 2, 1, 1], time=[0, 0, 0, 0], items=4)
    assert miuf(lists, train, 1, unseen="one_user") == pytest.approx([1.5849625, 1.5849625, 0])
    assert miuf(lists, train, 3, unseen="one_user") == pytest.approx([1.5849625, 1.5849625, 0.79248125])


def test_average_popularity_as_published_by_rectools() -> None:
    lists = judge(np.array([[1, 2, -1], [3, 1, 2], [3, 2, -1]]), ItemLists.of([[1], [1], [1]]))
    train = Interactions.of(user=[1, 1, 2, 2, 3, 3], item=[1, 2, 1, 3, 1, 2], time=[0] * 6)
    assert average_popularity(lists, train, 1) == pytest.approx([3, 1, 1])
    assert average_popularity(lists, train, 3) == pytest.approx([2.5, 2, 1.5])


def test_serendipity_as_published_by_rectools() -> None:
    """The list of one item is judged at k all the same, and the values of the others are those of RecTools."""
    lists = judge(np.array([[0, 1], [1, 2], [2, -1], [1, 2]]), ItemLists.of([[0, 1], [1, 2], [1], [1]]))
    train = Interactions.of(user=[1, 1, 2, 2, 3], item=[0, 1, 0, 1, 0], time=[0] * 5, items=4)
    assert serendipity(lists, train, 1) == pytest.approx([0, 0.25, 0, 0.25])
    assert serendipity(lists, train, 2) == pytest.approx([0, 0.5, 0, 0.125])


def test_only_users_with_interactions_are_users_of_train() -> None:
    lists = judge(np.array([[0]]), ItemLists.of([[0]]))
    train = Interactions.of(user=[0, 1], item=[0, 1], time=[0, 0], users=1000)
    assert miuf(lists, train, 1, unseen="one_user").item() == 1.0


def test_an_item_taken_twice_by_a_user_is_no_more_popular() -> None:
    lists = judge(np.array([[0]]), ItemLists.of([[0]]))
    train = Interactions.of(user=[0, 0, 0, 1], item=[0, 0, 0, 1], time=[0, 1, 2, 3])
    assert average_popularity(lists, train, 1).item() == 1.0


def test_an_unseen_item_is_refused_when_told_so() -> None:
    lists = judge(np.array([[0, 2], [0, -1], [2, 3]]), ItemLists.of([[0], [0], [0]]))
    train = Interactions.of(user=[0], item=[0], time=[0], items=4)
    with pytest.raises(DataError, match=r"3 recommended items have no users in train \(first: row 0, item 2\)"):
        miuf(lists, train, 2, unseen="error")
    assert miuf(lists, train, 1, unseen="skip").tolist() == [0.0, 0.0, 0.0]


def test_nothing_shown_is_no_exposure() -> None:
    lists = judge(np.full((2, 3), -1), ItemLists.of([[0], [1]]))
    exposed = exposure(lists, 3, items=5)
    assert (coverage(exposed), gini(exposed), entropy(exposed)) == (0.0, 0.0, 0.0)
