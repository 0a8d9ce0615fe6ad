"""What is taken soon after what: time-ordered co-visitation, applied to the newest events."""

import numpy as np
from scipy import sparse

from encorec.config import Config, bounded
from encorec.data.dataset import Dataset
from encorec.data.interactions import Interactions
from encorec.protocols import Arrays, Scored
from encorec.retrieval.scoring import ScoringRetriever, popularity_prior, recent_events
from encorec.types import FloatMatrix, Queries

__all__ = ["Covisitation", "CovisitationConfig"]


class CovisitationConfig(Config, tag="covisitation", tag_field="kind"):
    """Which steps are counted and which events are asked.

    Args:
        window: steps after an event within which another one counts, with weight 1 / steps.
        last: newest events of a history that are used.
        decay: weight of an event for each newer one, in (0, 1].
        damping: pairs are divided by (events of the first item + damping), so that rare items do not shout.
        backward: weight of the reverse order, in [0, 1].
        neighbours: strongest followers kept per item.
    """

    window: int = 5
    last: int = 20
    decay: float = 0.8
    damping: float = 10.0
    backward: float = 0.0
    neighbours: int = 2000

    def __post_init__(self) -> None:
        bounded(self, neighbours=(1, 10**6))
        bounded(self, window=(1, 1000), last=(1, 10**6), decay=(1e-6, 1), damping=(0, 10**9), backward=(0, 1))


class Covisitation(ScoringRetriever):
    """Share of the next few steps after the items of a history that went to each item.

    Example:
        >>> from encorec.data.interactions import Interactions
        >>> from encorec.types import Eligibility, Histories
        >>> data = Dataset.of(Interactions.of([0, 0, 1, 1], [0, 1, 0, 1], [1, 2, 3, 4]))
        >>> model = Covisitation().fit(data, rng=np.random.default_rng(0))
        >>> queries = Queries(Histories.of([([0], [7])]), np.array([9]), Eligibility(np.ones(2, bool)))
        >>> model.retrieve(queries, 1).item.tolist()
        [1]
    """

    Settings = CovisitationConfig

    def learn(self, data: Dataset, rng: np.random.Generator) -> Arrays:
        """The matrix item -> later item, in CSR form."""
        pairs = self._pairs(data.interactions)
        if self.config.backward:
            pairs = pairs + self.config.backward * pairs.T.tocsr()
        events = data.interactions.item_counts + self.config.damping
        pairs.data = pairs.data / np.repeat(np.maximum(events, 1), np.diff(pairs.indptr))
        pairs = _strongest(pairs, self.config.neighbours)
        return {
            "indptr": pairs.indptr.astype(np.int64),
            "item": pairs.indices.astype(np.int32),
            "value": pairs.data.astype(np.float32),
            "prior": popularity_prior(data),
        }

    def scored(self, queries: Queries) -> Scored:
        """Summed shares; items that never followed come after, by popularity."""
        return self.sparse_scores(recent_events(queries.history.tail(self.config.last), self.config.decay))

    def similar(self, items: np.ndarray) -> FloatMatrix:
        """(n,) item numbers -> (n, items) float32 share of the next steps."""
        learnt = self.arrays()
        size = len(learnt["prior"])
        matrix = sparse.csr_array((learnt["value"], learnt["item"], learnt["indptr"]), (size, size))
        return matrix[np.asarray(items)].toarray().astype(np.float32)

    def _pairs(self, table: Interactions) -> sparse.csr_array:
        """(items, items) sum of 1 / steps over pairs of one user's events, first item -> later item."""
        total = sparse.csr_array((table.items, table.items))
        for steps in range(1, self.config.window + 1):
            same = (table.user[steps:] == table.user[:-steps]) & (table.item[steps:] != table.item[:-steps])
            first, later = table.item[:-steps][same], table.item[steps:][same]
            weight = np.full(len(first), 1 / steps)
            total = total + sparse.coo_array((weight, (first, later)), total.shape).tocsr()
        return total


def _strongest(matrix: sparse.csr_array, n: int) -> sparse.csr_array:
    """The n largest entries of every row, equal ones in column order."""
    lengths = np.diff(matrix.indptr)
    if lengths.max(initial=0) <= n:
        return matrix
    row = np.repeat(np.arange(len(lengths)), lengths)
    order = np.lexsort((matrix.indices, np.negative(matrix.data), row))
    place = np.arange(len(order)) - np.repeat(matrix.indptr[:-1], lengths)
    kept = np.sort(order[place < n])
    indptr = np.concatenate([[0], np.cumsum(np.minimum(lengths, n))])
    return sparse.csr_array((matrix.data[kept], matrix.indices[kept], indptr), matrix.shape)
