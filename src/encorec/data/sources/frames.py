"""Data frames of other libraries, through narwhals; pandas needs no pyarrow for it."""

from collections.abc import Sequence
from typing import Any

import narwhals as nw
import polars as pl

from encorec.data.sources.sheets import Sheet, choose
from encorec.errors import DataError

__all__ = ["read_frame"]


def read_frame(frame: Any, where: str, required: Sequence[str] = (), optional: Sequence[str] | None = None) -> Sheet:
    """The wanted columns of a data frame; a lazy one is collected.

    Args:
        frame: of pandas, polars, pyarrow or any other library that narwhals knows.
        where: what it is called in errors.
        required: columns that must be there.
        optional: columns that are read where they are there; none = all of them.

    Raises:
        DataError: not a data frame, without rows, or a required column is missing.

    Example:
        >>> read_frame(pl.DataFrame({"a": [1], "b": [2]}), "log", ["b"], []).frame.columns
        ['b']
    """
    try:
        wrapped = nw.from_native(frame)
    except TypeError as error:
        kind = type(frame).__name__
        raise DataError(f"{where}: a {kind} is no data frame; give one of pandas, polars or pyarrow") from error
    names = [name for name in wrapped.collect_schema().names() if isinstance(name, str)]
    picked = wrapped.select(choose(where, names, required, optional))
    eager = picked.collect("polars") if isinstance(picked, nw.LazyFrame) else picked
    if not len(eager):
        raise DataError(f"{where}: the data frame has no rows")
    return Sheet(_as_polars(eager), where)


def _as_polars(frame: nw.DataFrame[Any]) -> pl.DataFrame:
    if frame.implementation.is_pandas_like():
        return pl.DataFrame([_from_pandas(column) for column in frame.iter_columns()])
    return frame.to_polars()


def _from_pandas(column: nw.Series[Any]) -> pl.Series:
    """A column of pandas; where it mixes types, all of them as text."""
    array = column.to_numpy()
    if array.dtype.kind in "biufM":
        return pl.Series(column.name, array)
    gone = column.is_null().to_list()
    values = [None if absent else value for value, absent in zip(column.to_list(), gone, strict=True)]
    try:
        return pl.Series(column.name, values)
    except (TypeError, pl.exceptions.PolarsError):
        return pl.Series(column.name, [None if value is None else str(value) for value in values])
