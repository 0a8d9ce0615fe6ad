"""An order of the training users that depends on what they did, not on their numbers.

Training by stochastic gradient depends on the order of the rows: in this one, the same log gives the same model however
its users are numbered.
"""

import numpy as np

from encorec.data.interactions import Interactions
from encorec.types import IntVector

__all__ = ["order_by_deeds"]

ITEM, TIME, MIX = (np.uint64(number) for number in (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9))


def order_by_deeds(table: Interactions) -> IntVector:
    """(n,) users with interactions, ordered by a hash of their items and times; twins keep their order.

    Example:
        >>> one = Interactions.of([0, 1, 1], [5, 6, 7], [1, 2, 3])
        >>> other = Interactions.of([1, 0, 0], [5, 6, 7], [1, 2, 3])
        >>> order_by_deeds(one).tolist() == (1 - order_by_deeds(other)).tolist()
        True
    """
    users = np.flatnonzero(table.user_counts)
    mixed = table.item.astype(np.uint64) * ITEM ^ table.time.astype(np.uint64) * TIME
    mixed = (mixed ^ mixed >> np.uint64(29)) * MIX
    total = np.add.reduceat(mixed, table.indptr[users]) if len(users) else np.empty(0, np.uint64)
    return users[np.argsort(total, kind="stable")]
