"""The truth: what every judged user took. A pair that stands twice is one relevant item.

Where the table has a column ``gain``, it says how relevant an item was; a gain of 0 is an item that was not.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from encorec.data.sources.sheets import Column, Sheet
from encorec.data.sources.typed import numbers
from encorec.errors import DataError
from encorec.types import BoolVector, FloatVector, IntVector, ItemLists

__all__ = ["GAIN", "Wanted", "gather", "relevant_rows"]

GAIN = "gain"


@dataclass(frozen=True)
class Wanted:
    """The relevant items of n users.

    Args:
        lists: n lists of distinct item rows, none of them empty.
        gain: (m,) float64 how relevant each of those items was; none = all alike.
        repeats: rows of the table that named a pair again.

    Example:
        >>> gather(np.array([0, 0, 0]), np.array([5, 2, 5]), None, users=1, items=6).lists.item.tolist()
        [2, 5]
    """

    lists: ItemLists
    gain: FloatVector | None
    repeats: int


def relevant_rows(sheet: Sheet) -> BoolVector:
    """(m,) true where a row names a relevant item: everywhere, but where the gain is 0.

    Raises:
        DataError: a gain is missing, no number or below 0, or no row is relevant.

    Example:
        >>> relevant_rows(Sheet(pl.DataFrame({"item_id": [1, 2], "gain": [0, 3]}), "truth")).tolist()
        [False, True]
    """
    if GAIN not in sheet:
        return np.ones(len(sheet), bool)
    relevant = gains(sheet.column(GAIN)) > 0
    if not relevant.any():
        raise DataError(f"{sheet.where}: column {GAIN!r} is 0 in all {len(sheet):,} rows, so nothing was relevant")
    return relevant


def gains(column: Column) -> FloatVector:
    """(m,) float64 gains, none below 0.

    Raises:
        DataError: a gain is missing, no number or below 0.

    Example:
        >>> gains(Column(pl.Series("gain", ["2", "0.5"]), "truth.csv")).tolist()
        [2.0, 0.5]
    """
    given = numbers(column)
    column.refuse(given.is_null(), "missing", "give every row a gain, 0 for an item that was not relevant")
    column.refuse(given < 0, "below 0", "a gain is 0 or more")
    return given.to_numpy()


def gather(user: IntVector, item: IntVector, gain: Column | None, users: int, items: int) -> Wanted:
    """The truth in canonical order, whatever order its rows came in.

    Args:
        user: (m,) rows of n users, each of them at least once.
        item: (m,) item rows.
        gain: (m,) how relevant each was, or none.
        users: n.
        items: size of the item numbering.

    Raises:
        DataError: one pair with two different gains.

    Example:
        >>> wanted = gather(np.array([1, 0, 1]), np.array([3, 2, 3]), None, users=2, items=4)
        >>> wanted.lists.lengths.tolist(), wanted.repeats
        ([1, 1], 1)
    """
    pairs = user.astype(np.int64) * items + item
    if gain is None:
        kept, weight = np.sort(pairs), None
        first = _first(kept)
    else:
        order = np.argsort(pairs)
        kept, weight = pairs[order], gains(gain)[order]
        first = _first(kept)
        _refuse_contradiction(gain, order, ~first & (weight != np.roll(weight, 1)))
        weight = weight[first]
    kept = kept[first]
    lengths = np.bincount(kept // items, minlength=users)
    indptr = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return Wanted(ItemLists(indptr, (kept % items).astype(np.int32)), weight, int((~first).sum()))


def _first(ordered: IntVector) -> BoolVector:
    """(m,) true where a key is not the one before it."""
    return np.concatenate([[True], ordered[1:] != ordered[:-1]])


def _refuse_contradiction(column: Column, order: IntVector, differs: BoolVector) -> None:
    bad = np.zeros(len(order), bool)
    bad[order[differs]] = True
    column.refuse(pl.Series(bad), "other than an earlier one of the same user and item", "keep one row per pair")
