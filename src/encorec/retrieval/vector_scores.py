"""What a vector model thinks of the catalogue: inner products, of which only those that matter are ever made."""

from collections.abc import Callable

import numpy as np

from encorec.protocols import Lists
from encorec.retrieval.index import ItemIndex
from encorec.retrieval.inner_products import (
    all_products,
    best_eligible,
    best_listed,
    best_near,
    count_eligible,
    products_at,
)
from encorec.retrieval.item_vectors import ItemVectors, product_error
from encorec.types import BoolMatrix, BoolVector, FloatMatrix, FloatVector, IntMatrix, IntVector

__all__ = ["VectorScores", "full_products"]

Find = Callable[[FloatMatrix, BoolMatrix, IntMatrix, FloatMatrix], None]

CELLS_PER_BLOCK = 4_000_000
FEW = 0.1  # share of the catalogue below which the eligible items are gathered
TIMES, BARRED = 2, 256  # an index is asked for so many times k, and for as many more as are barred, up to so many


class VectorScores:
    """The third form of scores: what ``scores`` would hold, without holding more than a block of it.

    A query alone is scored in full by sums in a fixed order. Of a batch, one matrix product says which items may be
    among the best; these alone are summed in that order, so that a batch gives to the last bit what single queries
    give. Where few items are eligible, only they are scored. With an index, its proposals are summed instead, and
    wherever they do not fill the list, the search is exact.

    Args:
        users: (n, size) float32 vectors of the queries; zeros = nothing is known, the order of the prior.
        vectors: of the items.
        index: finds items near a query without looking at all; none = exact search.

    Example:
        >>> vectors = ItemVectors.of(np.array([[1, 3, 2]], np.float32), np.zeros(3, np.float32))
        >>> scored = VectorScores(np.ones((2, 1), np.float32), vectors)
        >>> scored.best(np.array([[True, True, True], [True, False, True]]), 2)[0].tolist()
        [[1, 2], [2, 0]]
        >>> scored.at(np.array([1], np.int32), np.array([1], np.int32)).tolist()
        [3.0]
    """

    def __init__(self, users: FloatMatrix, vectors: ItemVectors, index: ItemIndex | None = None) -> None:
        self.users = np.ascontiguousarray(users, np.float32)
        self.vectors = vectors
        self.index = index
        self._row: FloatMatrix | None = None

    def best(self, eligible: BoolMatrix, k: int) -> Lists:
        """The k best eligible items of every query, best first; equal scores in catalogue order."""
        n = len(self.users)
        item, score = np.empty((n, k), np.int32), np.empty((n, k), np.float32)
        count = np.empty(len(eligible), np.int64)
        count_eligible(eligible, count)
        few, wide = count < FEW * len(self.vectors), self._exact if self.index is None else self._indexed
        if n == 1:
            (self._gather if few[0] else wide)(self.users, eligible, item, score)
        else:
            _for_rows(np.broadcast_to(few, n), self._gather, self.users, eligible, item, score)
            _for_rows(np.broadcast_to(~few, n), wide, self.users, eligible, item, score)
        return item, score

    def at(self, query: IntVector, item: IntVector) -> FloatVector:
        """(m,) scores of the items for the queries, which do not decrease."""
        if self._row is not None:
            return self._row[0, item]
        out = np.empty(len(item), np.float32)
        pairs = np.asarray(query, np.int32), np.asarray(item, np.int32)
        products_at(self.users, self.vectors.row, self.vectors.prior, *pairs, out)
        return out

    def _gather(self, users: FloatMatrix, eligible: BoolMatrix, item: IntMatrix, score: FloatMatrix) -> None:
        best_eligible(users, self.vectors.row, self.vectors.prior, eligible, item, score)

    def _exact(self, users: FloatMatrix, eligible: BoolMatrix, item: IntMatrix, score: FloatMatrix) -> None:
        known, step = (self.vectors.row, self.vectors.prior), max(1, CELLS_PER_BLOCK // max(len(self.vectors), 1))
        for start in range(0, len(users) if item.shape[1] else 0, step):
            block = slice(start, start + step)
            rules = eligible if len(eligible) == 1 else eligible[block]
            best_near(*self._near(users[block]), users[block], *known, rules, item[block], score[block])

    def _near(self, users: FloatMatrix) -> tuple[FloatMatrix, FloatVector]:
        """(n, items) float32 scores, and (n,) float64 how far each may be from the sum in fixed order."""
        if len(users) == 1:
            row = full_products(users, self.vectors)
            if len(self.users) == 1:
                self._row = row
            return row, np.zeros(1)
        near = np.concatenate([users, np.ones((len(users), 1), np.float32)], axis=1) @ self.vectors.row.T
        near[~users.any(axis=1)] = self.vectors.prior
        return near, product_error(users, self.vectors)

    def _indexed(self, users: FloatMatrix, eligible: BoolMatrix, item: IntMatrix, score: FloatMatrix) -> None:
        short = np.ones(len(users), bool)
        for query in range(len(users)):
            allowed = eligible[0 if len(eligible) == 1 else query]
            short[query] = not self._listed(users[query], allowed, item[query], score[query])
        _for_rows(short, self._exact, users, eligible, item, score)

    def _listed(self, user: FloatVector, allowed: BoolVector, item: IntVector, score: FloatVector) -> bool:
        """The best of what the index proposes and of the items without a vector; false where too few are eligible."""
        k, count = len(item), int(np.count_nonzero(allowed))
        if self.index is None or not user.any():
            return False
        found = self.index.near(user, TIMES * k + min(len(allowed) - count, BARRED))
        found = found[allowed[found]]
        if len(found) < min(k, count):
            return False
        unknown = self.vectors.unknown[allowed[self.vectors.unknown]][:k]
        best_listed(user, self.vectors.row, self.vectors.prior, np.concatenate([found, unknown]), item, score)
        return True


def full_products(users: FloatMatrix, vectors: ItemVectors) -> FloatMatrix:
    """(n, items) float32 scores of every item, each summed in the fixed order.

    Args:
        users: (n, size) float32.
        vectors: of the items.

    Example:
        >>> vectors = ItemVectors.of(np.array([[1, 3]], np.float32), np.zeros(2, np.float32))
        >>> full_products(np.full((1, 1), 2, np.float32), vectors).tolist()
        [[2.0, 6.0]]
    """
    out = np.empty((len(users), len(vectors)), np.float32)
    all_products(users, vectors.factors, vectors.offset, vectors.prior, out)
    return out


def _for_rows(
    rows: BoolVector, find: Find, users: FloatMatrix, eligible: BoolMatrix, item: IntMatrix, score: FloatMatrix
) -> None:
    """Fill the lists of the queries that ``rows`` (n,) says."""
    if rows.all():
        find(users, eligible, item, score)
    elif rows.any():
        own_item, own_score = item[rows], score[rows]
        find(users[rows], eligible if len(eligible) == 1 else eligible[rows], own_item, own_score)
        item[rows], score[rows] = own_item, own_score
