"""Training interactions without times: the same table as from the ordinary columns, in whatever order they came."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from encorec.data.interactions import Interactions
from encorec.data.sources.sheets import Sheet
from encorec.evaluation.frames.catalogue import describe_items, train_table


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3)), min_size=1, max_size=30), st.booleans())
def test_the_table_is_the_one_of_the_same_columns(pairs, ordered):
    pairs = sorted(pairs) if ordered else pairs
    user, item = np.array(pairs, np.int32).T.copy()
    found = train_table(user, item, users=7, items=5)
    expected = Interactions.of(user, item, np.zeros(len(user), np.int64), users=7, items=5)
    for name in ("user", "item", "time", "weight", "row", "indptr", "item_users", "pairs"):
        mine, other = getattr(found, name), getattr(expected, name)
        np.testing.assert_array_equal(mine, other, err_msg=name, strict=True)


@pytest.mark.parametrize("dtype", [pl.Int8, pl.Int64, pl.UInt64, pl.Float64, pl.String])
def test_whole_numbers_of_any_type_are_the_same_feature(dtype):
    year = pl.Series("year", [1, None, 3]).cast(dtype)
    sheet = Sheet(pl.DataFrame({"item_id": [5, 6, 7], "title": [1, 2, 3], "year": year, "genre": ["a", "b", "a"]}), "")
    table = describe_items(sheet, np.array([2, 0, 1]), items=4)
    np.testing.assert_array_equal(table.numeric["year"], np.array([np.nan, 3, 1, np.nan], np.float32))
    assert (list(table.numeric), list(table.categorical)) == (["year"], ["genre"])
