"""Recommended lists laid against the truth: checked once, then read by every metric."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from encorec.errors import DataError
from encorec.evaluation.metrics.list_loops import BELOW, GAP, TWICE, find_hits, list_faults, truth_faults
from encorec.types import BoolMatrix, BoolVector, FloatMatrix, FloatVector, IntMatrix, IntVector, ItemLists

__all__ = ["JudgedLists", "checked_lists", "judge"]

_LARGEST = np.iinfo(np.int32).max - 1
_HOLED = "have an empty place before an item"
_REPEATED = "recommend each item to a user once (only unrepeated@k, sufficient@k and covered_users read such lists)"


@dataclass(frozen=True)
class JudgedLists:
    """The lists of n users and which of their places are hits; made by ``judge``.

    Args:
        item: (n, width) item numbers, best first, -1 = empty places at the tail.
        hit: (n, width) true where the item is relevant to the user.
        relevant: (n,) number of relevant items of each user, at least 1.
        found: (n, width) int32 position in the truth of the item at each place, -1 = no hit; kept with ``gain`` or
            ``weight`` only.
        gain: (m,) how relevant each item of the truth is; none = all alike.
        weight: (m,) how much each item of the truth counts, on average 1 for every user; none = 1.

    Example:
        >>> lists = judge(np.array([[7, 8, 9]]), ItemLists.of([[9, 7]]))
        >>> lists.hits(2).tolist(), lists.hits(3).tolist(), lists.relevant.tolist()
        ([1], [2], [2])
    """

    item: IntMatrix
    hit: BoolMatrix
    relevant: IntVector
    found: IntMatrix | None = None
    gain: FloatVector | None = None
    weight: FloatVector | None = None

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
        for place in range(self.width):
            np.add(counted[:, place], self.hit[:, place], out=counted[:, place + 1])
        return counted

    def hits(self, k: int) -> IntVector:
        """(n,) hits among the first ``k`` places; a list shorter than k has nothing at the others."""
        return self.hits_so_far[:, min(k, self.width)]

    def at_hits(self, value: FloatVector, k: int) -> FloatMatrix:
        """(n, places) what ``value`` (m,) says of the item of the truth at each of the first k places, 0 elsewhere."""
        if self.found is None:
            raise DataError("these lists were judged without gains and weights, so no place is worth more than another")
        found = self.found[:, :k]
        return np.where(found >= 0, value[found], 0.0)

    @cached_property
    def covered(self) -> BoolVector:
        """(n,) true where the user was recommended anything."""
        return self.item.max(axis=1, initial=-1) >= 0


def judge(
    recommended: IntMatrix,
    truth: ItemLists,
    gain: FloatVector | None = None,
    *,
    weight: FloatVector | None = None,
    repeats: bool = False,
) -> JudgedLists:
    """Check lists and truth, and find the hits.

    Args:
        recommended: (n, width) item numbers, best first, -1 = empty places at the tail.
        truth: n lists of the distinct relevant items of each user.
        gain: (m,) positive grade of every ``truth.item``; none = relevant is relevant.
        weight: (m,) positive weight of every ``truth.item``, on average 1 for every user; none = 1.
        repeats: lists may hold an item twice, as only metrics of the quality of lists can read them.

    Raises:
        DataError: unequal numbers of users or none; a list with a gap or an item twice; a user without truth;
            gains or weights that are not positive or not one per item of the truth.

    Example:
        >>> judge(np.array([[3, 1], [2, -1]]), ItemLists.of([[1, 5], [4]])).hit.tolist()
        [[False, True], [False, False]]
    """
    shown = checked_lists(recommended, "recommended", repeats=repeats)
    if len(shown) != len(truth):
        raise DataError(f"recommended has {len(shown)} lists, the truth has {len(truth)}; one per user in both")
    if len(truth) == 0:
        raise DataError("the truth is empty: there are no users to judge the lists of")
    _check_truth(truth)
    gain, weight = _checked_worth("gain", gain, truth), _checked_worth("weight", weight, truth)
    found = np.empty(shown.shape, np.int32)
    find_hits(shown, np.ascontiguousarray(truth.indptr, np.int64), np.ascontiguousarray(truth.item, np.int32), found)
    kept = found if gain is not None or weight is not None else None
    return JudgedLists(shown, found >= 0, truth.lengths, kept, gain, weight)


def checked_lists(lists: IntMatrix, where: str, *, repeats: bool = False) -> IntMatrix:
    """(n, width) int32, contiguous: lists of item numbers that have been looked through.

    Args:
        lists: (n, width) item numbers, -1 = empty places at the tail.
        where: what they are called, for errors.
        repeats: a list may hold an item twice.

    Raises:
        DataError: not a matrix of whole numbers, or a list with a gap, a number out of range or an item twice.

    Example:
        >>> checked_lists(np.array([[3, -1]]), "recommended").dtype
        dtype('int32')
    """
    if lists.ndim != 2 or lists.dtype.kind not in "iu":
        given = f"{lists.ndim} dimensions of {lists.dtype}"
        raise DataError(f"{where}: must be a matrix (users, places) of item numbers, got {given}")
    if lists.size and lists.max() > _LARGEST:
        raise DataError(f"{where}: the largest item number is {lists.max()}, allowed is up to {_LARGEST}")
    if lists.dtype.kind == "i":
        lists = np.maximum(lists, -2)  # what is below stays below in 32 bits
    shown = np.ascontiguousarray(lists, np.int32)
    fault = np.empty(len(shown), np.int32)
    list_faults(shown, fault)
    if fault.any():
        _refuse(np.flatnonzero(fault & BELOW), where, "hold a number below -1", "an empty place is -1")
        _refuse(np.flatnonzero(fault & GAP), where, _HOLED, "move the -1 to the end of the list")
        if not repeats:
            _refuse(np.flatnonzero(fault & TWICE), where, "hold an item twice", _REPEATED)
    return shown


def _check_truth(truth: ItemLists) -> None:
    _refuse(np.flatnonzero(truth.lengths == 0), "truth", "are empty", "leave out users without a relevant item")
    fault = np.empty(len(truth), np.int32)
    truth_faults(np.ascontiguousarray(truth.indptr, np.int64), np.ascontiguousarray(truth.item, np.int32), fault)
    if fault.any():
        negative = np.flatnonzero(fault & BELOW)
        _refuse(negative, "truth", "hold a negative item number", "number every relevant item from 0")
        twice = np.flatnonzero(fault & TWICE)
        _refuse(twice, "truth", "hold an item twice", "list each relevant item of a user once")


def _checked_worth(name: str, given: FloatVector | None, truth: ItemLists) -> FloatVector | None:
    """(m,) float64 one positive number per item of the truth."""
    if given is None:
        return None
    worth = np.asarray(given, np.float64)
    if worth.shape != truth.item.shape:
        raise DataError(f"{name} has shape {worth.shape}, the truth has {len(truth.item)} items; one per item in both")
    bad = ~(np.isfinite(worth) & (worth > 0))
    if bad.any():
        first = int(bad.argmax())
        raise DataError(
            f"{name}: {bad.sum()} of the relevant items have none above 0 (first: position {first}, {worth[first]}); "
            "an item that is not relevant is left out of the truth"
        )
    return worth


def _refuse(rows: IntVector, where: str, fault: str, remedy: str) -> None:
    """Raise if there are ``rows`` (m,) of faulty lists."""
    if len(rows):
        raise DataError(f"{where}: {len(rows)} lists {fault} (first: row {rows.min()}); {remedy}")
