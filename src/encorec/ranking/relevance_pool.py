"""The pool that a slate is chosen from: the best of the ranking, on one scale whatever the ranker."""

from typing import NamedTuple

import numpy as np

from encorec.compiled import FLOAT64, INT32, INT64, compiled, read, record, write
from encorec.types import FloatMatrix, FloatVector, IntMatrix, IntVector

__all__ = ["Boosts", "scale_pools"]


class Boosts(NamedTuple):
    """What raises or lowers relevance, in spans of the pool's relevance.

    ``first`` (items,) int64 second of the first interaction, ``share`` (items,) float64 popularity from 0 to 1;
    ``freshness`` and ``popularity`` the strengths, 0 = off; ``half_life`` seconds in which the freshness halves.

    Example:
        >>> Boosts(np.zeros(1, np.int64), np.ones(1), freshness=0.0, popularity=0.2, half_life=86_400.0).popularity
        0.2
    """

    first: IntVector
    share: FloatVector
    freshness: float
    popularity: float
    half_life: float


BOOSTS = record(Boosts, read(INT64), read(FLOAT64), FLOAT64, FLOAT64, FLOAT64)


@compiled()
def _stretch(value: FloatVector, size: int) -> None:
    """Map the finite values to 0..1; what lies beyond goes to the nearer end, equal values to 1."""
    low, high = np.inf, -np.inf
    for place in range(size):
        if np.isfinite(value[place]):
            low, high = min(low, value[place]), max(high, value[place])
    for place in range(size):
        if high > low and np.isfinite(value[place]):
            value[place] = (value[place] - low) / (high - low)
        else:
            value[place] = 0.0 if value[place] < low else 1.0


@compiled(
    read(INT64, 2), read(INT32), read(FLOAT64), read(INT64), BOOSTS, write(FLOAT64, 2), write(INT64)
)  # fmt: skip
def scale_pools(
    order: IntMatrix,
    item: IntVector,
    relevance: FloatVector,
    now: IntVector,
    boosts: Boosts,
    value: FloatMatrix,
    size: IntVector,
) -> None:
    """Relevance of every pool from 0 (its worst) to 1 (its best), after boosts again.

    A boost adds its strength times the freshness 2^(-age / half-life), or takes away its strength times the share of
    popularity. Items that nobody has met are not fresh: their age is unknown.

    Args:
        order: (n, width) int64 candidates of each query, best first, -1 = none.
        item: (m,) int32 item of each candidate.
        relevance: (m,) float64.
        now: (n,) int64 seconds.
        boosts: over all items.
        value: (n, pool) float64, written up to ``size``.
        size: (n,) int64, written: candidates of the pool whose relevance is known.

    Example:
        >>> from encorec.ranking.read_only import read_only
        >>> none = read_only(Boosts(np.zeros(2, np.int64), np.zeros(2), 0.0, 0.0, 1.0))
        >>> value, size = np.empty((1, 2)), np.empty(1, np.int64)
        >>> order, item = np.array([[1, 0]]), np.array([0, 1], np.int32)
        >>> scale_pools(order, item, np.array([-3.0, 5.0]), np.array([9]), none, value, size)
        >>> value.tolist(), size.tolist()
        ([[1.0, 0.0]], [2])
    """
    for query in range(len(order)):
        found, known = value[query], 0
        for place in range(min(value.shape[1], order.shape[1])):
            row = order[query, place]
            if row >= 0 and not np.isnan(relevance[row]):
                found[known] = relevance[row]
                known += 1
        size[query] = known
        _stretch(found, known)
        if boosts.freshness == 0.0 and boosts.popularity == 0.0:
            continue
        for place in range(known):
            one = item[order[query, place]]
            age = now[query] - boosts.first[one]
            if boosts.first[one] < np.iinfo(np.int64).max:
                found[place] += boosts.freshness * 0.5 ** (max(age, 0) / boosts.half_life)
            found[place] -= boosts.popularity * boosts.share[one]
        _stretch(found, known)
