"""What the second stage moved: the rank that a retriever gave an item against the rank at which it was shown."""

from dataclasses import dataclass

import numpy as np

from encorec.types import BoolMatrix, IntMatrix, IntVector, ItemLists

__all__ = ["RankShift", "rank_shift", "wanted_places"]

_UPPER = (1, 3, 5, 10, 20, 50, 100, 200, 500, 1000)
_CELLS_AT_ONCE = 1 << 23


@dataclass(frozen=True)
class RankShift:
    """A crosstab over the items that either the retriever alone or the whole system would show.

    Args:
        before: labels of the rows: rank by the retriever; the last row holds what it did not propose.
        after: labels of the columns: rank as shown; the last column holds what was not shown.
        items: (rows, columns) how many items.
        hits: (rows, columns) how many of them were wanted.

    Example:
        >>> wide, final = np.array([[3, 4, 5]]), np.array([[4, 9]])
        >>> shift = rank_shift(wide, final, ItemLists.of([[4]]))
        >>> shift.before, shift.after, shift.items.tolist()
        (('1', '2-3', 'not proposed'), ('1', '2', 'not shown'), [[0, 0, 1], [1, 0, 0], [0, 1, 0]])
    """

    before: tuple[str, ...]
    after: tuple[str, ...]
    items: IntMatrix
    hits: IntMatrix

    def __add__(self, other: "RankShift") -> "RankShift":
        return RankShift(self.before, self.after, self.items + other.items, self.hits + other.hits)


def rank_shift(wide: IntMatrix, final: IntMatrix, truth: ItemLists) -> RankShift:
    """Lay the lists of a retriever against those that were shown.

    Args:
        wide: (n, w) items of the retriever alone, best first, -1 = empty.
        final: (n, k) items as shown.
        truth: n lists of wanted items.
    """
    n, k = final.shape
    before, after = _limits(wide.shape[1]), _limits(k)
    came_from = places(wide, final)
    stayed = places(final, wide[:, :k])
    place = np.broadcast_to(np.arange(1, k + 1), (n, k))
    gone = (stayed == 0) & (wide[:, :k] >= 0)
    shown = final >= 0
    rows = np.concatenate([came_from[shown], place[:, : wide.shape[1]][gone]])
    columns = np.concatenate([place[shown], np.zeros(int(gone.sum()), np.int64)])
    hit = np.concatenate([_hits(final, truth)[shown], _hits(wide[:, :k], truth)[gone]])
    size = len(after) + 1
    cell = _bucket(rows, before) * size + _bucket(columns, after)
    shape = (len(before) + 1, size)
    counted = [np.bincount(cell, weight, minlength=shape[0] * size).astype(np.int64) for weight in (None, hit)]
    items, hits = (one.reshape(shape) for one in counted)
    return RankShift((*_labels(before), "not proposed"), (*_labels(after), "not shown"), items, hits)


def wanted_places(lists: IntMatrix, truth: ItemLists) -> IntVector:
    """(m,) int16 place, from 1, at which each wanted item stands in the list of its user, 0 where it does not.

    Args:
        lists: (n, width) items.
        truth: n lists, m wanted items together.

    Example:
        >>> wanted_places(np.array([[7, 8], [8, -1]]), ItemLists.of([[8, 9], [8]])).tolist()
        [2, 0, 1]
    """
    place, owner = np.zeros(len(truth.item), np.int16), truth.owner
    step = _CELLS_AT_ONCE // max(lists.shape[1], 1) + 1
    for start in range(0, len(owner), step):
        part = slice(start, start + step)
        row, column = np.nonzero(lists[owner[part]] == truth.item[part, None])
        place[start + row] = column + 1
    return place


def places(lists: IntMatrix, sought: IntMatrix) -> IntMatrix:
    """(n, k) rank, from 1, of each ``sought`` (n, k) item in the list (n, w) of its row, 0 where it is not there."""
    found = np.zeros(sought.shape, np.int64)
    step = _CELLS_AT_ONCE // max(lists.shape[1] * max(sought.shape[1], 1), 1) + 1
    for start in range(0, len(lists), step):
        part = slice(start, start + step)
        equal = (lists[part][:, None, :] == sought[part][:, :, None]) & (sought[part] >= 0)[:, :, None]
        row, column, rank = np.nonzero(equal)
        found[start + row, column] = rank + 1
    return found


def _hits(lists: IntMatrix, truth: ItemLists) -> BoolMatrix:
    hit = np.zeros(lists.shape, bool)
    place = wanted_places(lists, truth)
    hit[truth.owner[place > 0], place[place > 0] - 1] = True
    return hit


def _limits(width: int) -> IntVector:
    """Last rank of each bucket, up to ``width``."""
    return np.array([*(one for one in _UPPER if one < width), width])


def _bucket(rank: IntVector, limits: IntVector) -> IntVector:
    """(m,) bucket of each rank; 0, which is no rank, goes behind the last."""
    return np.where(rank > 0, np.searchsorted(limits, rank), len(limits))


def _labels(limits: IntVector) -> list[str]:
    lows = [1, *(limits[:-1] + 1).tolist()]
    return [str(high) if low == high else f"{low}-{high}" for low, high in zip(lows, limits.tolist(), strict=True)]
