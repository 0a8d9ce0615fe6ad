"""EASE: the linear item-item model in closed form, asked with the whole history or its newest events."""

from typing import Literal

import numpy as np
from scipy import sparse

from encorec.config import Config, bounded
from encorec.data.dataset import Dataset
from encorec.protocols import Arrays, Reasons, Scored
from encorec.retrieval.ease_dual import dual_arrays, dual_rows, dual_shares
from encorec.retrieval.ease_inverse import inverse_gram
from encorec.retrieval.ease_local import local_arrays
from encorec.retrieval.ease_penalty import Penalty, column_power
from encorec.retrieval.history_weights import faded_history
from encorec.retrieval.reasons import ranked_reasons
from encorec.retrieval.row_sums import add_dense_rows
from encorec.retrieval.scored import DenseScores
from encorec.retrieval.scoring import (
    ScoringRetriever,
    WeightedItems,
    distinct_items,
    fill_unscored,
    popularity_prior,
    sparse_reasons,
    sparse_rows,
    user_item_matrix,
)
from encorec.retrieval.selection import select_top
from encorec.types import FloatMatrix, FloatVector, IntVector, Queries

__all__ = ["EASE", "EASEConfig"]

BLOCK = 256
MOST_USERS = 20_000
MOST_ITEMS = 30_000

Solution = tuple[FloatMatrix, FloatVector]


class EASEConfig(Config, tag="ease", tag_field="kind"):
    """How strongly the weights are held back and which events are asked.

    Args:
        reg: L2 penalty (lambda).
        last: newest events of a history that are used; none = all.
        decay: weight of an event for each newer one, in (0, 1].
        half_life_days: an event counts half after so many days; none = none fades.
        form: ``dense`` inverts the items' Gram matrix, ``dual`` the users' one (the same scores), ``local`` fits every
            item on few others. ``auto`` takes the dual form where users are fewer than items and at most 20,000, the
            local one for more than 30,000 items, else the dense one.
        max_items: the most popular items that take part in the dense form; the others follow by popularity. It needs
            8 * max_items ** 2 bytes while it is fitted.
        neighbours: strongest weights kept per item by the dense form; a catalogue of up to twice as many stays dense.
        nearest: items that each item is fitted on in the local form.
        dropout: share of every history that the fit thinks away before it predicts the whole; items taken often are
            held back more. 0 = nothing.
        relaxation: how much of itself an item may explain while the weights are fitted; 0 = nothing. Weights for items
            of which the others leave much unexplained shrink. The weight of an item for itself is 0 all the same.
    """

    reg: float = 300.0
    last: int | None = None
    decay: float = 1.0
    max_items: int = 10_000
    neighbours: int = 2000
    half_life_days: float | None = None
    form: Literal["auto", "dense", "dual", "local"] = "auto"
    nearest: int = 100
    dropout: float = 0.0
    relaxation: float = 0.0

    def __post_init__(self) -> None:
        bounded(self, reg=(1e-6, 10**9), last=(1, 10**6), decay=(1e-6, 1), neighbours=(1, 10**6))
        bounded(self, max_items=(1, 10**6), half_life_days=(1e-3, 36_500), nearest=(1, 5000))
        bounded(self, dropout=(0, 0.99), relaxation=(0, 0.99))


