"""Slates left to chance, with known chances: Plackett-Luce over the head of the ranking.

An answer that is always the same tells nothing of what it did not show. Here every place is drawn from what the places
before it have left, with a probability that is logged, so that other policies can be judged by the log
(``encorec ope``).
"""

from typing import Any, NamedTuple

import numpy as np

from encorec.compiled import FLOAT32, FLOAT64, INT32, INT64, compiled, read, record, write
from encorec.protocols import Selector
from encorec.retrieval.fingerprints import mixed
from encorec.types import Candidates, FloatMatrix, FloatVector, IntMatrix, IntVector, Queries, Slate

__all__ = ["ExploringSelector", "Places", "draw_places"]

_GOLDEN = -7046029254386353131  # steele2014: 2**64 divided by the golden ratio, as a signed number


class ExploringSelector:
    """Draws the slate from the head that another selector chose (Plackett-Luce).

    The logit of an item is its score, standardised over the head of its query (mean 0, standard deviation 1), over the
    temperature, so a temperature means the same for every ranker, whatever the scale of its scores. The other
    selector's order holds: where it is not that of the scores, the i-th score from the top goes with its i-th item.
    Scores that are not finite are not left to chance: their items keep the places that the other selector gave them.

    Rules of the other selector for a whole slate (caps, variety) hold for the head, not for every slate drawn from it.

    Args:
        inner: chooses and orders the head.

    Example:
        >>> from encorec.pipeline.chances import seed_of
        >>> from encorec.pipeline.selectors import TopSelector
        >>> from encorec.types import Eligibility, Exploration, Histories
        >>> chance = Exploration(np.array([1.0]), np.array([seed_of("r-1")]))
        >>> queries = Queries(Histories.empty(1), np.array([9]), Eligibility(np.ones(6, bool)), exploration=chance)
        >>> two = np.ones((2, 1), np.float32)
        >>> found = Candidates(np.array([0, 0]), np.array([3, 5]), two, two, ("als",), np.array([0.1, 0.7]))
        >>> slate = ExploringSelector(TopSelector()).select(queries, found, 1)
        >>> slate.item.tolist(), slate.propensity.astype(float).round(3).tolist()
        ([[5]], [[0.881]])
    """

    def __init__(self, inner: Selector) -> None:
        self.inner = inner

    def select(self, queries: Queries, candidates: Candidates, k: int) -> Slate:
        """The slate of every query; ``propensity`` is that of each item at its place, given those before it.

        Raises:
            QueryError: the candidates have not been ranked.
        """
        chance = queries.exploration
        certain = [] if chance is None else [row for row, one in enumerate(chance.temperature.tolist()) if one == 0]
        if chance is None or len(certain) == len(chance):
            return self.inner.select(queries, candidates, k)
        head = self.inner.select(queries, candidates, max(chance.head, k))
        drawn = Slate.empty(len(queries), k, head.sources)
        drawn.counts.update(head.counts)
        draw_places(
            Places(head.item, head.score, head.source),
            np.ascontiguousarray(chance.temperature, np.float64),
            np.ascontiguousarray(chance.seed, np.int64),
            Places(drawn.item, drawn.score, drawn.source),
            drawn.propensity,
        )
        if certain:  # they get what the other selector gives for exactly these places
            plain = self.inner.select(queries, candidates, k)
            for name in ("item", "score", "source", "propensity"):
                getattr(drawn, name)[certain] = getattr(plain, name)[certain]
        return drawn


class Places(NamedTuple):
    """What stands in the places of n slates: ``item`` int32, ``score`` float32, ``source`` int64, each (n, places).

    Example:
        >>> Places(np.array([[7]], np.int32), np.ones((1, 1), np.float32), np.ones((1, 1), np.int64)).item.tolist()
        [[7]]
    """

    item: IntMatrix
    score: FloatMatrix
    source: IntMatrix


PLACES = record(Places, write(INT32, 2), write(FLOAT32, 2), write(INT64, 2))


@compiled()
def _gumbel(seed: int, place: int) -> float:
    """Standard Gumbel noise of a place: an even number strictly between 0 and 1, from the stream of the seed."""
    even = (np.float64((mixed(seed + place * _GOLDEN) >> 12) & 0xFFFFFFFFFFFFF) + 0.5) * 2.0**-52
    return -np.log(-np.log(even))


@compiled()
def _put(head: Places, drawn: Places, query: int, place: Any, to: Any, k: int) -> None:
    """What stands at a place of the head goes to a place of the slate, if it has so many."""
    if to < k:
        drawn.item[query, to] = head.item[query, place]
        drawn.score[query, to] = head.score[query, place]
        drawn.source[query, to] = head.source[query, place]


@compiled()
def _standardise(logit: FloatVector, count: int, temperature: float) -> None:
    """Falling logits with 0 on top: the sorted scores in standard deviations, over the temperature."""
    mean, square = 0.0, 0.0
    for place in range(count):
        mean += logit[place] / count
    for place in range(count):
        square += (logit[place] - mean) ** 2
    unit = np.sqrt(square / count) * temperature
    logit[:count] = np.sort(logit[:count])[::-1]
    top = logit[0]
    for place in range(count):
        logit[place] = (logit[place] - top) / unit if unit > 0 else 0.0


@compiled(PLACES, read(FLOAT64), read(INT64), PLACES, write(FLOAT32, 2))
def draw_places(
    head: Places, temperature: FloatVector, seed: IntVector, drawn: Places, propensity: FloatMatrix
) -> None:
    """Draw k of every head without replacement, each place by the softmax of what is left.

    Args:
        head: best first, width >= k.
        temperature: (n,) float64; 0 = the order of the head.
        seed: (n,) int64.
        drawn: (n, k), written.
        propensity: (n, k) float32 probability of each place given those before it, written.

    Example:
        >>> head = Places(np.array([[7, 9]], np.int32), np.array([[2, 1]], np.float32), np.ones((1, 2), np.int64))
        >>> drawn, chance = Places(*(np.empty_like(one) for one in head)), np.empty((1, 2), np.float32)
        >>> draw_places(head, np.ones(1), np.array([5]), drawn, chance)
        >>> drawn.item.tolist(), chance.astype(float).round(3).tolist()
        ([[7, 9]], [[0.881, 1.0]])
    """
    width, k = head.item.shape[1], drawn.item.shape[1]
    logit, key, finite = np.empty(width), np.empty(width), np.empty(width, np.int64)
    for query in range(len(seed)):
        propensity[query] = 1.0
        count = 0
        for place in range(width):
            _put(head, drawn, query, place, place, k)
            if head.item[query, place] >= 0 and np.isfinite(head.score[query, place]):
                logit[count], finite[count] = head.score[query, place], place
                count += 1
        if count < 2 or temperature[query] == 0:
            continue
        _standardise(logit, count, temperature[query])
        for place in range(count):
            key[place] = -logit[place] - _gumbel(seed[query], place)
        order = np.argsort(key[:count])  # kool2019: the order of logits with Gumbel noise is a Plackett-Luce draw
        rest = -np.inf  # logarithm of what the place and those after it weigh
        for place in range(count - 1, -1, -1):
            one = logit[order[place]]
            high = max(rest, one)
            rest = high + np.log(np.exp(rest - high) + np.exp(one - high))
            _put(head, drawn, query, finite[order[place]], finite[place], k)
            if finite[place] < k:
                propensity[query, finite[place]] = np.exp(one - rest)  # plackett1975
