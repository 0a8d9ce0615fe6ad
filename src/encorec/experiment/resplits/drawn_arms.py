"""Units split again and again by the shares of an experiment: sums of their columns by arm, by matrix products."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from threadpoolctl import threadpool_limits

from encorec.experiment.analysis.moments import Moments
from encorec.types import BoolMatrix, FloatMatrix, FloatVector

__all__ = ["Products", "draws", "split_sums"]

_CELLS = 1 << 22
_UNITS_AT_ONCE = 4096


@dataclass(frozen=True)
class Products:
    """Columns, centred, and the products of each two of them.

    Args:
        centre: (c,) float64 means of the columns.
        matrix: (n, 1 + c + c (c + 1) / 2) float64: ones, columns, products.

    Example:
        >>> Products.of([np.array([1.0, 3.0])]).matrix.tolist()
        [[1.0, -1.0, 1.0], [1.0, 1.0, 1.0]]
    """

    centre: FloatVector
    matrix: FloatMatrix

    @classmethod
    def of(cls, columns: Sequence[FloatVector]) -> "Products":
        """From columns of (n,) float64."""
        centre = np.array([one.mean() for one in columns])
        centred = [one - mean for one, mean in zip(columns, centre, strict=True)]
        pairs = [centred[i] * centred[j] for i, j in zip(*np.triu_indices(len(columns)), strict=True)]
        return cls(centre, np.stack([np.ones(len(columns[0])), *centred, *pairs], axis=1))

    def moments(self, sums: FloatVector) -> Moments:
        """Of the units of an arm whose rows of the matrix add up to ``sums``."""
        count, size = round(float(sums[0])), len(self.centre)
        mean, scatter = sums[1 : 1 + size] / count, np.zeros((size, size))
        scatter[np.triu_indices(size)] = sums[1 + size :]
        scatter = scatter + np.triu(scatter, 1).T - count * np.outer(mean, mean)
        np.fill_diagonal(scatter, np.maximum(np.diag(scatter), 0.0))
        return Moments(count, self.centre + mean, scatter / max(count - 1, 1))


def draws(units: int, shares: Sequence[float], rounds: int, rng: np.random.Generator) -> Iterator[Sequence[BoolMatrix]]:
    """Blocks of rounds: for each arm the (rounds of the block, units) units that fall into it.

    Every unit falls into an arm by itself, as with a hash, so arms differ in size by chance.

    Args:
        units: how many.
        shares: of the arms; they add up to 1.
        rounds: in all.
        rng: source of chance.

    Example:
        >>> arms = next(draws(4, [0.5, 0.5], 3, np.random.default_rng(0)))
        >>> len(arms), arms[0].shape, bool((arms[0] ^ arms[1]).all())
        (2, (3, 4), True)
    """
    ends = np.cumsum(shares)[:-1]
    block = max(1, _CELLS // units)
    for start in range(0, rounds, block):
        place = rng.random((min(block, rounds - start), units), dtype=np.float32)
        below = [np.zeros(place.shape, bool), *(place < end for end in ends), np.ones(place.shape, bool)]
        yield [later & ~earlier for earlier, later in pairwise(below)]


def split_sums(arms: Sequence[BoolMatrix], matrix: FloatMatrix) -> FloatMatrix:
    """Sums of the rows of a matrix over the units of each arm.

    Args:
        arms: of a block of ``draws``.
        matrix: (units, columns) float64.

    Returns:
        (rounds, arms, columns) float64.

    Example:
        >>> arms = [np.array([[True, False]]), np.array([[False, True]])]
        >>> split_sums(arms, np.array([[1.0], [5.0]])).tolist()
        [[[1.0], [5.0]]]
    """
    found = np.zeros((len(arms[0]), len(arms), matrix.shape[1]))
    with threadpool_limits(limits=1, user_api="blas"):
        for start in range(0, len(matrix), _UNITS_AT_ONCE):
            part = slice(start, start + _UNITS_AT_ONCE)
            for place, arm in enumerate(arms):
                found[:, place] += arm[:, part].astype(np.float64) @ matrix[part]
    return found
