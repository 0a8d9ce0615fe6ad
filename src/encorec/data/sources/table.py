"""Any table of interactions: a CSV or Parquet file, or a data frame of whatever library."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import polars as pl

from encorec.config import Config
from encorec.data.dataset import Dataset
from encorec.data.interactions import Interactions
from encorec.data.sources.assembly import Duplicates, Log, assemble
from encorec.data.sources.files import read_table
from encorec.data.sources.frames import read_frame
from encorec.data.sources.profiles import Profiles
from encorec.data.sources.progress import Progress, silent
from encorec.data.sources.roles import FeatureColumns, profiles_of
from encorec.data.sources.sheets import Sheet
from encorec.data.sources.times import seconds
from encorec.data.sources.typed import ids, known_text, numbers
from encorec.data.vocabulary import Vocabulary
from encorec.errors import DataError
from encorec.types import IntVector

__all__ = ["Table", "load_frame", "load_table"]

_Reader: TypeAlias = Callable[[Sequence[str], Sequence[str] | None], Sheet]
_USUAL_TITLE = "title"


class Table(Config, tag="table", tag_field="source"):
    """A file of interactions, with a file of users and one of items where there are any; CSV or Parquet.

    Args:
        path: of the interactions.
        user: column of user ids.
        item: column of item ids.
        time: column of times: unix seconds or finer, dates, ISO 8601 text.
        weight: column of positive weights; none = 1 each.
        users: path of the user features.
        items: path of the item features.
        impressions: path of a log of what was shown, with the same three columns of user, item and time; users and
            items that are in no other file are left out.
        user_columns: what the columns of the user features are.
        item_columns: what the columns of the item features are.
        title: column of the item features for people to read; none = ``title`` where there is one.
        duplicates: what a second row of the same user and item is: an ``error``, an event of its own (``keep``),
            a replacement of the earlier one (``last``), or one event with the summed weight (``sum``).

    Example:
        >>> Table(path="log.csv", time="watched_at").user
        'user_id'
    """

    path: str
    user: str = "user_id"
    item: str = "item_id"
    time: str = "timestamp"
    weight: str | None = None
    users: str | None = None
    items: str | None = None
    impressions: str | None = None
    user_columns: FeatureColumns = FeatureColumns()
    item_columns: FeatureColumns = FeatureColumns()
    title: str | None = None
    duplicates: Duplicates = "error"


def load_table(source: Table, progress: Progress = silent) -> Dataset:
    """The data set in the files that ``source`` names, called like the file of interactions.

    Raises:
        DataError: a file or column is missing, or holds what cannot be right.
    """
    progress(f"reading {source.path}")
    paths = (source.path, source.users, source.items, source.impressions)
    log, users, items, shown = (None if path is None else partial(read_table, Path(path)) for path in paths)
    return _with_impressions(_load(Path(source.path).stem, source, log, users, items), source, shown)


def load_frame(
    interactions: Any,
    *,
    user: str = "user_id",
    item: str = "item_id",
    time: str = "timestamp",
    weight: str | None = None,
    users: Any = None,
    items: Any = None,
    impressions: Any = None,
    user_columns: FeatureColumns | None = None,
    item_columns: FeatureColumns | None = None,
    title: str | None = None,
    duplicates: Duplicates = "error",
    name: str = "frame",
) -> Dataset:
    """The data set in data frames: pandas, polars, pyarrow or any other that narwhals knows.

    Args:
        interactions: frame of interactions.
        users: frame of user features, or none.
        items: frame of item features, or none.
        impressions: frame of what was shown, or none.
        name: of the data set; the other arguments are those of ``Table``.

    Raises:
        DataError: not a data frame, a column is missing, or one holds what cannot be right.

    Example:
        >>> import polars as pl
        >>> log = pl.DataFrame({"user_id": [7, 7], "item_id": ["b", "a"], "timestamp": [20, 10]})
        >>> data = load_frame(log)
        >>> data.items.externals(data.interactions.item)
        ['a', 'b']
    """
    mapping = Table(
        path=name,
        user=user,
        item=item,
        time=time,
        weight=weight,
        user_columns=user_columns or FeatureColumns(),
        item_columns=item_columns or FeatureColumns(),
        title=title,
        duplicates=duplicates,
    )
    frames = {"interactions": interactions, "users": users, "items": items, "impressions": impressions}
    log, users, items, shown = (
        None if frame is None else partial(read_frame, frame, where) for where, frame in frames.items()
    )
    return _with_impressions(_load(name, mapping, log, users, items), mapping, shown)


def _load(name: str, source: Table, log: _Reader | None, users: _Reader | None, items: _Reader | None) -> Dataset:
    if log is None:
        raise DataError(f"{name}: no interactions were given")
    return assemble(name, _log(source, log), _users(source, users), _items(source, items), source.duplicates)


def _with_impressions(data: Dataset, source: Table, read: _Reader | None) -> Dataset:
    """The data set with the log of what was shown, where there is one, in its own numbers."""
    if read is None:
        return data
    sheet = read((source.user, source.item, source.time), ())
    user = _rows_of(data.users, ids(sheet.column(source.user)))
    item = _rows_of(data.items, ids(sheet.column(source.item)))
    time = seconds(sheet.column(source.time)).to_numpy()
    known = (user >= 0) & (item >= 0)
    if len(known) and not known.any():
        raise DataError(
            f"{sheet.where}: none of {len(known)} impressions is of a user and an item of the interactions; are the "
            "ids of the same kind?"
        )
    log = Interactions.of(user[known], item[known], time[known], users=len(data.users), items=len(data.items))
    return replace(data, impressions=log)


def _rows_of(known: Vocabulary, column: pl.Series) -> IntVector:
    """(m,) int32 row of each id, -1 where unknown; every id is looked up once."""
    if known.ids.dtype.kind != "i":
        column = column.cast(pl.String)
    every = column.unique()
    return column.replace_strict(every, known.rows(every.to_list()), return_dtype=pl.Int32).to_numpy()


def _log(source: Table, read: _Reader) -> Log:
    columns = (source.user, source.item, source.time, *((source.weight,) if source.weight else ()))
    sheet = read(columns, ())
    weight = None
    if source.weight:
        column = sheet.column(source.weight)
        weight = numbers(column)
        column.refuse(~(weight > 0).fill_null(False), "missing or not above 0", "a weight must be positive")
    return Log(
        ids(sheet.column(source.user)),
        ids(sheet.column(source.item)),
        seconds(sheet.column(source.time)),
        sheet.where,
        weight,
    )


def _users(source: Table, read: _Reader | None) -> Profiles | None:
    if read is None:
        return None
    columns, key = source.user_columns, source.user_columns.id or source.user
    return profiles_of(read((key, *columns.named), () if columns.named else None), key, columns)


def _items(source: Table, read: _Reader | None) -> Profiles | None:
    if read is None:
        return None
    columns, key = source.item_columns, source.item_columns.id or source.item
    title = source.title or _USUAL_TITLE
    required = (key, *columns.named, *((title,) if source.title else ()))
    sheet = read(required, (title,) if columns.named else None)
    profiles = profiles_of(sheet, key, columns, besides=(title,))
    return replace(profiles, titles=known_text(sheet.column(title))) if title in sheet else profiles
