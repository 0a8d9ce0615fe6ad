"""One canonical order: by user, then time, then the order of the source."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from encorec.data.interactions import Interactions
from encorec.errors import DataError

ROWS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 5), st.integers(0, 3)), max_size=30)


def table_of(rows: list[tuple[int, int, int]]) -> Interactions:
    user, item, time = (list(column) for column in zip(*rows, strict=True)) if rows else ([], [], [])
    return Interactions.of(user, item, time, [float(place + 1) for place in range(len(rows))], users=5, items=6)


@given(ROWS)
def test_order_is_that_of_a_stable_sort_by_user_and_time(rows: list[tuple[int, int, int]]) -> None:
    table = table_of(rows)
    expected = sorted(range(len(rows)), key=lambda place: (rows[place][0], rows[place][2]))
    assert table.row.tolist() == expected
    assert list(zip(table.user, table.item, table.time, strict=True)) == [rows[place] for place in expected]
    assert table.weight.tolist() == [place + 1 for place in expected]


@given(ROWS)
def test_counts_agree_with_counting_one_by_one(rows: list[tuple[int, int, int]]) -> None:
    table = table_of(rows)
    assert table.user_counts.tolist() == [sum(row[0] == user for row in rows) for user in range(5)]
    assert table.item_counts.tolist() == [sum(row[1] == item for row in rows) for item in range(6)]
    assert table.item_users.tolist() == [len({row[0] for row in rows if row[1] == item}) for item in range(6)]
    assert table.end == (max(row[2] for row in rows) + 1 if rows else 0)


@given(ROWS)
def test_histories_are_the_users_rows_in_order(rows: list[tuple[int, int, int]]) -> None:
    table = table_of(rows)
    for user in range(5):
        own = sorted((row for row in rows if row[0] == user), key=lambda row: row[2])
        assert table.histories.items(user).tolist() == [row[1] for row in own]


@given(ROWS, st.data())
def test_take_by_positions_and_by_booleans_agree(rows: list[tuple[int, int, int]], data: st.DataObject) -> None:
    table = table_of(rows)
    mask = np.array(data.draw(st.lists(st.booleans(), min_size=len(rows), max_size=len(rows))), bool)
    one, other = table.take(mask), table.take(np.flatnonzero(mask))
    assert one.row.tolist() == other.row.tolist() == table.row[mask].tolist()
    assert (one.users, one.items) == (5, 6)


def test_columns_of_unequal_length_are_refused() -> None:
    with pytest.raises(DataError, match="columns differ in length: 2, 1, 1, 2"):
        Interactions.of([0, 0], [0], [0])


@pytest.mark.parametrize(("user", "item"), [(5, 0), (-1, 0), (0, 9), (0, -1)])
def test_a_row_outside_its_vocabulary_is_refused(user: int, item: int) -> None:
    with pytest.raises(DataError, match="allowed is 0 to"):
        Interactions.of([0, user], [0, item], [0, 0], users=3, items=2)


@pytest.mark.parametrize("weight", [0.0, -1.0, float("nan")])
def test_a_weight_that_is_not_positive_is_refused(weight: float) -> None:
    with pytest.raises(DataError, match="1 weight"):
        Interactions.of([0, 0], [0, 1], [0, 0], [1.0, weight])


def test_nothing_is_a_table_too() -> None:
    empty = Interactions.of([], [], [], users=2, items=3)
    assert empty.user_counts.tolist() == [0, 0]
    assert empty.item_users.tolist() == [0, 0, 0]
    assert empty.end == 0


@given(ROWS, ROWS)
def test_joined_is_the_order_of_both_sources_read_one_after_the_other(
    old: list[tuple[int, int, int]], new: list[tuple[int, int, int]]
) -> None:
    table, both = table_of(old).joined(table_of(new)), table_of(old + new)
    assert table.row.tolist() == both.row.tolist()
    for name in ("user", "item", "time"):
        assert getattr(table, name).tolist() == getattr(both, name).tolist()
        assert getattr(table, name).dtype == getattr(both, name).dtype
    assert (table.users, table.items, table.indptr.tolist()) == (5, 6, both.indptr.tolist())
    assert sorted(table.weight.tolist()) == sorted(table_of(old).weight.tolist() + table_of(new).weight.tolist())


def test_joined_grows_with_the_new_users_and_items() -> None:
    table = Interactions.of([0], [0], [5]).joined(Interactions.of([2], [3], [1]))
    assert (table.users, table.items, table.user_counts.tolist()) == (3, 4, [1, 0, 1])


def test_joined_refuses_a_smaller_world() -> None:
    with pytest.raises(DataError, match="of 1 users and 4 items, allowed are at least the 2 and 1 known"):
        Interactions.of([1], [0], [5]).joined(Interactions.of([0], [3], [1]))
