"""External ids at the edge: found again, never confused, never a crash on what a client may send."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from encorec.data.vocabulary import Vocabulary
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
