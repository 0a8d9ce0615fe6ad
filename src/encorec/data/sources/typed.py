"""What the text in a column means: ids, numbers, categories, sets of tags. Nothing doubtful passes silently."""

import numpy as np
import polars as pl

from encorec.data.features import Tags
from encorec.data.sources.sheets import Column
from encorec.errors import DataError
from encorec.types import ItemLists

__all__ = ["ids", "known_text", "missing_text", "numbers", "tags", "texts"]

_MISSING = r"^(nan|NaN|None|null|NULL|NaT|<NA>)?$"
_UNKNOWN = r"(?i)^(.*_)?unknown$"
_MAX_ID_LENGTH = 255
_INT64_LIMIT = 2.0**63
_LARGEST = 3.4e38  # of the 32-bit floats that features are kept in


def missing_text(values: pl.Series) -> pl.Series:
    """(m,) true where there is no value, or text that programs write for none: empty, nan, None, null, NaT, <NA>.

    Example:
        >>> missing_text(pl.Series(["7", None, " ", "NaN"])).to_list()
        [False, True, True, True]
    """
    return values.str.strip_chars().str.contains(_MISSING).fill_null(True)


def known_text(column: Column) -> pl.Series:
    """(m,) text without the blanks around it, none where it is missing.

    Raises:
        DataError: neither text nor something with a plain spelling.

    Example:
        >>> known_text(Column(pl.Series("title", [" Alien ", "nan", "Unknown"]), "items.csv")).to_list()
        ['Alien', None, 'Unknown']
    """
    try:
        text = column.values.cast(pl.String).str.strip_chars()
    except pl.exceptions.PolarsError as error:
        raise _wrong_kind(column, "text or numbers") from error
    return text.set(missing_text(text), None)


def ids(column: Column) -> pl.Series:
    """(m,) ids: int64 where every one is spelt like an integer, otherwise text; ``1.0`` is 1, but ``007`` stays text.

    Raises:
        DataError: an id is missing, broken (1.5) or longer than 255 characters.

    Example:
        >>> ids(Column(pl.Series("user_id", ["7", "12"]), "log.csv")).to_list()
        [7, 12]
        >>> ids(Column(pl.Series("user_id", ["007", "12"]), "log.csv")).to_list()
        ['007', '12']
    """
    values = column.values
    if values.dtype.is_float():
        return _whole_ids(column)
    if not (values.dtype.is_integer() or values.dtype in (pl.String, pl.Categorical, pl.Enum)):
        raise _wrong_kind(column, "integers or text")
    plain = values if values.dtype.is_integer() else values.cast(pl.String)
    whole = plain.cast(pl.Int64, strict=False)
    return whole if _same_spelling(plain, whole) else _text_ids(column)


def _whole_ids(column: Column) -> pl.Series:
    values = column.values.fill_nan(None)
    column.refuse(values.is_null(), "missing", "drop these rows")
    column.refuse(values != values.floor(), "with a fraction", "ids must be integers or text")
    beyond = values.is_infinite() | (values.abs() >= _INT64_LIMIT)
    column.refuse(beyond, "outside the 64-bit integers", "give such ids as text")
    return values.cast(pl.Int64)


def _same_spelling(plain: pl.Series, whole: pl.Series) -> bool:
    """Whether every value is an integer that reads back as the very text it was given in."""
    if whole.null_count():
        return False
    if plain.dtype.is_integer():
        return True
    return plain.str.len_bytes().sum() == whole.cast(pl.String).str.len_bytes().sum()


def _text_ids(column: Column) -> pl.Series:
    text = known_text(column)
    column.refuse(text.is_null(), "missing", "drop these rows")
    column.refuse(text.str.len_chars() > _MAX_ID_LENGTH, f"longer than {_MAX_ID_LENGTH} characters", "is it an id?")
    if text.str.contains(r"^-?\d+\.0+$").all():
        text = text.str.replace(r"\.0+$", "")
    whole = text.cast(pl.Int64, strict=False)
    return whole if _same_spelling(text, whole) else text


