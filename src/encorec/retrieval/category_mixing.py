"""One order of items from the orders of several categories, in turns or in groups."""

from typing import Literal

import numpy as np

from encorec.compiled import BOOL, INT32, INT64, compiled, read, write
from encorec.types import BoolVector, FloatVector, IntVector, ItemLists

__all__ = ["Mixing", "Quota", "mixed_order", "quotas", "turns"]

Mixing = Literal["rotate", "group"]
Quota = Literal["equal", "proportional"]


def quotas(popularity: FloatVector, quota: Quota, places: int) -> IntVector:
    """(c,) int64 how many of ``places`` each category gets, the categories by falling popularity; they sum to it.

    Places that are left over go to the most popular. In proportional quotas, categories without a place get one from
    the least popular of those with several, as long as there are some; as in RecTools, which stops after one round.

    Args:
        popularity: (c,) positive.
        quota: ``equal``, or ``proportional`` to popularity.
        places: to be divided.

    Example:
        >>> quotas(np.array([80.0, 15.0, 5.0]), "equal", 10).tolist()
        [4, 3, 3]
        >>> quotas(np.array([80.0, 15.0, 5.0]), "proportional", 10).tolist()
        [8, 1, 1]
    """
    if not len(popularity):
        return np.zeros(0, np.int64)
    share = np.full(len(popularity), 1 / len(popularity)) if quota == "equal" else popularity / popularity.sum()
    given = np.floor(places * share + 1e-9).astype(np.int64)
    given[: places - given.sum()] += 1
    while quota == "proportional" and (given == 0).any() and (given > 1).any():
        without, rich = np.flatnonzero(given == 0), np.flatnonzero(given > 1)
        moved = min(len(without), len(rich))
        given[without[:moved]] = 1
        given[rich[len(rich) - moved :]] -= 1
    return given


def turns(given: IntVector, mixing: Mixing) -> IntVector:
    """(places,) int64 whose turn it is at each place: one after the other in rounds, or each category at once.

    Args:
        given: (c,) places of each category.
        mixing: ``rotate`` or ``group``.

    Example:
        >>> turns(np.array([3, 1, 2]), "rotate").tolist(), turns(np.array([3, 1, 2]), "group").tolist()
        ([0, 1, 2, 0, 2, 0], [0, 0, 0, 1, 2, 2])
    """
    category = np.repeat(np.arange(len(given)), given)
    if mixing == "group":
        return category
    before = np.arange(len(category)) - np.repeat(np.cumsum(given) - given, given)
    return category[np.lexsort((category, before))]


def mixed_order(lists: ItemLists, turn: IntVector, items: int) -> IntVector:
    """(m,) int32 items of all lists, each once: again and again in turns, each its next item that was not taken yet.

    Args:
        lists: items of each category, the best first.
        turn: (places,) int64 the list of each place; none of its lists is left before all are at their end.
        items: size of the catalogue.

    Example:
        >>> mixed_order(ItemLists.of([[0, 1, 2], [1, 3]]), np.array([0, 1]), 4).tolist()
        [0, 1, 2, 3]
    """
    order = np.empty(len(lists.item), np.int32)
    start = lists.indptr[:-1].astype(np.int64)
    size = _take_turns(lists.indptr[1:].astype(np.int64), lists.item, turn, start, np.zeros(items, bool), order)
    return order[:size]


@compiled(read(INT64), read(INT32), read(INT64), write(INT64), write(BOOL), write(INT32), returns=INT64)
def _take_turns(
    end: IntVector, item: IntVector, turn: IntVector, next_place: IntVector, taken: BoolVector, order: IntVector
) -> int:
    """``mixed_order``; returns how many items were placed."""
    size, before = 0, -1
    while size > before:
        before = size
        for one in turn:
            while next_place[one] < end[one] and taken[item[next_place[one]]]:
                next_place[one] += 1
            if next_place[one] < end[one]:
                order[size] = item[next_place[one]]
                taken[order[size]] = True
                size += 1
    return size
