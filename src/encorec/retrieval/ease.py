"""EASE: the linear item-item model in closed form, asked with the whole history or its newest events."""

import numpy as np
from scipy import linalg, sparse

from encorec.config import Config, bounded
from encorec.data.dataset import Dataset
from encorec.protocols import Arrays, Scored
from encorec.retrieval.row_sums import add_dense_rows, add_sparse_rows
from encorec.retrieval.scored import DenseScores
from encorec.retrieval.scoring import (
    ScoringRetriever,
    WeightedItems,
    csr_rows,
    distinct_items,
    fill_unscored,
    popularity_prior,
    user_item_matrix,
)
from encorec.retrieval.selection import select_top
from encorec.types import FloatMatrix, IntVector, Queries

__all__ = ["EASE", "EASEConfig"]

BLOCK = 1024


class EASEConfig(Config, tag="ease", tag_field="kind"):
    """How strongly the weights are held back and which events are asked.

    Args:
        reg: L2 penalty (lambda).
        last: newest events of a history that are used; none = all.
        decay: weight of an event for each newer one, in (0, 1].
        max_items: the most popular items that take part; the others follow by popularity.
        neighbours: strongest weights kept per item; a catalogue of up to twice as many stays dense.
    """

    reg: float = 300.0
    last: int | None = None
    decay: float = 1.0
    max_items: int = 10_000
    neighbours: int = 2000

    def __post_init__(self) -> None:
        bounded(self, reg=(1e-6, 10**9), last=(1, 10**6), decay=(1e-6, 1), neighbours=(1, 10**6))
        bounded(self, max_items=(1, 10**6))


