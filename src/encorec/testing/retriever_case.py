"""A retriever under test: how it is made, what it learns from, and what every answer of it must be."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from encorec.data.dataset import Dataset
from encorec.protocols import Retriever, Trainable
from encorec.testing.contract import require
from encorec.types import BoolVector, Candidates, FloatMatrix, IntVector, Queries

__all__ = ["PLACES", "RetrieverCase", "TrainableRetriever"]

PLACES = 10


class TrainableRetriever(Retriever, Trainable, Protocol):
    """A retriever that learns from a data set, is saved as plain arrays, and keeps its configuration."""

    config: Any


@dataclass(frozen=True)
class RetrieverCase:
    """One retriever under test; it is fitted once, at the first check that needs it.

    Args:
        make: makes it unfitted.
        data: what it learns from; better with a user and an item that nothing is known of.
        seed: of every fit.
        tolerance: by which scores may differ after users were numbered anew, as a share of the largest score.

    Example:
        >>> from encorec.data.interactions import Interactions
        >>> from encorec.retrieval.popularity import Popularity
        >>> case = RetrieverCase(Popularity, Dataset.of(Interactions.of([0, 1, 1], [0, 0, 2], [5, 6, 7])))
        >>> case.name, case.model.arrays()["popularity"].tolist()
        ('Popularity', [[1.0, -1.0, 0.5]])
    """

    make: Callable[[], TrainableRetriever]
    data: Dataset
    seed: int = 0
    tolerance: float = 1e-5

    @cached_property
    def model(self) -> TrainableRetriever:
        """Fitted on the data."""
        return self.fit(self.data)

    @property
    def name(self) -> str:
        """Of the class under test."""
        return type(self.model).__name__

    def fit(self, data: Dataset) -> TrainableRetriever:
        """A new one, fitted on a copy of ``data`` under the same seed."""
        return self.make().fit(deepcopy(data), rng=np.random.default_rng(self.seed))

    def require(self, holds: bool | np.bool_, told: str) -> None:
        """Refuse the retriever unless the law holds.

        Raises:
            ContractError: it does not hold.
        """
        require(holds, self.name, told)

    def answer(self, queries: Queries, n: int, model: TrainableRetriever | None = None) -> Candidates:
        """The answer of ``model``, or the one fitted on the data, after a look at its form, its rules and its length.

        Raises:
            ContractError: it is not what a retriever may answer.
        """
        found = (model or self.model).retrieve(queries, n)
        self._require_columns(found)
        self._require_pairs(queries, found)
        self._require_ranks(queries, found)
        self._require_rules(queries, found)
        self._require_length(queries, found, n)
        return found

    def table(self, model: TrainableRetriever, queries: Queries) -> FloatMatrix:
        """(n, items) score of every item for every query; no item may be barred."""
        found = self.answer(queries, queries.items, model)
        scores = np.full((len(queries), queries.items), np.nan, np.float32)
        scores[found.query, found.item] = found.score[:, 0]
        return scores

    def _require_columns(self, found: Candidates) -> None:
        m = len(found)
        shapes = {name: getattr(found, name).shape for name in ("query", "item", "score", "rank")}
        allowed = {"query": (m,), "item": (m,), "score": (m, 1), "rank": (m, 1)}
        self.require(shapes == allowed, f"candidates have the shapes {shapes}, allowed is {allowed}: one source each")
        self.require(len(found.sources) == 1, f"candidates name the sources {found.sources}, allowed is one name")
        kinds = {name: getattr(found, name).dtype.kind for name in shapes}
        whole = {"query": "i", "item": "i", "score": "f", "rank": "f"}
        self.require(kinds == whole, f"candidates have columns of the kinds {kinds}, allowed is {whole}")

    def _require_pairs(self, queries: Queries, found: Candidates) -> None:
        inside = (found.query >= 0) & (found.query < len(queries)) & (found.item >= 0) & (found.item < queries.items)
        self.require(inside.all(), f"{_first(~inside, found)} does not exist; query and item are row numbers")
        unsorted = np.diff(found.query, prepend=-1) < 0
        self.require(not unsorted.any(), f"{_first(unsorted, found)} follows a later query; sort candidates by query")
        pair = found.query.astype(np.int64) * queries.items + found.item
        again = np.ones(len(found), bool)
        again[np.unique(pair, return_index=True)[1]] = False
        self.require(not again.any(), f"{_first(again, found)} is proposed twice, allowed is once")

    def _require_ranks(self, queries: Queries, found: Candidates) -> None:
        score, rank = found.score[:, 0], found.rank[:, 0]
        missing = np.isnan(score)
        self.require(not missing.any(), f"{_first(missing, found)} has the score NaN; score what you propose")
        order = np.lexsort((rank, found.query))
        place = np.arange(len(found)) - found.indptr(len(queries))[found.query[order]] + 1
        wrong = rank[order] != place
        self.require(
            not wrong.any(), f"ranks of a query must be 1, 2, 3 and so on; {_first(wrong, found, order)} is not"
        )
        rises = (np.diff(score[order], prepend=np.inf) > 0) & (place > 1)
        self.require(not rises.any(), f"{_first(rises, found, order)} scores above its better rank; rank by score")

    def _require_rules(self, queries: Queries, found: Candidates) -> None:
        barred = ~queries.eligible.mask(len(queries))[found.query, found.item]
        self.require(not barred.any(), f"{_first(barred, found)} is not eligible; honour queries.eligible in retrieve")

    def _require_length(self, queries: Queries, found: Candidates, n: int) -> None:
        eligible = queries.eligible.mask(len(queries)).sum(axis=1)
        given, wanted = np.diff(found.indptr(len(queries))), np.minimum(n, eligible)
        for query in np.flatnonzero(given != wanted)[:1]:
            told = f"query {query} got {given[query]} items, allowed is min(n, eligible) = min({n}, {eligible[query]})"
            self.require(False, f"{told}; bar items before the list is cut to n, and fill it up by popularity")


def _first(wrong: BoolVector, found: Candidates, order: IntVector | None = None) -> str:
    """The first candidate that is ``wrong``, (m,) in the given order, in words; empty where none is."""
    places = np.flatnonzero(wrong)[:1]
    rows = places if order is None else order[places]
    return "".join(f"item {found.item[row]} of query {found.query[row]}" for row in rows)
