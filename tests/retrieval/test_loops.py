"""Every compiled loop against a slow twin in plain Python."""

from math import log2

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from encorec.retrieval.row_sums import add_dense_rows, add_sparse_rows, merge_repeats
from encorec.retrieval.selection import nearest_rows, select_top, unite_lists
from encorec.types import BoolMatrix, FloatMatrix, IntMatrix, ItemLists

ITEMS = 7
SCORES = st.sampled_from([-np.inf, -2.5, -1.0, 0.0, 0.5, 0.75, 3.0, np.inf])
WEIGHTS = st.sampled_from([0.25, 0.5, 1.0, 2.0])
ENTRIES = st.lists(st.lists(st.tuples(st.integers(0, ITEMS - 1), WEIGHTS), max_size=6), max_size=5)
MATRICES = st.lists(
    st.lists(st.sampled_from([0.0, 0.0, 1.0, -2.0, 0.5]), min_size=4, max_size=4), min_size=ITEMS, max_size=ITEMS
)


def matrix(values: list[list[float]]) -> FloatMatrix:
    return np.array(values, np.float32).reshape(len(values), -1)


def frozen(array: np.ndarray) -> np.ndarray:
    array.flags.writeable = False
    return array


def flat(entries: list[list[tuple[int, float]]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    lists = ItemLists.of([[item for item, _ in row] for row in entries])
    weights = np.array([weight for row in entries for _, weight in row], np.float32)
    return frozen(lists.indptr), frozen(lists.item), frozen(weights)


@given(ENTRIES, MATRICES)
def test_sums_of_dense_rows_are_added(entries: list[list[tuple[int, float]]], values: list[list[float]]) -> None:
    out = np.ones((len(entries), 4), np.float32)
    add_dense_rows(*flat(entries), frozen(matrix(values)), out)
    for row, own in enumerate(entries):
        for column in range(4):
            assert out[row, column] == 1 + sum(weight * values[item][column] for item, weight in own)


@given(ENTRIES, MATRICES)
def test_sums_of_sparse_rows_are_those_of_dense_rows(
    entries: list[list[tuple[int, float]]], values: list[list[float]]
) -> None:
    dense, out = np.ones((len(entries), 4), np.float32), np.ones((len(entries), 4), np.float32)
    add_dense_rows(*flat(entries), matrix(values), dense)
    indptr, item, value = parts_of(sparse.csr_array(matrix(values)))
    add_sparse_rows(*flat(entries), indptr, item, value, out)
    assert out.tolist() == dense.tolist()


def merged_slowly(history: list[tuple[int, float]], decay: float) -> list[tuple[int, float]]:
    """Newest first: each item once, with the logarithm of its summed weight, faded by the age of its newest event."""
    newest_first = history[::-1]
    found: list[tuple[int, float]] = []
    for step, (item, _) in enumerate(newest_first):
        if item not in [one for one, _ in found]:
            total = sum(weight for one, weight in history if one == item)
            found.append((item, log2(1 + total) * decay**step))
    return found


@given(ENTRIES, st.sampled_from([1.0, 0.5, 0.9]))
def test_repeats_are_merged_newest_first(histories: list[list[tuple[int, float]]], decay: float) -> None:
    indptr, item, weight = flat(histories)
    scratch = np.full(ITEMS, -1, np.int32)
    out = np.empty(len(histories) + 1, np.int64), np.empty(len(item), np.int32), np.empty(len(item), np.float32)
    size = merge_repeats(indptr, item, weight, decay, scratch, *out)
    expected = [merged_slowly(history, decay) for history in histories]
    assert np.diff(out[0]).tolist() == [len(own) for own in expected]
    assert out[1][:size].tolist() == [one for own in expected for one, _ in own]
    assert out[2][:size] == pytest.approx([value for own in expected for _, value in own], rel=1e-6)
    assert scratch.tolist() == [-1] * ITEMS


def best_slowly(scores: list[float], eligible: list[bool], k: int) -> list[int]:
    allowed = [item for item in range(len(scores)) if eligible[item]]
    return sorted(allowed, key=lambda item: (-scores[item], item))[:k]


@st.composite
def score_tables(draw: st.DrawFn) -> tuple[FloatMatrix, BoolMatrix]:
    items, n = draw(st.integers(0, 25)), draw(st.integers(1, 4))
    scores = draw(st.lists(st.lists(SCORES, min_size=items, max_size=items), min_size=n, max_size=n))
    rules = draw(st.sampled_from([1, n]))
    eligible = draw(st.lists(st.lists(st.booleans(), min_size=items, max_size=items), min_size=rules, max_size=rules))
    return np.array(scores, np.float32).reshape(n, items), np.array(eligible, bool).reshape(rules, items)


@given(score_tables(), st.integers(0, 30))
def test_selection_is_a_stable_sort_cut_off(table: tuple[FloatMatrix, BoolMatrix], k: int) -> None:
    scores, eligible = table
    item, score = np.full((len(scores), k), -7, np.int32), np.full((len(scores), k), -7, np.float32)
    select_top(frozen(scores), frozen(eligible), item, score)
    rules = np.broadcast_to(eligible, scores.shape)
    for row, (values, rule) in enumerate(zip(scores.tolist(), rules.tolist(), strict=True)):
        best = best_slowly(values, rule, k)
        assert item[row].tolist() == best + [-1] * (k - len(best))
        assert score[row, : len(best)].tolist() == [values[one] for one in best]
        assert np.isnan(score[row, len(best) :]).all()


def test_selection_of_nothing_leaves_the_memory_around_it_alone() -> None:
    item, score = np.full((3, 4), 9, np.int32), np.full((3, 4), 9, np.float32)
    select_top(np.full((3, 5), 100, np.float32), np.ones((1, 5), bool), item[:, :0], score[:, :0])
    assert item.tolist() == score.tolist() == [[9] * 4] * 3


@given(MATRICES, st.integers(0, 6))
def test_nearest_rows_are_the_largest_entries_of_the_product(values: list[list[float]], k: int) -> None:
    left = sparse.csr_array(matrix(values).astype(np.float64))
    right = left.T.tocsr()
    item, score = np.full((ITEMS, k), -7, np.int32), np.full((ITEMS, k), -7, np.float32)
    nearest_rows(*parts_of(left), *parts_of(right), item, score)
    product = (left @ right).toarray()
    met = (abs(left) @ abs(right)).toarray() > 0
    for row in range(ITEMS):
        best = best_slowly(product[row].tolist(), met[row].tolist(), k)
        assert item[row].tolist() == best + [-1] * (k - len(best))
        assert score[row, : len(best)].tolist() == product[row, best].tolist()
        assert np.isnan(score[row, len(best) :]).all()


def parts_of(csr: sparse.csr_array) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return frozen(csr.indptr.astype(np.int64)), frozen(csr.indices.astype(np.int32)), frozen(csr.data)


@st.composite
def ranked_lists(draw: st.DrawFn) -> IntMatrix:
    sources, n, k = draw(st.integers(1, 3)), draw(st.integers(1, 3)), draw(st.integers(1, 5))
    one = st.lists(st.integers(0, ITEMS - 1), unique=True, max_size=k).map(lambda own: own + [-1] * (k - len(own)))
    return np.array([[draw(one) for _ in range(n)] for _ in range(sources)], np.int32)


@given(ranked_lists())
def test_union_holds_every_listed_item_once_with_all_its_ranks(lists: IntMatrix) -> None:
    sources, n, k = lists.shape
    query, item = np.empty(lists.size, np.int32), np.empty(lists.size, np.int32)
    rank = np.empty((lists.size, sources), np.float32)
    size = unite_lists(frozen(lists), ITEMS, query, item, rank)
    expected = sorted(
        {(one, listed) for _, one, place in np.ndindex(sources, n, k) if (listed := lists[_, one, place]) >= 0}
    )
    assert list(zip(query[:size].tolist(), item[:size].tolist(), strict=True)) == expected
    for row, (one, listed) in enumerate(expected):
        for source in range(sources):
            places = np.flatnonzero(lists[source, one] == listed)
            assert np.array_equal(rank[row, source], places[0] + 1.0 if len(places) else np.nan, equal_nan=True)
