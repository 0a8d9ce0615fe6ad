"""The union of what all retrievers propose, with every source's score and rank of every candidate."""

from collections.abc import Mapping
from functools import partial

import numpy as np

from encorec.pipeline.watch import NothingRetrieved, Watch, source_stage
from encorec.protocols import Retriever, Scored, is_scorer
from encorec.retrieval.scored import scored_by
from encorec.retrieval.selection import unite_lists
from encorec.types import BoolMatrix, Candidates, FloatMatrix, FloatVector, IntMatrix, IntVector, Queries

__all__ = ["gather", "lists_of"]


def gather(
    retrievers: Mapping[str, Retriever], quotas: Mapping[str, int], queries: Queries, watch: Watch | None = None
) -> Candidates:
    """Ask every retriever for its quota and join the answers.

    Args:
        retrievers: by source name.
        quotas: items asked of each.
        queries: n queries.
        watch: leaves out sources that raise or come too late; none = what they raise is raised.

    Returns:
        Each (query, item) once, sorted by query and item. ``rank`` is NaN where a source did not propose the
        item; ``score`` is NaN there too, unless the source can score the whole catalogue.

    Raises:
        NothingRetrieved: under a watch, no source with a quota answered.

    Example:
        >>> from encorec.retrieval.repeats import Repeats
        >>> from encorec.types import Eligibility, Histories
        >>> model = Repeats.from_arrays(None, {"prior": np.array([-.5, -1, -.1], np.float32)})
        >>> queries = Queries(Histories.of([([1], [5])]), np.array([9]), Eligibility(np.ones(3, bool)))
        >>> found = gather({"own": model}, {"own": 2}, queries)
        >>> found.item.tolist(), found.rank.ravel().tolist()
        ([1, 2], [1.0, 2.0])
    """
    mask = queries.eligible.mask(len(queries))
    width = min(max(quotas.values()), queries.items)
    lists = np.full((len(retrievers), len(queries), width), -1, np.int32)
    answers: dict[str, Scored | Candidates] = {}
    for source, (name, retriever) in enumerate(retrievers.items()):
        ask = partial(_ask, retriever, min(quotas[name], width), queries, mask)
        told = ask() if watch is None else watch.attempt(source_stage(name), ask)
        if told is not None:
            found, answers[name] = told
            lists[source, :, : found.shape[1]] = found
            if watch is not None and quotas[name]:
                watch.proposed[name] = int(np.count_nonzero(found >= 0))
    if len(answers) < len(retrievers) and not any(quotas[name] for name in answers):
        raise NothingRetrieved(f"none of the sources proposed anything: {', '.join(retrievers)}")
    query, item, rank = _union(lists, queries.items)
    score = np.full((len(item), len(retrievers)), np.nan, np.float32)
    for source, name in enumerate(retrievers):
        if name in answers:
            tell = partial(_scores_at, answers[name], query, item, queries.items)
            value = tell() if watch is None else watch.spare(source_stage(name), tell)
            score[:, source] = np.nan if value is None else value
    return Candidates(query, item, score, rank, tuple(retrievers))


def lists_of(candidates: Candidates, n: int, k: int) -> IntMatrix:
    """(n, k) int32 items of one source, best first, padded with -1.

    Args:
        candidates: of one source.
        n: number of queries.
        k: places.

    Example:
        >>> found = Candidates(np.array([0, 0]), np.array([4, 9]), np.ones((2, 1)), np.array([[2.], [1.]]), ("als",))
        >>> lists_of(found, 1, 3).tolist()
        [[9, 4, -1]]
    """
    lists = np.full((n, k), -1, np.int32)
    lists[candidates.query, candidates.rank[:, 0].astype(np.int64) - 1] = candidates.item
    return lists


def _ask(retriever: Retriever, quota: int, queries: Queries, mask: BoolMatrix) -> tuple[IntMatrix, Scored | Candidates]:
    """(n, quota) items that one source proposes, and its scores: of the whole catalogue if it has them."""
    if is_scorer(retriever):
        scored = scored_by(retriever, queries)
        return scored.best(mask, quota)[0], scored
    found = retriever.retrieve(queries, quota)
    return lists_of(found, len(queries), quota), found


def _union(lists: IntMatrix, items: int) -> tuple[IntVector, IntVector, FloatMatrix]:
    """query (m,), item (m,) and rank (m, sources) of every item listed by any source."""
    query, item = np.empty(lists.size, np.int32), np.empty(lists.size, np.int32)
    rank = np.empty((lists.size, len(lists)), np.float32)
    size = unite_lists(lists, items, query, item, rank)
    return query[:size], item[:size], rank[:size]


def _scores_at(answer: Scored | Candidates, query: IntVector, item: IntVector, items: int) -> FloatVector:
    """(m,) scores of one source."""
    return _scores_of(answer, query, item, items) if isinstance(answer, Candidates) else answer.at(query, item)


def _scores_of(found: Candidates, query: IntVector, item: IntVector, items: int) -> FloatVector:
    """(m,) float32 scores of a source that scores only what it proposes; NaN elsewhere."""
    score = np.full(len(item), np.nan, np.float32)
    key = query.astype(np.int64) * items + item
    score[np.searchsorted(key, found.query.astype(np.int64) * items + found.item)] = found.score[:, 0]
    return score
