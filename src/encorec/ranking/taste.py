"""Slates in the proportions of the user's taste: the genres of the history, recent events first."""

import math
from typing import Any

import numpy as np

from encorec.compiled import FLOAT64, INT32, INT64, compiled, read, write
from encorec.ranking.caps import CAPS, CapArrays, count_item, next_place
from encorec.ranking.item_traits import TRAITS, TraitArrays
from encorec.types import FloatMatrix, FloatVector, IntMatrix, IntVector

__all__ = ["SMOOTHING", "choose_in_taste"]

SMOOTHING = 0.01
"""Share of the history's distribution in the slate's, so that no logarithm is infinite; steck2018."""


@compiled()
def _learn_taste(events: IntVector, fading: float, traits: TraitArrays, taste: FloatVector, liked: IntVector) -> int:
    """Write the genres of ``events`` (oldest first) to ``taste`` (genres,), summing to 1; returns how many.

    ``liked`` (genres,) gets the numbers of the genres with a share. An event counts ``fading`` times the one after it.
    """
    total, weight, known = 0.0, 1.0, 0
    for back in range(len(events)):
        one = events[len(events) - 1 - back]
        start, stop = traits.offsets[one], traits.offsets[one + 1]
        for at in range(start, stop):
            if taste[traits.code[at]] == 0.0:
                liked[known] = traits.code[at]
                known += 1
            taste[traits.code[at]] += weight * traits.weight[at]
        if stop > start:
            total += weight
        weight *= fading
        if weight < 1e-9:
            break
    for place in range(known):
        taste[liked[place]] /= total
    return known


@compiled()
def _divergence_with(
    one: Any, traits: TraitArrays, taste: FloatVector, held: FloatVector, described: int, base: float
) -> float:
    """Divergence of the slate with one more item; ``base`` is that with one more item that has none of the genres."""
    told: Any = base
    for at in range(traits.offsets[one], traits.offsets[one + 1]):
        genre = traits.code[at]
        p = taste[genre]
        if p > 0.0:
            before = (1.0 - SMOOTHING) * held[genre] / (described + 1) + SMOOTHING * p
            after = (1.0 - SMOOTHING) * (held[genre] + traits.weight[at]) / (described + 1) + SMOOTHING * p
            told -= p * math.log(after / before)
    return told


@compiled()
def _divergence(taste: FloatVector, liked: IntVector, known: int, held: FloatVector, described: int) -> float:
    """Kullback-Leibler divergence of the taste from ``held`` (genres,) over ``described`` items; steck2018."""
    total: Any = 0.0
    for place in range(known):
        p = taste[liked[place]]
        q = held[liked[place]] / max(described, 1)
        total += p * math.log(p / ((1.0 - SMOOTHING) * q + SMOOTHING * p))
    return total


@compiled(
    read(INT64, 2), read(INT32), read(FLOAT64, 2), read(INT64), read(INT64), read(INT64), read(INT32), FLOAT64, FLOAT64,
    INT64, TRAITS, INT64, CAPS, write(INT64, 2), write(INT64),
)  # fmt: skip
def choose_in_taste(
    order: IntMatrix,
    item: IntVector,
    value: FloatMatrix,
    size: IntVector,
    starts: IntVector,
    stops: IntVector,
    events: IntVector,
    fading: float,
    strength: float,
    genres: int,
    traits: TraitArrays,
    limited: int,
    caps: CapArrays,
    chosen: IntMatrix,
    over: IntVector,
) -> None:
    """Choose k of every pool, greedily, each time the item that makes the slate best.

    A slate is worth (1 - strength) times its summed relevance, less strength times the divergence of the history's
    genres from its own (steck2018, equation 7). Items without a genre say nothing; a user without a history with
    genres gets the order of relevance.

    Args:
        order: (n, width) int64 candidates best first, -1 = none; the pool comes first.
        item: (m,) int32 item of each candidate.
        value: (n, pool) float64 relevance from 0 to 1.
        size: (n,) int64 candidates in each pool whose relevance is known.
        starts: (n,) int64 first event of each history in ``events``, oldest first, and ``stops`` one past the last.
        stops: as ``starts``.
        events: (h,) int32 items.
        fading: weight of an event relative to the next one.
        strength: 0 to 1.
        genres: number of genres.
        traits: the genres of every item and the share of each.
        limited: number of values that are capped.
        caps: of every item.
        chosen: (n, k) int64 candidates, written; -1 where there are none left.
        over: (n,) int64, written: how many stand in the slate although a cap was reached.

    Example:
        >>> from encorec.ranking.read_only import read_only
        >>> traits = read_only(TraitArrays(np.arange(4), np.array([0, 0, 1], np.int32), np.ones(3)))
        >>> free = read_only(CapArrays(np.zeros(4, np.int64), np.empty(0, np.int32), np.empty(0, np.int32)))
        >>> order, item, value = np.array([[0, 1, 2]]), np.arange(3, dtype=np.int32), np.array([[1.0, 0.9, 0.0]])
        >>> chosen, over = np.empty((1, 2), np.int64), np.empty(1, np.int64)
        >>> start, stop, half = np.array([0]), np.array([2]), np.array([0, 2], np.int32)
        >>> choose_in_taste(
        ...     order, item, value, np.array([3]), start, stop, half, 1.0, 0.6, 2, traits, 0, free, chosen, over
        ... )
        >>> chosen.tolist()
        [[0, 2]]
    """
    k = chosen.shape[1]
    taste, held, liked = np.zeros(genres), np.zeros(genres), np.empty(genres, np.int32)
    gain, count = np.empty(value.shape[1]), np.zeros(limited, np.int32)
    taken = np.empty(order.shape[1], np.bool_)
    for query in range(len(order)):
        taken[:], over[query], described = False, 0, 0
        known = _learn_taste(events[starts[query] : stops[query]], fading, traits, taste, liked)
        for step in range(k):
            now = _divergence(taste, liked, known, held, described)
            base = _divergence(taste, liked, known, held, described + 1)
            for place in range(size[query]):
                one = item[order[query, place]]
                told = now
                if traits.offsets[one + 1] > traits.offsets[one]:
                    told = _divergence_with(one, traits, taste, held, described, base)
                gain[place] = (1.0 - strength) * value[query, place] - strength * told
            place, free = next_place(order[query], item, taken, gain, size[query], caps, count)
            chosen[query, step] = order[query, place] if place >= 0 else -1
            if place < 0:
                continue
            taken[place] = True
            over[query] += 0 if free else 1
            one = item[order[query, place]]
            count_item(one, caps, count, 1)
            described += 1 if traits.offsets[one + 1] > traits.offsets[one] else 0
            for at in range(traits.offsets[one], traits.offsets[one + 1]):
                held[traits.code[at]] += traits.weight[at]
        for step in range(k):
            if chosen[query, step] >= 0:
                one = item[chosen[query, step]]
                count_item(one, caps, count, -1)
                for at in range(traits.offsets[one], traits.offsets[one + 1]):
                    held[traits.code[at]] = 0.0
        for place in range(known):
            taste[liked[place]] = 0.0
