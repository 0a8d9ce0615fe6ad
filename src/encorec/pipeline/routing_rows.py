"""Queries of a label fold on which ranker and sources are compared: some of every length of history, with all that was
proposed to them, for negatives that were drawn would flatter the ranker.

Lengths that the fold hardly holds are asked with the histories of others, cut to their newest events.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from encorec.data.fold import Fold
from encorec.data.history_lengths import LENGTHS, length_places
from encorec.pipeline.routing import FUSED, order_scores
from encorec.pipeline.two_stage import FirstStage, query_blocks
from encorec.protocols import Ranker
from encorec.ranking.explain import ndcg
from encorec.ranking.training_set import label
from encorec.types import BoolVector, Candidates, FloatMatrix, FloatVector, IntVector, Queries

__all__ = ["RoutingDraw", "RoutingRows", "offered_orders"]

K = 10
LARGEST, SHORTENED, LEAST = 2000, 1000, 100
CUT_TO = {"new": (0,), "1-4": (1, 2, 4), "5-19": (5, 10, 19)}


def offered_orders(quotas: Mapping[str, int]) -> tuple[str, ...]:
    """Orders that may be served instead of the ranker's: sources that propose something, and the fusion of all.

    Args:
        quotas: items asked of each source.

    Example:
        >>> offered_orders({"als": 100, "ease": 0, "popular": 20})
        ('als', 'popular', 'rrf')
    """
    sources = tuple(name for name, quota in quotas.items() if quota)
    return sources if FUSED in quotas or len(sources) < 2 else (*sources, FUSED)


@dataclass(frozen=True)
class RoutingRows:
    """Queries, what every source made of them, and the candidates of those where the ranker can make a difference.

    Args:
        place: (q,) int64 length of the history, as a place in ``LENGTHS``.
        user: (q,) int32 user of each query.
        shortened: (q,) whether the history was cut to this length.
        value: (q, orders) float64 NDCG@10 of each order of ``offered_orders``.
        wanted: (q,) int64 items that the user took, proposed or not.
        features: (r, F) float32 all candidates of the queries to which something was proposed that was taken.
        taken: (r,) float32 above 0 = taken.
        query: (r,) int32 non-decreasing row of the query.

    Example:
        >>> rows = RoutingRows.empty(orders=2, features=3)
        >>> rows.value.shape, rows.features.shape
        ((0, 2), (0, 3))
    """

    place: IntVector
    user: IntVector
    shortened: BoolVector
    value: FloatMatrix
    wanted: IntVector
    features: FloatMatrix
    taken: FloatVector
    query: IntVector

    def __len__(self) -> int:
        return len(self.place)

    @classmethod
    def empty(cls, orders: int, features: int) -> "RoutingRows":
        """No queries.

        Args:
            orders: columns of ``value``.
            features: columns of ``features``.
        """
        none, bare = np.empty(0, np.int32), np.empty(0, np.float32)
        value, rows = np.empty((0, orders)), np.empty((0, features), np.float32)
        return cls(none.astype(np.int64), none, none.astype(bool), value, none.astype(np.int64), rows, bare, none)

    @staticmethod
    def join(parts: Sequence["RoutingRows"]) -> "RoutingRows":
        """All parts below each other; at least one."""
        before = np.cumsum([0, *(len(one) for one in parts)])
        query = [one.query + first for one, first in zip(parts, before, strict=False)]
        names = ("place", "user", "shortened", "value", "wanted", "features", "taken")
        joined: dict[str, Any] = {name: np.concatenate([getattr(one, name) for one in parts]) for name in names}
        return RoutingRows(**joined, query=np.concatenate(query).astype(np.int32))

    def take(self, kept: BoolVector) -> "RoutingRows":
        """The queries where ``kept`` (q,)."""
        rows, place = kept[self.query], np.cumsum(kept) - 1
        return RoutingRows(
            self.place[kept],
            self.user[kept],
            self.shortened[kept],
            self.value[kept],
            self.wanted[kept],
            self.features[rows],
            self.taken[rows],
            place[self.query[rows]].astype(np.int32),
        )

    def of_ranker(self, ranker: Ranker) -> FloatVector:
        """(q,) float64 NDCG@10 of the ranker's order."""
        if not len(self.taken):
            return np.zeros(len(self))
        return ndcg(np.asarray(ranker.score(self.features)), self.taken, self.query, self.wanted, K)


