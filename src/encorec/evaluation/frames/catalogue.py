"""What there was to recommend and what was learnt from: items and their features, training interactions."""

from dataclasses import replace

import numpy as np
import polars as pl

from encorec.data.features import FeatureTable
from encorec.data.interactions import Interactions
from encorec.data.sources.profiles import feature_table
from encorec.data.sources.roles import FeatureColumns, profiles_of
from encorec.data.sources.sheets import Column, Sheet
from encorec.evaluation.frames.id_loops import group_by_user
from encorec.evaluation.frames.inputs import ITEM
from encorec.types import IntVector

__all__ = ["describe_items", "refuse_repeated_items", "train_table"]

_TITLES = ("title",)
_NO_FEATURES = (ITEM, *_TITLES)
_INTEGERS = (pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64)


def train_table(user: IntVector, item: IntVector, users: int, items: int) -> Interactions:
    """Training interactions without times: metrics only ask who had what.

    Args:
        user: (m,) int32 user rows.
        item: (m,) int32 item rows.
        users: size of the user numbering.
        items: size of the item numbering.

    Example:
        >>> train_table(np.array([1, 0], np.int32), np.array([0, 0], np.int32), users=2, items=3).item_users.tolist()
        [2, 0, 0]
    """
    rows = np.arange(len(user))
    if (user[1:] < user[:-1]).any():
        end, grouped = np.zeros(users + 1, np.int64), np.empty(len(user), np.int32)
        group_by_user(user, item, end, grouped, rows)
        user, item = np.repeat(np.arange(users, dtype=np.int32), np.diff(end[:-1], prepend=0)), grouped
    return Interactions(user, item, np.zeros(len(user), np.int64), np.ones(len(user), np.float32), rows, users, items)


def describe_items(sheet: Sheet, described: IntVector, items: int) -> FeatureTable:
    """The features of all items, unknown for those that the sheet does not list.

    Numbers are numeric, text is a category, lists and text such as ``drama, war`` are tags; titles, dates and text
    with more than 1,000 different values are no features.

    Args:
        sheet: r items with their columns.
        described: (r,) their item rows.
        items: size of the item numbering.

    Example:
        >>> sheet = Sheet(pl.DataFrame({"item_id": [7, 9], "genres": ["war, drama", "drama"]}), "items")
        >>> describe_items(sheet, np.array([1, 0]), items=3).tags["genres"].lists.lengths.tolist()
        [1, 2, 0]
    """
    integers = [name for name, dtype in sheet.frame.schema.items() if dtype in _INTEGERS and name not in _NO_FEATURES]
    profiles = profiles_of(Sheet(sheet.frame.drop(integers), sheet.where), ITEM, FeatureColumns(), besides=_TITLES)
    whole = {name: sheet.frame[name].cast(pl.Float64) for name in integers}  # nothing that could be wrong with them
    return feature_table(replace(profiles, numeric=whole | profiles.numeric), described, items)


def refuse_repeated_items(column: Column, ids: pl.Series) -> None:
    """An item has one description.

    Raises:
        DataError: an id stands in two rows.

    Example:
        >>> refuse_repeated_items(Column(pl.Series("item_id", [7, 7]), "items"), pl.Series([7, 7]))
        Traceback (most recent call last):
        ...
        encorec.errors.DataError: items: column 'item_id' has 1 value already in an earlier row (first: data row 2, 7);
          keep one row per id
    """
    column.refuse(~ids.is_first_distinct(), "already in an earlier row", "keep one row per id")
