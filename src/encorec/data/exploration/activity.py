"""How unequally interactions are spread over users or items: a few have many, most have few."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from encorec.types import FloatVector, IntVector

__all__ = ["Activity"]

_POINTS = 200


@dataclass(frozen=True)
class Activity:
    """Interactions of everybody (or everything) that has any.

    Args:
        counts: (n,) int64 interactions, the most first, each at least 1.

    Example:
        >>> Activity.of(np.array([1, 0, 5, 2])).counts.tolist()
        [5, 2, 1]
    """

    counts: IntVector

    @classmethod
    def of(cls, counts: IntVector) -> "Activity":
        """From (n,) interactions of all, those without any among them."""
        return cls(np.sort(counts[counts > 0])[::-1].astype(np.int64))

    def __len__(self) -> int:
        return len(self.counts)

    @property
    def gini(self) -> float:
        """How unequal: 0 = all alike, towards 1 = one has everything; 0 for nobody.

        Example:
            >>> Activity.of(np.array([3, 3])).gini, round(Activity.of(np.array([1, 3])).gini, 4)
            (0.0, 0.25)
        """
        total, size = int(self.counts.sum()), len(self)
        if not total:
            return 0.0
        return float((size + 1 - 2 * np.arange(1, size + 1)) @ self.counts) / (size * total)  # gini1912

    def top_share(self, part: float) -> float:
        """Share of all interactions that belongs to the most active ``part`` (0 to 1), at least to one.

        Example:
            >>> Activity.of(np.array([6, 2, 1, 1])).top_share(0.25)
            0.6
        """
        if not len(self):
            return 0.0
        head = max(1, int(np.floor(part * len(self) + 1e-9)))
        return float(self.counts[:head].sum() / self.counts.sum())

    def half(self) -> int:
        """How few of the most active have half of all interactions.

        Example:
            >>> Activity.of(np.array([5, 1, 1, 1, 1, 1])).half()
            1
        """
        if not len(self):
            return 0
        return int(np.searchsorted(np.cumsum(self.counts), self.counts.sum() / 2)) + 1

    def at_most(self, limits: Sequence[int]) -> list[int]:
        """How many have at most so many interactions, for each of ``limits``.

        Example:
            >>> Activity.of(np.array([5, 1, 1, 2])).at_most([1, 2, 9])
            [2, 3, 4]
        """
        return np.searchsorted(self.counts[::-1], np.asarray(limits), side="right").tolist()

    def concentration(self) -> tuple[FloatVector, FloatVector]:
        """The curve of concentration: (p,) share of the most active and (p,) the share of interactions they have.

        Both run from 0 to 1; the points stand closer where the curve is steep.

        Example:
            >>> head, have = Activity.of(np.array([3, 1])).concentration()
            >>> head.tolist(), have.tolist()
            ([0.0, 0.5, 1.0], [0.0, 0.75, 1.0])
        """
        size = len(self)
        if not size:
            return np.array([0.0, 1.0]), np.array([0.0, 1.0])
        places = np.concatenate([np.geomspace(1, size, _POINTS), np.linspace(1, size, _POINTS)])
        heads = np.unique(np.concatenate([[0], np.round(places).astype(np.int64)]))
        reached = np.concatenate([[0], np.cumsum(self.counts)])[heads]
        return heads / size, reached / reached[-1]  # lorenz1905, from the other end
