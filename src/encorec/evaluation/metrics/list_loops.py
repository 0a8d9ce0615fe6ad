"""The loops over lists and truth: faults, hits and common items, one user after the other."""

import numpy as np

from encorec.compiled import BOOL, INT32, INT64, compiled, read, write
from encorec.types import BoolMatrix, IntMatrix, IntVector

__all__ = ["BELOW", "GAP", "TWICE", "count_common", "find_hits", "list_faults", "mark_repeats", "truth_faults"]

_FEW = 16
BELOW, GAP, TWICE = 1, 2, 4


@compiled()
def _repeats(items: IntVector) -> bool:
    """Whether an item that is none below 0 stands twice in the list."""
    if len(items) <= _FEW:
        for place in range(1, len(items)):
            for earlier in range(place):
                if items[earlier] == items[place] and items[place] >= 0:
                    return True
        return False
    ordered = np.sort(items)
    twice = False
    for place in range(1, len(ordered)):
        twice = twice or (ordered[place] == ordered[place - 1] and ordered[place] >= 0)
    return twice


@compiled(read(INT32, 2), write(INT32))
def list_faults(item: IntMatrix, fault: IntVector) -> None:
    """What is wrong with every list: 1 a number below -1, 2 an empty place before an item, 4 an item twice, added up.

    Args:
        item: (n, width) int32.
        fault: (n,) int32, written.

    Example:
        >>> fault = np.empty(3, np.int32)
        >>> list_faults(np.array([[1, -1], [-1, 1], [1, 1]], np.int32), fault)
        >>> fault.tolist()
        [0, 2, 4]
    """
    for row in range(len(item)):
        found, ended = 0, False
        for one in item[row]:
            if one < -1:
                found |= BELOW
            if one >= 0 and ended:
                found |= GAP
            ended = ended or one < 0
        if _repeats(item[row]):
            found |= TWICE
        fault[row] = found


@compiled(read(INT64), read(INT32), write(INT32))
def truth_faults(indptr: IntVector, item: IntVector, fault: IntVector) -> None:
    """What is wrong with every list of relevant items: 1 a number below 0, 4 an item twice, added up.

    Args:
        indptr: (n + 1,) int64 offsets.
        item: (m,) int32.
        fault: (n,) int32, written.

    Example:
        >>> fault = np.empty(2, np.int32)
        >>> truth_faults(np.array([0, 2, 3]), np.array([5, 5, -1], np.int32), fault)
        >>> fault.tolist()
        [4, 1]
    """
    for row in range(len(fault)):
        wanted = item[indptr[row] : indptr[row + 1]]
        found = 0
        for one in wanted:
            if one < 0:
                found |= BELOW
        if _repeats(wanted):
            found |= TWICE
        fault[row] = found


@compiled()
def _position(ordered: IntVector, item: int) -> int:
    """The low half of the number in ``ordered`` whose high half is ``item``; -1 where there is none."""
    low, high = 0, len(ordered)
    while low < high:
        middle = (low + high) // 2
        if ordered[middle] >> 32 < item:
            low = middle + 1
        else:
            high = middle
    if low < len(ordered) and ordered[low] >> 32 == item:
        return ordered[low] & 0xFFFFFFFF
    return -1


@compiled(read(INT32, 2), read(INT64), read(INT32), write(INT32, 2))
def find_hits(item: IntMatrix, indptr: IntVector, wanted: IntVector, found: IntMatrix) -> None:
    """Where in the truth every recommended item stands.

    Long truths are sorted and searched, so that the time per user grows with the length of both lists and not with
    their product.

    Args:
        item: (n, width) int32, -1 = empty.
        indptr: (n + 1,) int64 offsets of the truth.
        wanted: (m,) int32 items of the truth, not negative.
        found: (n, width) int32, written: position in ``wanted``, -1 = no hit.

    Example:
        >>> found = np.empty((1, 2), np.int32)
        >>> find_hits(np.array([[7, 8]], np.int32), np.array([0, 2]), np.array([9, 8], np.int32), found)
        >>> found.tolist()
        [[-1, 1]]
    """
    for row in range(len(item)):
        start, stop = indptr[row], indptr[row + 1]
        few = stop - start <= _FEW
        ordered = np.empty(0 if few else stop - start, np.int64)
        if not few:
            for one in range(start, stop):
                ordered[one - start] = np.int64(wanted[one]) << 32 | one
            ordered.sort()
        for place in range(item.shape[1]):
            shown, where = item[row, place], -1
            if few:
                for one in range(start, stop):
                    if wanted[one] == shown:
                        where = one
            elif shown >= 0:
                where = _position(ordered, shown)
            found[row, place] = where


@compiled(read(INT32, 2), read(INT32, 2), write(INT32))
def count_common(item: IntMatrix, reference: IntMatrix, common: IntVector) -> None:
    """How many items of every list are in the reference list of its row.

    Args:
        item: (n, width) int32, -1 = empty.
        reference: (n, width') int32, or (1, width') for all.
        common: (n,) int32, written.

    Example:
        >>> common = np.empty(1, np.int32)
        >>> count_common(np.array([[7, 8, -1]], np.int32), np.array([[8, -1]], np.int32), common)
        >>> common.tolist()
        [1]
    """
    shared = len(reference) == 1
    for row in range(len(item)):
        other = reference[0 if shared else row]
        few = len(other) <= _FEW
        ordered = np.empty(0 if few else len(other), np.int64)
        if not few:
            for place in range(len(other)):
                ordered[place] = np.int64(other[place]) << 32
            ordered.sort()
        count = 0
        for one in item[row]:
            if one < 0:
                continue
            if few:
                for candidate in other:
                    if candidate == one:
                        count += 1
                        break
            elif _position(ordered, one) >= 0:
                count += 1
        common[row] = count


@compiled(read(INT32, 2), write(BOOL, 2))
def mark_repeats(item: IntMatrix, repeated: BoolMatrix) -> None:
    """Which places hold an item that the list has held before.

    Args:
        item: (n, width) int32, -1 = empty.
        repeated: (n, width) bool, written.

    Example:
        >>> repeated = np.empty((1, 3), bool)
        >>> mark_repeats(np.array([[7, 8, 7]], np.int32), repeated)
        >>> repeated.tolist()
        [[False, False, True]]
    """
    for row in range(len(item)):
        for place in range(item.shape[1]):
            again = False
            for earlier in range(place):
                again = again or (item[row, earlier] == item[row, place] and item[row, place] >= 0)
            repeated[row, place] = again
