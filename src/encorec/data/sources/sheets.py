"""Columns that know where they came from, so that a complaint can name file, column, count and first bad row.

Data rows count from 1 and the header is not counted: data row 1 is the first row below it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from encorec.errors import DataError, unknown_name

__all__ = ["Column", "Sheet", "choose", "counted"]


def counted(count: int, noun: str) -> str:
    """A count with its noun.

    Example:
        >>> counted(1, "row"), counted(1200, "row")
        ('1 row', '1,200 rows')
    """
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


@dataclass(frozen=True)
class Column:
    """The values of one column.

    Args:
        values: (m,) as read.
        where: name of the file, for errors.

    Example:
        >>> Column(pl.Series("age", [30, 31]), "users.csv").name
        'age'
    """

    values: pl.Series
    where: str

    @property
    def name(self) -> str:
        """Name of the column in its file."""
        return self.values.name

    def holding(self, values: pl.Series) -> "Column":
        """The same column with other values, such as the same ones as numbers.

        Example:
            >>> Column(pl.Series("age", ["30"]), "users.csv").holding(pl.Series([30])).name
            'age'
        """
        return replace(self, values=values.alias(self.name))

    def refuse(self, bad: pl.Series, fault: str, remedy: str) -> None:
        """Complain about the rows where ``bad`` (m,) is true, if there are any.

        Args:
            bad: (m,) booleans.
            fault: what is wrong, after "3 values".
            remedy: what to do.

        Raises:
            DataError: at least one row is bad.

        Example:
            >>> ages = Column(pl.Series("age", [30, -1, -2]), "users.csv")
            >>> ages.refuse(ages.values < 0, "below 0", "drop them")
            Traceback (most recent call last):
            ...
            encorec.errors.DataError: users.csv: column 'age' has 2 values below 0 (first: data row 2, -1); drop them
        """
        first = bad.arg_max()
        if first is None or not bad[first]:
            return
        count, shown = counted(int(bad.sum()), "value"), _shown(self.values[first])
        raise DataError(
            f"{self.where}: column {self.name!r} has {count} {fault} (first: data row {first + 1}, {shown}); {remedy}"
        )


@dataclass(frozen=True)
class Sheet:
    """A table as read: text where the file holds text.

    Args:
        frame: its columns.
        where: name of the file, for errors.

    Example:
        >>> sheet = Sheet(pl.DataFrame({"user_id": ["7"]}), "log.csv")
        >>> sheet.column("user_id").values.to_list(), "age" in sheet
        (['7'], False)
    """

    frame: pl.DataFrame
    where: str

    def __len__(self) -> int:
        return len(self.frame)

    def __contains__(self, name: str) -> bool:
        return name in self.frame.columns

    def column(self, name: str) -> Column:
        """The column called ``name``."""
        return Column(self.frame[name], self.where)


def choose(
    where: str, header: Iterable[str], required: Iterable[str], optional: Iterable[str] | None = None
) -> list[str]:
    """The columns to read of those that a file has.

    Args:
        where: name of the file, for errors.
        header: columns of the file.
        required: columns that must be there.
        optional: columns that are read where they are there; none = all of them.

    Raises:
        DataError: a required column is missing; names the nearest one that exists.

    Example:
        >>> choose("log.csv", ["user_id", "item_id", "junk"], ["item_id"], ["age"])
        ['item_id']
        >>> choose("log.csv", ["user_id", "item_id"], ["usr_id"])
        Traceback (most recent call last):
        ...
        encorec.errors.DataError: log.csv: unknown column 'usr_id': did you mean 'user_id'? allowed: item_id, user_id
    """
    names = list(header)
    required = list(required)
    for name in required:
        if name not in names:
            raise DataError(f"{where}: {unknown_name('column', name, names)}")
    return names if optional is None else [name for name in names if name in {*required, *optional}]


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
