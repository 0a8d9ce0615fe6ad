"""The union of what all retrievers propose, with every source's score and rank of every candidate."""

from collections.abc import Mapping

import numpy as np

from encorec.protocols import Retriever, Scored, is_scorer
from encorec.retrieval.scored import scored_by
from encorec.retrieval.selection import unite_lists
from encorec.types import BoolMatrix, Candidates, FloatMatrix, FloatVector, IntMatrix, IntVector, Queries

__all__ = ["gather", "lists_of"]


def gather(retrievers: Mapping[str, Retriever], quotas: Mapping[str, int], queries: Queries) -> Candidates:
    """Ask every retriever for its quota and join the answers.

    Args:
        retrievers: by source name.
        quotas: items asked of each.
        queries: n queries.

    Returns:
        Each (query, item) once, sorted by query and item. ``rank`` is NaN where a source did not propose the
        item; ``score`` is NaN there too, unless the source can score the whole catalogue.

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
    answers: list[Scored | Candidates] = []
    for source, (name, retriever) in enumerate(retrievers.items()):
        found, answer = _ask(retriever, min(quotas[name], width), queries, mask)
        lists[source, :, : found.shape[1]] = found
        answers.append(answer)
    query, item, rank = _union(lists, queries.items)
    score = np.empty((len(item), len(answers)), np.float32)
    for source, answer in enumerate(answers):
        if isinstance(answer, Candidates):
            score[:, source] = _scores_of(answer, query, item, queries.items)
        else:
            score[:, source] = answer.at(query, item)
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


def _scores_of(found: Candidates, query: IntVector, item: IntVector, items: int) -> FloatVector:
    """(m,) float32 scores of a source that scores only what it proposes; NaN elsewhere."""
    score = np.full(len(item), np.nan, np.float32)
    key = query.astype(np.int64) * items + item
    score[np.searchsorted(key, found.query.astype(np.int64) * items + found.item)] = found.score[:, 0]
    return score
