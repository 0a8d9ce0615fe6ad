"""What scoring retrievers share: weighted histories, the user-item matrix, the order of last resort."""

from math import log2

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from encorec.data.dataset import Dataset
from encorec.data.interactions import Interactions
from encorec.errors import NotFitted
from encorec.retrieval.scoring import (
    ScoringRetriever,
    csr_rows,
    distinct_items,
    fill_unscored,
    popularity_prior,
    recent_events,
    user_item_matrix,
)
from encorec.types import Histories

ROWS = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 4), st.integers(0, 9), st.sampled_from([0.5, 1.0, 3.0])), max_size=25
)
ITEMS = st.lists(st.lists(st.integers(0, 4), max_size=6), min_size=1, max_size=4)


def table_of(rows: list[tuple[int, int, int, float]]) -> Interactions:
    user, item, time, weight = (list(column) for column in zip(*rows, strict=True)) if rows else ([], [], [], [])
    return Interactions.of(user, item, time, weight, users=4, items=5)


def histories_of(lists: list[list[int]]) -> Histories:
    return Histories.of([(items, list(range(len(items)))) for items in lists])


@given(ROWS)
def test_matrix_is_the_logarithm_of_summed_weights_and_leaves_the_table_alone(
    rows: list[tuple[int, int, int, float]],
) -> None:
    table = table_of(rows)
    before = table.indptr.tolist(), table.item.tolist(), table.weight.tolist()
    found = user_item_matrix(table).toarray()
    assert (table.indptr.tolist(), table.item.tolist(), table.weight.tolist()) == before
    for user, item in np.ndindex(4, 5):
        total = sum(weight for one, other, _, weight in rows if (one, other) == (user, item))
        assert found[user, item] == pytest.approx(log2(1 + total))


@given(ROWS)
def test_prior_orders_by_users_and_is_never_above_zero(rows: list[tuple[int, int, int, float]]) -> None:
    prior = popularity_prior(Dataset.of(table_of(rows)))
    users = [len({user for user, item, _, _ in rows if item == one}) for one in range(5)]
    most = max(max(users), 1)
    assert prior.tolist() == pytest.approx([count / most - 1 for count in users])


@given(ITEMS, st.sampled_from([1.0, 0.5, 0.8]))
def test_recent_events_fade_by_their_steps_from_the_newest(lists: list[list[int]], decay: float) -> None:
    found = recent_events(histories_of(lists), decay)
    expected = [decay ** (len(items) - 1 - place) for items in lists for place in range(len(items))]
    assert found.item.tolist() == [item for items in lists for item in items]
    assert found.weight.tolist() == pytest.approx(expected)


def test_distinct_items_worked_by_hand() -> None:
    """Items 3, 1, 3, 3 with weight 1: three events of item 3 make log2(4) = 2; item 1 stands two steps back."""
    found = distinct_items(histories_of([[], [3, 1, 3, 3], [2]]), 0.5, 5)
    assert found.indptr.tolist() == [0, 0, 2, 3]
    assert found.item.tolist() == [3, 1, 2]
    assert found.weight.tolist() == pytest.approx([2, 0.25, 1])


def test_only_scores_of_exactly_zero_are_filled() -> None:
    scores = np.array([[0, -0.5, 2, 0]], np.float32)
    assert fill_unscored(scores, np.array([-0.25, -0.5, -1, -0.75], np.float32)).tolist() == [[-0.25, -0.5, 2, -0.75]]


def test_empty_places_of_neighbour_lists_vanish() -> None:
    found = csr_rows(np.array([[2, -1], [-1, -1], [0, 1]]), np.array([[5, 0], [0, 0], [7, 8]]))
    assert found["indptr"].tolist() == [0, 1, 1, 3]
    assert found["item"].tolist() == [2, 0, 1]
    assert found["value"].tolist() == [5, 7, 8]


def test_arrays_of_an_unfitted_retriever_are_refused() -> None:
    class Tea(ScoringRetriever):
        pass

    with pytest.raises(NotFitted, match="Tea has not been fitted"):
        Tea(config=1).arrays()
