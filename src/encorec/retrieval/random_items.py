"""Chance: another order of the catalogue for every history and every time, the same one whenever asked again."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from encorec.compiled import BOOL, FLOAT32, INT32, INT64, compiled, read, write
from encorec.config import Config
from encorec.data.dataset import Dataset
from encorec.data.interactions import Interactions
from encorec.protocols import Arrays, Lists, Scored
from encorec.retrieval.fingerprints import history_fingerprints, mixed
from encorec.retrieval.scoring import ScoringRetriever
from encorec.retrieval.selection import keep_best, sort_kept
from encorec.types import BoolMatrix, FloatMatrix, FloatVector, IntMatrix, IntVector, Queries

__all__ = ["RandomConfig", "RandomItems", "RandomScores"]

STEP = 2.0**-24
GOLDEN = -7046029254386353131


class RandomConfig(Config, tag="random", tag_field="kind"):
    """Nothing to choose: the seed is that of the fit."""


@dataclass(frozen=True, slots=True)
class RandomScores:
    """Even numbers from [0, 1) that follow from a key of the query and the number of the item.

    Args:
        key: (n,) int64 of each query.

    Example:
        >>> scored = RandomScores(np.array([5, 6]))
        >>> item, score = scored.best(np.ones((1, 3), bool), 3)
        >>> sorted(item[0].tolist()), bool(scored.at(np.zeros(1, int), item[0, :1])[0] == score[0, 0])
        ([0, 1, 2], True)
    """

    key: IntVector

    def best(self, eligible: BoolMatrix, k: int) -> Lists:
        """The k best eligible items of every query, best first; equal scores in catalogue order."""
        item, score = np.empty((len(self.key), k), np.int32), np.empty((len(self.key), k), np.float32)
        _best_random(self.key, eligible, item, score)
        return item, score

    def at(self, query: IntVector, item: IntVector) -> FloatVector:
        """(m,) scores of the items for the queries."""
        out = np.empty(len(item), np.float32)
        _random_at(np.asarray(self.key[query], np.int64), np.ascontiguousarray(item, np.int32), out)
        return out


class RandomItems(ScoringRetriever):
    """Eligible items in an order of chance: what every other retriever must beat.

    The order follows from the seed of the fit, the history and the time of the question, and from nothing else: asked
    again, the answer is the same; in a batch, it is that of the single question. Who has no history gets another order
    every second, which is that of everybody without history at this time.

    Example:
        >>> from encorec.data.interactions import Interactions
        >>> from encorec.types import Eligibility, Histories
        >>> data = Dataset.of(Interactions.of([0, 1, 2], [0, 1, 2], [1, 2, 3]))
        >>> model = RandomItems().fit(data, rng=np.random.default_rng(0))
        >>> queries = Queries(Histories.of([([0], [7])]), np.array([9]), Eligibility(np.ones(3, bool)))
        >>> sorted(model.retrieve(queries, 3).item.tolist())
        [0, 1, 2]
    """

    Settings = RandomConfig

    def learn(self, data: Dataset, rng: np.random.Generator) -> Arrays:
        """Only a seed."""
        return {"seed": rng.integers(0, 2**63 - 1, 1, dtype=np.int64)}

    def scored(self, queries: Queries) -> Scored:
        """Even numbers from [0, 1)."""
        history, key = queries.history, np.empty(len(queries), np.int64)
        seed = self.arrays()["seed"] ^ np.asarray(queries.now, np.int64)
        bounds = np.ascontiguousarray(history.starts), np.ascontiguousarray(history.stops)
        history_fingerprints(*bounds, history.item, history.time, seed, key)
        return RandomScores(key)

    def update(self, data: Dataset, events: Interactions) -> Self:
        """The same: nothing is learnt from interactions."""
        return self.from_arrays(self.config, self.arrays())


@compiled()
def _chance(key: Any, item: Any) -> np.float32:
    """In [0, 1), in steps that float32 can tell apart: from the stream of splitmix64 that ``key`` begins."""
    return np.float32(((mixed(key + item * GOLDEN) >> 40) & 0xFFFFFF) * STEP)


@compiled(read(INT64), read(BOOL, 2), write(INT32, 2), write(FLOAT32, 2))
def _best_random(key: IntVector, eligible: BoolMatrix, item: IntMatrix, score: FloatMatrix) -> None:
    """``RandomScores.best``; lists of (n, k) are written."""
    for query in range(len(key) if item.shape[1] else 0):
        allowed = eligible[0 if len(eligible) == 1 else query]
        kept_score, kept_item, size = score[query], item[query], 0
        for one in range(len(allowed)):
            if allowed[one]:
                size = keep_best(kept_score, kept_item, size, _chance(key[query], one), one)
        sort_kept(kept_score, kept_item, size)


@compiled(read(INT64), read(INT32), write(FLOAT32))
def _random_at(key: IntVector, item: IntVector, out: FloatVector) -> None:
    """``RandomScores.at``; ``key`` (m,) of the query of each item."""
    for row in range(len(out)):
        out[row] = _chance(key[row], np.int64(item[row]))
