"""A linear model of binned features: every bin of every feature has a weight, and so has the unknown."""

from collections.abc import Sequence
from itertools import chain

import numpy as np

from encorec.compiled import FLOAT32, FLOAT64, INT32, INT64, compiled, read, write
from encorec.errors import QueryError
from encorec.types import FloatMatrix, FloatVector, IntMatrix, IntVector

__all__ = ["BinnedWeights", "bin_codes", "quantile_edges"]

_REACH = 5.0  # the outermost edges stand where e**5 to 1 of the values are on one side


class BinnedWeights:
    """Scores rows by adding up the weights of the bins that their values fall into.

    Args:
        edges: of each feature, rising; a value belongs to the bin below the first edge that is not below it.
        weights: of each feature: one more than edges, then that of the unknown (NaN).
        intercept: of every score.

    Raises:
        ValueError: parts that do not fit.

    Example:
        >>> model = BinnedWeights([[0.5]], [[1.0, 3.0, -1.0]], 0.25)
        >>> model.score(np.array([[0.5], [0.6], [np.nan]], np.float32)).tolist()
        [1.25, 3.25, -0.75]
    """

    def __init__(self, edges: Sequence[Sequence[float]], weights: Sequence[Sequence[float]], intercept: float) -> None:
        if len(edges) != len(weights) or any(len(two) != len(one) + 2 for one, two in zip(edges, weights, strict=True)):
            raise ValueError("bins that do not fit their edges")
        self._edge = np.array(list(chain.from_iterable(edges)), np.float32)
        self._weight = np.array(list(chain.from_iterable(weights)), np.float64)
        self._intercept = float(intercept)
        if not (np.isfinite(self._weight).all() and np.isfinite(self._intercept)) or np.isnan(self._edge).any():
            raise ValueError("weights or edges that are no numbers")
        self._starts = _starts(edges)
        self._first = self._starts + 2 * np.arange(len(self._starts))

    def score(self, features: FloatMatrix) -> FloatVector:
        """(m, features) float32 -> (m,) float64 log-odds; berkson1944.

        Raises:
            QueryError: not as many features as the weights were learnt on.
        """
        total = np.full(len(features), self._intercept)
        _add_weights(self._codes(features), self._first, self._weight, total)
        return total

    def contributions(self, features: FloatMatrix) -> FloatMatrix:
        """(m, features + 1) float64: what each feature adds to the score, exactly; the last column is the intercept."""
        found = self._weight[self._codes(features) + self._first[:-1]]
        return np.hstack([found, np.full((len(features), 1), self._intercept)])

    def _codes(self, features: FloatMatrix) -> IntMatrix:
        width = len(self._starts) - 1
        if features.ndim != 2 or features.shape[1] != width:
            raise QueryError(f"features have the shape {features.shape}, the weights are of (rows, {width})")
        return _coded(features, self._starts, self._edge)


def quantile_edges(features: FloatMatrix, bins: int) -> list[FloatVector]:
    """Edges of up to ``bins`` bins of each feature: quantiles at equal steps of their log-odds.

    So that there are more of them where lists begin and end than in the middle, where nothing is decided. Values that
    are common take up several edges, which are one; a feature that is constant, or never known, has none.

    Args:
        features: (r, F) float32.
        bins: 2 or more.

    Example:
        >>> [edges.tolist() for edges in quantile_edges(np.array([[1, 7], [2, 7], [3, 7]], np.float32), 2)]
        [[2.0], []]
    """
    share = 1 / (1 + np.exp(-np.linspace(-_REACH, _REACH, bins - 1)))
    share = share if bins > 2 else np.array([0.5])
    found: list[FloatVector] = []
    for column in np.ascontiguousarray(features.T, np.float32):
        known = column[~np.isnan(column)]
        edges = np.unique(np.quantile(known, share, method="lower")) if len(known) else known
        found.append(edges[edges < known.max(initial=-np.inf)].astype(np.float32))
    return found


def bin_codes(features: FloatMatrix, edges: Sequence[FloatVector]) -> IntMatrix:
    """(r, F) int32 bin of every value: how many edges are below it; NaN is the bin after the last.

    Args:
        features: (r, F) float32.
        edges: of each feature.

    Example:
        >>> bin_codes(np.array([[0.5], [0.6], [np.nan]], np.float32), [np.array([0.5])]).ravel().tolist()
        [0, 1, 2]
    """
    return _coded(features, _starts(edges), np.concatenate([np.empty(0), *edges]).astype(np.float32))


def _starts(edges: Sequence[Sequence[float] | FloatVector]) -> IntVector:
    return np.cumsum([0] + [len(one) for one in edges]).astype(np.int64)


def _coded(features: FloatMatrix, starts: IntVector, edge: FloatVector) -> IntMatrix:
    code = np.empty(features.shape, np.int32)
    _find_bins(np.ascontiguousarray(features, np.float32), starts, edge, code)
    return code


@compiled(read(FLOAT32, 2), read(INT64), read(FLOAT32), write(INT32, 2))
def _find_bins(features: FloatMatrix, starts: IntVector, edge: FloatVector, code: IntMatrix) -> None:
    """Write the bin of every value of (m, F) features; the edges (e,) of feature f begin at ``starts[f]``."""
    for row in range(features.shape[0]):
        for place in range(features.shape[1]):
            first, last = starts[place], starts[place + 1]
            told = features[row, place]
            if np.isnan(told):
                code[row, place] = last - first + 1
                continue
            low, high = first, last
            while low < high:
                middle = (low + high) // 2
                if edge[middle] < told:
                    low = middle + 1
                else:
                    high = middle
            code[row, place] = low - first


@compiled(read(INT32, 2), read(INT64), read(FLOAT64), write(FLOAT64))
def _add_weights(code: IntMatrix, first: IntVector, weight: FloatVector, total: FloatVector) -> None:
    """Add to ``total`` (m,) the weights of the bins (m, F), whose feature's weights begin at ``first`` (F + 1,)."""
    for row in range(code.shape[0]):
        for place in range(code.shape[1]):
            total[row] += weight[first[place] + code[row, place]]
