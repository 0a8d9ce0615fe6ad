"""Submissions to a leaderboard: ``user_id, item_id`` with ``[1, 2]`` in a cell, or one row per user, item and rank."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
import polars as pl

from encorec.data.sources.sheets import Sheet
from encorec.data.sources.typed import known_text, missing_text
from encorec.errors import DataError
from encorec.evaluation.frames.inputs import ITEM, USER, TableLike, open_input

__all__ = [
    "Submission",
    "SubmissionForm",
    "as_cells",
    "read_submission",
    "spelt_ids",
    "submission_path",
    "write_submission",
]

SubmissionForm: TypeAlias = Literal["lists", "rows"]

_QUOTED = r"""'[^']*'|"[^"]*\""""
_TOKEN = rf"(?:{_QUOTED}|[^\s,'\"\[\]]+)"
_LIST = rf"^\[\s*(?:{_TOKEN}(?:\s*,\s*{_TOKEN})*)?\s*\]$"


@dataclass(frozen=True)
class Submission:
    """What a file says, faults and all; ids are text as they are spelt, none where they are missing.

    Args:
        where: name of the file.
        form: ``lists`` in cells, or ``rows`` of single items.
        rows: one row per data row: row (from 1), user, cell (text, lists form) or rank (text, rows form).
        entries: one row per recommended item: row, user, item, place (int64, from 0; none where the rank is no number).
        listed: (rows,) true where a cell is a list, or where the row holds one item.

    Example:
        >>> cells = pl.DataFrame({"user_id": [7, 8], "item_id": ["[12, 5]", "12, 5"]})
        >>> found = read_submission(cells)
        >>> found.entries["item"].to_list(), found.listed.to_list()
        (['12', '5'], [True, False])
    """

    where: str
    form: SubmissionForm
    rows: pl.DataFrame
    entries: pl.DataFrame
    listed: pl.Series


def read_submission(given: TableLike) -> Submission:
    """A submission of either form, as it is; ``check_submission`` says what is wrong with it.

    Args:
        given: path of a CSV or Parquet file, or a data frame.

    Raises:
        DataError: no such file, a broken one, without rows, or without the columns of either form.

    Example:
        >>> rows = pl.DataFrame({"user_id": [7, 7], "item_id": [5, 12], "rank": [2, 1]})
        >>> read_submission(rows).entries.sort("place")["item"].to_list()
        ['12', '5']
    """
    sheet = open_input(given, "submission", (USER, ITEM), ("rank",)).sheet
    return _of_rows(sheet) if "rank" in sheet else _of_lists(sheet)


def _numbered(sheet: Sheet) -> pl.DataFrame:
    row = pl.arange(1, len(sheet) + 1, eager=True, dtype=pl.Int64)
    return pl.DataFrame({"row": row, "user": spelt_ids(sheet, USER)})


def spelt_ids(sheet: Sheet, name: str) -> pl.Series:
    """(m,) ids as text, none where missing; a whole number that was made a fraction (7.0) is one again.

    Example:
        >>> spelt_ids(Sheet(pl.DataFrame({"user_id": [7.0, None]}), "lists"), "user_id").to_list()
        ['7', None]
    """
    values = sheet.frame[name]
    if values.dtype.is_float():
        known = values.fill_nan(None).drop_nulls()
        if ((known % 1 == 0) & (known.abs() < 2.0**63)).all():
            return values.fill_nan(None).cast(pl.Int64).cast(pl.String)
    return known_text(sheet.column(name))


def _of_rows(sheet: Sheet) -> Submission:
    rows = _numbered(sheet).with_columns(rank=spelt_ids(sheet, "rank"))
    rank = rows["rank"].cast(pl.Float64, strict=False)
    place = rank.set((rank % 1 != 0) | rank.is_infinite(), None).cast(pl.Int64, strict=False) - 1
    entries = rows.select("row", "user").with_columns(item=spelt_ids(sheet, ITEM), place=place)
    return Submission(sheet.where, "rows", rows, entries, pl.repeat(True, len(rows), eager=True))


