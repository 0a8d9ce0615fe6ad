"""What the numbers of an ALS vector mean: which of them are known beforehand, and which are solved."""

from typing import NamedTuple

import numpy as np

from encorec.types import BoolVector, FloatMatrix

__all__ = ["Layout"]


class Layout(NamedTuple):
    """Vectors of users and items side by side: user features, latent numbers, item features, and two for the biases.

    The features of a user are known numbers of his vector and meet weights that are solved for every item; the features
    of an item likewise. Of the two last numbers the user has 1 where the item has its bias, and the other way round.

    Args:
        user: columns of user features.
        latent: numbers solved on both sides.
        item: columns of item features.
        bias: whether the two last numbers are there.

    Example:
        >>> layout = Layout(1, 2, 1, True)
        >>> layout.size, layout.user_fixed.astype(int).tolist(), layout.item_fixed.astype(int).tolist()
        (6, [1, 0, 0, 0, 1, 0], [0, 0, 0, 1, 0, 1])
    """

    user: int
    latent: int
    item: int
    bias: bool

    @property
    def columns(self) -> int:
        """Numbers per vector without those for the biases."""
        return self.user + self.latent + self.item

    @property
    def size(self) -> int:
        """Numbers per vector."""
        return self.columns + 2 * self.bias

    @property
    def user_fixed(self) -> BoolVector:
        """(size,) true where the number of a user is known beforehand."""
        return self._marked(slice(0, self.user), self.columns)

    @property
    def item_fixed(self) -> BoolVector:
        """(size,) true where the number of an item is known beforehand."""
        return self._marked(slice(self.columns - self.item, self.columns), self.columns + 1)

    def users(self, features: FloatMatrix) -> FloatMatrix:
        """(n, size) float64 vectors of users with these (n, user) features, 0 where they are to be solved."""
        return self._known(features, self.user_fixed)

    def items(self, features: FloatMatrix) -> FloatMatrix:
        """(n, size) float64 vectors of items with these (n, item) features, 0 where they are to be solved."""
        return self._known(features, self.item_fixed)

    def _known(self, features: FloatMatrix, fixed: BoolVector) -> FloatMatrix:
        vectors = np.zeros((len(features), self.size))
        vectors[:, fixed] = np.concatenate([features, np.ones((len(features), int(self.bias)))], axis=1)
        return vectors

    def _marked(self, features: slice, one: int) -> BoolVector:
        mask = np.zeros(self.size, bool)
        mask[features] = True
        if self.bias:
            mask[one] = True
        return mask
