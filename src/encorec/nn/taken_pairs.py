"""Which user took which item, to ask of many pairs at once."""

from dataclasses import dataclass

import numpy as np

from encorec.data.interactions import Interactions, distinct
from encorec.types import BoolMatrix, IntMatrix, IntVector

__all__ = ["TakenPairs"]


@dataclass(frozen=True)
class TakenPairs:
    """Pairs of the events that are trained on.

    Args:
        pair: (p,) int64 ``user * items + item``, increasing.
        items: of the catalogue.

    Example:
        >>> table = Interactions.of([0, 0, 1], [5, 6, 6], [1, 2, 3])
        >>> pairs = TakenPairs.of(table, held_out=np.array([0]))
        >>> pairs.hold(np.array([0, 1]), np.array([[5, 6], [5, 6]])).tolist()
        [[True, False], [False, True]]
    """

    pair: IntVector
    items: int

    @classmethod
    def of(cls, table: Interactions, held_out: IntVector) -> "TakenPairs":
        """All events of the table but the newest ones that are kept aside.

        Args:
            table: of all interactions.
            held_out: (v,) users whose newest event is kept aside.
        """
        kept = np.ones(len(table), bool)
        kept[table.indptr[1:][held_out] - 1] = False
        return cls(distinct(table.user[kept].astype(np.int64) * table.items + table.item[kept]), table.items)

    def hold(self, user: IntVector, item: IntMatrix) -> BoolMatrix:
        """(m, n) whether the users (m,) took the items (m, n)."""
        asked = user.astype(np.int64)[:, None] * self.items + item
        place = np.searchsorted(self.pair, asked)
        return np.append(self.pair, -1)[place] == asked
