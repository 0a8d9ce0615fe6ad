"""Numbers of ids, whatever way they are found: by a table of neighbouring integers, or by joining."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from encorec.evaluation.frames.numbering import numbered, rows_of

FAR = 2**62
NEAR, WIDE = st.integers(-5, 5), st.sampled_from([-(2**63), -FAR, -1, 0, 7, FAR, 2**63 - 1])
COLUMNS = st.lists(st.lists(NEAR | WIDE, min_size=1, max_size=6), min_size=1, max_size=3)


def by_hand(first: list[list], then: list[list]) -> tuple[list, int, list[list[int]]]:
    front = sorted({one for column in first for one in column})
    ids = front + sorted({one for column in then for one in column} - set(front))
    return ids, len(front), [[ids.index(one) for one in column] for column in (*first, *then)]


def found(first: list[list], then: list[list], dtype: pl.DataType) -> tuple[list, int, list[list[int]]]:
    said = numbered([pl.Series("id", one, dtype) for one in first], [pl.Series("id", one, dtype) for one in then])
    assert all(one.dtype == np.int32 for one in said.rows)
    return said.ids.to_list(), said.first, [one.tolist() for one in said.rows]


@settings(max_examples=60, deadline=None)
@given(COLUMNS, st.just([]) | COLUMNS)
def test_integers_are_numbered_as_by_hand(first, then):
    assert found(first, then, pl.Int64()) == by_hand(first, then)


@settings(max_examples=30, deadline=None)
@given(COLUMNS, st.just([]) | COLUMNS)
def test_text_is_numbered_as_by_hand(first, then):
    first, then = ([[f"id {one}" for one in column] for column in columns] for columns in (first, then))
    assert found(first, then, pl.String()) == by_hand(first, then)


@pytest.mark.parametrize("known", [[3, 5, 4], [-FAR, 5, FAR], [2**63 - 1], [-(2**63)]])
def test_an_id_that_is_not_known_has_no_row(known):
    given_ids = [*known, -(2**63), 2**63 - 1, 0, 6, 2, -FAR - 1]
    expected = [known.index(one) if one in known else -1 for one in given_ids]
    assert rows_of(pl.Series(given_ids), pl.Series(known)).tolist() == expected


def test_nothing_is_known_of_nothing():
    assert rows_of(pl.Series([4]), pl.Series([], dtype=pl.Int64)).tolist() == [-1]
    assert rows_of(pl.Series([], dtype=pl.Int64), pl.Series([4])).tolist() == []