class RoutingDraw:
    """Chooses the queries and judges the sources, block by block.

    Args:
        wanted: whether routing is decided on this fold; draws nothing where not.
        first: the first stage that answers.
        lengths: (n,) events in the history of each query of the fold.
        rng: source of the draw; what else is drawn from it stays the same.

    Example:
        >>> from encorec.pipeline.candidate_features import CandidateFeatures, FeatureConfig
        >>> features = CandidateFeatures(FeatureConfig(groups=("scores",)), (), {})
        >>> RoutingDraw(False, FirstStage({}, {}, features), np.array([3]), np.random.default_rng(0)).rows() is None
        True
    """

    def __init__(self, wanted: bool, first: FirstStage, lengths: IntVector, rng: np.random.Generator) -> None:
        self._first, self._orders = first, offered_orders(first.quotas)
        self._rng, self._place = rng.spawn(1)[0], length_places(lengths)
        self._chosen = np.zeros(len(lengths), bool)
        self._parts = [RoutingRows.empty(len(self._orders), len(first.features.names))] if wanted else []
        for place in range(len(LENGTHS) if wanted else 0):
            here = np.flatnonzero(self._place == place)
            self._chosen[here if len(here) <= LARGEST else self._rng.choice(here, LARGEST, replace=False)] = True

    def add(self, block: slice, fold: Fold, candidates: Candidates, features: FloatMatrix, taken: FloatVector) -> None:
        """All candidates of a block of queries.

        Args:
            block: their rows among all queries of the fold.
            fold: the fold, of this block alone.
            candidates: m candidates.
            features: (m, F) of these.
            taken: (m,) above 0 = taken.
        """
        chosen = self._chosen[block]
        if not chosen.any():
            return
        place = self._place[block][chosen]
        if not chosen.all():
            kept, number = chosen[candidates.query], np.cumsum(chosen) - 1
            query, one = number[candidates.query[kept]].astype(np.int32), candidates
            candidates = Candidates(query, one.item[kept], one.score[kept], one.rank[kept], one.sources)
            fold, features, taken = fold.take(np.flatnonzero(chosen)), features[kept], taken[kept]
        self._parts.append(self._judged(fold, place, candidates, features, taken, shortened=False))

    def ask_shortened(self, queries: Queries, fold: Fold) -> None:
        """Ask for the lengths that the fold hardly holds, with the histories of users who have more.

        Args:
            queries: all of the fold.
            fold: the same.
        """
        for place, rows, events in self._cuts():
            short = queries.take(rows)
            short, known = short.with_history(short.history.tail(events)), fold.take(rows)
            for block in query_blocks(short):
                part, one = short.take(block), known.take(block)
                found = self._first.candidates(part)
                features = self._first.features.compute(part, found, self._first.retrievers)
                taken = label(found, one.truth)
                places = np.full(len(part), place)
                self._parts.append(self._judged(one, places, found, features, taken, shortened=True))

    def rows(self) -> RoutingRows | None:
        """Everything drawn; none where nothing was wanted."""
        return RoutingRows.join(self._parts) if self._parts else None

    def _cuts(self) -> Iterator[tuple[int, IntVector, int]]:
        """Length, queries with more events, and how many of these are left to them."""
        for place, name in enumerate(LENGTHS):
            longer = np.flatnonzero(self._place > place)
            if not self._parts or name not in CUT_TO or np.count_nonzero(self._place == place) >= LEAST:
                continue
            drawn = self._rng.permutation(longer)[:SHORTENED]
            for turn, events in enumerate(CUT_TO[name]):
                if len(rows := np.sort(drawn[turn :: len(CUT_TO[name])])):
                    yield place, rows, events

    def _judged(
        self,
        fold: Fold,
        place: IntVector,
        candidates: Candidates,
        features: FloatMatrix,
        taken: FloatVector,
        *,
        shortened: bool,
    ) -> RoutingRows:
        wanted, n = fold.truth.lengths, len(fold)
        orders = (order_scores(candidates, None if name == FUSED else name) for name in self._orders)
        value = [ndcg(scores, taken, candidates.query, wanted, K) for scores in orders]
        kept = np.bincount(candidates.query, taken > 0, minlength=n)[candidates.query] > 0
        return RoutingRows(
            place.astype(np.int64),
            fold.user,
            np.full(n, shortened),
            np.stack(value, axis=1) if value else np.empty((n, 0)),
            wanted.astype(np.int64),
            features[kept],
            taken[kept],
            candidates.query[kept].astype(np.int32),
        )
