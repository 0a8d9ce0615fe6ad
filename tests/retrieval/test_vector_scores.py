"""Scores of vector models, never held: the same as scoring everything one number after the other and sorting it."""

from math import fsum

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.retrieval.vector_world import drawn_users, drawn_vectors, sorted_slowly, summed_slowly

from encorec.retrieval.inner_products import best_near
from encorec.retrieval.item_vectors import ItemVectors, product_error
from encorec.retrieval.vector_scores import VectorScores, full_products
from encorec.types import BoolMatrix, FloatMatrix

ITEMS = 1500
STEPS = [None, 0.5, 1.0]


def require_best(scored: VectorScores, full: FloatMatrix, eligible: BoolMatrix, k: int) -> None:
    item, score = scored.best(eligible, k)
    expected = sorted_slowly(full, eligible, k)
    assert [row[row >= 0].tolist() for row in item] == expected
    for row, items in enumerate(expected):
        assert score[row, : len(items)].tolist() == full[row, items].tolist()
        assert np.isnan(score[row, len(items) :]).all()


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    n=st.sampled_from([0, 1, 2, 7]),
    k=st.sampled_from([0, 1, 10, 200, ITEMS, ITEMS + 9]),
    step=st.sampled_from(STEPS),
    share=st.sampled_from([0.0, 0.01, 0.09, 0.5, 1.0]),
    shared=st.booleans(),
)
def test_the_best_are_those_of_a_full_sort(
    seed: int, n: int, k: int, step: float | None, share: float, shared: bool
) -> None:
    rng = np.random.default_rng(seed)
    vectors, users = drawn_vectors(rng, ITEMS, 5, step), drawn_users(rng, n, 5, step)
    eligible = rng.random((1 if shared else n, ITEMS)) < share
    require_best(VectorScores(users, vectors), summed_slowly(users, vectors), eligible, k)


def test_narrow_and_wide_rules_stand_side_by_side() -> None:
    rng = np.random.default_rng(4)
    vectors, users = drawn_vectors(rng, ITEMS, 8, None), drawn_users(rng, 6, 8, None)
    eligible = rng.random((6, ITEMS)) < np.array([1, 0.01, 0.05, 0.9, 0, 0.2])[:, None]
    require_best(VectorScores(users, vectors), summed_slowly(users, vectors), eligible, 20)


@pytest.mark.parametrize("size", [1, 3, 4, 64, 131])
@pytest.mark.parametrize("scale", [1e-30, 1e-20, 1.0, 1e16])
def test_vectors_of_any_length_are_ordered_by_the_sum_alone(size: int, scale: float) -> None:
    rng = np.random.default_rng(size)
    drawn, users = drawn_vectors(rng, ITEMS, size, None), drawn_users(rng, 5, size, None)
    vectors = ItemVectors.of(drawn.factors * np.float32(scale), drawn.prior)
    users = users * np.float32(scale)
    require_best(VectorScores(users, vectors), summed_slowly(users, vectors), np.ones((1, ITEMS), bool), 25)


def test_items_that_differ_by_less_than_a_matrix_product_can_tell_are_ordered_all_the_same() -> None:
    rng = np.random.default_rng(5)
    base = rng.normal(size=(40, 1))
    factors = np.ascontiguousarray(base * (1 + rng.integers(-3, 4, (40, ITEMS)) * 2.0**-24), np.float32)
    vectors = ItemVectors.of(factors, np.full(ITEMS, -1, np.float32))
    users = np.concatenate([base.T, rng.normal(size=(6, 40))]).astype(np.float32)
    require_best(VectorScores(users, vectors), summed_slowly(users, vectors), np.ones((1, ITEMS), bool), 30)


def test_sums_beyond_float32_are_found_as_in_full() -> None:
    rng = np.random.default_rng(6)
    factors = np.full((2, ITEMS), 1e20, np.float32)
    factors[1] = rng.normal(size=ITEMS)
    vectors = ItemVectors.of(factors, np.full(ITEMS, -1, np.float32))
    users = np.array([[1e20, 1], [1, 1], [-1e20, 0]], np.float32)
    with np.errstate(over="ignore"):
        full = summed_slowly(users, vectors)
    assert np.isinf(full[0]).all()
    with np.errstate(over="ignore"):
        require_best(VectorScores(users, vectors), full, np.ones((1, ITEMS), bool), 5)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), n=st.sampled_from([1, 4]), step=st.sampled_from(STEPS), asked_first=st.booleans())
