"""All tables of one question, opened and numbered together: judged users first, the catalogue first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from encorec.data.features import FeatureTable
from encorec.data.interactions import Interactions
from encorec.data.sources.sheets import counted
from encorec.errors import DataError
from encorec.evaluation.frames.catalogue import describe_items, refuse_repeated_items, train_table
from encorec.evaluation.frames.inputs import ITEM, USER, Ids, Input, TableLike, open_input
from encorec.evaluation.frames.numbering import Numbered, agreed, distinct, numbered, rows_of
from encorec.evaluation.frames.shown import ORDER, Shown, lay_out
from encorec.evaluation.frames.wanted import GAIN, Wanted, gather, relevant_rows
from encorec.types import BoolVector, IntVector

__all__ = ["Evidence", "Tables", "number_tables", "open_tables"]


@dataclass(frozen=True)
class Tables:
    """Opened tables; see ``open_tables``.

    Args:
        recs: name of a system -> its lists.
        truth: what users took.
        train: what was learnt from.
        items: the catalogue.

    Example:
        >>> pairs = open_input(pl.DataFrame({"user_id": [7], "item_id": ["a"]}), "truth", ["user_id", "item_id"])
        >>> Tables({}, pairs, None, None).truth.sheet.where
        'truth'
    """

    recs: dict[str, Input]
    truth: Input
    train: Input | None
    items: Input | None


@dataclass(frozen=True)
class Evidence:
    """Everything a metric may look at, by row numbers.

    Args:
        users: (n,) ids of the judged users, ascending.
        shown: name of a system -> its lists.
        wanted: the truth.
        train: training interactions.
        train_user: (n,) int32 rows of the judged users in ``train``, -1 = not there.
        features: of all items.
        catalogue: that many items, the first of the numbering, are the catalogue; none = unknown.
        items: size of the item numbering.

    Example:
        >>> pairs = pl.DataFrame({"user_id": [9, 7], "item_id": ["a", "b"]})
        >>> evidence = number_tables(open_tables({"mine": pairs.with_columns(rank=1)}, pairs, pairs[:1]), width=2)
        >>> evidence.catalogue, evidence.items
        (1, 2)
    """

    users: pl.Series
    shown: dict[str, Shown]
    wanted: Wanted
    train: Interactions | None
    train_user: IntVector | None
    features: FeatureTable | None
    catalogue: int | None
    items: int

    @property
    def described(self) -> bool:
        """Whether the items have any feature to tell them apart by."""
        known = self.features
        return known is not None and bool(known.numeric or known.categorical or known.tags)


def open_tables(
    recs: Mapping[str, TableLike],
    truth: TableLike,
    train: TableLike | None = None,
    items: TableLike | None = None,
    features: Sequence[str] | None = None,
) -> Tables:
    """Read every table.

    Args:
        recs: name of a system -> its lists with user_id, item_id and rank or score.
        truth: user_id, item_id and maybe gain.
        train: user_id and item_id.
        items: item_id and columns of features.
        features: columns of ``items`` that are features; none = all of them are looked at.

    Raises:
        DataError: a table that cannot be read, is empty or lacks a column.

    Example:
        >>> pairs = pl.DataFrame({"user_id": [7], "item_id": ["a"]})
        >>> tables = open_tables({"mine": pairs.with_columns(rank=1)}, pairs)
        >>> tables.recs["mine"].sheet.frame.columns
        ['user_id', 'item_id', 'rank']
    """
    pairs = (USER, ITEM)
    described = (ITEM, *features) if features else (ITEM,)
    return Tables(
        {name: open_input(one, name, pairs, ORDER) for name, one in recs.items()},
        open_input(truth, "truth", pairs, (GAIN,)),
        None if train is None else open_input(train, "train", pairs),
        None if items is None else open_input(items, "items", described, () if features else None),
    )


def number_tables(tables: Tables, width: int | None, *, repeats: bool = False) -> Evidence:
    """Give every user and item a row number and check each table against the others.

    Args:
        tables: opened.
        width: places of a list that are looked at; none = all.
        repeats: a list may hold an item twice.

    Raises:
        DataError: ids of two kinds, a broken list, or lists of nobody who is judged.

    Example:
        >>> pairs = pl.DataFrame({"user_id": [9, 7], "item_id": ["a", "b"]})
        >>> evidence = number_tables(open_tables({"mine": pairs.with_columns(rank=1)}, pairs), width=2)
        >>> evidence.users.to_list(), evidence.shown["mine"].item.tolist(), evidence.wanted.lists.item.tolist()
        ([7, 9], [[1], [0]], [1, 0])
    """
    user_ids, item_ids = _agreed(tables, USER), _agreed(tables, ITEM)
    relevant = relevant_rows(tables.truth.sheet)
    users = distinct(user_ids["truth"].filter(pl.Series(relevant)))
    known, rows = _known_items(item_ids)
    listed = "train" in rows or "items" in rows
    size = len(known.ids)
    wanted = _wanted(tables.truth, relevant, rows_of(user_ids["truth"], users), rows["truth"], len(users), size)
    shown = {
        name: _shown(
            one, rows_of(user_ids[f"recs {name}"], users), rows[f"recs {name}"], len(users), width, repeats=repeats
        )
        for name, one in tables.recs.items()
    }
    if tables.items is not None:
        refuse_repeated_items(tables.items.sheet.column(ITEM), item_ids["items"])
    trained = None if tables.train is None else numbered([user_ids["train"]])
    return Evidence(
        users,
        shown,
        wanted,
        None if trained is None else train_table(trained.rows[0], rows["train"], trained.first, size),
        None if trained is None else rows_of(users, trained.ids),
        None if tables.items is None else describe_items(tables.items.sheet, rows["items"], size),
        known.first if listed else None,
        size,
    )


def _agreed(tables: Tables, column: str) -> dict[str, pl.Series]:
    """Ids by table, all of one kind."""
    given: dict[str, Ids] = {f"recs {name}": one.ids(column) for name, one in tables.recs.items()}
    given["truth"] = tables.truth.ids(column)
    if tables.train is not None:
        given["train"] = tables.train.ids(column)
    if tables.items is not None and column == ITEM:
        given["items"] = tables.items.ids(column)
    return dict(zip(given, agreed(list(given.values())), strict=True))


def _known_items(ids: Mapping[str, pl.Series]) -> tuple[Numbered, dict[str, IntVector]]:
    """All items, those of train and of the items first, and the rows of every table."""
    listed = {name: one for name, one in ids.items() if name in ("train", "items")} or dict(ids)
    beside = {name: one for name, one in ids.items() if name not in listed}
    found = numbered(list(listed.values()), list(beside.values()))
    return found, dict(zip((*listed, *beside), found.rows, strict=True))


def _wanted(truth: Input, relevant: BoolVector, user: IntVector, item: IntVector, users: int, items: int) -> Wanted:
    gain = truth.sheet.column(GAIN) if GAIN in truth.sheet else None
    if gain is not None:
        gain = gain.holding(gain.values.filter(pl.Series(relevant)))
    return gather(user[relevant], item[relevant], gain, users, items)


def _shown(given: Input, user: IntVector, item: IntVector, users: int, width: int | None, *, repeats: bool) -> Shown:
    if (user < 0).all():
        example = given.sheet.frame[USER][0]
        raise DataError(
            f"{given.sheet.where}: none of the {counted(users, 'user')} of the truth has a list here, "
            f"but others have, such as {example!r}; are these lists of other users, or the ids spelt otherwise?"
        )
    return lay_out(given.sheet, user, item, users, width, repeats=repeats)