class EASE(ScoringRetriever):
    """Embarrassingly shallow autoencoder.

    Source: steck2019. Where users are fewer than items, the dual form is solved: the same scores from a
    users x users inverse, so that a catalogue of 70,000 items needs no matrix of its square.

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
        """Dense ``weights``, or their strongest per row in CSR form, or the ``inverse`` of the dual form."""
        table = data.interactions
        prior = {"prior": popularity_prior(data)}
        small = table.items <= 2 * self.config.neighbours
        users = np.flatnonzero(table.user_counts)
        matrix = user_item_matrix(table)[users]
        if len(users) < np.count_nonzero(table.item_counts) and not small:
            return {**_dual(matrix, self.config.reg), **prior}
        items = np.sort(np.argsort(-table.item_counts, kind="stable")[: self.config.max_items])
        weights = _primal(matrix[:, items], self.config.reg)
        if small:
            return {"weights": _spread(weights, items, table.items), **prior}
        return {**self._strongest(weights, items, table.items), **prior}

    def scored(self, queries: Queries) -> Scored:
        """Weighted sums; for an empty history the order of popularity."""
        learnt = self.arrays()
        history = queries.history.compact() if self.config.last is None else queries.history.tail(self.config.last)
        merged = distinct_items(history, self.config.decay, queries.items)
        if "inverse" in learnt:
            return DenseScores(fill_unscored(_dual_scores(merged, learnt, queries.items), learnt["prior"]))
        if "weights" not in learnt:
            return self.sparse_scores(merged)
        out = np.zeros((len(queries), queries.items), np.float32)
        add_dense_rows(*merged, learnt["weights"], out)
        return DenseScores(fill_unscored(out, learnt["prior"]))

    def _strongest(self, weights: FloatMatrix, items: IntVector, size: int) -> Arrays:
        """The ``neighbours`` weights of largest magnitude of each row, in CSR form over the whole catalogue."""
        width = min(self.config.neighbours, len(items))
        item, value = np.full((size, width), -1, np.int32), np.zeros((size, width), np.float32)
        everything = np.ones((1, len(items)), bool)
        for start in range(0, len(items), BLOCK):
            block = weights[start : start + BLOCK]
            kept, strength = np.empty((len(block), width), np.int32), np.empty((len(block), width), np.float32)
            select_top(np.abs(block), everything, kept, strength)
            rows = items[start : start + BLOCK]
            item[rows], value[rows] = items[kept], np.take_along_axis(block, kept, axis=1)
        return csr_rows(item, value)


def _inverse(gram: FloatMatrix, reg: float) -> FloatMatrix:
    """(n, n) float64 inverse of ``gram + reg * I``, by Cholesky; ``gram`` is overwritten."""
    gram[np.diag_indices_from(gram)] += reg
    factorise, invert = linalg.get_lapack_funcs(("potrf", "potri"), (gram,))
    factor, failed = factorise(gram, lower=1, overwrite_a=1)
    inverse, failed_too = invert(factor, lower=1, overwrite_c=1)
    if failed or failed_too:
        raise linalg.LinAlgError("EASE: the Gram matrix is singular: use a larger reg")
    return np.tril(inverse) + np.tril(inverse, -1).T


def _primal(matrix: sparse.csr_array, reg: float) -> FloatMatrix:
    """(items, items) float32 weights B with zero diagonal; steck2019, equation 8."""
    inverse = _inverse(np.asfortranarray((matrix.T @ matrix).toarray()), reg)
    weights = (inverse / -np.diag(inverse)).astype(np.float32)
    np.fill_diagonal(weights, 0)
    return weights


def _spread(weights: FloatMatrix, items: IntVector, size: int) -> FloatMatrix:
    """Weights of some items as a matrix of the whole catalogue."""
    if len(items) == size:
        return weights
    spread = np.zeros((size, size), np.float32)
    spread[np.ix_(items, items)] = weights
    return spread


def _dual(matrix: sparse.csr_array, reg: float) -> Arrays:
    """With M = inverse(X X' + reg I): the inverse Gram matrix of EASE is P = (I - X' M X) / reg.

    Its diagonal is kept, and X by rows (``indptr``, ``item``, ``value``) and by columns (``user_*``).
    """
    inverse = _inverse(np.asfortranarray((matrix @ matrix.T).toarray()), reg)
    columns = matrix.tocsc()
    items = len(columns.indptr) - 1
    quadratic = np.zeros(items)
    for start in range(0, items, BLOCK):
        block = columns[:, start : start + BLOCK].toarray()
        quadratic[start : start + BLOCK] = np.einsum("ui,ui->i", block, inverse @ block)
    return {
        "inverse": inverse.astype(np.float32),
        "diagonal": ((1 - quadratic) / reg).astype(np.float32),
        "reg": np.array([reg], np.float32),
        "indptr": matrix.indptr.astype(np.int64),
        "item": matrix.indices.astype(np.int32),
        "value": matrix.data.astype(np.float32),
        "user_indptr": columns.indptr.astype(np.int64),
        "user": columns.indices.astype(np.int32),
        "user_value": columns.data.astype(np.float32),
    }


def _dual_scores(events: WeightedItems, learnt: Arrays, items: int) -> FloatMatrix:
    """(n, items) float32 ``h B = h - (h P) / diag(P)`` with P as in ``_dual``."""
    n, users = len(events.indptr) - 1, len(learnt["inverse"])
    alike = np.zeros((n, users), np.float32)
    add_sparse_rows(*events, learnt["user_indptr"], learnt["user"], learnt["user_value"], alike)
    solved, spread = np.zeros((n, users), np.float32), np.zeros((n, items), np.float32)
    everybody = np.tile(np.arange(users, dtype=np.int32), n)
    offsets = np.arange(n + 1, dtype=np.int64) * users
    add_dense_rows(offsets, everybody, alike.ravel(), learnt["inverse"], solved)
    add_sparse_rows(offsets, everybody, solved.ravel(), learnt["indptr"], learnt["item"], learnt["value"], spread)
    own, places = np.zeros((n, items), np.float32), (np.repeat(np.arange(n), np.diff(events.indptr)), events.item)
    own[places] = events.weight
    scores = own - (own - spread) / (learnt["reg"] * learnt["diagonal"])
    rounding = np.abs(scores[places]) < 1e-5 * events.weight  # of the difference: the primal form gives exactly 0 there
    scores[places] = np.where(rounding, np.float32(0), scores[places])
    return scores
