"""From ranked candidates to places: their order, and the slate of those that are chosen."""

import numpy as np

from encorec.errors import QueryError
from encorec.retrieval.selection import select_rows
from encorec.types import Candidates, FloatVector, IntMatrix, IntVector, Queries, Slate

__all__ = ["ordered_rows", "relevance_of", "slate_of"]


def relevance_of(candidates: Candidates, who: str) -> FloatVector:
    """(m,) float64 relevance of ranked candidates.

    Args:
        candidates: ranked.
        who: asks, for errors.

    Raises:
        QueryError: the candidates have not been ranked.

    Example:
        >>> pair = np.ones((1, 1), np.float32)
        >>> found = Candidates(np.array([0]), np.array([3]), pair, pair, ("als",), np.array([0.5], np.float32))
        >>> relevance_of(found, "a selector").tolist()
        [0.5]
    """
    if candidates.relevance is None:
        raise QueryError(f"{who}: candidates without relevance; rank them first")
    return np.ascontiguousarray(candidates.relevance, np.float64)


def ordered_rows(queries: Queries, candidates: Candidates, relevance: FloatVector, width: int) -> IntMatrix:
    """(n, width) int64 candidates of each query, best first, NaN last; -1 where there are no more.

    Args:
        queries: n queries.
        candidates: m candidates of these.
        relevance: (m,) float64.
        width: candidates per query.

    Example:
        >>> from encorec.types import Eligibility, Histories
        >>> queries = Queries(Histories.empty(1), np.array([9]), Eligibility(np.ones(6, bool)))
        >>> pair = np.ones((2, 1), np.float32)
        >>> found = Candidates(np.array([0, 0]), np.array([3, 5]), pair, pair, ("als",))
        >>> ordered_rows(queries, found, np.array([0.1, 0.7]), 3).tolist()
        [[1, 0, -1]]
    """
    order = np.empty((len(queries), width), np.int64)
    select_rows(candidates.indptr(len(queries)).astype(np.int64), relevance, order)
    return order


def slate_of(candidates: Candidates, row: IntMatrix) -> Slate:
    """The slate of chosen candidates, with propensity 1: nothing was left to chance.

    Args:
        candidates: ranked.
        row: (n, k) candidates, -1 = empty place.

    Example:
        >>> pair = np.ones((1, 1), np.float32)
        >>> found = Candidates(np.array([0]), np.array([3]), pair, pair, ("als",), np.array([0.5], np.float32))
        >>> slate_of(found, np.array([[0, -1]])).item.tolist()
        [[3, -1]]
    """
    n, k = row.shape
    slate = Slate.empty(n, k, candidates.sources)
    query, place = np.nonzero(row >= 0)
    shown = row[query, place]
    slate.item[query, place] = candidates.item[shown]
    slate.score[query, place] = np.nan if candidates.relevance is None else candidates.relevance[shown]
    slate.source[query, place] = _bits(candidates, shown)
    return slate


def _bits(candidates: Candidates, rows: IntVector) -> IntVector:
    """(m',) bit set of the sources that proposed each candidate at ``rows``."""
    proposed = ~np.isnan(candidates.rank[rows])
    return proposed @ (1 << np.arange(proposed.shape[1], dtype=np.int64))
