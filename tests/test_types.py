"""Ragged arrays against lists of lists, and the one mask of all rules against sets."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from encorec.errors import QueryError
from encorec.types import Candidates, Eligibility, Histories, ItemLists, Queries, Slate, ragged_positions

ITEMS = 6
Events = list[tuple[int, int]]

LISTS = st.lists(st.lists(st.integers(0, ITEMS - 1), max_size=5), min_size=1, max_size=5)
HISTORIES = st.lists(
    st.lists(st.tuples(st.integers(0, ITEMS - 1), st.integers(0, 8)), max_size=8).map(
        lambda events: sorted(events, key=lambda event: event[1])
    ),
    min_size=1,
    max_size=5,
)


def histories_of(users: list[Events]) -> Histories:
    """With weights that tell the events apart."""
    plain = Histories.of([([item for item, _ in events], [time for _, time in events]) for events in users])
    return Histories(plain.indptr, plain.item, plain.time, np.arange(len(plain.item), dtype=np.float32))


def listed(histories: Histories) -> list[Events]:
    """Back to lists, by the offsets."""
    inside = [slice(start, stop) for start, stop in zip(histories.starts, histories.stops, strict=True)]
    return [list(zip(histories.item[one].tolist(), histories.time[one].tolist(), strict=True)) for one in inside]


def cuts_for(users: list[Events]) -> st.SearchStrategy[list[int]]:
    return st.lists(st.integers(-1, 10), min_size=len(users), max_size=len(users))


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 5)), max_size=6))
def test_ragged_positions_are_ranges_one_after_the_other(slices: list[tuple[int, int]]) -> None:
    starts, lengths = (np.array(column, np.int64) for column in zip(*slices, strict=True)) if slices else ([], [])
    found = ragged_positions(np.asarray(starts, np.int64), np.asarray(lengths, np.int64))
    assert found.tolist() == [position for start, length in slices for position in range(start, start + length)]


@given(LISTS, st.data())
def test_lists_are_taken_in_any_order(lists: list[list[int]], data: st.DataObject) -> None:
    ragged, rows = ItemLists.of(lists), data.draw(st.lists(st.integers(0, len(lists) - 1), max_size=6))
    taken = ragged.take(np.array(rows, np.int64))
    assert [taken.row(place).tolist() for place in range(len(taken))] == [lists[row] for row in rows]
    assert ragged.owner.tolist() == [row for row, own in enumerate(lists) for _ in own]
    assert (ragged.indptr.dtype, ragged.item.dtype, taken.item.dtype) == (np.int64, np.int32, np.int32)


@given(LISTS)
def test_a_slice_of_lists_is_what_a_slice_of_a_list_is(lists: list[list[int]]) -> None:
    taken = ItemLists.of(lists).take(slice(1, 3))
    assert [taken.row(place).tolist() for place in range(len(taken))] == lists[1:3]


def test_offsets_that_do_not_fit_are_refused() -> None:
    for offsets in ([0, 1], [1, 2], [], [0, 3]):
        with pytest.raises(QueryError, match="offsets must run from 0 to 2"):
            ItemLists(np.array(offsets, np.int64), np.array([5, 6], np.int32))


@given(HISTORIES, st.data())
def test_before_keeps_what_is_strictly_earlier(users: list[Events], data: st.DataObject) -> None:
    cuts = data.draw(cuts_for(users))
    found = histories_of(users).before(np.array(cuts))
    expected = [[event for event in events if event[1] < cut] for events, cut in zip(users, cuts, strict=True)]
    assert listed(found) == listed(found.compact()) == expected
    assert found.lengths.tolist() == [len(events) for events in expected]
    assert [found.items(row).tolist() for row in range(len(users))] == [[item for item, _ in own] for own in expected]


@given(HISTORIES, st.integers(-1, 10))
def test_one_cut_is_a_cut_for_all(users: list[Events], cut: int) -> None:
    histories = histories_of(users)
    assert listed(histories.before(cut)) == [[event for event in events if event[1] < cut] for events in users]
    assert listed(histories.before(cut)) == listed(histories.before(np.full(len(users), cut)))
    assert listed(histories.since(cut)) == [[event for event in events if event[1] >= cut] for events in users]


@given(HISTORIES, st.data())
def test_a_view_is_cut_and_taken_from_like_a_copy(users: list[Events], data: st.DataObject) -> None:
    """Events behind the cut are still stored: no method may bring them back."""
    view = histories_of(users).before(np.array(data.draw(cuts_for(users))))
    copy, cut, length = histories_of(listed(view)), data.draw(st.integers(-1, 10)), data.draw(st.integers(1, 9))
    rows = np.array(data.draw(st.lists(st.integers(0, len(users) - 1), max_size=6)), np.int64)
    assert listed(view.before(cut)) == listed(copy.before(cut))
    assert listed(view.since(cut)) == listed(copy.since(cut))
    assert listed(view.tail(length)) == listed(copy.tail(length))
    assert listed(view.take(rows)) == listed(copy.take(rows))


@given(HISTORIES, st.integers(1, 9))
def test_tail_is_the_newest_events(users: list[Events], length: int) -> None:
    found = histories_of(users).tail(length)
    assert listed(found) == [events[-length:] for events in users]
    assert found.owner.tolist() == [row for row, events in enumerate(users) for _ in events[-length:]]


@given(HISTORIES, st.data())
def test_weights_stay_with_their_events(users: list[Events], data: st.DataObject) -> None:
    histories, cut = histories_of(users), data.draw(st.integers(-1, 10))
    places = [place for place, (_, time) in enumerate(event for events in users for event in events) if time >= cut]
    assert histories.since(cut).weight.tolist() == places


@given(HISTORIES)
def test_a_cut_shares_memory_and_a_compact_history_is_itself(users: list[Events]) -> None:
    histories = histories_of(users)
    assert histories.before(5).item is histories.item
    assert histories.compact() is histories


def test_nobody_has_no_history() -> None:
    nobody = Histories.empty(0)
    for found in (nobody, nobody.before(5), nobody.since(5), nobody.tail(2), nobody.compact(), Histories.of([])):
        assert len(found) == 0
        assert listed(found) == []


def test_arrays_of_unequal_length_are_refused() -> None:
    with pytest.raises(QueryError, match="must be equally long, got 1, 2 and 1"):
        Histories(np.array([0, 1]), np.zeros(1, np.int32), np.zeros(2, np.int64), np.zeros(1, np.float32))


@st.composite
def rules(draw: st.DrawFn) -> tuple[Eligibility, list[set[int]]]:
    """A rule for some queries, and the items that each of them may get."""
    n, item = draw(st.integers(1, 4)), st.integers(0, ITEMS - 1)
    lists = st.lists(st.lists(item, max_size=4), min_size=n, max_size=n)
    catalogue = draw(st.lists(st.booleans(), min_size=ITEMS, max_size=ITEMS))
    exclude, allow = draw(st.none() | lists), draw(st.none() | lists)
    restricted = draw(st.none() | st.lists(st.booleans(), min_size=n, max_size=n)) if allow is not None else None
    eligible = []
    for row in range(n):
        own = {one for one in range(ITEMS) if catalogue[one]} - set(exclude[row] if exclude else [])
        bound = allow is not None and (restricted is None or restricted[row])
        eligible.append(own & set(allow[row]) if allow and bound else own)
    return Eligibility(
        np.array(catalogue),
        None if exclude is None else ItemLists.of(exclude),
        None if allow is None else ItemLists.of(allow),
        None if restricted is None else np.array(restricted),
    ), eligible


@given(rules(), st.data())
def test_mask_is_every_rule_at_once(drawn: tuple[Eligibility, list[set[int]]], data: st.DataObject) -> None:
    rule, expected = drawn
    found = [set(np.flatnonzero(row).tolist()) for row in rule.mask(len(expected))]
    assert found == expected
    rows = data.draw(st.lists(st.integers(0, len(expected) - 1), max_size=6))
    taken = rule.take(np.array(rows, np.int64)).mask(len(rows))
    assert [set(np.flatnonzero(row).tolist()) for row in taken] == [expected[row] for row in rows]


def test_an_excluded_item_stays_out_even_where_it_is_allowed() -> None:
    rule = Eligibility(np.ones(3, bool), ItemLists.of([[0]]), ItemLists.of([[0, 2]]))
    assert rule.mask().tolist() == [[False, False, True]]


def queries(**changed: Any) -> Queries:
    parts = {
        "history": Histories.of([([1], [5]), ([2, 3], [6, 7])]),
        "now": np.array([8, 9]),
        "eligible": Eligibility(np.ones(4, bool), ItemLists.of([[1], [2]])),
        "user_features": np.array([[1.0], [2.0]], np.float32),
        "user": np.array([7, -1], np.int32),
    }
    return Queries(**{**parts, **changed})


def test_taken_queries_keep_their_parts_together() -> None:
    taken = queries().take(np.array([1, 1, 0]))
    assert taken.history.item.tolist() == [2, 3, 2, 3, 1]
    assert taken.now.tolist() == [9, 9, 8]
    assert taken.user is not None
    assert taken.user_features is not None
    assert taken.user.tolist() == [-1, -1, 7]
    assert taken.user_features.ravel().tolist() == [2, 2, 1]
    assert taken.eligible.mask(3).argmin(axis=1).tolist() == [2, 2, 1]
    assert (len(taken), taken.items) == (3, 4)


def test_questions_asked_with_another_history_are_otherwise_the_same() -> None:
    asked = queries().with_history(Histories.empty(2))
    assert asked.history.lengths.tolist() == [0, 0]
    assert asked.now is not None
    assert asked.now.tolist() == [8, 9]


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"now": np.array([8])}, "2 histories but 1 rows in now"),
        ({"user": np.zeros(3, np.int32)}, "2 histories but 3 rows in user"),
        ({"user_features": np.zeros((1, 1))}, "2 histories but 1 rows in user_features"),
        ({"eligible": Eligibility(np.ones(4, bool), ItemLists.empty(1))}, "2 histories but 1 rows in exclude"),
        ({"eligible": Eligibility(np.ones(4, bool), None, ItemLists.empty(3))}, "2 histories but 3 rows in allow"),
    ],
)
def test_parts_for_another_number_of_queries_are_refused(changed: dict[str, Any], told: str) -> None:
    with pytest.raises(QueryError, match=told):
        queries(**changed)


def test_candidates_know_where_each_query_begins_and_who_proposed_them() -> None:
    query, item = np.array([0, 0, 2], np.int32), np.array([4, 1, 4], np.int32)
    rank = np.array([[1, np.nan], [2, 1], [np.nan, 1]], np.float32)
    found = Candidates(query, item, rank, rank, ("als", "ease"))
    assert found.indptr(4).tolist() == [0, 2, 2, 3, 3]
    assert found.proposed.tolist() == [[True, False], [True, True], [False, True]]
    assert len(found) == 3


def test_an_empty_slate_has_places_but_nothing_in_them() -> None:
    slate = Slate.empty(2, 3, ("als", "ease"))
    assert len(slate) == 2
    assert slate.filled.tolist() == [0, 0]
    assert np.isnan(slate.score).all()
    assert (slate.propensity == 1).all()


@pytest.mark.parametrize(("bits", "names"), [(0, []), (1, ["als"]), (4, ["knn"]), (7, ["als", "ease", "knn"])])
def test_sources_of_a_place_are_read_off_its_bits(bits: int, names: list[str]) -> None:
    slate = Slate.empty(1, 1, ("als", "ease", "knn"))
    slate.source[0, 0] = bits
    assert slate.source_names(0, 0) == names
