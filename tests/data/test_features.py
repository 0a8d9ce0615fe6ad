"""Numbers, categories and tags: codes into closed lists, NaN and -1 for what is not known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from encorec.data.features import Categories, FeatureTable, Tags
from encorec.errors import DataError

NAMES = st.sampled_from(["drama", "war", "комедии", "film-noir"])


@given(st.lists(st.none() | NAMES))
def test_a_category_reads_back(given_names: list[str | None]) -> None:
    column = Categories.of(given_names)
    assert [None if code < 0 else column.values[code] for code in column.code] == given_names
    assert list(column.values) == sorted({name for name in given_names if name is not None})


@given(st.lists(st.lists(NAMES)))
def test_tags_read_back_as_sets(given_names: list[list[str]]) -> None:
    tags = Tags.of(given_names)
    assert [{tags.values[code] for code in tags.lists.row(i)} for i in range(len(tags.lists))] == [
        set(names) for names in given_names
    ]
    dense = tags.matrix()
    assert dense.shape == (len(given_names), len(tags.values))
    assert dense.sum(axis=1).tolist() == [len(set(names)) for names in given_names]


def table() -> FeatureTable:
    return FeatureTable(
        2,
        {"age": np.array([30, np.nan], np.float32)},
        {"sex": Categories.of(["M", None])},
        {"likes": Tags.of([["war"], []])},
    )


def test_dense_has_numbers_then_codes() -> None:
    assert table().dense_names == ("age", "sex")
    np.testing.assert_array_equal(table().dense(), np.array([[30, 0], [np.nan, np.nan]], np.float32))


def test_encode_gives_the_row_of_dense() -> None:
    np.testing.assert_array_equal(table().encode({"age": 30, "sex": "M", "shoe": 43}), table().dense()[0])


@pytest.mark.parametrize(
    "age", [None, "thirty", [30], float("nan"), pytest.param(10**400, id="huge"), 1e39, float("inf")]
)
def test_what_is_no_number_of_float32_is_unknown(age: object) -> None:
    assert np.isnan(table().encode({"age": age, "sex": "X"})).all()


def test_no_features_are_a_matrix_without_columns() -> None:
    assert FeatureTable(3).dense().shape == (3, 0)
    assert FeatureTable(3).encode({"age": 30}).shape == (0,)


def test_a_column_of_another_length_is_refused() -> None:
    with pytest.raises(DataError, match="feature 'age' has 1 values for 2 entities"):
        FeatureTable(2, {"age": np.zeros(1, np.float32)})


def test_a_name_means_one_feature() -> None:
    with pytest.raises(DataError, match="named twice"):
        FeatureTable(1, {"age": np.zeros(1, np.float32)}, {"age": Categories.of(["old"])})
