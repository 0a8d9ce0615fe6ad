"""The catalogue by popularity: the answer that is always there, also when nothing else is."""

from dataclasses import dataclass

import numpy as np

from encorec.types import BoolMatrix, BoolVector, IntVector, Slate

__all__ = ["POPULARITY", "PopularOrder", "popular_scores"]

POPULARITY = "popularity"
"""The source that such an answer names."""

_RRF_CONSTANT = 60


@dataclass(frozen=True)
class PopularOrder:
    """Items that can be shown, most popular first.

    Args:
        order: (c,) rows of items, each once.
        items: size of the catalogue, shown or not.

    Example:
        >>> PopularOrder.of(np.array([3, 9, 0, 5]), np.array([True, True, False, True])).order.tolist()
        [1, 3, 0]
    """

    order: IntVector
    items: int

    @classmethod
    def of(cls, popularity: IntVector, catalogue: BoolVector) -> "PopularOrder":
        """From how popular each item is.

        Args:
            popularity: (items,) users of each item; equal ones stay in catalogue order.
            catalogue: (items,) items that can be shown.
        """
        order = np.argsort(-popularity, kind="stable")
        return cls(order[catalogue[order]], len(catalogue))

    def best(self, k: int, exclude: IntVector, allow: IntVector | None = None) -> IntVector:
        """(m,) rows of the ``min(k, eligible)`` most popular items.

        Args:
            k: places.
            exclude: rows of items that may not be shown.
            allow: rows of the only items that may be shown; none = all.

        Example:
            >>> popular = PopularOrder(np.array([1, 3, 0]), 4)
            >>> popular.best(2, np.array([3])).tolist(), popular.best(2, np.array([], int), np.array([0, 2])).tolist()
            ([1, 0], [0])
        """
        shown = np.full(self.items, allow is None)
        if allow is not None:
            shown[allow] = True
        shown[exclude] = False
        head = self.order[: k + len(exclude)] if allow is None else self.order
        return head[shown[head]][:k]

    def slate(self, k: int, mask: BoolMatrix) -> Slate:
        """The ``min(k, eligible)`` most popular items of n queries.

        Args:
            k: places.
            mask: (n, items) items that may be shown.

        Example:
            >>> slate = PopularOrder(np.array([1, 3, 0]), 4).slate(3, np.array([[True, False, True, True]]))
            >>> slate.item.tolist(), slate.source_names(0, 0)
            ([[3, 0, -1]], ['popularity'])
        """
        slate = Slate.empty(len(mask), k, (POPULARITY,))
        for row, shown in enumerate(mask):
            found = self.order[shown[self.order]][:k]
            slate.item[row, : len(found)] = found
            slate.score[row, : len(found)] = popular_scores(len(found))
            slate.source[row, : len(found)] = 1
        slate.counts.update(candidates=int(slate.filled.sum()), selected=int(slate.filled.sum()))
        return slate


def popular_scores(n: int) -> list[float]:
    """Scores of n places: reciprocal rank fusion of popularity alone.

    Example:
        >>> [round(score, 4) for score in popular_scores(2)]
        [0.0164, 0.0161]
    """
    return [1 / (_RRF_CONSTANT + place) for place in range(1, n + 1)]  # cormack2009
