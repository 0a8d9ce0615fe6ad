"""What there was to recommend and what was learnt from: items and their features, training interactions."""

from dataclasses import replace

import numpy as np
import polars as pl

from encorec.data.features import FeatureTable
from encorec.data.interactions import Interactions
from encorec.data.sources.profiles import feature_table
from encorec.data.sources.roles import FeatureColumns, profiles_of
from encorec.data.sources.sheets import Column, Sheet
from encorec.evaluation.frames.inputs import ITEM
from encorec.types import IntVector

__all__ = ["describe_items", "refuse_repeated_items", "train_table"]

_TITLES = ("title",)


def train_table(user: IntVector, item: IntVector, users: int, items: int) -> Interactions:
    """Training interactions without times: metrics only ask who had what.

    Args:
        user: (m,) user rows.
        item: (m,) item rows.
        users: size of the user numbering.
        items: size of the item numbering.

    Example:
        >>> train_table(np.array([1, 0]), np.array([0, 0]), users=2, items=3).item_users.tolist()
        [2, 0, 0]
    """
    return Interactions.of(user, item, np.zeros(len(user), np.int64), users=users, items=items)


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
    profiles = profiles_of(sheet, ITEM, FeatureColumns(), besides=_TITLES)
    return feature_table(replace(profiles, ids=sheet.frame[ITEM]), described, items)


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
