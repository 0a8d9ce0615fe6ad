"""Tables of lists, truth, training data and items: a file or a data frame, opened and its ids read."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import polars as pl

from encorec.data.sources.files import read_table
from encorec.data.sources.frames import read_frame
from encorec.data.sources.sheets import Column, Sheet
from encorec.data.sources.typed import ids

__all__ = ["ITEM", "USER", "Ids", "Input", "TableLike", "open_input"]

TableLike: TypeAlias = str | Path | Any
USER, ITEM = "user_id", "item_id"
_PARQUET = (".parquet", ".pq")
_LARGEST = 2.0**63


@dataclass(frozen=True)
class Ids:
    """The ids of one column and what kinds they may be.

    Args:
        column: as read.
        values: (m,) int64 or text.
        either: whether integers may as well be text: a CSV file has no types.

    Example:
        >>> given = Ids(Column(pl.Series("item_id", ["7"]), "lists.csv"), pl.Series([7]), either=True)
        >>> given.kinds, given.as_text().values.to_list()
        (('integers', 'text'), ['7'])
    """

    column: Column
    values: pl.Series
    either: bool = False

    @property
    def kinds(self) -> tuple[str, ...]:
        """What the ids may be taken for."""
        if self.values.dtype == pl.String:
            return ("text",)
        return ("integers", "text") if self.either else ("integers",)

    def as_text(self) -> "Ids":
        """The same ids, spelt out."""
        return replace(self, values=self.values.cast(pl.String), either=False)


@dataclass(frozen=True)
class Input:
    """A table and whether its columns have types of their own.

    Args:
        sheet: as read.
        typed: true for data frames and Parquet, false for CSV.

    Example:
        >>> lists = open_input(pl.DataFrame({"user_id": [7], "item_id": ["a"]}), "recs", ["user_id", "item_id"])
        >>> lists.ids("item_id").kinds, len(lists.sheet)
        (('text',), 1)
    """

    sheet: Sheet
    typed: bool

    def ids(self, name: str) -> Ids:
        """The ids in the column ``name``.

        Raises:
            DataError: an id is missing or broken.
        """
        column = self.sheet.column(name)
        if column.values.dtype.is_float():
            huge = (column.values.abs() >= _LARGEST).fill_null(False) & column.values.is_not_nan().fill_null(False)
            column.refuse(huge, f"of {_LARGEST:g} or more", "ids must be integers or text")
        found = Ids(column, ids(column), either=not self.typed)
        spelt = self.typed and not column.values.dtype.is_numeric()
        return found.as_text() if spelt else found


def open_input(
    given: TableLike, where: str, required: Sequence[str] = (), optional: Sequence[str] | None = ()
) -> Input:
    """A CSV or Parquet file by its path, or a data frame.

    Args:
        given: path or frame.
        where: what a frame is called in errors; a file is called by its path.
        required: columns that must be there.
        optional: columns that are read where they are there; none = all of them.

    Raises:
        DataError: neither a file nor a frame, without rows, or a required column is missing.

    Example:
        >>> open_input(pl.DataFrame({"user": [7]}), "truth", ["user_id"])
        Traceback (most recent call last):
        ...
        encorec.errors.DataError: truth: unknown column 'user_id': did you mean 'user'? allowed: user
    """
    if isinstance(given, str | Path):
        path = Path(given)
        return Input(read_table(path, required, optional), path.suffix.lower() in _PARQUET)
    return Input(read_frame(given, where, required, optional), typed=True)
