"""What is taken soon after what: time-ordered co-visitation, applied to the newest events."""

from typing import Self

import numpy as np
from scipy import sparse

from encorec.config import Config, bounded
from encorec.data.dataset import Dataset
from encorec.data.interactions import Interactions
from encorec.protocols import Arrays, Reasons, Scored
from encorec.retrieval.history_weights import faded_history
from encorec.retrieval.scoring import (
    ScoringRetriever,
    WeightedItems,
    popularity_prior,
    recent_events,
    sparse_reasons,
    sparse_rows,
)
from encorec.types import BoolVector, FloatMatrix, IntVector, Queries, ragged_positions

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
        half_life_days: an event counts half after so many days; none = none fades.
    """

    window: int = 5
    last: int = 20
    decay: float = 0.8
    damping: float = 10.0
    backward: float = 0.0
    neighbours: int = 2000
    half_life_days: float | None = None

    def __post_init__(self) -> None:
        bounded(self, neighbours=(1, 10**6), half_life_days=(1e-3, 36_500))
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
        return {**_csr(self._followers(data.interactions)), "prior": popularity_prior(data)}

    def scored(self, queries: Queries) -> Scored:
        """Summed shares; items that never followed come after, by popularity."""
        return self.sparse_scores(self._events(queries))

    def similar(self, items: IntVector) -> FloatMatrix:
        """(n,) item numbers -> (n, items) float32 share of the next steps."""
        return sparse_rows(self.arrays(), items)

    def explain(self, queries: Queries, item: IntVector) -> Reasons:
        """What every item of the history added to the score of ``item`` (n,), one per query."""
        return sparse_reasons(self._events(queries), self.arrays(), item)

    def update(self, data: Dataset, events: Interactions) -> Self:
        """Count the rows anew whose items stand near the new events; to the last bit what a fit on ``data`` learns.

        Args:
            data: everything until now, the new events included.
            events: the new ones alone.
        """
        learnt, table = self.arrays(), data.interactions
        changed = self._changed(table, events)
        fresh = _csr(self._followers(table, changed))
        offsets = np.append(learnt["indptr"], np.full(table.items + 1 - len(learnt["indptr"]), len(learnt["item"])))
        starts = np.where(changed, fresh["indptr"][:-1] + len(learnt["item"]), offsets[:-1])
        lengths = np.where(changed, np.diff(fresh["indptr"]), np.diff(offsets))
        places = ragged_positions(starts, lengths)
        rows = {name: np.concatenate([learnt[name], fresh[name]])[places] for name in ("item", "value")}
        indptr = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
        return self.from_arrays(self.config, {"indptr": indptr, **rows, "prior": popularity_prior(data)})

    def _events(self, queries: Queries) -> WeightedItems:
        return recent_events(faded_history(queries, self.config.last, self.config.half_life_days), self.config.decay)

    def _followers(self, table: Interactions, rows: BoolVector | None = None) -> sparse.csr_array:
        """(items, items) share of the next steps of each item; where ``rows`` (items,) is given, of these alone."""
        pairs = self._pairs(table, rows)
        if self.config.backward:
            pairs = pairs + self.config.backward * pairs.T.tocsr()
        events = table.item_counts + self.config.damping
        pairs.data = pairs.data / np.repeat(np.maximum(events, 1), np.diff(pairs.indptr))
        return _strongest(pairs, self.config.neighbours)

    def _pairs(self, table: Interactions, rows: BoolVector | None) -> sparse.csr_array:
        """(items, items) sum of 1 / steps over pairs of one user's events, first item -> later item.

        Where ``rows`` (items,) is given, only pairs that one of these items is in.
        """
        total = sparse.csr_array((table.items, table.items))
        for steps in range(1, self.config.window + 1):
            same = (table.user[steps:] == table.user[:-steps]) & (table.item[steps:] != table.item[:-steps])
            if rows is not None:
                same &= rows[table.item[:-steps]] | (rows[table.item[steps:]] & (self.config.backward > 0))
            first, later = table.item[:-steps][same], table.item[steps:][same]
            weight = np.full(len(first), 1 / steps)
            total = total + sparse.coo_array((weight, (first, later)), total.shape).tocsr()
        return total

    def _changed(self, table: Interactions, events: Interactions) -> BoolVector:
        """(items,) items with an event, old or new, that has a new one before it or less than a window after it."""
        changed = np.zeros(table.items, bool)
        user, first = np.unique(events.user, return_index=True)
        past = table.histories.take(user)
        since = np.maximum(past.before(events.time[first]).stops - self.config.window, past.starts)
        changed[past.item[ragged_positions(since, past.stops - since)]] = True
        return changed


def _csr(matrix: sparse.csr_array) -> Arrays:
    return {
        "indptr": matrix.indptr.astype(np.int64),
        "item": matrix.indices.astype(np.int32),
        "value": matrix.data.astype(np.float32),
    }


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
