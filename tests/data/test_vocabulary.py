"""External ids at the edge: found again, never confused, never a crash on what a client may send."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from encorec.data.vocabulary import BISECTED_FROM, Vocabulary
from encorec.errors import DataError

WHOLE = st.integers(min_value=-(2**63), max_value=2**63 - 1)
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1)


@given(st.lists(WHOLE, unique=True))
def test_integers_come_back_as_python_integers(ids: list[int]) -> None:
    vocabulary = Vocabulary(np.array(ids, np.int64))
    assert vocabulary.rows(ids).tolist() == list(range(len(ids)))
    assert vocabulary.externals(range(len(ids))) == ids
    assert all(type(one) is int for one in vocabulary.externals(range(len(ids))))


@given(st.lists(TEXT, unique=True))
def test_text_comes_back_as_text(ids: list[str]) -> None:
    vocabulary = Vocabulary(np.array(ids, str))
    assert vocabulary.rows(ids).tolist() == list(range(len(ids)))
    assert vocabulary.externals(range(len(ids))) == ids


@given(st.lists(WHOLE, unique=True, min_size=1))
def test_a_number_given_as_text_is_the_same_id(ids: list[int]) -> None:
    whole, text = Vocabulary(np.array(ids, np.int64)), Vocabulary(np.array([str(one) for one in ids]))
    assert whole.rows(map(str, ids)).tolist() == text.rows(ids).tolist() == list(range(len(ids)))


@given(st.one_of(st.text(), st.integers(), st.floats(), st.booleans(), st.none(), st.lists(st.integers())))
def test_whatever_is_asked_for_is_a_row_or_unknown(external: object) -> None:
    for vocabulary in (Vocabulary(np.array([5, -7])), Vocabulary(np.array(["5", "--5", "a"]))):
        row = vocabulary.row(external)
        assert row == -1 or str(vocabulary.ids[row]) == str(external) or vocabulary.ids[row] == external


@pytest.mark.parametrize(
    "external",
    ["--5", "-", "05", "+5", " 5", "5.0", "\u0665", pytest.param("9" * 5000, id="long"), "", True, None, [5], {}],
)
def test_look_alikes_of_five_are_unknown(external: object) -> None:
    assert Vocabulary(np.array([5])).row(external) == -1


def test_true_is_not_the_id_one() -> None:
    assert Vocabulary(np.array([0, 1])).rows([True, False, 1]).tolist() == [-1, -1, 1]


def test_an_id_that_stands_twice_is_refused() -> None:
    with pytest.raises(DataError, match="1 id"):
        Vocabulary(np.array(["a", "b", "a"])).row("b")


def test_ids_of_another_type_are_refused() -> None:
    with pytest.raises(DataError, match="integers or strings, got float64"):
        Vocabulary(np.array([1.0]))


def test_kind_is_what_the_outside_sees() -> None:
    assert Vocabulary(np.array([1], np.uint8)).kind is int
    assert Vocabulary(np.array(["1"])).kind is str


def ordered(kind: str) -> Vocabulary:
    """More ids than are looked up in a table, with gaps between them."""
    whole = np.arange(-BISECTED_FROM, BISECTED_FROM, 2)
    return Vocabulary(whole if kind == "int" else np.sort(whole.astype(str)))


@pytest.fixture(scope="module", params=["int", "str"])
def large(request: pytest.FixtureRequest) -> tuple[Vocabulary, dict[Any, int]]:
    vocabulary = ordered(request.param)
    return vocabulary, {one: row for row, one in enumerate(vocabulary.ids.tolist())}


ASKED = st.one_of(
    st.integers(-BISECTED_FROM - 9, BISECTED_FROM + 9),
    st.integers(-BISECTED_FROM, BISECTED_FROM).map(str),
    st.integers(-BISECTED_FROM, BISECTED_FROM).map(np.int64),
    st.text(),
    st.integers(),
    st.booleans(),
    st.none(),
)


@settings(max_examples=40)
@given(st.lists(ASKED, max_size=6))
def test_ids_that_are_searched_in_order_are_found_as_in_a_table(
    large: tuple[Vocabulary, dict[Any, int]], asked: list[Any]
) -> None:
    vocabulary, table = large
    small = [
        -1 if isinstance(one, bool) else table.get(one, table.get(vocabulary._converted(one), -1)) for one in asked
    ]
    assert [vocabulary.row(one) for one in asked] == small
    assert vocabulary.rows(asked).tolist() == small
    assert vocabulary.rows(asked * 1000).tolist() == small * 1000
    assert vocabulary.rows(iter(asked)).tolist() == small


def test_many_ids_of_the_right_type_are_found_at_once(large: tuple[Vocabulary, dict[Any, int]]) -> None:
    vocabulary, _ = large
    some = vocabulary.ids[::3]
    assert (
        vocabulary.rows(some).tolist() == vocabulary.rows(some.tolist()).tolist() == list(range(len(vocabulary)))[::3]
    )
    unknown = [1, 3] * 500 if vocabulary.kind is int else ["1", "x"] * 500
    assert vocabulary.rows(unknown).tolist() == [-1] * 1000
    if vocabulary.kind is int:
        assert "_row_of" not in vars(vocabulary), "no table was made"


def test_a_million_ids_out_of_order_or_twice_are_found_in_a_table() -> None:
    ids = np.arange(BISECTED_FROM)[::-1]
    assert Vocabulary(ids).row(0) == BISECTED_FROM - 1
    with pytest.raises(DataError, match="1 ids stand twice"):
        Vocabulary(np.append(ids, 7)).row(0)
