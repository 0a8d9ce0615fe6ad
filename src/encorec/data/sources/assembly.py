"""The parts of a source, checked and typed, become a data set: ids numbered, repeats settled, all in one order."""

from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np
import polars as pl

from encorec.data.dataset import Dataset
from encorec.data.features import FeatureTable
from encorec.data.interactions import Interactions
from encorec.data.sources.profiles import Profiles, feature_table, title_array
from encorec.data.sources.sheets import Column, counted
from encorec.data.vocabulary import Vocabulary
from encorec.errors import DataError
from encorec.types import IntVector

__all__ = ["Duplicates", "Log", "assemble"]

Duplicates: TypeAlias = Literal["error", "keep", "last", "sum"]


@dataclass(frozen=True)
class Log:
    """Interactions as their file lists them, m of them in its order.

    Args:
        user: (m,) int64 or text ids.
        item: (m,) int64 or text ids.
        time: (m,) int64 seconds since 1970.
        where: name of the file, for errors.
        weight: (m,) float64, positive; none = 1 each.

    Example:
        >>> log = Log(pl.Series([7]), pl.Series(["a"]), pl.Series([60]), "log.csv")
        >>> len(log.time)
        1
    """

    user: pl.Series
    item: pl.Series
    time: pl.Series
    where: str
    weight: pl.Series | None = None


def assemble(
    name: str, log: Log, users: Profiles | None = None, items: Profiles | None = None, duplicates: Duplicates = "error"
) -> Dataset:
    """A data set of everybody and everything that interacted or is described, numbered by ascending id.

    Args:
        name: of the data set.
        log: its interactions.
        users: what is known of users.
        items: what is known of items.
        duplicates: what a second row of the same user and item is: an ``error``, an event of its own (``keep``),
            a replacement of the earlier one (``last``), or one event of the summed weight at the later time (``sum``).

    Raises:
        DataError: repeated pairs under ``error``, or two descriptions of one user or item.

    Example:
        >>> log = Log(pl.Series([9, 7]), pl.Series(["b", "a"]), pl.Series([60, 50]), "log.csv")
        >>> data = assemble("toy", log)
        >>> data.users.ids.tolist(), data.interactions.user.tolist(), data.interactions.row.tolist()
        ([7, 9], [0, 1], [1, 0])
    """
    user_ids, user, user_rows = _number(log.user, users)
    item_ids, item, item_rows = _number(log.item, items)
    if duplicates == "error":
        _refuse_repeats(log, user, item, len(item_ids))
    weight = None if log.weight is None else log.weight.to_numpy()
    table = Interactions.of(user, item, log.time.to_numpy(), weight, users=len(user_ids), items=len(item_ids))
    return Dataset(
        name,
        user_ids,
        item_ids,
        table if duplicates in ("error", "keep") else _latest(table, summed=duplicates == "sum"),
        FeatureTable(len(user_ids)) if users is None else feature_table(users, user_rows, len(user_ids)),
        FeatureTable(len(item_ids)) if items is None else feature_table(items, item_rows, len(item_ids)),
        None if items is None else title_array(items, item_rows, item_ids),
    )


def _number(seen: pl.Series, profiles: Profiles | None) -> tuple[Vocabulary, IntVector, IntVector]:
    """The vocabulary, the rows of the ids seen, and the rows of those described."""
    described = pl.Series([], dtype=seen.dtype) if profiles is None else profiles.ids
    if seen.dtype != described.dtype:
        seen, described = seen.cast(pl.String), described.cast(pl.String)
    if profiles is not None:
        again = ~described.is_first_distinct()
        Column(described, profiles.where).refuse(again, "already in an earlier row", "keep one row per id")
    known = pl.concat([seen.alias("id"), described.alias("id")]).unique().sort()
    return Vocabulary(_as_array(known)), _rows(seen, known), _rows(described, known)


def _as_array(known: pl.Series) -> IntVector:
    return known.to_numpy() if known.dtype == pl.Int64 else np.array(known.to_list(), str)


def _rows(given: pl.Series, known: pl.Series) -> IntVector:
    """(m,) int32 positions of ``given`` (m,) in ``known``, which holds them all."""
    numbered = known.to_frame("id").with_row_index("row")
    joined = given.to_frame("id").join(numbered, on="id", how="left", maintain_order="left")
    return joined["row"].cast(pl.Int32).to_numpy()


def _pairs(user: IntVector, item: IntVector, items: int) -> pl.Series:
    return pl.Series(user.astype(np.int64) * items + item)


def _refuse_repeats(log: Log, user: IntVector, item: IntVector, items: int) -> None:
    pairs = _pairs(user, item, items)
    if pairs.n_unique() == len(pairs):
        return
    repeats = np.flatnonzero(~pairs.is_first_distinct().to_numpy())
    first, count = int(repeats[0]), counted(len(repeats), "row")
    raise DataError(
        f"{log.where}: {count} with the ({log.user.name!r}, {log.item.name!r}) of an earlier row "
        f"(first: data row {first + 1}, {log.user[first]!r} and {log.item[first]!r}); say what a repeat is: "
        'duplicates = "keep" (an event of its own), "last" (only the newest counts) or "sum" (weights are added up)'
    )


def _latest(table: Interactions, *, summed: bool) -> Interactions:
    """Only the newest interaction of every pair, with its own weight or that of all of them."""
    pairs = _pairs(table.user, table.item, table.items)
    kept = np.flatnonzero(pairs.is_last_distinct().to_numpy())
    if not summed:
        return table.take(kept)
    _, group = np.unique(pairs.to_numpy(), return_inverse=True)
    totals = np.bincount(group, weights=table.weight)
    return replace(table.take(kept), weight=totals[group[kept]].astype(np.float32))
