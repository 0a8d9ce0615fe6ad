"""Which columns of a feature file are numbers, categories or tags, said by its owner or seen from its values."""

from collections.abc import Collection
from typing import Literal, TypeAlias

import polars as pl

from encorec.config import Config
from encorec.data.sources.profiles import Profiles
from encorec.data.sources.sheets import Column, Sheet
from encorec.data.sources.typed import ids, known_text, numbers, tags, texts

__all__ = ["FeatureColumns", "profiles_of"]

_MOST_VALUES = 1000
_TRUTH = r"(?i)^(true|false)$"
_DATE = r"^\d{4}-\d\d-\d\d([T ]|$)"
_Role: TypeAlias = Literal["numeric", "categorical", "tags"]


class FeatureColumns(Config):
    """What the columns of a feature file are. Name some and only those are read; name none and all are looked at.

    Looked at, lists and text such as ``drama, war`` or ``drama|war`` are tags, numbers are numeric and other text is
    categorical; text with more than 1,000 different values (descriptions, links) and dates are left out.

    Args:
        id: column of ids; none = called as in the interactions.
        numeric: columns of numbers.
        categorical: columns with one name of a closed list.
        tags: columns with any number of names of a closed list.

    Example:
        >>> FeatureColumns(tags=("genres",), numeric=("year",)).named
        ('year', 'genres')
    """

    id: str | None = None
    numeric: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()

    @property
    def named(self) -> tuple[str, ...]:
        """All features that were named."""
        return (*self.numeric, *self.categorical, *self.tags)


def profiles_of(sheet: Sheet, key: str, columns: FeatureColumns, besides: Collection[str] = ()) -> Profiles:
    """The users or items that a sheet describes.

    Args:
        sheet: one row each.
        key: column of ids.
        columns: what the others are.
        besides: columns that are no features, unless they are named.

    Raises:
        DataError: a value that does not fit its column.

    Example:
        >>> sheet = Sheet(pl.DataFrame({"id": [1, 2], "genres": ["war|drama", None]}), "items.csv")
        >>> profiles_of(sheet, "id", FeatureColumns()).tags["genres"].values
        ('drama', 'war')
    """
    if not columns.named:
        columns = _looked_at(sheet, {key, *besides})
    return Profiles(
        ids(sheet.column(key)),
        sheet.where,
        {name: numbers(sheet.column(name)) for name in columns.numeric},
        {name: texts(sheet.column(name)) for name in columns.categorical},
        {name: tags(sheet.column(name)) for name in columns.tags},
    )


def _looked_at(sheet: Sheet, besides: set[str]) -> FeatureColumns:
    roles = {name: _role(sheet.column(name)) for name in sheet.frame.columns if name not in besides}

    def holding(role: _Role) -> tuple[str, ...]:
        return tuple(name for name, found in roles.items() if found == role)

    return FeatureColumns(numeric=holding("numeric"), categorical=holding("categorical"), tags=holding("tags"))


def _role(column: Column) -> _Role | None:
    dtype = column.values.dtype
    if dtype in (pl.List, pl.Array):
        return "tags" if dtype.inner in (pl.String, pl.Categorical, pl.Enum) else None  # pyright: ignore
    if dtype.is_numeric() or dtype == pl.Boolean:
        return "numeric"
    if dtype not in (pl.String, pl.Categorical, pl.Enum):
        return None
    return _role_of_text(column)


def _role_of_text(column: Column) -> _Role | None:
    text = known_text(column).drop_nulls()
    if text.is_empty() or text.str.contains(_DATE).all():
        return None
    if text.str.contains(_TRUTH).all() or not text.cast(pl.Float64, strict=False).null_count():
        return "numeric"
    role = "tags" if text.str.contains("[|,]").any() else "categorical"
    values = len(tags(column).values) if role == "tags" else text.n_unique()
    return role if values <= _MOST_VALUES else None
