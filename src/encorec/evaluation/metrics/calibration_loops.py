"""The loop that holds the genres of lists against those of histories, one user after the other."""

import math

import numpy as np

from encorec.compiled import BOOL, FLOAT64, INT32, INT64, compiled, read, write
from encorec.types import BoolVector, FloatMatrix, FloatVector, IntMatrix, IntVector

__all__ = ["diverge"]


@compiled()
def _spread(items: IntVector, indptr: IntVector, genre: IntVector, share: FloatVector) -> int:
    """Add to ``share`` (genres,) the weight of every item, evenly over its genres; returns how many have a genre."""
    described: int = 0
    for one in items:
        count = indptr[one + 1] - indptr[one] if one >= 0 else 0
        for place in range(indptr[one] if count else 0, indptr[one + 1] if count else 0):
            share[genre[place]] += 1.0 / count
        described += 1 if count > 0 else 0
    return described


@compiled()
def _touch(items: IntVector, indptr: IntVector, genre: IntVector, touched: IntVector, seen: BoolVector) -> None:
    """Add the genres of ``items`` to the list ``touched[1:]`` of those ``seen``, whose length is ``touched[0]``."""
    for one in items:
        for place in range(indptr[one] if one >= 0 else 0, indptr[one + 1] if one >= 0 else 0):
            if not seen[genre[place]]:
                seen[genre[place]] = True
                touched[0] += 1
                touched[touched[0]] = genre[place]


@compiled()
def _divergence(p: float, q: float, alpha: float, mixed: bool) -> float:
    """What one genre adds: p of the history, q of the list; Jensen-Shannon if ``mixed``, else Kullback-Leibler."""
    total, middle = 0.0, (p + q) / 2
    if mixed:
        if p > 0:
            total += p * math.log(p / middle) / 2  # lin1991
        if q > 0:
            total += q * math.log(q / middle) / 2
    elif p > 0:
        total += p * math.log(p / ((1 - alpha) * q + alpha * p))  # steck2018
    return total


@compiled(
    read(INT64), read(INT32), read(INT32, 2), read(INT64), read(INT32), INT64, FLOAT64, BOOL, write(FLOAT64),
    write(BOOL),
)  # fmt: skip
def diverge(
    history_indptr: IntVector,
    history_item: IntVector,
    item: IntMatrix,
    indptr: IntVector,
    genre: IntVector,
    genres: int,
    alpha: float,
    mixed: bool,
    value: FloatVector,
    told: BoolVector,
) -> None:
    """Divergence of the genres of every list from those of the user's history.

    Args:
        history_indptr: (n + 1,) int64 offsets of the histories.
        history_item: (h,) int32 items of the histories.
        item: (n, width) int32 lists, -1 = empty.
        indptr: (items + 1,) int64 offsets of the genres of each item.
        genre: (g,) int32 genres.
        genres: how many genres there are.
        alpha: share of the history's distribution in the list's, for Kullback-Leibler.
        mixed: Jensen-Shannon in place of Kullback-Leibler.
        value: (n,) float64 nats, written; 0 where it cannot be told.
        told: (n,) bool, written; false where history or list have items, but none with a genre, or no history at all.

    Example:
        >>> value, told = np.empty(1), np.empty(1, bool)
        >>> lists, genre = np.array([[1]], np.int32), np.array([0, 1], np.int32)
        >>> offsets = np.array([0, 1, 2])
        >>> diverge(np.array([0, 2]), np.array([0, 1], np.int32), lists, offsets, genre, 2, 0.01, True, value, told)
        >>> value.round(3).tolist()
        [0.216]
    """
    share: FloatMatrix = np.zeros((2, genres))
    seen, touched = np.zeros(genres, np.bool_), np.zeros(genres + 1, np.int32)
    for row in range(len(item)):
        had, shown = history_item[history_indptr[row] : history_indptr[row + 1]], item[row]
        empty = len(shown) == 0 or shown[0] < 0
        liked, described = _spread(had, indptr, genre, share[0]), _spread(shown, indptr, genre, share[1])
        _touch(had, indptr, genre, touched, seen)
        _touch(shown, indptr, genre, touched, seen)
        total = 0.0
        for one in touched[1 : touched[0] + 1]:
            p, q = share[0, one] / max(liked, 1), share[1, one] / max(described, 1)
            total += _divergence(p, q, alpha, mixed)
            share[:, one] = 0.0
            seen[one] = False
        touched[0] = 0
        told[row] = liked > 0 and (described > 0 or empty)
        worst = math.log(2.0) if mixed else -math.log(alpha)
        value[row] = 0.0 if not told[row] else worst if empty else max(total, 0.0)