def test_any_score_can_be_asked_for(seed: int, n: int, step: float | None, asked_first: bool) -> None:
    rng = np.random.default_rng(seed)
    vectors, users = drawn_vectors(rng, ITEMS, 7, step), drawn_users(rng, n, 7, step)
    scored, full = VectorScores(users, vectors), summed_slowly(users, vectors)
    query, item = np.sort(rng.integers(0, n, 40)).astype(np.int32), rng.integers(0, ITEMS, 40).astype(np.int32)
    if not asked_first:
        scored.best(np.ones((1, ITEMS), bool), 3)
    assert scored.at(query, item).tolist() == full[query, item].tolist()
    assert scored.at(query[:0], item[:0]).tolist() == []
    assert full_products(users, vectors).tolist() == full.tolist()


@pytest.mark.parametrize("share", [0.01, 0.5])
def test_each_query_gets_alone_what_it_gets_among_others(share: float) -> None:
    rng = np.random.default_rng(8)
    vectors, users = drawn_vectors(rng, ITEMS, 48, None), drawn_users(rng, 90, 48, None)
    eligible = rng.random((90, ITEMS)) < share
    item, score = VectorScores(users, vectors).best(eligible, 30)
    for row in range(90):
        own_item, own_score = VectorScores(users[row : row + 1], vectors).best(eligible[row : row + 1], 30)
        assert own_item.tolist() == item[row : row + 1].tolist()
        assert own_score.tobytes() == score[row : row + 1].tobytes()


def test_more_queries_than_a_block_holds() -> None:
    rng = np.random.default_rng(9)
    vectors, users = drawn_vectors(rng, ITEMS, 2, None), drawn_users(rng, 3000, 2, None)
    require_best(VectorScores(users, vectors), summed_slowly(users, vectors), np.ones((1, ITEMS), bool), 2)


@given(st.integers(0, 10_000), st.sampled_from([1, 5, 64, 400]), st.sampled_from([1e-20, 1.0, 1e9]))
@settings(max_examples=40, deadline=None)
def test_no_sum_errs_by_more_than_is_allowed_for(seed: int, size: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    users, factors = (rng.normal(size=shape) * scale for shape in ((3, size), (size, 20)))
    users, vectors = users.astype(np.float32), ItemVectors.of(factors.astype(np.float32), np.zeros(20, np.float32))
    exact = [
        [fsum(a * b for a, b in zip(u, v, strict=True)) for v in vectors.factors.T.tolist()] for u in users.tolist()
    ]
    error = product_error(users, vectors)[:, None]
    for sums in (users @ vectors.factors, full_products(users, vectors)):
        assert (np.abs(sums.astype(np.float64) - exact) <= error / 2).all()


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000), k=st.sampled_from([1, 7, 300]), error=st.sampled_from([0.0, 0.1, 5.0, np.inf, np.nan])
)
def test_rough_scores_lead_to_the_best_whatever_their_error(seed: int, k: int, error: float) -> None:
    rng = np.random.default_rng(seed)
    vectors, users = drawn_vectors(rng, ITEMS, 4, None), drawn_users(rng, 4, 4, None)
    full, eligible = summed_slowly(users, vectors), rng.random((4, ITEMS)) < 0.7
    size = error if np.isfinite(error) else 100
    near = (full + rng.uniform(-0.999, 0.999, full.shape) * size).astype(np.float32)
    item, score = np.empty((4, k), np.int32), np.empty((4, k), np.float32)
    best_near(near, np.full(4, error), users, vectors.row, vectors.prior, eligible, item, score)
    assert item.tolist() == sorted_slowly(full, eligible, k)
    assert score.tolist() == np.take_along_axis(full, item, axis=1).tolist()


def test_an_allow_list_of_one_percent_is_always_filled() -> None:
    rng = np.random.default_rng(11)
    vectors, users = drawn_vectors(rng, 5000, 16, None), drawn_users(rng, 200, 16, None)
    eligible = rng.random((200, 5000)) < 0.01
    item, _ = VectorScores(users, vectors).best(eligible, 10)
    assert ((item >= 0).sum(axis=1) == np.minimum(10, eligible.sum(axis=1))).all()
    assert eligible[np.arange(200)[:, None], item][item >= 0].all()


def test_an_empty_catalogue_gives_empty_places() -> None:
    vectors = ItemVectors.of(np.empty((3, 0), np.float32), np.empty(0, np.float32))
    item, score = VectorScores(np.ones((2, 3), np.float32), vectors).best(np.empty((1, 0), bool), 2)
    assert item.tolist() == [[-1, -1], [-1, -1]]
    assert np.isnan(score).all()


def test_read_only_arrays_are_enough() -> None:
    rng = np.random.default_rng(12)
    drawn = drawn_vectors(rng, 300, 3, None)
    for array in (drawn.factors, drawn.prior):
        array.flags.writeable = False
    users = drawn_users(rng, 3, 3, None)
    vectors = ItemVectors.of(drawn.factors, drawn.prior)
    require_best(VectorScores(users, vectors), summed_slowly(users, vectors), np.ones((1, 300), bool), 4)
