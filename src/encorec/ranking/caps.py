"""At most so many items of a genre, a category or a franchise in one slate, as long as there is anything else."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from encorec.compiled import INT32, INT64, compiled, read, record
from encorec.data.features import FeatureTable
from encorec.ranking.item_traits import ItemTraits
from encorec.ranking.read_only import read_only
from encorec.types import BoolVector, FloatVector, IntVector

__all__ = ["CAPS", "CapArrays", "caps_of", "count_item", "next_place"]


class CapArrays(NamedTuple):
    """Which capped values every item has, and how many of each a slate may hold.

    ``offsets`` (items + 1,) int64, ``code`` (t,) int32 values; ``limit`` (values,) int32.

    Example:
        >>> CapArrays(np.array([0, 1]), np.array([0], np.int32), np.array([3], np.int32)).limit.tolist()
        [3]
    """

    offsets: IntVector
    code: IntVector
    limit: IntVector


CAPS = record(CapArrays, read(INT64), read(INT32), read(INT32))


def caps_of(table: FeatureTable, caps: Mapping[str, int]) -> CapArrays:
    """Caps by feature: at most so many items of any one of its values; an item without a value is free.

    Args:
        table: features of all items.
        caps: by column of tags or categories.

    Raises:
        ConfigError: no such column.

    Example:
        >>> from encorec.data.features import Categories
        >>> table = FeatureTable(3, categorical={"series": Categories.of(["a", "b", None])})
        >>> caps = caps_of(table, {"series": 1})
        >>> caps.code.tolist(), caps.limit.tolist()
        ([0, 1], [1, 1])
    """
    if not caps:
        none = np.empty(0, np.int32)
        return read_only(CapArrays(np.zeros(table.size + 1, np.int64), none, none))
    traits = ItemTraits.of(table, list(caps), where="selection.caps")
    sizes = [len(table.tags[name].values if name in table.tags else table.categorical[name].values) for name in caps]
    limit = np.repeat(np.fromiter(caps.values(), np.int32, len(caps)), sizes)
    return read_only(CapArrays(traits.arrays.offsets, traits.arrays.code, limit))


@compiled()
def count_item(one: Any, caps: CapArrays, count: IntVector, change: int) -> None:
    """Add ``change`` to the ``count`` (values,) of every capped value of an item.

    Example:
        >>> count = np.zeros(1, np.int32)
        >>> caps = CapArrays(np.array([0, 1]), np.zeros(1, np.int32), np.ones(1, np.int32))
        >>> count_item(0, caps, count, 1)
        >>> count.tolist()
        [1]
    """
    for at in range(caps.offsets[one], caps.offsets[one + 1]):
        count[caps.code[at]] += change


@compiled()
def _room(one: Any, caps: CapArrays, count: IntVector) -> bool:
    """Whether no cap of the item is reached."""
    reached = 0
    for at in range(caps.offsets[one], caps.offsets[one + 1]):
        reached += 1 if count[caps.code[at]] >= caps.limit[caps.code[at]] else 0
    return reached == 0


@compiled()
def next_place(
    order: IntVector, item: IntVector, taken: BoolVector, gain: FloatVector, size: int, caps: CapArrays,
    count: IntVector,
) -> tuple[int, bool]:  # fmt: skip
    """The place whose candidate is chosen next, and whether the caps left room for it.

    Of the pool's first ``size`` candidates the one of largest ``gain``, the earlier of equal ones; then the others in
    their order; what has reached a cap comes last. -1 where nothing is left.

    Example:
        >>> caps = CapArrays(np.array([0, 1, 2]), np.zeros(2, np.int32), np.ones(1, np.int32))
        >>> order, item, gain = np.array([0, 1]), np.array([0, 1], np.int32), np.array([0.2, 0.7])
        >>> next_place(order, item, np.array([False, False]), gain, 2, caps, np.zeros(1, np.int32))
        (1, True)
        >>> next_place(order, item, np.array([False, True]), gain, 2, caps, np.ones(1, np.int32))
        (0, False)
    """
    best, first_other, best_capped, other_capped = -1, -1, -1, -1
    for place in range(size):
        if not taken[place] and (best < 0 or gain[place] > gain[best]) and _room(item[order[place]], caps, count):
            best = place
    if best < 0:
        for place in range(len(order)):
            if order[place] < 0:
                break
            if taken[place]:
                continue
            if place < size:
                if best_capped < 0 or gain[place] > gain[best_capped]:
                    best_capped = place
            elif _room(item[order[place]], caps, count):
                first_other = place
                break
            elif other_capped < 0:
                other_capped = place
    if best < 0:
        best = first_other
    free = best >= 0
    if not free:
        best = best_capped if best_capped >= 0 else other_capped
    return best, free
