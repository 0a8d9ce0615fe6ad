"""Lists laid out by rank: the short way and the long one put every item in the same place and refuse the same rows."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from encorec.data.sources.sheets import Sheet
from encorec.errors import DataError
from encorec.evaluation.frames.shown import lay_out

USERS = 4


@st.composite
def tables(draw):
    """(user, rank, item) in any order; mostly right, sometimes with a rank or an item that is not."""
    rows = []
    for user in range(-1, USERS):
        items = draw(st.lists(st.integers(0, 6), max_size=5, unique=draw(st.integers(0, 3)) > 0))
        rows += [(user, rank + 1, item) for rank, item in enumerate(items)]
    if rows and draw(st.integers(0, 2)) == 0:
        place, (user, _, item) = draw(st.integers(0, len(rows) - 1)), rows[0]
        rows[place] = (user, draw(st.integers(-1, 7)), item)
    return draw(st.permutations(rows))


def laid_out(rows, dtype, width):
    user, rank, item = (np.array(column, np.int32) for column in zip(*rows, strict=True))
    sheet = Sheet(pl.DataFrame({"user_id": user, "item_id": item, "rank": pl.Series(rank, dtype=dtype)}), "recs")
    try:
        shown = lay_out(sheet, user, item, USERS, width)
    except DataError as error:
        return str(error).replace(".0", "")  # a rank shown as a float
    return shown.item.tolist(), shown.ignored_users


@settings(max_examples=200, deadline=None)
@given(tables().filter(lambda rows: any(user >= 0 for user, _, _ in rows)), st.none() | st.integers(1, 6))
def test_ranks_that_are_whole_and_ranks_that_are_floats_say_the_same(rows, width):
    assert laid_out(rows, pl.Int64, width) == laid_out(rows, pl.Float64, width)


@pytest.mark.parametrize("dtype", [pl.Int8, pl.UInt32, pl.Int64, pl.UInt64, pl.Float32])
def test_ranks_of_any_type_lay_the_lists_out(dtype):
    rows = [(2, 2, 5), (0, 1, 3), (2, 1, 6), (-1, 1, 4)]
    assert laid_out(rows, dtype, None) == ([[3, -1], [-1, -1], [6, 5], [-1, -1]], 1)