class EASE(ScoringRetriever):
    """Embarrassingly shallow autoencoder.

    Source: steck2019; of ``dropout`` steck2020, of ``relaxation`` moon2023. Where users are fewer than items, the dual
    form is solved: the same scores from a users x users inverse, so that a catalogue of 70,000 items needs no matrix of
    its square. It has no ``update``: new events change every entry of the inverse.

    Example:
        >>> from encorec.data.interactions import Interactions
        >>> from encorec.types import Eligibility, Histories
        >>> data = Dataset.of(Interactions.of([0, 0, 1, 1, 2], [0, 1, 0, 1, 2], [1, 2, 3, 4, 5]))
        >>> model = EASE(EASEConfig(reg=1)).fit(data, rng=np.random.default_rng(0))
        >>> queries = Queries(Histories.of([([0], [7])]), np.array([9]), Eligibility(np.array([False, True, True])))
        >>> model.retrieve(queries, 2).item.tolist()
        [1, 2]
    """

    Settings = EASEConfig

    def learn(self, data: Dataset, rng: np.random.Generator) -> Arrays:
        """Dense ``weights``, or those kept per row in CSR form, or the ``inverse`` of the dual form."""
        table, config = data.interactions, self.config
        prior = {"prior": popularity_prior(data)}
        users = np.flatnonzero(table.user_counts)
        matrix = user_item_matrix(table)[users]
        form = self._form(len(users), int(np.count_nonzero(table.item_counts)), table.items)
        penalty = Penalty(config.reg, config.dropout, config.relaxation)
        if form == "dual":
            return {**dual_arrays(matrix, penalty), **prior}
        if form == "local":
            return {**local_arrays(matrix, penalty, config.nearest), **prior}
        items = np.sort(np.argsort(-table.item_counts, kind="stable")[: config.max_items])
        solution = _solution(matrix if len(items) == table.items else matrix[:, items], penalty)
        if table.items <= 2 * config.neighbours:
            return {"weights": _spread(solution, items, table.items), **prior}
        return {**_strongest(solution, items, table.items, config.neighbours), **prior}

    def scored(self, queries: Queries) -> Scored:
        """Weighted sums; for an empty history the order of popularity."""
        events = self._events(queries)
        if self._is_sparse:
            return self.sparse_scores(events)
        return DenseScores(fill_unscored(self._rows(events), self.arrays()["prior"]))

    def similar(self, items: IntVector) -> FloatMatrix:
        """(n,) item numbers -> (n, items) float32 weights of these items for all others, 0 where none is kept."""
        asked = np.ascontiguousarray(items, np.int32)
        if self._is_sparse:
            return sparse_rows(self.arrays(), asked)
        return self._rows(WeightedItems(np.arange(len(asked) + 1), asked, np.ones(len(asked), np.float32)))

    def explain(self, queries: Queries, item: IntVector) -> Reasons:
        """What every item of the history added to the score of ``item`` (n,), one per query: its weight times B."""
        learnt, events = self.arrays(), self._events(queries)
        if self._is_sparse:
            return sparse_reasons(events, learnt, item)
        if "inverse" in learnt:
            return ranked_reasons(events.indptr, events.item, dual_shares(events, learnt, item))
        asked = np.repeat(np.asarray(item), np.diff(events.indptr))
        return ranked_reasons(events.indptr, events.item, events.weight * learnt["weights"][events.item, asked])

    @property
    def _is_sparse(self) -> bool:
        return not {"weights", "inverse"} & self.arrays().keys()

    def _form(self, users: int, taken: int, items: int) -> str:
        """The form for so many users and items with interactions in a catalogue of ``items``."""
        if self.config.form != "auto" or items <= 2 * self.config.neighbours:
            return "dense" if self.config.form == "auto" else self.config.form
        if users < taken and users <= MOST_USERS:
            return "dual"
        return "local" if taken > MOST_ITEMS else "dense"

    def _events(self, queries: Queries) -> WeightedItems:
        history = faded_history(queries, self.config.last, self.config.half_life_days)
        return distinct_items(history, self.config.decay, queries.items)

    def _rows(self, events: WeightedItems) -> FloatMatrix:
        """(n, items) float32 weighted sums of rows, where these are dense."""
        learnt = self.arrays()
        items = len(learnt["prior"])
        if "inverse" in learnt:
            return dual_rows(events, learnt, items)
        out = np.zeros((len(events.indptr) - 1, items), np.float32)
        add_dense_rows(*events, learnt["weights"], out)
        return out


def _solution(matrix: sparse.csr_array, penalty: Penalty) -> Solution:
    """The inverse of the dense form, and by what its columns are divided."""
    held = penalty.of_items(column_power(matrix))
    inverse = inverse_gram(matrix, held)
    diagonal = np.diag(inverse)
    return inverse, -diagonal / penalty.kept(held * diagonal)


def _weights(solution: Solution, start: int, end: int) -> FloatMatrix:
    """(end - start, items) float32 rows of B, with zero diagonal; steck2019, equation 8."""
    inverse, divisor = solution
    block = (inverse[start:end] / divisor).astype(np.float32)
    block[np.arange(end - start), np.arange(start, end)] = 0
    return block


def _spread(solution: Solution, items: IntVector, size: int) -> FloatMatrix:
    """(size, size) float32 weights between ``items``, 0 for all others."""
    weights = _weights(solution, 0, len(items))
    if len(items) == size:
        return weights
    spread = np.zeros((size, size), np.float32)
    spread[np.ix_(items, items)] = weights
    return spread


def _strongest(solution: Solution, items: IntVector, size: int, neighbours: int) -> Arrays:
    """The ``neighbours`` weights of largest magnitude of each row, in CSR form over a catalogue of ``size`` items."""
    width = min(neighbours, len(items))
    item, value = np.empty((len(items), width), np.int32), np.empty((len(items), width), np.float32)
    everything = np.ones((1, len(items)), bool)
    for start in range(0, len(items), BLOCK):
        rows = slice(start, min(start + BLOCK, len(items)))
        block = _weights(solution, rows.start, rows.stop)
        select_top(np.abs(block), everything, item[rows], value[rows])
        value[rows] = np.take_along_axis(block, item[rows], axis=1)
        item[rows] = items[item[rows]]
    indptr = np.zeros(size + 1, np.int64)
    indptr[items + 1] = width
    return {"indptr": np.cumsum(indptr), "item": item.ravel(), "value": value.ravel()}
