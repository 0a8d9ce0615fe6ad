"""What users with a like history took: nearest neighbours of the history itself."""

from typing import Self

import numpy as np

from encorec.config import Config, bounded
from encorec.data.dataset import Dataset
from encorec.data.interactions import Interactions
from encorec.protocols import Arrays, Reasons, Scored
from encorec.retrieval.fingerprints import history_fingerprints
from encorec.retrieval.history_weights import faded_history, half_life
from encorec.retrieval.neighbour_users import nearest_users, voter_shares
from encorec.retrieval.neighbour_weights import Weighting, frequency_penalty, inverse_frequency, weighted_rows
from encorec.retrieval.reasons import ranked_reasons
from encorec.retrieval.scored import SparseScores
from encorec.retrieval.scoring import (
    ScoringRetriever,
    WeightedItems,
    distinct_items,
    popularity_prior,
    recent_events,
    user_item_matrix,
)
from encorec.types import FloatVector, Histories, IntVector, Queries

__all__ = ["UserKNN", "UserKNNConfig"]


class UserKNNConfig(Config, tag="user-knn", tag_field="kind"):
    """Which neighbours count, and how much.

    Args:
        weighting: of items before the comparison: each as log2(1 + summed weight), items of many users less in tfidf
            and bm25; ``jaccard`` compares the sets of items.
        neighbours: users most alike to the history.
        last: newest events of a history that are compared; none = all.
        decay: weight of an event for each newer one, in (0, 1].
        half_life_days: an event counts half after so many days; none = none fades.
        saturation: k1 of BM25.
        length_penalty: b of BM25, in [0, 1].
    """

    weighting: Weighting = "cosine"
    neighbours: int = 100
    last: int | None = None
    decay: float = 1.0
    half_life_days: float | None = None
    saturation: float = 1.2
    length_penalty: float = 0.75

    def __post_init__(self) -> None:
        bounded(self, neighbours=(1, 100_000), last=(1, 10**6), decay=(1e-6, 1), length_penalty=(0, 1))
        bounded(self, saturation=(1e-6, 10**6), half_life_days=(1e-3, 36_500))


