"""The items of a vector model in the form that is searched: vectors, what is added to a product, and its bounds."""

from dataclasses import dataclass

import numpy as np

from encorec.types import FloatMatrix, FloatVector, IntVector

__all__ = ["ItemVectors", "item_rows", "product_error"]

LARGEST = 1e38  # beyond it float32 sums may overflow, and nothing is known of a product


@dataclass(frozen=True, slots=True)
class ItemVectors:
    """What the items of a catalogue are to a query's vector.

    Args:
        factors: (size, items) float32, one column per item.
        row: (items, size + 1) float32 as ``item_rows`` makes them.
        offset: (items,) float32 what is added to the product, the last column of ``row``.
        prior: (items,) float32, the order for a query of which nothing is known.
        unknown: (u,) int32 items without a vector, by falling prior.
        longest: length of the longest vector.
        highest: the largest absolute number that is added to a product.

    Example:
        >>> vectors = ItemVectors.of(np.array([[3, 0]], np.float32), np.array([0, -1], np.float32))
        >>> len(vectors), vectors.longest, vectors.unknown.tolist()
        (2, 3.0, [1])
    """

    factors: FloatMatrix
    row: FloatMatrix
    offset: FloatVector
    prior: FloatVector
    unknown: IntVector
    longest: float
    highest: float

    @classmethod
    def of(cls, factors: FloatMatrix, prior: FloatVector, bias: FloatVector | None = None) -> "ItemVectors":
        """From the arrays of a vector model.

        Args:
            factors: (size, items) float32.
            prior: (items,) float32.
            bias: (items,) float32; none = zeros.
        """
        row = item_rows(factors, prior, bias)
        known = np.asarray(factors.any(axis=0))
        order = np.argsort(-prior, kind="stable")
        longest = np.sqrt((factors.astype(np.float64) ** 2).sum(axis=0).max(initial=0))
        offset = np.ascontiguousarray(row[:, -1])
        unknown = order[~known[order]].astype(np.int32)
        return cls(factors, row, offset, prior, unknown, float(longest), float(np.abs(offset).max(initial=0)))

    def __len__(self) -> int:
        return len(self.row)

    @property
    def known(self) -> IntVector:
        """(items - u,) items that have a vector, in catalogue order."""
        mask = np.ones(len(self), bool)
        mask[self.unknown] = False
        return np.flatnonzero(mask)


def item_rows(factors: FloatMatrix, prior: FloatVector, bias: FloatVector | None = None) -> FloatMatrix:
    """(items, size + 1) float32: the vector of each item and its bias, or its prior where it has no vector.

    Args:
        factors: (size, items) float32.
        prior: (items,) float32.
        bias: (items,) float32; none = zeros.

    Example:
        >>> item_rows(np.array([[3, 0]], np.float32), np.array([0, -1], np.float32)).tolist()
        [[3.0, 0.0], [0.0, -1.0]]
    """
    row = np.zeros((factors.shape[1], len(factors) + 1), np.float32)
    row[:, :-1] = factors.T
    row[:, -1] = np.where(factors.any(axis=0), 0 if bias is None else bias, prior)
    return row


def product_error(users: FloatMatrix, vectors: ItemVectors) -> FloatVector:
    """(n,) float64: how far two float32 sums of one inner product may lie apart, whatever the order of either.

    Each errs by at most ``gamma_m |u||v|`` with ``gamma_m`` about ``m * 2 ** -24``; twice that is taken.

    Args:
        users: (n, size) float32.
        vectors: of the items.

    Example:
        >>> vectors = ItemVectors.of(np.ones((4, 2), np.float32), np.zeros(2, np.float32))
        >>> product_error(np.ones((1, 4), np.float32), vectors) < 1e-5
        array([ True])
    """
    terms = users.shape[1] + 3
    reach = np.linalg.norm(users.astype(np.float64), axis=1) * vectors.longest + vectors.highest
    error = terms * (reach * 2.0**-22 + 2.0**-120)  # higham2002, equation 3.5, and what underflows
    return np.where(reach < LARGEST, error, np.inf)
