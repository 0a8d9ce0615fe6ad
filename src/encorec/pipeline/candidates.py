"""The union of what all retrievers propose, with every source's score and rank of every candidate."""

from collections.abc import Mapping

import numpy as np

from encorec.protocols import Retriever, Scorer
from encorec.retrieval.topk import candidates_of, top_k
from encorec.types import BoolMatrix, Candidates, FloatMatrix, IntVector, Queries

__all__ = ["gather"]


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
    answers = [_ask(name, one, quotas[name], queries, mask) for name, one in retrievers.items()]
    items = queries.items
    keys = [found.query * np.int64(items) + found.item for found, _ in answers]
    union = np.unique(np.concatenate(keys))
    query, item = np.divmod(union, items)
    rank = np.full((len(union), len(answers)), np.nan, np.float32)
    score = np.full((len(union), len(answers)), np.nan, np.float32)
    for source, ((found, dense), key) in enumerate(zip(answers, keys, strict=True)):
        place = np.searchsorted(union, key)
        rank[place, source] = found.rank[:, 0]
        if dense is None:
            score[place, source] = found.score[:, 0]
        else:
            score[:, source] = _at(dense, query, item)
    return Candidates(query.astype(np.int32), item.astype(np.int32), score, rank, tuple(retrievers))


def _ask(
    name: str, retriever: Retriever, quota: int, queries: Queries, mask: BoolMatrix
) -> tuple[Candidates, FloatMatrix | None]:
    """What one source proposes, and its scores of the whole catalogue if it has them."""
    if not isinstance(retriever, Scorer):
        return retriever.retrieve(queries, quota), None
    scores = retriever.scores(queries)
    return candidates_of(*top_k(scores, mask, quota), name), scores


def _at(dense: FloatMatrix, query: IntVector, item: IntVector) -> FloatMatrix:
    return dense[0, item] if len(dense) == 1 else dense[query, item]
