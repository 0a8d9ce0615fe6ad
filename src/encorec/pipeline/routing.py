"""Whose order answers a query, by the number of events in its history.

A ranker that has seen few short histories may order their candidates worse than one list that is the same for
everybody. Where the label folds show that, such queries get the order of the better source (``routing_choice``).
"""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import msgspec
import numpy as np

from encorec.data.history_lengths import LENGTHS, length_places
from encorec.ranking.calibration import Calibration
from encorec.types import Candidates, FloatVector, IntVector

__all__ = ["FUSED", "Route", "Routing", "in_query_order", "order_scores"]

FUSED = "rrf"
RRF_CONSTANT = 60
_BEGINS = [least for least, _ in LENGTHS.values()][1:]


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """What the newest label fold says of queries with so many events in their history, and who orders for them.

    Args:
        events: length of the history, as in ``LENGTHS``.
        order: source whose order is served, or ``rrf``; none = the ranker's.
        queries: asked for the decision.
        shortened: of these, how many have the history of another user, cut to this length.
        taught: queries of other label folds from which the ranker learnt.
        ranker: its NDCG@10; none = nobody was asked.
        best: the best other order; where the ranker was not taught, the best list that is the same for everybody.
        mean: its NDCG@10.
        p: one-sided, of the paired test that decides: where the ranker was taught, whether ``best`` is better than it;
            where not, whether it or a source is better than ``best``.

    Example:
        >>> Route(events="new", order="popular", queries=0, shortened=0, taught=0).order
        'popular'
    """

    events: str
    order: str | None
    queries: int
    shortened: int
    taught: int
    ranker: float | None = None
    best: str | None = None
    mean: float | None = None
    p: float | None = None


@dataclass(frozen=True)
class Routing:
    """Which histories are not answered in the ranker's order.

    Args:
        orders: length of the history, as in ``LENGTHS`` -> a source, or ``rrf``; lengths left out are the ranker's.
        told: why, for every length; empty where it comes from an artifact.
        calibrations: length of the history -> map from the scores of that order to probabilities.

    Example:
        >>> routing = Routing({"new": "popular"})
        >>> routing.order_of(0), routing.order_of(1)
        ('popular', None)
    """

    orders: Mapping[str, str]
    told: tuple[Route, ...] = ()
    calibrations: Mapping[str, Calibration] = field(default_factory=dict[str, Calibration])

    @cached_property
    def _by_place(self) -> list[str | None]:
        return [self.orders.get(label) for label in LENGTHS]

    def order_of(self, length: int) -> str | None:
        """Whose order a query with a history of ``length`` events gets; none = the ranker's."""
        return self._by_place[bisect_right(_BEGINS, length)]

    def groups(self, lengths: IntVector) -> list[tuple[str | None, IntVector]]:
        """Who orders, and the increasing rows (n',) of the queries that he orders.

        Args:
            lengths: (n,) events in the history of each query.

        Example:
            >>> [(order, rows.tolist()) for order, rows in Routing({"new": "als"}).groups(np.array([3, 0, 9]))]
            [(None, [0, 2]), ('als', [1])]
        """
        places, orders = length_places(lengths), self._by_place
        found: dict[str | None, list[int]] = {}
        for place in np.flatnonzero(np.bincount(places, minlength=len(orders))).tolist():
            found.setdefault(orders[place], []).append(place)
        chosen = sorted(found.items(), key=lambda one: one[0] or "")
        return [(order, np.flatnonzero(np.isin(places, kept))) for order, kept in chosen]

    def probability(self, lengths: IntVector, score: FloatVector, chance: FloatVector) -> FloatVector:
        """(n, ...) float64 ``chance``, but that of their own map for the scores of routed queries.

        Args:
            lengths: (n,) events in the history that each row belongs to.
            score: (n, ...) relevance.
            chance: (n, ...) what the map of the ranker's scores says.
        """
        found, places = np.array(chance, np.float64), length_places(lengths)
        for place, label in enumerate(LENGTHS):
            if label in self.calibrations and (rows := places == place).any():
                found[rows] = self.calibrations[label].probability(score[rows])
        return found

    def without(self, source: str) -> "Routing":
        """The same, but the ranker orders where ``source`` did."""
        kept = {label: order for label, order in self.orders.items() if order != source}
        return Routing(kept, self.told, {label: one for label, one in self.calibrations.items() if label in kept})


def order_scores(candidates: Candidates, source: str | None) -> FloatVector:
    """(m,) the scores of one source, or reciprocal rank fusion of all where it is none.

    Args:
        candidates: m candidates.
        source: name of a source.

    Example:
        >>> found = Candidates(np.array([0]), np.array([3]), np.full((1, 1), 0.5), np.ones((1, 1)), ("als",))
        >>> order_scores(found, "als").tolist(), order_scores(found, None).round(4).tolist()
        ([0.5], [0.0164])
    """
    if source is not None:
        return candidates.score[:, candidates.sources.index(source)]
    return np.nansum(1 / (RRF_CONSTANT + candidates.rank), axis=1)  # cormack2009


def in_query_order(parts: list[tuple[IntVector, Candidates]]) -> Candidates:
    """Candidates of some queries each, as one.

    Args:
        parts: increasing rows (n',) of the queries, and their candidates.

    Example:
        >>> one = Candidates(np.array([0]), np.array([3]), np.ones((1, 1)), np.ones((1, 1)), ("als",))
        >>> in_query_order([(np.array([1]), one), (np.array([0]), one)]).query.tolist()
        [0, 1]
    """
    found = [one for _, one in parts]
    query = np.concatenate([rows[one.query] for rows, one in parts]).astype(np.int32)
    order = np.argsort(query, kind="stable")
    relevance = [one.relevance for one in found if one.relevance is not None]
    return Candidates(
        query[order],
        np.concatenate([one.item for one in found])[order],
        np.concatenate([one.score for one in found])[order],
        np.concatenate([one.rank for one in found])[order],
        found[0].sources,
        np.concatenate(relevance)[order] if len(relevance) == len(found) else None,
    )
