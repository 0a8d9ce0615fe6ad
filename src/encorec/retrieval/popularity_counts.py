"""How often items, or categories of items, are taken: by users, events or weights, faded by age, group by group."""

from typing import Literal, NamedTuple

import numpy as np

from encorec.compiled import BOOL, INT32, compiled, read, write
from encorec.types import BoolVector, FloatMatrix, FloatVector, IntVector, ItemLists

__all__ = ["Count", "Taken", "in_categories", "taken_counts"]

Count = Literal["users", "events", "summed-weight", "mean-weight"]


class Taken(NamedTuple):
    """Events by which things were taken.

    ``user`` (m,) int32 non-decreasing; ``thing`` (m,) int32; ``fade`` (m,) float64 what an event of this age counts,
    which does not fall within a user; ``weight`` (m,) float32.
    """

    user: IntVector
    thing: IntVector
    fade: FloatVector
    weight: FloatVector


def taken_counts(taken: Taken, things: int, count: Count, group: IntVector, groups: int) -> FloatMatrix:
    """(groups, things) float64 how much each thing is taken by each group of users; 0 where it is not.

    Args:
        taken: the events.
        things: how many there are.
        count: ``users`` counts each once, at the newest event; ``events`` all of them; ``summed-weight`` their weights;
            ``mean-weight`` the mean of these, each as much as it fades.
        group: (users,) int64 of each user, -1 = none.
        groups: how many there are.

    Example:
        >>> taken = Taken(np.array([0, 0, 1], np.int32), np.array([1, 1, 0], np.int32), np.ones(3), np.array([2, 4, 1]))
        >>> taken_counts(taken, 2, "users", np.zeros(2, int), 1).tolist()
        [[1.0, 1.0]]
        >>> taken_counts(taken, 2, "mean-weight", np.zeros(2, int), 1).tolist()
        [[1.0, 3.0]]
    """
    kept = group[taken.user] >= 0
    if count == "users":
        kept &= _newest(taken, things)
    place = group[taken.user[kept]] * things + taken.thing[kept]
    fade = taken.fade[kept]
    amount = fade if count in ("users", "events") else fade * taken.weight[kept]
    total = np.bincount(place, amount, groups * things).astype(np.float64)
    if count == "mean-weight":
        number = np.bincount(place, fade, groups * things).astype(np.float64)
        total = np.divide(total, number, out=np.zeros_like(total), where=number > 0)
    return total.reshape(groups, things)


def in_categories(taken: Taken, categories: ItemLists) -> Taken:
    """The same events as takings of categories: each once for every category of its item.

    Args:
        taken: events of items.
        categories: of each item.

    Example:
        >>> taken = Taken(np.array([0, 1], np.int32), np.array([1, 0], np.int32), np.ones(2), np.ones(2))
        >>> in_categories(taken, ItemLists.of([[3], [3, 4]])).thing.tolist()
        [3, 4, 3]
    """
    lists = categories.take(taken.thing)
    return Taken(taken.user[lists.owner], lists.item, taken.fade[lists.owner], taken.weight[lists.owner])


def _newest(taken: Taken, things: int) -> BoolVector:
    """(m,) the last event of each user with each thing."""
    newest = np.zeros(len(taken.user), bool)
    user, thing = np.ascontiguousarray(taken.user, np.int32), np.ascontiguousarray(taken.thing, np.int32)
    _mark_newest(user, thing, np.full(things, -1, np.int32), newest)
    return newest


@compiled(read(INT32), read(INT32), write(INT32), write(BOOL))
def _mark_newest(user: IntVector, thing: IntVector, seen: IntVector, newest: BoolVector) -> None:
    """``_newest``; ``seen`` (things,) is filled with -1."""
    for row in range(len(user) - 1, -1, -1):
        if seen[thing[row]] != user[row]:
            seen[thing[row]] = user[row]
            newest[row] = True
