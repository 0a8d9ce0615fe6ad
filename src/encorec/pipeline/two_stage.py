"""The one function that answers queries: retrieve, featurise, rank, select."""

import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeVar

import numpy as np

from encorec.errors import QueryError
from encorec.pipeline.candidate_features import CandidateFeatures
from encorec.pipeline.candidates import gather
from encorec.pipeline.exploration import ExploringSelector
from encorec.pipeline.leakage import Origin
from encorec.pipeline.routing import Routing, in_query_order, order_scores
from encorec.pipeline.selectors import TopSelector
from encorec.pipeline.watch import Watch, source_stage
from encorec.protocols import Ranker, Retriever, Selector
from encorec.ranking.calibration import Calibration
from encorec.types import Candidates, FloatVector, IntVector, Queries, Slate

__all__ = ["FirstStage", "TwoStage", "in_blocks", "query_blocks", "usable_cores"]

Answer = TypeVar("Answer")

CELLS_PER_BLOCK = 2_000_000
RANKER, SELECTOR = "ranker", "selector"


def query_blocks(queries: Queries) -> Iterator[slice]:
    """Rows of ``queries`` in blocks that keep (block, items) matrices small.

    Example:
        >>> from encorec.types import Eligibility, Histories
        >>> queries = Queries(Histories.empty(3), np.zeros(3, int), Eligibility(np.ones(1_000_000, bool)))
        >>> [(block.start, block.stop) for block in query_blocks(queries)]
        [(0, 2), (2, 3)]
    """
    size = max(1, CELLS_PER_BLOCK // max(queries.items, 1))
    for start in range(0, len(queries), size):
        yield slice(start, min(start + size, len(queries)))


def in_blocks(answer: Callable[[slice], Answer], queries: Queries, threads: int = 1) -> list[Answer]:
    """``answer`` of every block of ``queries``, in order; the compiled loops let threads run side by side.

    Example:
        >>> from encorec.types import Eligibility, Histories
        >>> queries = Queries(Histories.empty(3), np.zeros(3, int), Eligibility(np.ones(1_000_000, bool)))
        >>> in_blocks(lambda block: block.stop - block.start, queries, threads=2)
        [2, 1]
    """
    blocks = query_blocks(queries)
    if threads <= 1:
        return [answer(block) for block in blocks]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(answer, blocks))


def usable_cores() -> int:
    """Cores that this process may use, which may be fewer than the machine has.

    Example:
        >>> usable_cores() >= 1
        True
    """
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True)
class FirstStage:
    """Fitted retrievers, how many items each proposes, and the features of what they propose.

    Args:
        retrievers: by source name.
        quotas: items asked of each source; 0 = it only scores what others propose.
        features: the columns of the ranker.
        learnt_from: what all this was fitted on; none = not known, so it may teach no ranker.
    """

    retrievers: Mapping[str, Retriever]
    quotas: Mapping[str, int]
    features: CandidateFeatures
    learnt_from: Origin | None = None

    def candidates(
        self, queries: Queries, at_least: int = 1, besides: str | None = None, watch: Watch | None = None
    ) -> Candidates:
        """Proposals of every source with a quota, and of ``besides``; at least ``min(at_least, eligible)`` of each."""
        asked = {name: quota or name == besides for name, quota in self.quotas.items()}
        quotas = {name: max(quota, at_least) if asked[name] else 0 for name, quota in self.quotas.items()}
        return gather(self.retrievers, quotas, queries, watch)

    def left_by(self, watch: Watch | None) -> Mapping[str, Retriever]:
        """The retrievers but those that failed or came too late under ``watch``."""
        if watch is None or watch.whole:
            return self.retrievers
        return {name: one for name, one in self.retrievers.items() if not watch.skipped(source_stage(name))}


