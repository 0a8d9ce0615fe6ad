"""Times in whatever form tables hold them, as whole seconds since 1970 (UTC)."""

import polars as pl

from encorec.data.sources.sheets import Column
from encorec.data.sources.typed import known_text
from encorec.errors import DataError

__all__ = ["seconds"]

_LATEST = 4_102_444_800  # 2100-01-01, in seconds
_UNITS = {1: "seconds", 10**3: "milliseconds", 10**6: "microseconds", 10**9: "nanoseconds"}
_NARROW = (pl.Int8, pl.Int16, pl.Int32, pl.UInt8, pl.UInt16, pl.UInt32)
_EARLIEST_FINE = 10**8  # 1973: what is called milliseconds and less than this many seconds is in another unit
_ALLOWED = "allowed are unix times and ISO 8601 dates and times such as 2021-08-22 or 2021-08-22T10:00:00Z"
_FORMATS = ("%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S%.f%:z", "%Y-%m-%dT%H:%M%:z")


def seconds(column: Column) -> pl.Series:
    """(m,) int64 seconds since 1970, fractions cut off, a time without zone taken as UTC.

    Numbers are seconds, milliseconds, microseconds or nanoseconds, one unit for the whole column, told by their
    size; text is such numbers or ISO 8601, also in its compact form 20210822.

    Raises:
        DataError: a time is missing, not a time, or outside 1970..2100.

    Example:
        >>> seconds(Column(pl.Series("t", ["1970-01-02", "1970-01-01T00:00:07Z"]), "log.csv")).to_list()
        [86400, 7]
        >>> seconds(Column(pl.Series("t", [1629590400000]), "log.csv")).to_list()
        [1629590400]
    """
    dtype = column.values.dtype
    if dtype in (pl.Date, pl.Datetime):
        return _from_dates(column, column.values)
    if dtype.is_numeric():
        return _from_numbers(column)
    if dtype in (pl.String, pl.Categorical, pl.Enum):
        return _from_text(column.holding(column.values.cast(pl.String)))
    raise DataError(f"{column.where}: column {column.name!r} is of type {dtype}, {_ALLOWED}; convert it")


def _refuse_missing(column: Column, values: pl.Series) -> None:
    column.refuse(values.is_null(), "missing", "every interaction needs a time: fill or drop these rows")


def _from_dates(column: Column, values: pl.Series) -> pl.Series:
    _refuse_missing(column, values)
    found = values.cast(pl.Datetime("us")).dt.epoch("s") if values.dtype == pl.Date else _epoch(values)
    outside = ~found.is_between(0, _LATEST)
    column.refuse(outside, "outside the years 1970 to 2100", "was it read in the wrong unit, such as milliseconds?")
    return found


def _epoch(values: pl.Series) -> pl.Series:
    """Seconds since 1970 of datetimes with or without a zone, rounded down."""
    units = {"ms": 10**3, "us": 10**6, "ns": 10**9}
    return values.to_physical() // units[values.dtype.time_unit]  # pyright: ignore[reportAttributeAccessIssue]


def _from_numbers(column: Column) -> pl.Series:
    values = column.values.fill_nan(None) if column.values.dtype.is_float() else column.values
    _refuse_missing(column, values)
    if values.dtype in _NARROW:
        values = values.cast(pl.Int64)
    if values.dtype.is_integer() and (days := _compact_dates(values)) is not None:
        return _from_dates(column, days)
    middle = float(values.median() or 0)  # pyright: ignore[reportArgumentType]
    unit = next((unit for unit in _UNITS if middle <= _LATEST * unit), max(_UNITS))
    earliest = 0 if unit == 1 else _EARLIEST_FINE * unit
    outside = ~values.is_between(earliest, _LATEST * unit)
    fault = f"outside the years 1970 to 2100 when read as {_UNITS[unit]}, as most of the column is"
    column.refuse(outside, fault, "give the whole column in one unit")
    return (values // unit).cast(pl.Int64)


def _compact_dates(values: pl.Series) -> pl.Series | None:
    """Days, if every value is one written like 20210822."""
    if not values.is_between(1970_01_01, 2099_12_31).all():
        return None
    days = values.cast(pl.String).str.to_date("%Y%m%d", strict=False)
    return None if days.null_count() else days


def _from_text(column: Column) -> pl.Series:
    days = column.values.str.to_date("%Y-%m-%d", strict=False)
    if not days.null_count():
        return _from_dates(column, days)
    text = known_text(column)
    _refuse_missing(column, text)
    for kind in (pl.Int64, pl.Float64):
        if not (numeric := text.cast(kind, strict=False)).null_count():
            return _from_numbers(column.holding(numeric))
    times = _parsed_times(text)
    column.refuse(times.is_null(), "unreadable as a time", _ALLOWED)
    return _from_dates(column, times)


def _parsed_times(text: pl.Series) -> pl.Series:
    """Datetimes in UTC, none where no format fits; a date is its midnight."""
    text = text.str.replace(" ", "T", literal=True).str.replace("(?i) ?Z$", "+00:00").str.replace(" ([+-])", "$1")
    text = text.str.replace(r"(T.*[+-]\d\d)(\d\d)$", "$1:$2").str.replace(r"(T.*[+-]\d\d)$", "$1:00")
    found = text.str.to_date("%Y-%m-%d", strict=False).cast(pl.Datetime("us"))
    for form in _FORMATS:
        if not found.null_count():
            break
        parsed = text.str.to_datetime(form, time_unit="us", strict=False)
        found = found.fill_null(parsed.dt.replace_time_zone(None))
    return found