def _of_lists(sheet: Sheet) -> Submission:
    cells = sheet.frame[ITEM]
    rows = _numbered(sheet)
    if cells.dtype in (pl.List, pl.Array):
        rows = rows.with_columns(cell=cells.cast(pl.List(pl.String)).list.join(", ", ignore_nulls=False))
        rows = rows.with_columns(cell=pl.format("[{}]", "cell"))
        listed, items = cells.is_not_null(), cells.cast(pl.List(pl.String))
    else:
        text = cells.cast(pl.String).str.strip_chars()
        rows = rows.with_columns(cell=text)
        listed = text.str.contains(_LIST).fill_null(False)
        items = text.set(~listed, None).str.extract_all(_TOKEN)
    entries = rows.select("row", "user").with_columns(item=items).filter(items.list.len() > 0)
    lengths = entries["item"].list.len().to_numpy()
    place = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    entries = entries.explode("item").with_columns(place=pl.Series(place, dtype=pl.Int64))
    item = entries["item"].str.replace_all(r"""^['"]|['"]$""", "").str.strip_chars()
    return Submission(sheet.where, "lists", rows, entries.with_columns(item=item.set(missing_text(item), None)), listed)


def as_cells(lists: TableLike, users: Sequence[int | str]) -> pl.DataFrame:
    """One row per user, in the order of ``users``, with the items in a cell such as ``[1, 2]`` or ``['a', 'b']``.

    Args:
        lists: user_id, item_id and rank: a path or a data frame.
        users: distinct ids; one without a list has the cell ``[]``.

    Raises:
        DataError: an id of text with a backslash or with quote marks of both sorts.

    Example:
        >>> lists = pl.DataFrame({"user_id": [7, 7], "item_id": [5, 12], "rank": [2, 1]})
        >>> as_cells(lists, [8, 7]).rows()
        [(8, '[]'), (7, '[12, 5]')]
    """
    frame = open_input(lists, "lists", (USER, ITEM, "rank")).sheet.frame
    asked = pl.DataFrame({USER: pl.Series(users)})
    frame = frame.with_columns(pl.col(USER).cast(asked[USER].dtype), pl.Series(ITEM, _quoted(frame[ITEM])))
    cells = frame.sort(USER, "rank").group_by(USER).agg(pl.format("[{}]", pl.col(ITEM).str.join(", ")))
    return asked.join(cells, on=USER, how="left", maintain_order="left").with_columns(pl.col(ITEM).fill_null("[]"))


def _quoted(items: pl.Series) -> pl.Series:
    if items.dtype.is_integer():
        return items.cast(pl.String)
    single, double = items.str.contains("'", literal=True), items.str.contains('"', literal=True)
    unwritable = (single & double) | items.str.contains("\\", literal=True)
    if unwritable.any():
        first = items.filter(unwritable)[0]
        raise DataError(
            f"item_id {first!r} has a backslash or quote marks of both sorts and fits in no list; rename it"
        )
    frame = pl.DataFrame({"item": items, "double": single})
    mark = pl.when("double").then(pl.lit('"')).otherwise(pl.lit("'"))
    return frame.select(pl.concat_str(mark, "item", mark)).to_series()


def write_submission(lists: TableLike, users: Sequence[int | str], out: str | Path) -> Path:
    r"""Write ``user_id, item_id`` with ``[1, 2]`` in a cell, as ``sample_submission.csv`` does; whole or not at all.

    Args:
        lists: user_id, item_id and rank: a path or a data frame.
        users: distinct ids, in the order of the file.
        out: a .csv file.

    Raises:
        DataError: not a .csv file, or in a folder that is not there.

    Example:
        >>> import tempfile
        >>> lists = pl.DataFrame({"user_id": [7, 7], "item_id": [5, 12], "rank": [2, 1]})
        >>> write_submission(lists, [7], Path(tempfile.mkdtemp(), "lists.csv")).read_text()
        'user_id,item_id\n7,"[12, 5]"\n'
    """
    out = submission_path(out)
    draft = out.with_name(f".{out.name}.{os.getpid()}.draft")
    as_cells(lists, users).write_csv(draft)
    os.replace(draft, out)
    return out


def submission_path(out: str | Path) -> Path:
    """Where a submission may be written.

    Raises:
        DataError: not a .csv file, or in a folder that is not there.

    Example:
        >>> submission_path("lists.csv").name
        'lists.csv'
    """
    out = Path(out)
    if out.suffix.lower() != ".csv":
        raise DataError(f"{out}: unknown format {out.suffix!r}, a submission is a .csv file")
    if not out.parent.is_dir():
        raise DataError(f"{out}: there is no folder {str(out.parent)!r}; make it first")
    return out
