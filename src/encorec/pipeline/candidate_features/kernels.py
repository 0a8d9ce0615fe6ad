"""The loops of candidate features, compiled; candidates come sorted by query."""

import numpy as np

from encorec.compiled import FLOAT32, FLOAT64, INT32, INT64, compiled, read, write
from encorec.types import FloatMatrix, FloatVector, IntMatrix, IntVector

__all__ = ["add_profiles", "compare_scores", "count_events", "match_profiles", "mean_numbers", "own_events"]


@compiled(read(INT64), read(INT32), read(INT64), read(INT32), write(FLOAT32, 2))
def add_profiles(
    indptr: IntVector, item: IntVector, trait_indptr: IntVector, trait: IntVector, profile: FloatMatrix
) -> None:
    """The share of each history's events whose item has each trait.

    Args:
        indptr: (n + 1,) int64 offsets of the histories.
        item: (m,) int32.
        trait_indptr: (items + 1,) int64 offsets of the items' traits.
        trait: (z,) int32.
        profile: (n, traits) float32, added to.

    Example:
        >>> profile = np.zeros((1, 2), np.float32)
        >>> items, trait = np.array([0, 1], np.int32), np.array([1], np.int32)
        >>> add_profiles(np.array([0, 2]), items, np.array([0, 1, 1]), trait, profile)
        >>> profile.tolist()
        [[0.0, 0.5]]
    """
    for query in range(len(indptr) - 1):
        events = indptr[query + 1] - indptr[query]
        for event in range(indptr[query], indptr[query + 1]):
            one = item[event]
            for place in range(trait_indptr[one], trait_indptr[one + 1]):
                profile[query, trait[place]] += np.float32(1 / events)


