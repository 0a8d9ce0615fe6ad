"""Times in every form, to the same second."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from encorec.data.sources.sheets import Column
from encorec.data.sources.times import seconds
from encorec.errors import DataError

TEN_ON_AUGUST_22 = 1629626400
MIDNIGHT = TEN_ON_AUGUST_22 - 36_000
MOMENTS = st.datetimes(datetime(1974, 1, 1), datetime(2099, 1, 1))


def read(values: Any, dtype: Any = None) -> list[int]:
    return seconds(Column(pl.Series("t", values, dtype), "log.csv")).to_list()


@pytest.mark.parametrize(
    "text",
    [
        "2021-08-22T10:00:00",
        "2021-08-22 10:00:00",
        "2021-08-22T10:00",
        "2021-08-22 10:00:00.999",
        "2021-08-22T10:00:00Z",
        "2021-08-22 10:00Z",
        "2021-08-22T13:00:00+03:00",
        "2021-08-22T13:00:00.5+0300",
        "2021-08-22 13:00:00 +03",
        "2021-08-22T04:30-05:30",
        " 1629626400 ",
        "1629626400.7",
        "1629626400000",
        "1.6296264e9",
    ],
)
def test_text_of_one_moment(text: str) -> None:
    assert read([text]) == [TEN_ON_AUGUST_22]


@pytest.mark.parametrize(
    ("value", "dtype"),
    [
        (TEN_ON_AUGUST_22, pl.Int64),
        (TEN_ON_AUGUST_22, pl.UInt32),
        (TEN_ON_AUGUST_22 + 0.5, pl.Float64),
        (TEN_ON_AUGUST_22 * 10**3 + 1, pl.Int64),
        (TEN_ON_AUGUST_22 * 10**6 + 1, pl.Int64),
        (TEN_ON_AUGUST_22 * 10**9 + 1, pl.Int64),
        (datetime(2021, 8, 22, 10), pl.Datetime("ms")),
        (datetime(2021, 8, 22, 10, 0, 0, 999_999), pl.Datetime("us")),
        (datetime(2021, 8, 22, 10), pl.Datetime("ns")),
        (datetime(2021, 8, 22, 13, tzinfo=timezone(timedelta(hours=3))), pl.Datetime("us", "UTC")),
    ],
)
def test_types_of_one_moment(value: Any, dtype: Any) -> None:
    assert read([value], dtype) == [TEN_ON_AUGUST_22]


def test_a_date_is_its_midnight_in_utc() -> None:
    assert read([date(2021, 8, 22)]) == read(["2021-08-22"]) == read(["20210822"]) == read([20210822]) == [MIDNIGHT]


def test_forms_of_text_may_be_mixed() -> None:
    assert read(["2021-08-22", "2021-08-22 10:00", "2021-08-22T13:00:00+03:00"]) == [
        MIDNIGHT,
        TEN_ON_AUGUST_22,
        TEN_ON_AUGUST_22,
    ]


@given(st.lists(MOMENTS, min_size=1), st.sampled_from([1, 10**3, 10**6, 10**9]))
def test_numbers_of_every_unit_and_iso_text_agree(moments: list[datetime], unit: int) -> None:
    expected = [int(moment.replace(microsecond=0, tzinfo=UTC).timestamp()) for moment in moments]
    assert read([second * unit for second in expected], pl.Int64) == expected
    assert read([moment.isoformat() for moment in moments]) == expected
    assert read(moments, pl.Datetime("us")) == expected


def test_small_numbers_are_seconds() -> None:
    assert read([0, 1, 100]) == [0, 1, 100]


@pytest.mark.parametrize("dtype", [pl.Int8, pl.Int16, pl.Int32, pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64, pl.Int128])
def test_integers_of_every_width_are_times(dtype: Any) -> None:
    assert read([0, 1, 100], dtype) == [0, 1, 100]
    if dtype in (pl.Int32, pl.UInt32, pl.UInt64, pl.Int128):
        assert read([TEN_ON_AUGUST_22, TEN_ON_AUGUST_22], dtype) == [TEN_ON_AUGUST_22] * 2
        assert read([20210822], dtype) == [MIDNIGHT]
    with pytest.raises(DataError, match="1 value missing"):
        read([5, None], dtype)
    if not dtype.is_unsigned_integer():
        with pytest.raises(DataError, match="outside the years 1970 to 2100"):
            read([-1], dtype)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (
            ["2021-08-22", "yesterday", "x"],
            "2 values unreadable as a time (first: data row 2, 'yesterday'); allowed are",
        ),
        (["22.08.2021"], "1 value unreadable as a time (first: data row 1, '22.08.2021')"),
        (["2021-02-30"], "1 value unreadable as a time"),
        (["2021-08-22", None], "1 value missing (first: data row 2, None)"),
        (["2021-08-22", "NaT"], "1 value missing (first: data row 2, 'NaT')"),
        ([None, 5], "1 value missing (first: data row 1, None)"),
        ([5.0, float("nan")], "1 value missing (first: data row 2, nan)"),
        (
            [7, 8, 1629626400000],
            "1 value outside the years 1970 to 2100 when read as seconds, as most of the column is",
        ),
        (
            [1629626400000, 1629626400001, 7],
            "when read as milliseconds, as most of the column is (first: data row 3, 7)",
        ),
        ([-1], "1 value outside the years 1970 to 2100"),
        ([2**62], "1 value outside the years 1970 to 2100"),
        ([10**16], "1 value outside the years 1970 to 2100"),
        ([date(1969, 12, 31)], "1 value outside the years 1970 to 2100"),
        ([datetime(2500, 1, 1)], "was it read in the wrong unit, such as milliseconds?"),
        ([True], "is of type Boolean, allowed are unix times"),
        ([[1]], "is of type List(Int64), allowed are unix times"),
    ],
)
def test_what_is_no_time_is_refused(values: list[Any], told: str) -> None:
    with pytest.raises(DataError) as refused:
        read(values)
    assert str(refused.value).startswith("log.csv: column 't' ")
    assert told in str(refused.value)