@dataclass(frozen=True)
class TwoStage:
    """An immutable recommender: the same call answers one user, a batch, a backtest and the service.

    Args:
        first: the first stage.
        ranker: orders the candidates; none = the order of ``source``.
        source: retriever whose order holds where there is no ranker; none = reciprocal rank fusion of all.
        selector: chooses the slate.
        calibration: map from the ranker's scores to the probabilities that the slate shows; none = scores as they are.
        routing: histories whose queries get the order of a source in place of the ranker's, and its scores: raw ones,
            or where there is a calibration, probabilities by a map of their own. None = the ranker orders for all.
    """

    first: FirstStage
    ranker: Ranker | None = None
    source: str | None = None
    selector: Selector = field(default_factory=TopSelector)
    calibration: Calibration | None = None
    routing: Routing | None = None

    def recommend(self, queries: Queries, k: int, *, threads: int = 1, watch: Watch | None = None) -> Slate:
        """The best ``min(k, eligible)`` items of each of n queries.

        Under a watch the answer is as good as what did not fail: a source that raises or comes too late is left out;
        so is the ranker, and then the candidates stand in the order of ``source`` or of the fusion, with its scores.

        Args:
            queries: n queries, histories cut before ``now``.
            k: places to fill.
            threads: blocks of queries that are answered side by side; answers do not depend on it.
            watch: decides what there is time for, and notes what was skipped; none = what a stage raises is raised.

        Raises:
            NothingRetrieved: under a watch, no source answered.
        """
        if len(queries) == 1:
            return self._answer(queries, k, watch)
        slates = in_blocks(lambda block: self._answer(queries.take(block), k, watch), queries, threads)
        return _joined(slates, k, tuple(self.first.retrievers))

    def candidates(self, queries: Queries, k: int) -> Candidates:
        """What ``k`` places are chosen from; where a source gives the order, its own proposals are among them."""
        return self._by_order(queries, lambda one, part: one.first.candidates(part, at_least=k, besides=one.source))

    def rank(self, queries: Queries, k: int) -> Candidates:
        """All candidates of one block of queries with their relevance."""
        return self._by_order(queries, lambda one, part: one._ranked(part, k))

    def ordered_for(self, length: int) -> "TwoStage":
        """What answers queries with a history of ``length`` events: itself, or the order that they are routed to."""
        if self.routing is None or self.ranker is None:
            return self
        return self._ordered_by(self.routing.order_of(length))

    def probability(self, lengths: IntVector, score: FloatVector) -> FloatVector:
        """(n, ...) float64 probabilities that the slate shows; the scores themselves where there is no calibration.

        Args:
            lengths: (n,) events in the history that each row of scores belongs to.
            score: (n, ...) relevance.
        """
        if self.calibration is None:
            return score
        chance = self.calibration.probability(score)
        if self.routing is None or self.ranker is None:
            return chance
        return self.routing.probability(lengths, score, chance)

    def _ordered_by(self, order: str | None) -> "TwoStage":
        if order is None:
            return self
        return TwoStage(self.first, None, order if order in self.first.retrievers else None, self.selector)

    def _by_order(self, queries: Queries, answer: Callable[["TwoStage", Queries], Candidates]) -> Candidates:
        """The answers of those who order for these queries, as one."""
        if self.routing is None or self.ranker is None or not self.routing.orders:
            return answer(self, queries)
        lengths = queries.history.lengths
        if len(queries) == 1:
            return answer(self._ordered_by(self.routing.order_of(int(lengths[0]))), queries)
        groups = self.routing.groups(lengths)
        if len(groups) <= 1:
            return answer(self._ordered_by(groups[0][0]) if groups else self, queries)
        return in_query_order([(rows, answer(self._ordered_by(order), queries.take(rows))) for order, rows in groups])

    def _ranked(self, queries: Queries, k: int, watch: Watch | None = None) -> Candidates:
        found = self.first.candidates(queries, k, self.source, watch)
        relevance = self._relevance(queries, found, watch)
        return Candidates(found.query, found.item, found.score, found.rank, found.sources, relevance)

    def _answer(self, queries: Queries, k: int, watch: Watch | None) -> Slate:
        candidates = self._by_order(queries, lambda one, part: one._ranked(part, k, watch))
        slate = self._selected(queries, candidates, k, watch)
        if self.calibration is not None and (watch is None or not watch.reordered):
            score = self.probability(queries.history.lengths, slate.score)
            slate = replace(slate, score=score.astype(np.float32))
        slate.counts.update(candidates=len(candidates), selected=int(slate.filled.sum()))
        return slate

    def _selected(self, queries: Queries, candidates: Candidates, k: int, watch: Watch | None) -> Slate:
        selector = self.selector if queries.exploration is None else ExploringSelector(self.selector)
        if watch is None:
            return selector.select(queries, candidates, k)
        slate = watch.spare(SELECTOR, lambda: selector.select(queries, candidates, k))
        return TopSelector().select(queries, candidates, k) if slate is None else slate

    def _relevance(self, queries: Queries, candidates: Candidates, watch: Watch | None) -> FloatVector:
        left = self.first.left_by(watch)
        if self.ranker is not None:
            rank = partial(self._scored, self.ranker, queries, candidates, left)
            score = rank() if watch is None else watch.attempt(RANKER, rank)
            if score is not None:
                return score
        source = self.source if self.source in left else None
        if watch is not None and (self.ranker is not None or source != self.source):
            watch.reordered = True
        return order_scores(candidates, source)

    def _scored(
        self, ranker: Ranker, queries: Queries, candidates: Candidates, retrievers: Mapping[str, Retriever]
    ) -> FloatVector:
        score = ranker.score(self.first.features.compute(queries, candidates, retrievers))
        if len(score) != len(candidates):
            raise QueryError(f"the ranker gave {len(score)} scores for {len(candidates)} candidates")
        return score


def _joined(slates: list[Slate], k: int, sources: tuple[str, ...]) -> Slate:
    """Slates of consecutive blocks as one."""
    if not slates:
        return Slate.empty(0, k, sources)
    counts = {stage: sum(one.counts[stage] for one in slates) for stage in slates[0].counts}
    return Slate(
        np.concatenate([one.item for one in slates]),
        np.concatenate([one.score for one in slates]),
        np.concatenate([one.source for one in slates]),
        np.concatenate([one.propensity for one in slates]),
        sources,
        counts,
    )
