"""The loops of candidate features, compiled; candidates come sorted by query."""

import numba
import numpy as np

from encorec.types import FloatMatrix, FloatVector, IntVector

__all__ = ["add_profiles", "match_profiles", "own_events"]

_int32, _int64, _float32 = numba.int32, numba.int64, numba.float32


def _input(kind: numba.types.Type, dimensions: int = 1) -> numba.types.Array:
    return numba.types.Array(kind, dimensions, "C", readonly=True)


def _output(kind: numba.types.Type, dimensions: int = 1) -> numba.types.Array:
    return numba.types.Array(kind, dimensions, "C")


@numba.njit(
    numba.void(
        _input(_int64), _input(_int32), _input(_float32), _input(_int64), _input(_int32), _output(_float32, 2)
    ),
    cache=True,
    nogil=True,
)
def add_profiles(
    indptr: IntVector,
    item: IntVector,
    weight: FloatVector,
    trait_indptr: IntVector,
    trait: IntVector,
    profile: FloatMatrix,
) -> None:
    """How much of each history's weight went to items with each trait.

    Args:
        indptr: (n + 1,) int64 offsets of the histories.
        item: (m,) int32.
        weight: (m,) float32, summing to 1 per history.
        trait_indptr: (items + 1,) int64 offsets of the items' traits.
        trait: (z,) int32.
        profile: (n, traits) float32, added to.

    Example:
        >>> profile = np.zeros((1, 2), np.float32)
        >>> one, zero = np.ones(1, np.float32), np.zeros(1, np.int32)
        >>> add_profiles(np.array([0, 1]), zero, one, np.array([0, 1]), np.array([1], np.int32), profile)
        >>> profile.tolist()
        [[0.0, 1.0]]
    """
    for query in range(len(indptr) - 1):
        for event in range(indptr[query], indptr[query + 1]):
            one = item[event]
            for place in range(trait_indptr[one], trait_indptr[one + 1]):
                profile[query, trait[place]] += weight[event]


@numba.njit(
    numba.void(
        _input(_int32),
        _input(_int32),
        _input(_int64),
        _input(_int32),
        _input(_int32),
        _input(_float32, 2),
        _output(_float32, 2),
    ),
    cache=True,
    nogil=True,
)
def match_profiles(
    query: IntVector,
    item: IntVector,
    trait_indptr: IntVector,
    trait: IntVector,
    column: IntVector,
    profile: FloatMatrix,
    out: FloatMatrix,
) -> None:
    """Mean share of the history that has the candidate's traits, per column of features.

    Args:
        query: (m,) int32.
        item: (m,) int32.
        trait_indptr: (items + 1,) int64.
        trait: (z,) int32.
        column: (traits,) int32 the feature column that each trait belongs to.
        profile: (n, traits) float32.
        out: (m, columns) float32, written; NaN where the item has no trait of the column.

    Example:
        >>> out, zero = np.empty((1, 1), np.float32), np.zeros(1, np.int32)
        >>> match_profiles(zero, zero, np.array([0, 1]), zero, zero, np.array([[0.5]], np.float32), out)
        >>> out.tolist()
        [[0.5]]
    """
    counts = np.empty(out.shape[1], np.int64)
    for row in range(len(query)):
        counts[:] = 0
        out[row, :] = 0
        for place in range(trait_indptr[item[row]], trait_indptr[item[row] + 1]):
            kind = column[trait[place]]
            out[row, kind] += profile[query[row], trait[place]]
            counts[kind] += 1
        for kind in range(len(counts)):
            if counts[kind]:
                out[row, kind] /= counts[kind]
            else:
                out[row, kind] = np.nan


@numba.njit(
    numba.void(
        _input(_int64),
        _input(_int32),
        _input(_int64),
        _input(_float32),
        _input(_int64),
        _input(_int64),
        _input(_int32),
        _int64,
        _output(_float32, 2),
    ),
    cache=True,
    nogil=True,
)
def own_events(
    indptr: IntVector,
    item: IntVector,
    time: IntVector,
    weight: FloatVector,
    now: IntVector,
    candidate_indptr: IntVector,
    candidate: IntVector,
    items: int,
    out: FloatMatrix,
) -> None:
    """What the user did with each candidate before.

    Args:
        indptr: (n + 1,) int64 offsets of the histories, with item (m,) int32, time (m,) int64, weight (m,) float32.
        now: (n,) int64.
        candidate_indptr: (n + 1,) int64 offsets of the candidates.
        candidate: (c,) int32.
        items: size of the catalogue.
        out: (c, 5) float32, written: events, weight, days since the newest, mean days between, newest / between.

    Example:
        >>> out, ones = np.empty((1, 5), np.float32), np.ones(2, np.float32)
        >>> zeros, day = np.zeros(2, np.int32), 86400
        >>> own_events(np.array([0, 2]), zeros, np.array([0, day]), ones, np.array([3 * day]), np.array([0, 1]), zeros[:1], 1, out)
        >>> out.tolist()
        [[2.0, 2.0, 2.0, 1.0, 2.0]]
    """
    count, total = np.zeros(items, np.int64), np.zeros(items, np.float32)
    first, last = np.zeros(items, np.int64), np.zeros(items, np.int64)
    for query in range(len(indptr) - 1):
        for event in range(indptr[query], indptr[query + 1]):
            one = item[event]
            if count[one] == 0:
                first[one] = time[event]
            last[one] = time[event]
            count[one] += 1
            total[one] += weight[event]
        for row in range(candidate_indptr[query], candidate_indptr[query + 1]):
            one = candidate[row]
            out[row, 0], out[row, 1] = count[one], total[one]
            out[row, 2:] = np.nan
            if count[one]:
                out[row, 2] = max(now[query] - last[one], 0) / 86_400
            if count[one] > 1:
                out[row, 3] = (last[one] - first[one]) / (count[one] - 1) / 86_400
                out[row, 4] = out[row, 2] / max(out[row, 3], 0.04)
        for event in range(indptr[query], indptr[query + 1]):
            count[item[event]], total[item[event]] = 0, 0