class UserKNN(ScoringRetriever):
    """Summed similarity of those neighbours of the history who took an item.

    Neighbours are found by the history alone, so that a new user is served like any other. A user of the training data
    whose every item is in the history is no neighbour: such a user has nothing to propose. Thereby nobody is their own
    neighbour, though nobody is looked up. Equally alike users come in the order of their newest event, the newest
    first.

    Source: herlocker1999, with one vote per item taken; weightings as in item-knn.

    Example:
        >>> from encorec.data.interactions import Interactions
        >>> from encorec.types import Eligibility
        >>> data = Dataset.of(Interactions.of([0, 0, 1, 1, 2], [0, 1, 0, 1, 2], [1, 2, 3, 4, 5]))
        >>> model = UserKNN().fit(data, rng=np.random.default_rng(0))
        >>> queries = Queries(Histories.of([([0], [7])]), np.array([9]), Eligibility(np.array([False, True, True])))
        >>> model.retrieve(queries, 2).item.tolist()
        [1, 2]
    """

    Settings = UserKNNConfig

    def learn(self, data: Dataset, rng: np.random.Generator) -> Arrays:
        """The items of every active user and the users of every item, with their weights; users in no known order."""
        config = self.config
        counts = user_item_matrix(data.interactions)[_newest_first(data.interactions)]
        weighted = weighted_rows(counts, config.weighting, config.saturation, config.length_penalty)
        takers = weighted.T.tocsr()
        length = np.asarray(counts.sum(axis=1)).ravel()
        return {
            "indptr": weighted.indptr.astype(np.int64),
            "item": weighted.indices.astype(np.int32),
            "taker_indptr": takers.indptr.astype(np.int64),
            "taker": takers.indices.astype(np.int32),
            "strength": takers.data.astype(np.float32),
            "inverse_frequency": inverse_frequency(counts),
            "mean_length": np.array([length.mean() if len(length) else 0.0]),
            "prior": popularity_prior(data),
        }

    def scored(self, queries: Queries) -> Scored:
        """Summed similarity; items that no neighbour took follow by popularity."""
        found = self._neighbours(queries, self._asked(queries))
        learnt = {
            **self.arrays(),
            "value": self._once("votes", lambda: np.ones(len(self.arrays()["item"]), np.float32)),
        }
        return SparseScores(*found, learnt, self.order("prior"))

    def explain(self, queries: Queries, item: IntVector) -> Reasons:
        """What every item of the history added to the score of ``item`` (n,): by which the voters are alike."""
        asked, learnt = self._asked(queries), self.arrays()
        found = self._neighbours(queries, asked)
        divisor = np.ones(len(found.item))
        if self.config.weighting == "jaccard":
            both = _squares(asked)[np.repeat(np.arange(len(queries)), np.diff(found.indptr))] + self._sizes[found.item]
            divisor = both / (1 + found.weight.astype(np.float64))  # from s = p / (both - p): the union is both - p
        share = np.empty(len(asked.item), np.float32)
        takers = learnt["taker_indptr"], learnt["taker"], learnt["strength"]
        wanted = np.ascontiguousarray(item, np.int32)
        voter_shares(*asked, found.indptr, found.item, divisor, *takers, wanted, share)
        return ranked_reasons(asked.indptr, asked.item, share)

    def update(self, data: Dataset, events: Interactions) -> Self:
        """A fit on ``data``: learning is one pass that sorts the log, and an event changes the weights of all."""
        return type(self)(self.config).fit(data, rng=np.random.default_rng(0))

    @property
    def _sizes(self) -> FloatVector:
        """(users,) float64 items of each user."""
        return self._once("sizes", lambda: np.diff(self.arrays()["indptr"]).astype(np.float64))

    def _asked(self, queries: Queries) -> WeightedItems:
        """Each item of a history once, weighted as those of a user of the training data."""
        config, learnt = self.config, self.arrays()
        history = faded_history(queries, config.last, config.half_life_days)
        if config.weighting == "jaccard":
            return _newest_events(history, queries.now, config.decay, config.half_life_days, queries.items)
        asked = distinct_items(history, config.decay, queries.items)
        weight, owner = asked.weight.astype(np.float64), np.repeat(np.arange(len(queries)), np.diff(asked.indptr))
        if config.weighting == "bm25":
            length = np.bincount(owner, weight, len(queries)).astype(np.float64)
            mean = float(learnt["mean_length"][0])
            penalty = frequency_penalty(length, mean, config.saturation, config.length_penalty)[owner]
            weight = weight * (config.saturation + 1) / (penalty + weight) * learnt["inverse_frequency"][asked.item]
            return WeightedItems(asked.indptr, asked.item, weight.astype(np.float32))
        if config.weighting == "tfidf":
            weight = np.sqrt(weight) * learnt["inverse_frequency"][asked.item]
        norm = np.sqrt(np.bincount(owner, weight * weight, len(queries)))
        return WeightedItems(asked.indptr, asked.item, (weight / np.where(norm > 0, norm, 1)[owner]).astype(np.float32))

    def _neighbours(self, queries: Queries, asked: WeightedItems) -> WeightedItems:
        """The neighbours of every query, and how much each is alike."""
        learnt, history = self.arrays(), queries.history
        shape = len(queries), min(self.config.neighbours, len(learnt["indptr"]) - 1)
        row, score = np.empty(shape, np.int32), np.empty(shape, np.float32)
        bounds = np.ascontiguousarray(history.starts), np.ascontiguousarray(history.stops)
        takers = learnt["taker_indptr"], learnt["taker"], learnt["strength"]
        users = learnt["indptr"], learnt["item"]
        nothing = np.empty(0)
        sizes = (_squares(asked), self._sizes) if self.config.weighting == "jaccard" else (nothing, nothing)
        nearest_users(*asked, *bounds, history.item, *takers, *users, *sizes, row, score)
        found = row >= 0
        indptr = np.concatenate([np.zeros(1, np.int64), np.cumsum(found.sum(axis=1))])
        return WeightedItems(indptr, row[found], score[found])


def _squares(asked: WeightedItems) -> FloatVector:
    """(n,) float64 summed squares of the weights of each query: the size of its set where none fades."""
    owner = np.repeat(np.arange(len(asked.indptr) - 1), np.diff(asked.indptr))
    weight = asked.weight.astype(np.float64)
    return np.bincount(owner, weight * weight, len(asked.indptr) - 1).astype(np.float64)


def _newest_events(
    history: Histories, now: IntVector, decay: float, half_life_days: float | None, items: int
) -> WeightedItems:
    """Each item of a history once, with weight 1, faded by the age of its newest event."""
    age = half_life(now[history.owner] - history.time, half_life_days) if half_life_days else np.ones(len(history.item))
    plain = Histories(history.indptr, history.item, history.time, age.astype(np.float32))
    weight = recent_events(plain, decay).weight
    pair = history.owner.astype(np.int64) * items + history.item
    order = np.argsort(pair, kind="stable")  # the events of one item side by side, oldest first
    kept = np.sort(order[np.diff(pair[order], append=-1) != 0])
    indptr = np.searchsorted(kept, history.indptr).astype(np.int64)
    return WeightedItems(indptr, history.item[kept], weight[kept])


def _newest_first(table: Interactions) -> IntVector:
    """(active users,) rows by falling time of the newest event; equal ones in an order that follows from their events.

    The numbers of users decide nothing: with equal fingerprints, what two users did is the same.
    """
    active = np.flatnonzero(table.user_counts)
    starts, stops = table.indptr[:-1][active].astype(np.int64), table.indptr[1:][active].astype(np.int64)
    number = np.empty(len(active), np.int64)
    history_fingerprints(starts, stops, table.item, table.time, np.zeros(len(active), np.int64), number)
    return active[np.lexsort((number, -table.time[stops - 1]))]
