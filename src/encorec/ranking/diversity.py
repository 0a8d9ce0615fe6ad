"""Slates of items that are unlike each other: maximal marginal relevance, and determinantal point processes.

Both grow the slate item by item. An item's gain is (1 - strength) times its relevance in the pool, and strength times
what it adds to the variety of the slate; strength 0 is the order of relevance, 1 variety alone.
"""

import math

import numpy as np

from encorec.compiled import BOOL, FLOAT64, INT32, INT64, compiled, read, write
from encorec.ranking.caps import CAPS, CapArrays, count_item, next_place
from encorec.ranking.item_traits import TRAITS, TraitArrays
from encorec.types import FloatMatrix, FloatVector, IntMatrix, IntVector

__all__ = ["OWN", "choose_unlike"]


OWN = 0.1
"""What an item has of its own, so that two of equal traits are not the same: shrinks likeness towards the identity."""
EQUAL = -math.log(1 - (1 - OWN) ** 2)
"""What an item equal to one of the slate takes from the log determinant."""


@compiled()
def _likeness(
    traits: TraitArrays, item: IntVector, order: IntVector, size: int, chosen: int, profile: FloatVector,
    alike: FloatVector,
) -> None:  # fmt: skip
    """Inner products of the item at ``chosen`` with those of the pool, into ``alike`` (pool,); 1 with itself."""
    one = item[order[chosen]]
    for at in range(traits.offsets[one], traits.offsets[one + 1]):
        profile[traits.code[at]] = traits.weight[at]
    for place in range(size):
        other, total = item[order[place]], 0.0
        for at in range(traits.offsets[other], traits.offsets[other + 1]):
            total += profile[traits.code[at]] * traits.weight[at]
        alike[place] = total
    for at in range(traits.offsets[one], traits.offsets[one + 1]):
        profile[traits.code[at]] = 0.0
    alike[chosen] = 1.0


@compiled()
def _condition(
    alike: FloatVector, size: int, chosen: int, step: int, factor: FloatMatrix, variance: FloatVector
) -> None:  # fmt: skip
    """What is left of every item's ``variance`` (pool,) once that at ``chosen`` is in the slate.

    One row of the incremental Cholesky decomposition into ``factor`` (k, pool); chen2018, algorithm 1.
    """
    root = math.sqrt(variance[chosen])
    for place in range(size):
        total = (1.0 - OWN) * alike[place] + (OWN if place == chosen else 0.0)
        for earlier in range(step):
            total -= factor[earlier, chosen] * factor[earlier, place]
        factor[step, place] = total / root
        variance[place] = max(variance[place] - factor[step, place] ** 2, 1e-12)


@compiled(
    read(INT64, 2), read(INT32), read(FLOAT64, 2), read(INT64), BOOL, FLOAT64, INT64, TRAITS, INT64, CAPS,
    write(INT64, 2), write(INT64),
)  # fmt: skip
def choose_unlike(
    order: IntMatrix,
    item: IntVector,
    value: FloatMatrix,
    size: IntVector,
    determinants: bool,
    strength: float,
    kinds: int,
    traits: TraitArrays,
    limited: int,
    caps: CapArrays,
    chosen: IntMatrix,
    over: IntVector,
) -> None:
    """Choose k of every pool, greedily; the candidates behind the pool follow where caps or its end ask for them.

    Without ``determinants`` the variety of an item is minus its largest likeness to the slate (carbonell1998); with
    them it is the growth of the log determinant of the slate's likeness (chen2018), which for likeness S is that of
    0.9 S + 0.1 I, so that equal items remain possible. In both, an item equal to the only one of the slate loses 1.

    Args:
        order: (n, width) int64 candidates best first, -1 = none; the pool comes first.
        item: (m,) int32 item of each candidate.
        value: (n, pool) float64 relevance from 0 to 1.
        size: (n,) int64 candidates in each pool whose relevance is known.
        determinants: which variety.
        strength: 0 to 1.
        kinds: number of traits.
        traits: of every item, a vector of length 1.
        limited: number of values that are capped.
        caps: of every item.
        chosen: (n, k) int64 candidates, written; -1 where there are none left.
        over: (n,) int64, written: how many stand in the slate although a cap was reached.

    Example:
        >>> from encorec.ranking.read_only import read_only
        >>> traits = read_only(TraitArrays(np.array([0, 1, 2, 3]), np.array([0, 0, 1], np.int32), np.ones(3)))
        >>> free = read_only(CapArrays(np.zeros(4, np.int64), np.empty(0, np.int32), np.empty(0, np.int32)))
        >>> order, item, value = np.array([[0, 1, 2]]), np.arange(3, dtype=np.int32), np.array([[1.0, 0.9, 0.0]])
        >>> chosen, over = np.empty((1, 2), np.int64), np.empty(1, np.int64)
        >>> choose_unlike(order, item, value, np.array([3]), False, 0.6, 2, traits, 0, free, chosen, over)
        >>> chosen.tolist()
        [[0, 2]]
    """
    k, pool = chosen.shape[1], value.shape[1]
    profile, alike, nearest, variance = np.zeros(kinds), np.empty(pool), np.empty(pool), np.empty(pool)
    factor, gain = np.empty((k, pool)), np.empty(pool)
    count, taken = np.zeros(limited, np.int32), np.empty(order.shape[1], np.bool_)
    for query in range(len(order)):
        taken[:], nearest[:], variance[:], over[query] = False, 0.0, 1.0, 0
        for step in range(k):
            for place in range(size[query]):
                variety = math.log(variance[place]) / EQUAL if determinants else -nearest[place]
                gain[place] = (1.0 - strength) * value[query, place] + strength * variety
            place, free = next_place(order[query], item, taken, gain, size[query], caps, count)
            chosen[query, step] = order[query, place] if place >= 0 else -1
            if place < 0:
                continue
            taken[place] = True
            over[query] += 0 if free else 1
            count_item(item[order[query, place]], caps, count, 1)
            if place >= size[query] or strength == 0.0 or kinds == 0:
                continue
            _likeness(traits, item, order[query], size[query], place, profile, alike)
            if determinants:
                _condition(alike, size[query], place, step, factor, variance)
            else:
                for other in range(size[query]):
                    nearest[other] = max(nearest[other], alike[other])
        for step in range(k):
            if chosen[query, step] >= 0:
                count_item(item[chosen[query, step]], caps, count, -1)
