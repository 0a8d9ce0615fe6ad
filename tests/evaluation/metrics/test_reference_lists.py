"""Overlap with reference lists against sets."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.evaluation.worlds import World, worlds

from encorec.data.interactions import Interactions
from encorec.evaluation.metrics.lists import judge
from encorec.evaluation.metrics.reference_lists import intersection, most_popular, unexpectedness, unpopularity
from encorec.types import IntMatrix, ItemLists

CUTS = st.integers(1, 10)


@given(worlds(), CUTS, st.none() | CUTS)
def test_overlap_equals_its_slow_twin(world: World, k: int, reference_k: int | None) -> None:
    reference: IntMatrix = world.recommended[::-1]
    others = [row[: reference_k or k] for row in world.shown[::-1]]
    common = [
        len({*row[:k]} & {*other}) / len(row[:k]) if row[:k] else 0.0
        for row, other in zip(world.shown, others, strict=True)
    ]
    assert intersection(world.lists, reference, k, reference_k=reference_k) == pytest.approx(common)
    strange = [
        1 - len({*row[:k]} & {*other[:k]}) / len(row[:k]) if row[:k] else 0.0
        for row, other in zip(world.shown, world.shown[::-1], strict=True)
    ]
    assert unexpectedness(world.lists, reference, k) == pytest.approx(strange)


@given(worlds(), CUTS)
def test_one_reference_list_serves_all_users(world: World, k: int) -> None:
    one, every = world.recommended[:1], np.repeat(world.recommended[:1], len(world.shown), axis=0)
    assert intersection(world.lists, one, k).tolist() == intersection(world.lists, every, k).tolist()


@pytest.mark.parametrize("longest", [5, 60])
def test_overlap_of_long_lists(longest: int) -> None:
    rng = np.random.default_rng(0)
    one, other = (rng.permuted(np.tile(np.arange(100), (20, 1)), axis=1)[:, :longest] for _ in range(2))
    expected = [len({*a} & {*b}) / longest for a, b in zip(one.tolist(), other.tolist(), strict=True)]
    found = intersection(judge(one, ItemLists.of([[0]] * 20)), other.astype(np.int32), longest)
    assert found == pytest.approx(expected)


@given(worlds(), CUTS)
def test_unpopularity_equals_its_slow_twin(world: World, k: int) -> None:
    had_by = Counter(item for _, item in {*world.seen})
    least = sorted(had_by.values(), reverse=True)[: min(k, len(had_by))][-1]
    popular = {item for item, users in had_by.items() if users >= least}
    expected = [sum(item not in popular for item in row[:k]) / len(row[:k]) if row[:k] else 0.0 for row in world.shown]
    assert np.flatnonzero(most_popular(world.train, k)).tolist() == sorted(popular)
    assert unpopularity(world.lists, world.train, k) == pytest.approx(expected)


def test_items_that_are_equally_popular_are_popular_together() -> None:
    train = Interactions.of(user=[0, 1, 0, 1, 0], item=[0, 0, 1, 1, 2], time=[0] * 5, items=9)
    assert most_popular(train, 1).nonzero()[0].tolist() == [0, 1]
    assert most_popular(train, 3).nonzero()[0].tolist() == [0, 1, 2]
    assert most_popular(train, 9).nonzero()[0].tolist() == [0, 1, 2]  # nobody had the others