def numbers(column: Column) -> pl.Series:
    """(m,) float64, none where missing; true and false are 1 and 0.

    Raises:
        DataError: text that is no number, an infinite one, or one beyond the 32-bit floats.

    Example:
        >>> numbers(Column(pl.Series("age", ["31", "", "True"]), "users.csv")).to_list()
        [31.0, None, 1.0]
    """
    values = column.values
    if values.dtype in (pl.String, pl.Categorical, pl.Enum):
        parsed = _parsed(column)
    elif values.dtype.is_numeric() or values.dtype in (pl.Boolean, pl.Null):
        parsed = values.cast(pl.Float64)
    else:
        raise _wrong_kind(column, "numbers")
    parsed = parsed.fill_nan(None)
    column.refuse(parsed.is_infinite().fill_null(False), "infinite", "fix or drop them")
    column.refuse((parsed.abs() > _LARGEST).fill_null(False), f"beyond {_LARGEST:.2g}", "use another unit")
    return parsed


def _parsed(column: Column) -> pl.Series:
    parsed = column.values.cast(pl.String).cast(pl.Float64, strict=False)
    if parsed.null_count() == column.values.null_count():
        return parsed
    text = known_text(column)
    parsed = text.str.replace(r"(?i)^true$", "1").str.replace(r"(?i)^false$", "0").cast(pl.Float64, strict=False)
    column.refuse(parsed.is_null() & text.is_not_null(), "unreadable as a number", "fix or empty them")
    return parsed


def texts(column: Column) -> pl.Series:
    """(m,) names of categories, none where missing or unknown; the order of an Enum is kept.

    Raises:
        DataError: neither text nor something with a plain spelling.

    Example:
        >>> texts(Column(pl.Series("sex", ["F", "sex_unknown", ""]), "users.csv")).to_list()
        ['F', None, None]
    """
    if column.values.dtype == pl.Enum:
        return column.values
    text = known_text(column)
    return text.set(text.str.contains(_UNKNOWN).fill_null(False), None)


def tags(column: Column, separator: str | None = None, most: int | None = None) -> Tags:
    """One set of tags per row, from real lists or from text such as ``drama, war`` or ``drama|war``.

    Args:
        column: (m,) lists or text.
        separator: what stands between tags; none = ``|`` if there is one anywhere, else a comma.
        most: keep only this many of the most frequent tags; none = all.

    Raises:
        DataError: neither lists nor text.

    Example:
        >>> found = tags(Column(pl.Series("genres", ["war, drama", None, "war"]), "items.csv"))
        >>> found.values, found.lists.item.tolist(), found.lists.lengths.tolist()
        (('drama', 'war'), [0, 1, 1], [2, 0, 1])
    """
    each = _exploded(column, separator)
    if most is not None:
        counts = each["tag"].value_counts().sort("count", "tag", descending=[True, False])
        each = each.filter(pl.col("tag").is_in(counts["tag"].head(most).implode()))
    values = each["tag"].unique().sort()
    each = each.with_columns(code=each["tag"].cast(pl.Enum(values)).to_physical()).sort("row", "code")
    lengths = np.bincount(each["row"].to_numpy(), minlength=len(column.values))
    indptr = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return Tags(ItemLists(indptr, each["code"].to_numpy().astype(np.int32)), tuple(values.to_list()))


def _exploded(column: Column, separator: str | None) -> pl.DataFrame:
    """Pairs (row, tag), each once, without blanks and unknown ones."""
    lists = column.values
    if lists.dtype not in (pl.List, pl.Array):
        text = known_text(column).fill_null("")
        bar = "|" if text.str.contains("|", literal=True).any() else ","
        lists = text.str.split(bar if separator is None else separator)
    rows = pl.DataFrame({"row": pl.arange(len(lists), eager=True, dtype=pl.Int64), "tag": lists}).explode("tag")
    found = texts(Column(rows["tag"], column.where))
    return rows.with_columns(tag=found).drop_nulls().unique()


def _wrong_kind(column: Column, allowed: str) -> DataError:
    return DataError(
        f"{column.where}: column {column.name!r} is of type {column.values.dtype}, allowed are {allowed}; "
        "convert it or name another column"
    )
