"""The vector of a user from the vectors of the history's items, for models that learn one vector per training user.

Nothing of a user is stored: a linear map is learnt from what the histories of the training users add up to, to the
vectors that training gave them. It is linear in the items of the history, so each item's share of a score is known.
"""

import numpy as np
from scipy import linalg, sparse

from encorec.protocols import Reasons
from encorec.retrieval.history_weights import faded_history
from encorec.retrieval.reasons import ranked_reasons
from encorec.retrieval.row_sums import add_dense_rows
from encorec.retrieval.scoring import WeightedItems, distinct_items
from encorec.retrieval.vectors import VectorRetriever
from encorec.types import FloatMatrix, FloatVector, IntVector, Queries

__all__ = ["FoldInRetriever", "history_sums", "learn_fold_in", "times"]

RIDGE = 1e-5


class FoldInRetriever(VectorRetriever):
    """A vector model whose learnt arrays hold ``fold_in`` (size + extra + 2, size) besides ``factors`` and ``prior``.

    Its config has the fields ``last``, ``decay`` and ``half_life_days``. It has no ``update``: new events move every
    vector.
    """

    def encode(self, queries: Queries) -> FloatMatrix:
        """(n, size) float32: the map applied to the summed vectors of the history."""
        events = self.events(queries)
        sums = history_sums(events, self.item_rows)
        extra = self.known_besides(queries)
        vectors = times(_inputs(sums, _totals(events), extra), self.arrays()["fold_in"])
        nothing = ~sums.any(axis=1)
        vectors[nothing] = 0 if extra is None else extra[nothing]
        return vectors

    def known_besides(self, queries: Queries) -> FloatMatrix | None:
        """(n, size) float32 vectors of what else is known of the users; all that is known of those without history."""
        return None

    def explain(self, queries: Queries, item: IntVector) -> Reasons:
        """What every item of the history added to the inner product with ``item`` (n,), one per query."""
        learnt, events = self.arrays(), self.events(queries)
        owner = np.repeat(np.arange(len(queries)), np.diff(events.indptr))
        size = len(learnt["factors"])
        own = self.item_rows[events.item] @ learnt["fold_in"][:size]
        alike = np.einsum("es,es->e", own, self.item_rows[np.asarray(item)[owner]])
        return ranked_reasons(events.indptr, events.item, events.weight * alike / np.sqrt(_totals(events)[owner]))

    def events(self, queries: Queries) -> WeightedItems:
        """Each item of a history once, faded and decayed as the config says."""
        history = faded_history(queries, self.config.last, self.config.half_life_days)
        return distinct_items(history, self.config.decay, queries.items)

    @property
    def item_rows(self) -> FloatMatrix:
        """(items, size) float32 vectors of the items, one row each; made once."""
        return self._once("item rows", lambda: np.ascontiguousarray(self.arrays()["factors"].T))


def history_sums(events: WeightedItems, rows: FloatMatrix) -> FloatMatrix:
    """(n, size) float32 weighted sums of item vectors, each summed in the order of its events.

    Args:
        events: of n queries.
        rows: (items, size) float32.

    Example:
        >>> events = WeightedItems(np.array([0, 2]), np.array([1, 0], np.int32), np.array([2, 1], np.float32))
        >>> history_sums(events, np.array([[1, 0], [0, 3]], np.float32)).tolist()
        [[1.0, 6.0]]
    """
    out = np.zeros((len(events.indptr) - 1, rows.shape[1]), np.float32)
    add_dense_rows(*events, rows, out)
    return out


def learn_fold_in(
    matrix: sparse.csr_array, rows: FloatMatrix, users: FloatMatrix, extra: FloatMatrix | None = None
) -> FloatMatrix:
    """(size + extra + 2, size) float32 map from summed item vectors to user vectors, by ridge regression.

    Args:
        matrix: (users, items) weights of the training users' items.
        rows: (items, size) float32 item vectors.
        users: (users, size) the vectors that training gave them.
        extra: (users, e) what else is known of them; none = nothing.

    Example:
        >>> matrix = sparse.csr_array(np.eye(3))
        >>> learn_fold_in(matrix, np.eye(3, dtype=np.float32), 2 * np.eye(3)).shape
        (5, 3)
    """
    total = np.asarray(matrix.sum(axis=1)).ravel()
    some = total > 0
    sums = np.asarray(matrix[some] @ rows, np.float32)
    known = None if extra is None else np.asarray(extra[some], np.float32)
    inputs = _inputs(sums, total[some], known).astype(np.float64)
    gram = inputs.T @ inputs + RIDGE * max(len(inputs), 1) * np.eye(inputs.shape[1])
    return np.asarray(linalg.solve(gram, inputs.T @ users[some], assume_a="pos"), np.float32)


def times(left: FloatMatrix, right: FloatMatrix) -> FloatMatrix:
    """(n, c) float32 matrix product of (n, m) and (m, c), summed in one fixed order however many rows are asked.

    Example:
        >>> times(np.array([[1, 2]], np.float32), np.array([[3], [4]], np.float32)).tolist()
        [[11.0]]
    """
    n, m = left.shape
    out = np.zeros((n, right.shape[1]), np.float32)
    row = np.tile(np.arange(m, dtype=np.int32), n)
    add_dense_rows(np.arange(n + 1, dtype=np.int64) * m, row, left.ravel(), np.ascontiguousarray(right), out)
    return out


def _totals(events: WeightedItems) -> FloatVector:
    """(n,) float64 summed weight of each history."""
    n = len(events.indptr) - 1
    owner = np.repeat(np.arange(n), np.diff(events.indptr))
    return np.asarray(np.bincount(owner, events.weight, n), np.float64)


def _inputs(sums: FloatMatrix, total: FloatVector, extra: FloatMatrix | None) -> FloatMatrix:
    """(n, size + extra + 2) float32: sums over the square root of the weight, what else is known, 1, log weight."""
    scaled = sums / np.sqrt(np.maximum(total, 1e-12))[:, None]
    parts = [scaled, *([] if extra is None else [extra]), np.ones((len(sums), 1)), np.log1p(total)[:, None]]
    return np.concatenate(parts, axis=1).astype(np.float32)
