"""Which of the ranked candidates are shown."""

import numpy as np

from encorec.errors import QueryError
from encorec.retrieval.selection import select_rows
from encorec.types import Candidates, IntVector, Queries, Slate

__all__ = ["TopSelector"]


class TopSelector:
    """The k candidates of highest relevance; equal ones in catalogue order; NaN sinks last.

    Example:
        >>> from encorec.types import Eligibility, Histories
        >>> queries = Queries(Histories.empty(1), np.array([9]), Eligibility(np.ones(6, bool)))
        >>> pair = np.ones((2, 1), np.float32)
        >>> found = Candidates(np.array([0, 0]), np.array([3, 5]), pair, pair, ("als",), np.array([.1, .7]))
        >>> slate = TopSelector().select(queries, found, 3)
        >>> slate.item.tolist(), slate.source_names(0, 0)
        ([[5, 3, -1]], ['als'])
    """

    def select(self, queries: Queries, candidates: Candidates, k: int) -> Slate:
        """The slate of every query, with propensity 1: nothing is left to chance.

        Raises:
            QueryError: the candidates have not been ranked.
        """
        if candidates.relevance is None:
            raise QueryError("TopSelector: candidates without relevance; rank them first")
        row = np.empty((len(queries), k), np.int64)
        indptr = candidates.indptr(len(queries)).astype(np.int64)
        select_rows(indptr, np.ascontiguousarray(candidates.relevance, np.float64), row)
        slate = Slate.empty(len(queries), k, candidates.sources)
        query, place = np.nonzero(row >= 0)
        shown = row[query, place]
        slate.item[query, place] = candidates.item[shown]
        slate.score[query, place] = candidates.relevance[shown]
        slate.source[query, place] = _bits(candidates, shown)
        return slate


def _bits(candidates: Candidates, rows: IntVector) -> IntVector:
    """(m',) bit set of the sources that proposed each candidate at ``rows``."""
    proposed = ~np.isnan(candidates.rank[rows])
    return proposed @ (1 << np.arange(proposed.shape[1], dtype=np.int64))
