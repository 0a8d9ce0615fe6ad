"""Isotonic regression: the best non-decreasing map from scores to the share of rows that were taken."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from encorec.compiled import BOOL, FLOAT64, INT64, compiled, read, write
from encorec.errors import ArtifactError
from encorec.protocols import Arrays
from encorec.types import FloatVector

__all__ = ["IsotonicCalibration", "pool_adjacent"]

LEAST_ROWS = 50


@dataclass(frozen=True)
class IsotonicCalibration:
    """Probabilities at scores that were met, straight lines between them, the nearest end beyond.

    Args:
        score: (b,) float64 ascending.
        chance: (b,) float64 non-decreasing, strictly between 0 and 1.

    Example:
        >>> score, taken = np.repeat([0.0, 1.0, 2.0, 3.0], 99), np.tile([0.0, 1.0, 0.0, 1.0], 99)
        >>> taken[:99] = 0
        >>> found = IsotonicCalibration.fit(score, taken, np.ones(396))
        >>> found.probability(np.array([-9.0, 0.5, 1.0, 3.0, np.nan])).round(2).tolist()
        [0.0, 0.25, 0.5, 0.5, nan]
    """

    score: FloatVector
    chance: FloatVector

    @classmethod
    def fit(cls, score: FloatVector, label: FloatVector, weight: FloatVector) -> Self:
        """Pool adjacent violators (barlow1972); for classifiers zadrozny2002.

        A few rows at the ends would prove too much: neighbouring scores are put together until they have
        ``LEAST_ROWS`` rows, each group counts one row of mean weight and of the mean chance besides its own, and
        chances stay between 1 / (n + 2) and its complement, n the sum of weights.

        Args:
            score: (r,) float64, finite.
            label: (r,) 1 = taken, 0 = not.
            weight: (r,) positive: how many rows each one stands for.
        """
        order = np.argsort(score, kind="stable")
        ordered = score[order]
        starts = np.flatnonzero(np.concatenate([[True], ordered[1:] > ordered[:-1]]))
        first = np.empty(len(starts), np.bool_)
        _begin_groups(np.diff(np.append(starts, len(score))), LEAST_ROWS, first)
        low = starts[first]
        total = np.add.reduceat(weight[order].astype(np.float64), low)
        taken = np.add.reduceat((weight * label)[order].astype(np.float64), low)
        total += weight.mean()
        taken += weight.mean() * np.average(label, weights=weight)
        chance, block = np.empty(len(low)), np.empty(len(low), np.int64)
        pool_adjacent(taken / total, total, chance, block)
        begin = np.flatnonzero(np.diff(block, prepend=-1))
        end = np.append(begin[1:], len(low)) - 1
        least, high = 1 / (float(weight.sum()) + 2), np.append(low[1:], len(score)) - 1
        ends = np.column_stack([ordered[low[begin]], ordered[high[end]]]).ravel()
        return cls(ends, np.repeat(np.clip(chance[begin], least, 1 - least), 2))

    def probability(self, score: FloatVector) -> FloatVector:
        """(any shape) float64 probabilities; non-decreasing in the score, NaN where it is NaN."""
        return np.interp(score, self.score, self.chance)

    def arrays(self) -> Arrays:
        """Everything learnt, as named arrays."""
        return {"score": self.score, "chance": self.chance}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The map that ``arrays()`` was taken from.

        Raises:
            ArtifactError: not a non-decreasing map to probabilities.
        """
        score, chance = np.asarray(arrays["score"], np.float64), np.asarray(arrays["chance"], np.float64)
        rises = len(score) == len(chance) > 0 and np.all(np.diff(score) >= 0) and np.all(np.diff(chance) >= 0)
        if not rises or not 0 <= chance[0] <= chance[-1] <= 1:
            raise ArtifactError("calibration: its arrays are no rising map to probabilities; train again")
        return cls(score, chance)


@compiled(read(INT64), INT64, write(BOOL))
def _begin_groups(rows: Any, least: int, first: Any) -> None:
    """Mark the values (b,), of ``rows`` rows each, that begin a group of ``least`` rows; the last takes the rest."""
    inside, newest = least, 0
    for place in range(len(rows)):
        first[place] = inside >= least
        if first[place]:
            inside, newest = 0, place
        inside += rows[place]
    if inside < least and newest > 0:
        first[newest] = False


@compiled(read(FLOAT64), read(FLOAT64), write(FLOAT64), write(INT64))
def pool_adjacent(mean: FloatVector, weight: FloatVector, fitted: FloatVector, block: Any) -> None:
    """The non-decreasing values nearest to ``mean`` in weighted squares; barlow1972.

    Args:
        mean: (b,) float64.
        weight: (b,) float64, positive.
        fitted: (b,) float64, written.
        block: (b,) int64, written: values of one block were pooled.

    Example:
        >>> fitted, block = np.empty(3), np.empty(3, np.int64)
        >>> pool_adjacent(np.array([1.0, 3.0, 2.0]), np.array([1.0, 1.0, 3.0]), fitted, block)
        >>> fitted.tolist(), block.tolist()
        ([1.0, 2.25, 2.25], [0, 1, 1])
    """
    value, mass, start = np.empty(len(mean)), np.empty(len(mean)), np.empty(len(mean) + 1, np.int64)
    blocks = 0
    for place in range(len(mean)):
        value[blocks], mass[blocks], start[blocks] = mean[place], weight[place], place
        blocks += 1
        while blocks > 1 and value[blocks - 2] >= value[blocks - 1]:
            together = mass[blocks - 2] + mass[blocks - 1]
            total = value[blocks - 2] * mass[blocks - 2] + value[blocks - 1] * mass[blocks - 1]
            value[blocks - 2], mass[blocks - 2] = total / together, together
            blocks -= 1
    start[blocks] = len(mean)
    for one in range(blocks):
        fitted[start[one] : start[one + 1]] = value[one]
        block[start[one] : start[one + 1]] = one
