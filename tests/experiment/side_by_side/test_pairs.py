"""Pairs: the same draw under a seed, balanced sides, titles, personas first, nothing to judge is said."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.experiment.side_by_side.worked import lists_of, pairs_of

from encorec.errors import DataError
from encorec.experiment.side_by_side import pair_lists


def test_a_seed_draws_the_same_pairs_and_another_others() -> None:
    assert pairs_of(seed=3) == pairs_of(seed=3)
    drawn = {
        (tuple(one.user for one in found.pairs), "".join(one.left for one in found.pairs))
        for found in (pairs_of(seed=seed) for seed in range(6))
    }
    assert len(drawn) == 6


@given(st.integers(1, 60), st.integers(0, 1000))
def test_each_system_stands_on_the_left_as_often_as_on_the_right(users: int, seed: int) -> None:
    found = pairs_of(users, seed)
    assert len(found.pairs) == min(users, 39)
    lefts = [one.left for one in found.pairs]
    assert 0 <= lefts.count("a") - lefts.count("b") <= 1
    assert len({one.user for one in found.pairs}) == len(found.pairs)


def test_lists_are_those_of_the_files_in_their_order_and_sides() -> None:
    a, b = lists_of(40, 1), lists_of(40, 2)
    for one in pair_lists(a.sample(fraction=1, shuffle=True, seed=1), b, users=9, k=3).pairs:
        wanted = {
            name: tuple(table.filter(pl.col("user_id") == int(one.user)).sort("rank")["item_id"][:3])
            for name, table in (("a", a), ("b", b))
        }
        assert (one.a, one.b) == (wanted["a"], wanted["b"])
        assert one.sides == ((one.a, one.b) if one.left == "a" else (one.b, one.a))


def test_equal_lists_and_users_of_one_system_are_counted_not_shown() -> None:
    found = pair_lists(lists_of(5, 1), lists_of(5, 2).filter(pl.col("user_id") > 0), users=30)
    assert (found.identical, found.one_sided, len(found.pairs)) == (("4",), 1, 3)


def test_personas_come_in_any_case_with_what_is_told_of_them() -> None:
    people = pl.DataFrame({"user_id": [7, 9], "about": ["Loud films", None]})
    found = pairs_of(2, people=people)
    assert sorted((one.user, one.about) for one in found.pairs) == [("7", "Loud films"), ("9", "9")]
    with pytest.raises(DataError, match=r"1 person without a list of both systems \(first: '77'\)"):
        pairs_of(people=people.with_columns(user_id=pl.Series([7, 77])))


def test_titles_and_histories_are_shown_the_newest_first() -> None:
    items = pl.DataFrame({"item_id": ["item 3", "item 5"], "title": ["<b>Tea</b>", "nan"]})
    history = pl.DataFrame(
        {"user_id": [3, 3, 3, 4], "item_id": ["item 3", "item 5", "item 9", "x"], "timestamp": [10, 30, 20, 5]}
    )
    one = next(one for one in pairs_of(39, items=items, history=history, history_items=2).pairs if one.user == "3")
    assert one.history == ("item 5", "item 9")
    assert one.a[0] == "<b>Tea</b>"
    untimed = pairs_of(39, history=history.drop("timestamp"))
    assert next(one for one in untimed.pairs if one.user == "3").history == ("item 9", "item 5", "item 3")


def test_what_cannot_be_judged_is_refused() -> None:
    a = lists_of(6, 1)
    with pytest.raises(DataError, match="all 6 users are equal"):
        pair_lists(a, a)
    with pytest.raises(DataError, match="no user in common"):
        pair_lists(a, a.with_columns(pl.col("user_id") + 100))
    with pytest.raises(DataError, match="users is 0"):
        pair_lists(a, lists_of(6, 2), users=0)
    with pytest.raises(DataError, match=r"items: .*given before"):
        pair_lists(a, lists_of(6, 2), items=pl.DataFrame({"item_id": ["x", "x"], "title": ["1", "2"]}))
    with pytest.raises(DataError, match="'title'"):
        pair_lists(a, lists_of(6, 2), items=pl.DataFrame({"item_id": ["x"], "name": ["1"]}))
