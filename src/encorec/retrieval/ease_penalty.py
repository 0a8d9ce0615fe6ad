"""What holds the weights of EASE back: a penalty for every item, and how much an item may explain itself."""

from dataclasses import dataclass
from typing import cast

import numpy as np
from scipy import sparse

from encorec.types import FloatVector

__all__ = ["Penalty", "column_power"]


def column_power(matrix: sparse.csr_array) -> FloatVector:
    """(m,) float64 summed squares of every column of an (n, m) matrix: the diagonal of its Gram matrix.

    Example:
        >>> column_power(sparse.csr_array(np.array([[1.0, 0.0, 2.0], [3.0, 0.0, 0.0]]))).tolist()
        [10.0, 0.0, 4.0]
    """
    _, columns = cast("tuple[int, int]", matrix.shape)
    return np.bincount(matrix.indices, matrix.data**2, columns).astype(np.float64)


@dataclass(frozen=True)
class Penalty:
    """The three numbers that hold the weights back.

    Args:
        reg: L2 penalty of every item, positive.
        dropout: share of the histories' entries that is thought away, in [0, 1).
        relaxation: the largest weight that an item may have for itself, in [0, 1).

    Example:
        >>> penalty = Penalty(2.0, dropout=0.5, relaxation=0.25)
        >>> penalty.of_items(np.array([0.0, 4.0])).tolist()
        [2.0, 6.0]
        >>> penalty.kept(np.array([0.5, 0.9])).tolist()
        [0.75, 0.9]
    """

    reg: float
    dropout: float = 0.0
    relaxation: float = 0.0

    def of_items(self, power: FloatVector) -> FloatVector:
        """(items,) float64 L2 penalty of every item, of the items' ``power`` (items,)."""
        return self.reg + self.dropout / (1 - self.dropout) * power  # steck2020

    def kept(self, without_itself: FloatVector) -> FloatVector:
        """(items,) by what the weights for an item are multiplied, in (0, 1]; 1 without relaxation.

        Args:
            without_itself: (items,) 1 less the weight that the ridge regression of an item on all items, itself among
                them, gives to the item itself.
        """
        return np.clip(without_itself, 1 - self.relaxation, 1)  # moon2023
