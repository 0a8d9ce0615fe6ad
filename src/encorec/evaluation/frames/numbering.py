"""From the ids of several tables to one numbering of users and items; ids of two kinds are never compared."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import polars as pl

from encorec.data.sources.sheets import Column
from encorec.errors import DataError
from encorec.evaluation.frames.id_loops import look_up, mark
from encorec.evaluation.frames.inputs import Ids
from encorec.types import IntVector

__all__ = ["Numbered", "agreed", "distinct", "numbered", "rows_of"]

_IDS_PER_ROW, _SMALL = 8, 1 << 20


def agreed(columns: Sequence[Ids]) -> list[pl.Series]:
    """The ids of all columns in one kind: integers if all can be, else text.

    Ids in a CSV file that are all spelt like integers may be text where another file holds text, but only if it
    holds one of them.

    Raises:
        DataError: integers in one place and text in another.

    Example:
        >>> lists = Ids(Column(pl.Series("item_id", [7]), "lists"), pl.Series([7]))
        >>> truth = Ids(Column(pl.Series("item_id", ["x7"]), "truth"), pl.Series(["x7"]))
        >>> agreed([lists, truth])
        Traceback (most recent call last):
        ...
        encorec.errors.DataError: lists: column 'item_id' holds integers (such as 7), but truth: column 'item_id' holds
          text (such as 'x7'); ids must be of one kind, spelt alike
    """
    if all("integers" in one.kinds for one in columns):
        return [one.values for one in columns]
    spelt = next(one for one in columns if "integers" not in one.kinds)
    for one in columns:
        if "text" not in one.kinds:
            _refuse_mixture(one, spelt)
        if one.either and "integers" in one.kinds and not _shares(one, columns):
            _refuse_mixture(one, spelt)
    return [one.as_text().values for one in columns]


def _shares(one: Ids, columns: Sequence[Ids]) -> bool:
    """Whether any id of ``one`` stands in a column of text."""
    mine = one.values.unique().cast(pl.String)
    texts = (other.values for other in columns if other.kinds == ("text",))
    return any(bool(mine.is_in(other.unique().implode()).any()) for other in texts)


def _refuse_mixture(whole: Ids, spelt: Ids) -> None:
    telling = spelt.values.filter(spelt.values.cast(pl.Int64, strict=False).is_null())
    example = telling[0] if len(telling) else spelt.values[0]
    raise DataError(
        f"{_named(whole.column)} holds integers (such as {whole.values[0]}), but {_named(spelt.column)} holds text "
        f"(such as {example!r}); ids must be of one kind, spelt alike"
    )


def _named(column: Column) -> str:
    return f"{column.where}: column {column.name!r}"


@dataclass(frozen=True)
class Numbered:
    """Ids in the order of their row numbers, and the rows of the columns that they came from.

    Args:
        ids: (n,) ids, each once.
        first: that many of them, the first, stand in the columns that were to come first.
        rows: one (m,) int32 array per column.

    Example:
        >>> found = numbered([pl.Series([30, 10])], [pl.Series([20, 30])])
        >>> found.ids.to_list(), found.first, [one.tolist() for one in found.rows]
        ([10, 30, 20], 2, [[1, 0], [2, 1]])
    """

    ids: pl.Series
    first: int
    rows: list[IntVector]


def numbered(first: Sequence[pl.Series], then: Sequence[pl.Series] = ()) -> Numbered:
    """Number all ids of the columns: those of ``first`` in ascending order, then the others of ``then`` likewise.

    Args:
        first: columns of ids, one at least.
        then: more columns, of the same kind.

    Example:
        >>> numbered([pl.Series(["b", "a", "b"])]).rows[0].tolist()
        [1, 0, 1]
    """
    front = distinct(*first)
    later = distinct(*then) if then else front.clear()
    known = pl.concat([front, _besides(later, front)])
    return Numbered(known, len(front), [rows_of(one, known) for one in (*first, *then)])


def _besides(ids: pl.Series, known: pl.Series) -> pl.Series:
    return ids.filter(pl.Series(rows_of(ids, known) < 0))


def distinct(*columns: pl.Series) -> pl.Series:
    """All ids of the columns, each once, in ascending order: row number i is the i-th.

    Example:
        >>> distinct(pl.Series([30, 10]), pl.Series([10, 20])).to_list()
        [10, 20, 30]
    """
    span = _Span.of(*columns)
    if span is None:
        return pl.concat([one.unique().alias("id") for one in columns]).unique().sort()
    seen = np.zeros(span.size, bool)
    for one in columns:
        mark(one.to_numpy(), span.low, seen)
    return pl.Series("id", np.flatnonzero(seen) + span.low)


def rows_of(given: pl.Series, known: pl.Series) -> IntVector:
    """(m,) int32 position of each id (m,) in ``known``, -1 where it is not there.

    Example:
        >>> rows_of(pl.Series([20, 99]), pl.Series([10, 20])).tolist()
        [1, -1]
    """
    span = _Span.of(known, more=len(given)) if given.dtype == pl.Int64 else None
    if span is None:
        numbers = known.to_frame("id").with_row_index("row")
        joined = given.to_frame("id").join(numbers, on="id", how="left", maintain_order="left")
        return joined["row"].cast(pl.Int32).fill_null(-1).to_numpy()
    row_of, row = np.full(span.size, -1, np.int32), np.empty(len(given), np.int32)
    row_of[known.to_numpy() - span.low] = np.arange(len(known), dtype=np.int32)
    look_up(given.to_numpy(), span.low, row_of, row)
    return row


class _Span(NamedTuple):
    """Where integer ids lie, if they lie so close together that a table by id is small."""

    low: int
    size: int

    @classmethod
    def of(cls, *columns: pl.Series, more: int = 0) -> "_Span | None":
        """Of the ids in the columns, where as many rows as theirs and ``more`` are numbered."""
        filled = [one for one in columns if len(one)]
        if not filled or any(one.dtype != pl.Int64 for one in columns):
            return None
        low = min(int(one.min()) for one in filled)  # pyright: ignore[reportArgumentType]
        size = max(int(one.max()) for one in filled) - low + 1  # pyright: ignore[reportArgumentType]
        return cls(low, size) if size <= _IDS_PER_ROW * (sum(map(len, columns)) + more) + _SMALL else None
