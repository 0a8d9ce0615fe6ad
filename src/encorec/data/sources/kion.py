"""KION, the streaming service's data set of 2021, in any of the forms in which it goes round."""

from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Literal

import polars as pl

from encorec.config import Config
from encorec.data.dataset import Dataset
from encorec.data.sources.assembly import Duplicates, Log, assemble
from encorec.data.sources.csv_text import parse_csv
from encorec.data.sources.files import list_members, read_member
from encorec.data.sources.profiles import Profiles
from encorec.data.sources.progress import Progress, silent
from encorec.data.sources.sheets import Column, Sheet
from encorec.data.sources.times import seconds
from encorec.data.sources.typed import ids, known_text, numbers, tags, texts
from encorec.errors import DataError

__all__ = ["Kion", "kion_items", "kion_users", "load_kion", "watched_share"]

_LOGS = ("interactions.csv", "interactions_df.csv", "interactions_processed.csv", "interactions_df_processed.csv")
_USERS = ("users.csv", "users_processed.csv")
_ITEMS = ("items.csv", "items_processed.csv")
_LOG_COLUMNS = ("user_id", "item_id", "last_watch_dt")
_USER_CATEGORIES = ("age", "income", "sex")
_ITEM_CATEGORIES = ("content_type", "release_year_cat")
_ITEM_NUMBERS = ("release_year", "for_kids", "age_rating")
_ITEM_TAGS = ("genres", "countries", "studios", "directors", "actors", "keywords")
_MOST_TAGS = 500
_CYRILLIC_SEX = {"М": "M", "Ж": "F"}  # noqa: RUF001
_FAINTEST = 0.01  # weight of a view given up before its first hundredth


class Kion(Config, tag="kion", tag_field="source"):
    """The KION data set: interactions, users and items as CSV files in a zip or a folder.

    The files may lie at the root or in a folder, raw or as ``*_processed.csv`` copies (raw ones are preferred), with
    or without further columns. An interaction is dated by midnight (UTC) of its last watch date.

    Args:
        path: of the zip or folder.
        weight: ``one`` for every interaction, or the share ``watched`` (0.01 to 1; the mean where it is not known).
        duplicates: what a second row of the same user and item is: ``error``, ``keep``, ``last`` or ``sum``.

    Example:
        >>> Kion(path="data_kion.zip").weight
        'one'
    """

    path: str
    weight: Literal["one", "watched"] = "one"
    duplicates: Duplicates = "error"


def load_kion(source: Kion, progress: Progress = silent) -> Dataset:
    """KION with its user and item features; users and items without interactions are kept.

    Of directors, actors and other tags the 500 most frequent are kept.

    Raises:
        DataError: a file is missing, broken or holds what cannot be right.
    """
    path = Path(source.path)
    log_name, user_name, item_name = _find(path)
    progress(f"reading {log_name}")
    watched = source.weight == "watched"
    required = (*_LOG_COLUMNS, "watched_pct") if watched else _LOG_COLUMNS
    log = _log(_sheet(path, log_name, required, ("total_dur", "watched_pct")), watched=watched)
    progress(f"reading {user_name} and {item_name}")
    users = kion_users(_sheet(path, user_name, ("user_id",), (*_USER_CATEGORIES, "kids_flg")))
    items = kion_items(_sheet(path, item_name, ("item_id",), (*_ITEM_CATEGORIES, *_ITEM_NUMBERS, *_ITEM_TAGS, "title")))
    progress("numbering users and items")
    return assemble("kion", log, users, items, source.duplicates)


def _find(path: Path) -> tuple[str, str, str]:
    names = list_members(path)
    return _first(path, names, _LOGS), _first(path, names, _USERS), _first(path, names, _ITEMS)


def _first(path: Path, names: Iterable[str], wanted: tuple[str, ...]) -> str:
    """The member with the foremost of the wanted names, the least nested one."""
    found = [name for name in names if PurePosixPath(name).name.lower() in wanted]
    if not found:
        raise DataError(f"{path}: holds no {' or '.join(wanted)}; it holds {', '.join(names) or 'no files'}")
    return min(found, key=lambda name: (wanted.index(PurePosixPath(name).name.lower()), name.count("/"), name))


def _sheet(path: Path, name: str, required: tuple[str, ...], optional: tuple[str, ...]) -> Sheet:
    return parse_csv(read_member(path, name), str(path / name), required, optional)


def _log(sheet: Sheet, *, watched: bool) -> Log:
    if "total_dur" in sheet:
        duration = sheet.column("total_dur")
        below = (numbers(duration) < 0).fill_null(False)
        duration.refuse(below, "below 0 seconds", "fix or drop these rows")
    return Log(
        ids(sheet.column("user_id")),
        ids(sheet.column("item_id")),
        seconds(sheet.column("last_watch_dt")),
        sheet.where,
        _weight(sheet, watched=watched),
    )


def _weight(sheet: Sheet, *, watched: bool) -> pl.Series | None:
    """Share watched, checked even where it is not wanted."""
    if "watched_pct" not in sheet:
        return None
    column = sheet.column("watched_pct")
    percent = numbers(column)
    outside = ~percent.is_between(0, 100).fill_null(True)
    column.refuse(outside, "outside 0..100", "fix or empty them")
    return watched_share(percent) if watched else None


def watched_share(percent: pl.Series) -> pl.Series:
    """(m,) float64 weights from percent watched: 0.01 to 1, the mean where it is not known.

    Example:
        >>> watched_share(pl.Series([50.0, None, 0.0])).to_list()
        [0.5, 0.25, 0.01]
    """
    mean = percent.mean() if percent.count() else 100.0
    return (percent.fill_null(mean) / 100).clip(lower_bound=_FAINTEST)


def kion_users(sheet: Sheet) -> Profiles:
    """Users as ``users.csv`` describes them.

    Example:
        >>> kion_users(Sheet(pl.DataFrame({"user_id": [7], "sex": ["Ж"]}), "users.csv")).categorical["sex"].to_list()
        ['F']
    """
    named = {name: texts(sheet.column(name)) for name in _USER_CATEGORIES if name in sheet}
    if "sex" in named:
        named["sex"] = named["sex"].replace(_CYRILLIC_SEX)
    kids = {"kids_flg": numbers(sheet.column("kids_flg"))} if "kids_flg" in sheet else {}
    return Profiles(ids(sheet.column("user_id")), sheet.where, kids, named)


def kion_items(sheet: Sheet) -> Profiles:
    """Items as ``items.csv`` describes them.

    Example:
        >>> kion_items(Sheet(pl.DataFrame({"item_id": [7], "genres": ["драмы"]}), "items.csv")).tags["genres"].values
        ('драмы',)
    """
    return Profiles(
        ids(sheet.column("item_id")),
        sheet.where,
        {name: _not_negative(sheet.column(name)) for name in _ITEM_NUMBERS if name in sheet},
        {name: texts(sheet.column(name)) for name in _ITEM_CATEGORIES if name in sheet},
        {name: tags(sheet.column(name), ",", _MOST_TAGS) for name in _ITEM_TAGS if name in sheet},
        known_text(sheet.column("title")) if "title" in sheet else None,
    )


def _not_negative(column: Column) -> pl.Series:
    """Some copies write -1 for what is not known."""
    values = numbers(column)
    return values.set((values < 0).fill_null(False), None)
