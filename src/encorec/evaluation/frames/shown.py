"""The lists of one system as a matrix: the rank says the place, or else the score; a tie is refused, never broken.

Where a table has both a rank and a score, the rank is read. Ranks are 1, 2, 3 and so on for every user, none twice
and none left out: a gap is left by whoever takes items out of finished lists, and RecTools would keep the place empty
where trec_eval, which goes by the score, would close it. A higher score stands further up, and two equal scores of one
user are refused: neither the order of the rows nor an item's id says which of them was shown first.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from encorec.data.sources.sheets import Column, Sheet
from encorec.data.sources.typed import numbers
from encorec.errors import DataError
from encorec.evaluation.frames.id_loops import fill_lists
from encorec.types import BoolVector, FloatVector, IntMatrix, IntVector

__all__ = ["ORDER", "Shown", "lay_out"]

ORDER = ("rank", "score")
_SMALL_INTEGERS = (pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32)


@dataclass(frozen=True)
class Shown:
    """The lists of one system.

    Args:
        item: (n, width) int32 item rows of n users, best first, -1 = empty places at the tail.
        ignored_users: users with a list whom nobody is asking about.

    Example:
        >>> Shown(np.array([[4, -1]], np.int32), ignored_users=2).item.shape
        (1, 2)
    """

    item: IntMatrix
    ignored_users: int


def lay_out(
    sheet: Sheet, user: IntVector, item: IntVector, users: int, width: int | None, *, repeats: bool = False
) -> Shown:
    """Lists cut at ``width`` places, or where the longest ends, one per judged user.

    Args:
        sheet: m rows with user_id, item_id and rank or score.
        user: (m,) int32 rows of the judged users, -1 = not judged.
        item: (m,) int32 item rows.
        users: judged users n.
        width: places that are looked at; none = all.
        repeats: a list may hold an item twice.

    Raises:
        DataError: neither rank nor score; one is missing or not a number; ranks that are not 1, 2, 3, ...; equal
            scores; an item twice in a list, unless it may.

    Example:
        >>> sheet = Sheet(pl.DataFrame({"user_id": [7, 7], "item_id": ["b", "a"], "score": [0.1, 0.3]}), "recs")
        >>> lay_out(sheet, np.array([0, 0]), np.array([1, 0]), users=1, width=3).item.tolist()
        [[0, 1]]
    """
    name = next((one for one in ORDER if one in sheet), None)
    if name is None:
        raise DataError(f"{sheet.where}: has neither a column 'rank' nor a column 'score'; one must say the order")
    column = sheet.column(name)
    ignored = sheet.frame["user_id"].filter(pl.Series(user < 0)).n_unique() if user.min() < 0 else 0
    if name == "rank" and not repeats and column.values.dtype in _SMALL_INTEGERS and not column.values.has_nulls():
        lists = _ranked(user, item, column.values.cast(pl.Int64).to_numpy(), users, width)
        if lists is not None:
            return Shown(lists, ignored)
    return Shown(_looked_through(sheet, user, item, users, width, column, repeats=repeats), ignored)


def _ranked(user: IntVector, item: IntVector, rank: IntVector, users: int, width: int | None) -> IntMatrix | None:
    """(users, width) the lists by their ranks, none where anything is wrong with them."""
    longest = int(np.bincount(user + 1)[1:].max(initial=0))
    width = longest if width is None else min(width, longest)
    lists, newest = np.full((users, width), -1, np.int32), np.full(int(item.max()) + 1, -1, np.int32)
    ranked = np.full(len(user), -1, np.int32)
    right = fill_lists(user, item, rank, np.zeros(users + 1, np.int64), newest, ranked, lists)
    return lists if right else None


def _looked_through(
    sheet: Sheet, user: IntVector, item: IntVector, users: int, width: int | None, column: Column, *, repeats: bool
) -> IntMatrix:
    """(users, width) the lists, checked step by step, so that a complaint can say what is wrong with which row."""
    kept = np.flatnonzero(user >= 0)
    rows = _Rows(sheet, kept, user[kept].astype(np.int64), item[kept])
    if not repeats:
        rows.refuse_repeats()
    place = _by_rank(rows, column) if column.name == "rank" else _by_score(rows, column)
    longest = int(place.max(initial=-1)) + 1
    width = longest if width is None else min(width, longest)
    lists = np.full((users, width), -1, np.int32)
    front = place < width
    lists[rows.user[front], place[front]] = rows.item[front]
    return lists


@dataclass(frozen=True)
class _Rows:
    """The rows of judged users: their positions in the sheet (r,), int64 user rows (r,) and item rows (r,)."""

    sheet: Sheet
    kept: IntVector
    user: IntVector
    item: IntVector

    def refuse_repeats(self) -> None:
        pairs = self.user * (int(self.item.max(initial=0)) + 1) + self.item
        if _any_twice(pairs):
            again = ~pl.Series(pairs).is_first_distinct().to_numpy()
            self.refuse(self.sheet.column("item_id"), again, "that the user's list holds already", "keep one row each")

    def refuse(self, column: Column, bad: BoolVector, fault: str, remedy: str) -> None:
        """Complain about the rows (r,) where ``bad`` is true, by their position in the sheet."""
        marked = np.zeros(len(self.sheet), bool)
        marked[self.kept[bad]] = True
        column.refuse(pl.Series(marked), fault, remedy)


def _any_twice(keys: IntVector) -> bool:
    ordered = np.sort(keys)
    return bool((ordered[1:] == ordered[:-1]).any())


def _by_rank(rows: _Rows, column: Column) -> IntVector:
    """(r,) place of each row, from 0."""
    given = numbers(column)
    column.refuse(given.is_null(), "missing", "every recommended item needs a rank")
    column.refuse(given != given.floor(), "with a fraction", "ranks are 1, 2, 3 and so on")
    column.refuse(given < 1, "below 1", "ranks start at 1")
    rank = given.to_numpy()[rows.kept]
    most = len(rows.kept)
    rows.refuse(column, rank > most, f"beyond the {most:,} places that can be filled", "ranks are 1, 2, 3 and so on")
    rank = rank.astype(np.int64)
    _check_ranks(rows, column, rank, most)
    return rank - 1


def _check_ranks(rows: _Rows, column: Column, rank: IntVector, most: int) -> None:
    """The ranks of every user must be 1, 2, 3, ...: sorted, each key follows the one before or is a user's first."""
    keys = rows.user * (most + 1) + rank
    ordered = np.sort(keys)
    step, first = ordered[1:] - ordered[:-1], ordered % (most + 1) == 1
    if first[0] and ((step == 1) | (first[1:] & (step > 0))).all():
        return
    again = ~pl.Series(keys).is_first_distinct().to_numpy()
    rows.refuse(column, again, "that the user has already", "give each item a place of its own")
    alone = (rank > 1) & ~np.isin(keys - 1, keys)
    remedy = "number the places of a list 1, 2, 3 and so on, or give the order as a column 'score'"
    rows.refuse(column, alone, "after a place that nobody holds", remedy)


def _by_score(rows: _Rows, column: Column) -> IntVector:
    """(r,) place of each row, from 0: higher scores first."""
    given = numbers(column)
    column.refuse(given.is_null(), "missing", "every recommended item needs a score")
    score = given.to_numpy()[rows.kept]
    order = np.argsort(-score)
    standing = np.empty(len(order), np.int64)
    standing[order] = np.arange(len(order))
    ordered = np.sort(rows.user * len(order) + standing)
    source = order[ordered % max(len(order), 1)]
    _refuse_ties(rows, column, score, source)
    lengths = np.bincount(rows.user)
    place = np.empty(len(order), np.int64)
    place[source] = np.arange(len(order)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    return place


def _refuse_ties(rows: _Rows, column: Column, score: FloatVector, source: IntVector) -> None:
    """``source`` (r,) lists the rows by user and score."""
    user, score = rows.user[source], score[source]
    tied = np.flatnonzero((user[1:] == user[:-1]) & (score[1:] == score[:-1]))
    bad = np.zeros(len(source), bool)
    bad[source[tied]] = bad[source[tied + 1]] = True
    remedy = "which of them was shown first? give the order as a column 'rank'"
    rows.refuse(column, bad, "equal to another one of the same user", remedy)