@compiled(
    read(INT32),
    read(INT32),
    read(INT64),
    read(INT32),
    read(INT32),
    read(FLOAT32, 2),
    write(FLOAT32, 2),
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
        out: (columns, m) float32, written; NaN where the item has no trait of the column.

    Example:
        >>> out, zero = np.empty((1, 1), np.float32), np.zeros(1, np.int32)
        >>> match_profiles(zero, zero, np.array([0, 1]), zero, zero, np.array([[0.5]], np.float32), out)
        >>> out.tolist()
        [[0.5]]
    """
    counts = np.empty(len(out), np.int64)
    out[:] = 0
    for row in range(len(query)):
        counts[:] = 0
        for place in range(trait_indptr[item[row]], trait_indptr[item[row] + 1]):
            kind = column[trait[place]]
            out[kind, row] += profile[query[row], trait[place]]
            counts[kind] += 1
        for kind in range(len(counts)):
            out[kind, row] = out[kind, row] / counts[kind] if counts[kind] else np.nan


@compiled(
    read(INT64),
    read(INT32),
    read(INT64),
    read(FLOAT32),
    read(INT64),
    read(INT64),
    read(INT32),
    INT64,
    write(FLOAT32, 2),
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
        out: (5, c) float32, written: events, weight, days since the newest, mean days between, newest / between.

    Example:
        >>> out, ones = np.empty((5, 1), np.float32), np.ones(2, np.float32)
        >>> zeros, time, now = np.zeros(2, np.int32), np.array([0, 86400]), np.array([3 * 86400])
        >>> own_events(np.array([0, 2]), zeros, time, ones, now, np.array([0, 1]), zeros[:1], 1, out)
        >>> out.ravel().tolist()
        [2.0, 2.0, 2.0, 1.0, 2.0]
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
            out[0, row], out[1, row] = count[one], total[one]
            out[2:, row] = np.nan
            if count[one]:
                out[2, row] = max(now[query] - last[one], 0) / 86_400
            if count[one] > 1:
                out[3, row] = (last[one] - first[one]) / (count[one] - 1) / 86_400
                out[4, row] = out[2, row] / max(out[3, row], 0.04)
        for event in range(indptr[query], indptr[query + 1]):
            count[item[event]], total[item[event]] = 0, 0


@compiled(read(INT64), read(FLOAT32, 2), read(FLOAT32, 2), FLOAT32, write(FLOAT32, 2))
def compare_scores(
    indptr: IntVector, score: FloatMatrix, rank: FloatMatrix, rrf_constant: float, out: FloatMatrix
) -> None:
    """Scores, ranks, scores scaled to 0..1 within the query, and how far the sources agree.

    Args:
        indptr: (n + 1,) int64 offsets of the candidates of each query.
        score: (m, sources) float32, NaN where unknown.
        rank: (m, sources) float32, NaN where not proposed.
        rrf_constant: of reciprocal rank fusion.
        out: (3 * sources + 3, m) float32, written.

    Example:
        >>> out, score = np.empty((6, 2), np.float32), np.array([[1.0], [3.0]], np.float32)
        >>> compare_scores(np.array([0, 2]), score, np.array([[2], [1]], np.float32), 60, out)
        >>> out[:5].tolist()
        [[1.0, 3.0], [2.0, 1.0], [0.0, 1.0], [1.0, 1.0], [2.0, 1.0]]
    """
    sources = score.shape[1]
    low, width = np.empty(sources, np.float32), np.empty(sources, np.float32)
    for query in range(len(indptr) - 1):
        low[:], width[:] = np.inf, -np.inf
        for row in range(indptr[query], indptr[query + 1]):
            for source in range(sources):
                value = score[row, source]
                low[source] = min(low[source], value) if value == value else low[source]
                width[source] = max(width[source], value) if value == value else width[source]
        width -= low
        for row in range(indptr[query], indptr[query + 1]):
            proposals, best, fused = 0, np.float32(np.inf), np.float32(0)
            for source in range(sources):
                value, place = score[row, source], rank[row, source]
                out[source, row] = value
                out[sources + source, row] = place
                scaled = (value - low[source]) / width[source] if width[source] > 0 else value - low[source]
                out[2 * sources + source, row] = scaled
                if place == place:
                    proposals += 1
                    best = min(best, place)
                    fused += 1 / (rrf_constant + place)
            out[3 * sources, row], out[3 * sources + 1, row], out[3 * sources + 2, row] = proposals, best, fused


@compiled(
    read(INT32),
    read(INT32),
    read(INT64),
    read(INT32, 2),
    read(INT64),
    read(INT64),
    read(INT64),
    read(INT64),
    read(INT64, 2),
    write(FLOAT32, 2),
)
def count_events(
    query: IntVector,
    item: IntVector,
    now: IntVector,
    events: IntMatrix,
    totals: IntVector,
    first: IntVector,
    newest: IntVector,
    clock: IntVector,
    buckets: IntMatrix,
    out: FloatMatrix,
) -> None:
    """Events of each candidate before its query, in all and in windows, relative to the average item.

    Args:
        query: (m,) int32.
        item: (m,) int32.
        now: (n,) int64.
        events: (buckets + 1, items) int32 events before each bucket, and totals (buckets + 1,) of all items.
        first: (items,) int64 second of the first event.
        newest: (items,) int64 buckets up to that of the last event.
        clock: (2,) int64 second at which the buckets start, and their length.
        buckets: (1 + windows, n) int64 bucket of ``now``, then of the start of each window.
        out: (windows + 3, m) float32, written: events, events in each window, days of age, days since the last bucket
            with an event.

    Example:
        >>> out, zero = np.empty((4, 1), np.float32), np.zeros(1, np.int64)
        >>> index, clock, now = np.zeros(1, np.int32), np.array([0, 86400]), np.array([2 * 86400])
        >>> events, totals, buckets = np.array([[0], [4]], np.int32), np.array([0, 4]), np.array([[1], [0]])
        >>> count_events(index, index, now, events, totals, zero, zero + 1, clock, buckets, out)
        >>> out.ravel().tolist()
        [1.0, 1.0, 2.0, 1.0]
    """
    items, windows = len(first), len(buckets) - 1
    for row in range(len(query)):
        one, asked = item[row], query[row]
        here = buckets[0, asked]
        so_far = events[here, one]
        out[0, row] = so_far * items / max(totals[here], 1)
        for window in range(windows):
            start = buckets[1 + window, asked]
            out[1 + window, row] = (so_far - events[start, one]) * items / max(totals[here] - totals[start], 1)
        out[1 + windows, row] = (now[asked] - first[one]) / 86_400 if first[one] < now[asked] else 0
        idle = min(newest[one], here)
        while idle > 0 and events[idle - 1, one] == so_far:
            idle -= 1
        out[2 + windows, row] = max(now[asked] - clock[0] - idle * clock[1], 0) / 86_400


@compiled(read(INT64), read(INT32), read(FLOAT32, 2), write(FLOAT64, 2))
def mean_numbers(indptr: IntVector, item: IntVector, number: FloatMatrix, out: FloatMatrix) -> None:
    """Mean of the known numbers of each history's items.

    Args:
        indptr: (n + 1,) int64 offsets of the histories.
        item: (m,) int32.
        number: (items, columns) float32, NaN unknown.
        out: (n, columns) float64, written; NaN where nothing is known.

    Example:
        >>> out = np.empty((1, 1))
        >>> mean_numbers(np.array([0, 2]), np.array([0, 1], np.int32), np.array([[1.0], [3.0]], np.float32), out)
        >>> out.tolist()
        [[2.0]]
    """
    for query in range(len(indptr) - 1):
        for column in range(out.shape[1]):
            total, count = 0.0, 0
            for event in range(indptr[query], indptr[query + 1]):
                value = number[item[event], column]
                if value == value:
                    total += value
                    count += 1
            out[query, column] = total / count if count else np.nan
