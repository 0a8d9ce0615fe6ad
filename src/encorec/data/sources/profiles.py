"""What a feature file says of users or items, brought into the order of a vocabulary."""

import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from encorec.data.features import Categories, FeatureTable, Tags
from encorec.data.vocabulary import Vocabulary
from encorec.types import FloatVector, IntVector

__all__ = ["Profiles", "feature_table", "title_array"]

_MAX_TITLE_LENGTH = 200


@dataclass(frozen=True)
class Profiles:
    """Users or items as their file describes them, r of them in its order.

    Args:
        ids: (r,) int64 or text.
        where: name of the file, for errors.
        numeric: name -> (r,) float64, none where unknown.
        categorical: name -> (r,) text or Enum, none where unknown.
        tags: name -> one set of tags per row.
        titles: (r,) text for people to read, none where unknown.

    Example:
        >>> films = Profiles(pl.Series([3, 1]), "items.csv", numeric={"year": pl.Series([1979.0, None])})
        >>> feature_table(films, np.array([2, 0]), size=3).numeric["year"].tolist()
        [nan, nan, 1979.0]
    """

    ids: pl.Series
    where: str
    numeric: dict[str, pl.Series] = field(default_factory=dict)
    categorical: dict[str, pl.Series] = field(default_factory=dict)
    tags: dict[str, Tags] = field(default_factory=dict)
    titles: pl.Series | None = None


def feature_table(profiles: Profiles, rows: IntVector, size: int) -> FeatureTable:
    """The features of a whole vocabulary, unknown for those whom the file does not describe.

    Args:
        profiles: r described ones.
        rows: (r,) their rows in the vocabulary.
        size: of the vocabulary.

    Example:
        >>> users = Profiles(pl.Series([7]), "users.csv", categorical={"sex": pl.Series(["F"])})
        >>> feature_table(users, np.array([1]), size=2).categorical["sex"].code.tolist()
        [-1, 0]
    """
    return FeatureTable(
        size,
        {name: _numeric(values, rows, size) for name, values in profiles.numeric.items()},
        {name: _categories(values, rows, size) for name, values in profiles.categorical.items()},
        {name: _spread(one, rows, size) for name, one in profiles.tags.items()},
    )


def title_array(profiles: Profiles, rows: IntVector, vocabulary: Vocabulary) -> NDArray[Any] | None:
    """Titles of a whole vocabulary, the id where there is none; none at all if the file has no titles.

    Args:
        profiles: r described ones.
        rows: (r,) their rows in the vocabulary.
        vocabulary: n ids.

    Returns:
        (n,) str of at most 200 characters.

    Example:
        >>> films = Profiles(pl.Series([7]), "items.csv", titles=pl.Series(["Alien"]))
        >>> title_array(films, np.array([1]), Vocabulary(np.array([5, 7]))).tolist()
        ['5', 'Alien']
    """
    if profiles.titles is None:
        return None
    known = profiles.titles.is_not_null().to_numpy()
    titles = np.array(profiles.titles.drop_nulls().str.slice(0, _MAX_TITLE_LENGTH).to_list(), str)
    names = vocabulary.ids.astype(str)
    named = names.astype(np.promote_types(names.dtype, titles.dtype))
    named[rows[known]] = titles
    return named


def _numeric(values: pl.Series, rows: IntVector, size: int) -> FloatVector:
    column = np.full(size, np.nan, np.float32)
    column[rows] = values.to_numpy()
    return column


def _categories(values: pl.Series, rows: IntVector, size: int) -> Categories:
    """Categories in the order of the Enum, or in the order a person would list them: 5-9 before 10-14."""
    if isinstance(values.dtype, pl.Enum):
        names = values.dtype.categories.to_list()
    else:
        names = sorted(values.drop_nulls().unique().to_list(), key=_natural)
    code = np.full(size, -1, np.int32)
    code[rows] = values.cast(pl.Enum(names)).to_physical().cast(pl.Int32).fill_null(-1).to_numpy()
    return Categories(code, tuple(names))


def _natural(name: str) -> list[str | int]:
    parts = re.split(r"([0-9]+)", name)
    return [int(part) if place % 2 else part for place, part in enumerate(parts)]


def _spread(tags: Tags, rows: IntVector, size: int) -> Tags:
    """One set per row of the vocabulary: where the file has none, the empty set appended at its end."""
    lists = tags.lists
    padded = type(lists)(np.append(lists.indptr, lists.indptr[-1]), lists.item)
    source = np.full(size, len(lists))
    source[rows] = np.arange(len(lists))
    return Tags(padded.take(source), tags.values)
