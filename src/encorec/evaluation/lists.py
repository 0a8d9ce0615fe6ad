"""Recommended lists laid against the truth: checked once, then read by every metric."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from encorec.errors import DataError
from encorec.types import BoolMatrix, BoolVector, IntMatrix, IntVector, ItemLists

__all__ = ["JudgedLists", "judge"]

_CELLS_AT_ONCE = 1 << 23


@dataclass(frozen=True)
class JudgedLists:
    """The lists of n users and which of their places are hits; made by ``judge``.

    Args:
        item: (n, width) item numbers, best first, -1 = empty places at the tail.
        hit: (n, width) true where the item is relevant to the user.
        relevant: (n,) number of relevant items of each user, at least 1.

    Example:
        >>> lists = judge(np.array([[7, 8, 9]]), ItemLists.of([[9, 7]]))
        >>> lists.hits(2).tolist(), lists.hits(3).tolist(), lists.relevant.tolist()
        ([1], [2], [2])
    """

    item: IntMatrix
    hit: BoolMatrix
    relevant: IntVector

    def __len__(self) -> int:
        return len(self.item)

    @property
    def width(self) -> int:
        """Places in a list."""
        return self.item.shape[1]

    @cached_property
    def hits_so_far(self) -> IntMatrix:
        """(n, width + 1) int32 hits among the first 0, 1, .. width places: every cut-off at once."""
        counted = np.zeros((len(self), self.width + 1), np.int32)
        np.cumsum(self.hit, axis=1, out=counted[:, 1:])
        return counted

    def hits(self, k: int) -> IntVector:
        """(n,) hits among the first ``k`` places; a list shorter than k has nothing at the others."""
        return self.hits_so_far[:, min(k, self.width)]

    @cached_property
    def covered(self) -> BoolVector:
        """(n,) true where the user was recommended anything."""
        return self.item.max(axis=1, initial=-1) >= 0


def judge(recommended: IntMatrix, truth: ItemLists) -> JudgedLists:
    """Check lists and truth, and find the hits.

    Args:
        recommended: (n, width) item numbers, best first, -1 = empty places at the tail.
        truth: n lists of the distinct relevant items of each user.

    Raises:
        DataError: unequal numbers of users or none; a list with a gap or an item twice; a user without truth.

    Example:
        >>> judge(np.array([[3, 1], [2, -1]]), ItemLists.of([[1, 5], [4]])).hit.tolist()
        [[False, True], [False, False]]
    """
    _check_shapes(recommended, truth)
    _check_recommended(recommended)
    _check_truth(truth)
    return JudgedLists(recommended, _find_hits(recommended, truth), truth.lengths)


def _find_hits(recommended: IntMatrix, truth: ItemLists) -> BoolMatrix:
    """(n, width) true where a recommended item is in the truth: each relevant item is held against one list."""
    hit = np.zeros(recommended.shape, bool)
    owner, step = truth.owner, _CELLS_AT_ONCE // max(recommended.shape[1], 1) + 1
    for start in range(0, len(owner), step):
        user, wanted = owner[start : start + step], truth.item[start : start + step]
        row, place = np.nonzero(recommended[user] == wanted[:, None])
        hit[user[row], place] = True
    return hit


def _check_shapes(recommended: IntMatrix, truth: ItemLists) -> None:
    if recommended.ndim != 2 or recommended.dtype.kind not in "iu":
        given = f"{recommended.ndim} dimensions of {recommended.dtype}"
        raise DataError(f"recommended: must be a matrix (users, places) of item numbers, got {given}")
    if len(recommended) != len(truth):
        raise DataError(f"recommended has {len(recommended)} lists, the truth has {len(truth)}; one per user in both")
    if len(truth) == 0:
        raise DataError("the truth is empty: there are no users to judge the lists of")


def _check_recommended(recommended: IntMatrix) -> None:
    empty = recommended < 0
    ordered = np.sort(recommended, axis=1)
    below, _ = np.nonzero(recommended < -1)
    gap, _ = np.nonzero(empty[:, :-1] & ~empty[:, 1:])
    twice, _ = np.nonzero((ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] >= 0))
    _refuse(below, "recommended", "hold a number below -1", "an empty place is -1")
    _refuse(gap, "recommended", "have an empty place before an item", "move the -1 to the end of the list")
    _refuse(twice, "recommended", "hold an item twice", "recommend each item to a user once")


def _check_truth(truth: ItemLists) -> None:
    _refuse(np.flatnonzero(truth.lengths == 0), "truth", "are empty", "leave out users without a relevant item")
    owner, size = truth.owner, int(truth.item.max()) + 1
    _refuse(owner[truth.item < 0], "truth", "hold a negative item number", "number every relevant item from 0")
    pairs = np.sort(owner * size + truth.item)
    twice = pairs[1:][pairs[1:] == pairs[:-1]] // size
    _refuse(twice, "truth", "hold an item twice", "list each relevant item of a user once")


def _refuse(rows: IntVector, where: str, fault: str, remedy: str) -> None:
    """Raise if there are ``rows`` (m,) of faulty lists, each named any number of times."""
    if len(rows):
        raise DataError(f"{where}: {len(np.unique(rows))} lists {fault} (first: row {rows.min()}); {remedy}")
