"""Ids, numbers, categories and tags, from text and from typed columns."""

from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from encorec.data.sources.sheets import Column
from encorec.data.sources.typed import ids, numbers, tags, texts
from encorec.errors import DataError


def column(values: Any, dtype: Any = None) -> Column:
    return Column(pl.Series("it", values, dtype), "log.csv")


@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1))
def test_integers_are_integers_however_they_are_stored(given_ids: list[int]) -> None:
    assert ids(column(given_ids, pl.Int64)).to_list() == given_ids
    assert ids(column([str(one) for one in given_ids])).to_list() == given_ids


@pytest.mark.parametrize(
    ("given_ids", "found"),
    [
        (["1.0", "20.0"], [1, 20]),
        ([" 1", "2 "], [1, 2]),
        ([1.0, 2.0], [1, 2]),
        (["007", "8"], ["007", "8"]),
        (["+7", "8"], ["+7", "8"]),
        (["1.0", "a"], ["1.0", "a"]),
        (["12345678901234567890"], ["12345678901234567890"]),
        (["unknown", "7"], ["unknown", "7"]),
    ],
)
def test_ids_keep_a_spelling_that_is_not_an_integers(given_ids: list[Any], found: list[Any]) -> None:
    assert ids(column(given_ids)).to_list() == found


def test_unsigned_and_categorical_ids() -> None:
    assert ids(column([7], pl.UInt64)).to_list() == [7]
    assert ids(column([2**63 + 1], pl.UInt64)).to_list() == [str(2**63 + 1)]
    assert ids(column(["b", "a"], pl.Categorical)).to_list() == ["b", "a"]
    assert ids(column(["2", "1"], pl.Enum(["2", "1"]))).to_list() == [2, 1]


@pytest.mark.parametrize("missing", [None, "", "  ", "NaN", "nan", "None", "null", "<NA>"])
def test_a_missing_id_is_refused_with_its_row(missing: str | None) -> None:
    with pytest.raises(DataError, match=r"log.csv: column 'it' has 1 value missing \(first: data row 3, .*\); drop"):
        ids(column(["7", "8", missing]))


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ([1.0, float("nan")], "1 value missing (first: data row 2"),
        ([1.0, 1.5], "1 value with a fraction (first: data row 2, 1.5)"),
        ([1.0, float("inf")], "1 value outside the 64-bit integers (first: data row 2, inf); give such ids as text"),
        ([1.0, 2.0**63], "1 value outside the 64-bit integers (first: data row 2"),
        (["a", "b" * 256], "1 value longer than 255 characters (first: data row 2, 'bbb"),
        ([True], "type Boolean, allowed are integers or text"),
        ([[1]], "type List(Int64), allowed are integers or text"),
    ],
)
def test_what_is_no_id_is_refused(values: list[Any], told: str) -> None:
    with pytest.raises(DataError) as refused:
        ids(column(values))
    assert told in str(refused.value)


def test_numbers_from_text_and_from_types() -> None:
    assert numbers(column(["1.5", " 2", "1e3", "NaN", None, "true", "False"])).to_list() == [
        1.5,
        2,
        1000,
        None,
        None,
        1,
        0,
    ]
    assert numbers(column([1, None])).to_list() == [1, None]
    assert numbers(column([True, False])).to_list() == [1, 0]
    assert numbers(column([float("nan"), 2.0])).to_list() == [None, 2]


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (["1", "one", "two"], "2 values unreadable as a number (first: data row 2, 'one')"),
        (["1,5"], "1 value unreadable as a number"),
        (["inf"], "1 value infinite"),
        ([float("-inf")], "1 value infinite"),
        ([1e39], "1 value beyond 3.4e+38"),
        ([["1"]], "allowed are numbers"),
    ],
)
def test_what_is_no_number_is_refused(values: list[Any], told: str) -> None:
    with pytest.raises(DataError) as refused:
        numbers(column(values))
    assert told in str(refused.value)


def test_texts_know_what_is_unknown() -> None:
    given_texts = [" M ", "sex_unknown", "Unknown", "NaN", "", None, "none", "unknown_planet"]
    assert texts(column(given_texts)).to_list() == ["M", None, None, None, None, None, "none", "unknown_planet"]


def test_texts_keep_the_order_of_an_enum() -> None:
    assert texts(column(["small", "large"], pl.Enum(["small", "large"]))).dtype == pl.Enum(["small", "large"])


@pytest.mark.parametrize(
    "given_tags",
    [
        ["war, drama", None, "war,war", ""],
        ["war|drama", "nan", "war", "|"],
        [["war", "drama"], None, ["war", None, " war "], []],
        [["drama", "war"], [], ["war"], ["unknown"]],
    ],
)
def test_tags_from_any_kind_of_list(given_tags: list[Any]) -> None:
    found = tags(column(given_tags))
    assert found.values == ("drama", "war")
    assert [found.lists.row(row).tolist() for row in range(4)] == [[0, 1], [], [1], []]
    assert (found.lists.indptr.dtype, found.lists.item.dtype) == (np.int64, np.int32)


@given(st.lists(st.lists(st.sampled_from(["a", "b", "c d", "é"]))))
def test_tags_agree_with_sets(rows: list[list[str]]) -> None:
    found = tags(column([", ".join(row) for row in rows], pl.String))
    assert [{found.values[code] for code in found.lists.row(i)} for i in range(len(rows))] == [set(row) for row in rows]


def test_the_most_frequent_tags_are_kept_and_ties_go_by_name() -> None:
    assert tags(column(["a,b,c", "c,b", "d,c"]), most=2).values == ("b", "c")
    assert tags(column(["b", "a"]), most=1).values == ("a",)
