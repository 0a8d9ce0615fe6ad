"""A list that several rankers made together, and whose each place is."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from encorec.types import FloatVector, IntVector

__all__ = ["NOBODY", "Interleaved"]

NOBODY = -1


@dataclass(frozen=True)
class Interleaved:
    """A mixed list of at most k items.

    Args:
        items: best first.
        team: (k,) int8 ranker that gets the credit of each place, -1 = nobody.
        credit: (k,) float64 what a click there is worth, 0 where nobody gets it.

    Example:
        >>> Interleaved([7, 5], np.array([0, -1], np.int8), np.array([1.0, 0.0])).items
        [7, 5]
    """

    items: list[int | str]
    team: IntVector
    credit: FloatVector

    @classmethod
    def of(cls, items: list[int | str], team: Sequence[int]) -> "Interleaved":
        """Every place of a ranker is worth 1.

        Example:
            >>> Interleaved.of([7, 5], [0, -1]).credit.tolist()
            [1.0, 0.0]
        """
        owner = np.array(team, np.int8)
        return cls(items, owner, (owner != NOBODY).astype(np.float64))

    def neutral_from(self, place: int) -> "Interleaved":
        """The same list, in which the places from this one on, counted from 0, belong to nobody.

        Example:
            >>> Interleaved.of([7, 5], [0, 1]).neutral_from(1).team.tolist()
            [0, -1]
        """
        owned = np.arange(len(self.items)) < place
        team = np.where(owned, self.team, NOBODY).astype(np.int8)
        return Interleaved(self.items, team, np.where(owned, self.credit, 0.0))
