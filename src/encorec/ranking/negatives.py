"""Which of the candidates that a user did not take the ranker learns from."""

from dataclasses import dataclass
from math import ceil
from typing import Literal, TypeAlias

import numpy as np

from encorec.ranking.training_set import label, sample
from encorec.types import Candidates, FloatVector, IntVector, ItemLists

__all__ = ["NegativeStrategy", "Negatives"]

NegativeStrategy: TypeAlias = Literal["random", "all", "popularity", "hard", "impressions"]

RRF_CONSTANT = 60


@dataclass(frozen=True)
class Negatives:
    """How the rows of one label fold are drawn: all candidates that were taken, and some of the others.

    Args:
        strategy: ``random`` draws evenly, ``all`` keeps every candidate, ``popularity`` draws in proportion to
            popularity ** power, ``hard`` takes the best placed by the retrievers first, ``impressions`` those that
            were shown; what is then missing is drawn evenly.
        count: others kept per query.
        power: of the popularity; 0 = even. mikolov2013 has 0.75.
        hard_share: share of ``count`` that the best placed fill, 0 to 1.

    Example:
        >>> ranks = np.array([[3.0], [1.0], [2.0]])
        >>> found = Candidates(np.zeros(3, int), np.array([4, 5, 6]), np.ones((3, 1)), ranks, ("als",))
        >>> hard = Negatives("hard", count=1, hard_share=1.0)
        >>> hard.rows(found, np.array([1.0, 0, 0]), np.random.default_rng(0)).tolist()
        [0, 1]
    """

    strategy: NegativeStrategy = "random"
    count: int = 60
    power: float = 0.75
    hard_share: float = 0.5

    def rows(
        self,
        candidates: Candidates,
        taken: FloatVector,
        rng: np.random.Generator,
        *,
        popularity: IntVector | None = None,
        shown: ItemLists | None = None,
    ) -> IntVector:
        """(r,) increasing numbers of the candidates to learn from; queries without one that was taken are left out.

        Args:
            candidates: m candidates of n queries.
            taken: (m,) above 0 = taken.
            rng: source of the draw.
            popularity: (items,) interactions of each item; for ``popularity``.
            shown: n lists of the items that were shown; for ``impressions``.
        """
        query, drawn = candidates.query, self.count
        weight, tier = None, None
        if self.strategy == "all":
            drawn = None
        elif self.strategy == "popularity" and popularity is not None:
            weight = popularity[candidates.item].astype(np.float64) ** self.power
        elif self.strategy == "hard":
            tier = (_place(candidates, taken) >= ceil(self.hard_share * self.count)).astype(np.int64)
        elif self.strategy == "impressions" and shown is not None:
            tier = (label(candidates, shown) == 0).astype(np.int64)
        return sample(taken, query, drawn, rng, weight=weight, tier=tier)


def _place(candidates: Candidates, taken: FloatVector) -> IntVector:
    """(m,) place of each candidate among those of its query that were not taken, from 0, by the fusion of all ranks.

    Equal ones stand in catalogue order. Reciprocal rank fusion: cormack2009.
    """
    fused = np.nansum(1 / (RRF_CONSTANT + candidates.rank), axis=1)
    order = np.lexsort((-fused, taken > 0, candidates.query))
    query = candidates.query[order]
    starts = np.searchsorted(query, query)
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order)) - starts
    return place
