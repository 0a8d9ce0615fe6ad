"""The same user and item more than once: a habit where things are taken again, a fault where they cannot be."""

from dataclasses import dataclass

import numpy as np

from encorec.data.interactions import Interactions
from encorec.types import BoolVector, IntVector

__all__ = ["RepeatedPairs"]


@dataclass(frozen=True)
class RepeatedPairs:
    """How often pairs of user and item stand in the table.

    Args:
        pairs: distinct pairs.
        again: interactions beyond the first of their pair.
        repeated_pairs: pairs that stand more than once.
        same_second: interactions that have the user, item and time of an earlier one.
        exact: of these, interactions that have its weight as well.
        times: (t,) how often a pair stands: 1, 2, 3 and so on, as far as it goes, at most 10 (and more).
        most: how often the most repeated pair stands.
        most_pair: (user, item) rows of that pair, (-1, -1) where there is none.
        exact_at: place of the first exact repeat in the table, -1 = none.

    Example:
        >>> found = RepeatedPairs.of(Interactions.of([0, 0, 0], [1, 1, 2], [5, 5, 6]))
        >>> found.again, found.exact, found.most_pair, found.times.tolist()
        (1, 1, (0, 1), [1, 1])
    """

    pairs: int
    again: int
    repeated_pairs: int
    same_second: int
    exact: int
    times: IntVector
    most: int
    most_pair: tuple[int, int]
    exact_at: int

    @classmethod
    def of(cls, table: Interactions) -> "RepeatedPairs":
        """Counted over all interactions."""
        if not len(table):
            return cls(0, 0, 0, 0, 0, np.zeros(0, np.int64), 0, (-1, -1), -1)
        key = table.user.astype(np.int64) * table.items + table.item
        ordered = np.sort(key)
        starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
        lengths = np.diff(starts, append=len(ordered))
        most = int(lengths.argmax())
        pair = divmod(int(ordered[starts[most]]), table.items)
        same, exact = _same_second(table, ordered[starts[lengths > 1]], key)
        return cls(
            pairs=len(starts),
            again=len(table) - len(starts),
            repeated_pairs=int((lengths > 1).sum()),
            same_second=int(same.sum()),
            exact=int(exact.sum()),
            times=np.bincount(np.minimum(lengths, 10))[1:],
            most=int(lengths[most]),
            most_pair=(int(pair[0]), int(pair[1])) if lengths[most] > 1 else (-1, -1),
            exact_at=int(exact.argmax()) if exact.any() else -1,
        )


def _same_second(table: Interactions, repeated: IntVector, key: IntVector) -> tuple[BoolVector, BoolVector]:
    """(m,) which interactions repeat an earlier one to the second, and which of these with the same weight.

    Args:
        table: all interactions.
        repeated: (r,) the keys that stand more than once, ascending.
        key: (m,) user and item of each interaction as one number.
    """
    same, exact = np.zeros(len(table), bool), np.zeros(len(table), bool)
    if len(repeated):
        place = np.minimum(np.searchsorted(repeated, key), len(repeated) - 1)
        rows = np.flatnonzero(repeated[place] == key)
        for found, columns in ((same, ()), (exact, (table.weight[rows],))):
            order = np.lexsort((rows, *columns, table.time[rows], key[rows]))
            last, this = rows[order[:-1]], rows[order[1:]]
            alike = (key[last] == key[this]) & (table.time[last] == table.time[this])
            found[this] = alike & (table.weight[last] == table.weight[this]) if columns else alike
    return same, exact
