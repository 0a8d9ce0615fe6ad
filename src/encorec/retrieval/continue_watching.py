"""What the user began and did not finish, then what is followed part by part: the row "continue watching"."""

from typing import Literal, Self

import numpy as np

from encorec.config import Config, bounded
from encorec.data.dataset import Dataset
from encorec.data.interactions import Interactions
from encorec.protocols import Arrays, Reasons, Scored
from encorec.retrieval.scoring import ScoringRetriever, WeightedItems, own_reasons, popularity_prior
from encorec.types import FloatVector, Histories, IntVector, Queries

__all__ = ["ContinueWatching", "ContinueWatchingConfig"]

DAY = 86_400


class ContinueWatchingConfig(Config, tag="continue-watching", tag_field="kind"):
    """What counts as begun, as finished and as a series, read from the weights of a user's events.

    The weight must tell how much was taken, such as the share watched, from 0 to 1 (the source ``kion`` with
    ``weight = "watched"``). Where every event weighs 1, everything is finished, and only series are continued.

    Args:
        unfinished_below: an item with less progress is unfinished.
        begun_from: an item with less progress was given up, not begun.
        progress: of an item: the weight of its ``newest`` event (each event tells how far the user got), or the
            ``summed`` weight of all (each event tells how much was watched in one sitting).
        series_from: an item with as many events is a series, of which a part is left whatever the progress; none = no
            item is.
        half_life_days: the score of an item halves in so many days since its newest event.
        last: newest events of a history that are used; none = all.
    """

    unfinished_below: float = 0.9
    begun_from: float = 0.02
    progress: Literal["newest", "summed"] = "newest"
    series_from: int | None = 3
    half_life_days: float = 30.0
    last: int | None = None

    def __post_init__(self) -> None:
        bounded(self, unfinished_below=(0, 10**6), begun_from=(0, 10**6), series_from=(2, 10**6))
        bounded(self, half_life_days=(1e-3, 36_500), last=(1, 10**6))


class ContinueWatching(ScoringRetriever):
    """Unfinished items first, the newest first, with scores from 1 to 2; then series, from 0 to 1.

    All other items follow by popularity, those that are finished or given up among them: this retriever proposes what
    to go on with, and whether a finished item may be shown again is said by the query. Useful only where seen items
    may be shown.

    Example:
        >>> from encorec.data.interactions import Interactions
        >>> from encorec.types import Eligibility
        >>> data = Dataset.of(Interactions.of([0, 1, 2], [0, 1, 1], [1, 2, 3]))
        >>> model = ContinueWatching().fit(data, rng=np.random.default_rng(0))
        >>> share = np.array([0.4, 1.0], np.float32)
        >>> history = Histories(np.array([0, 2]), np.array([0, 1], np.int32), np.array([7, 8]), share)
        >>> model.retrieve(Queries(history, np.array([9]), Eligibility(np.ones(2, bool))), 2).item.tolist()
        [0, 1]
    """

    Settings = ContinueWatchingConfig

    def learn(self, data: Dataset, rng: np.random.Generator) -> Arrays:
        """Only the order of the other items."""
        return {"prior": popularity_prior(data)}

    def scored(self, queries: Queries) -> Scored:
        """1 or 0, and what is left of 1 since the newest event; the other items follow by popularity."""
        return self.own_scores(self._events(queries))

    def explain(self, queries: Queries, item: IntVector) -> Reasons:
        """The item itself, where it is to be continued, with its score: (n,), one item per query."""
        return own_reasons(self._events(queries), item)

    def update(self, data: Dataset, events: Interactions) -> Self:
        """The order of the other items, counted in ``data``: nothing else is learnt."""
        return type(self)(self.config).fit(data, rng=np.random.default_rng(0))

    def _events(self, queries: Queries) -> WeightedItems:
        """The newest event of every item of a history, weighted with the score of the item; 0 where it has none."""
        config = self.config
        history = queries.history.compact() if config.last is None else queries.history.tail(config.last)
        pair = history.owner.astype(np.int64) * queries.items + history.item
        order = np.argsort(pair, kind="stable")  # the events of one item side by side, oldest first
        newest = np.flatnonzero(np.diff(pair[order], append=-1))
        count = np.diff(newest, prepend=-1)
        kept = order[newest]
        progress = history.weight[kept] if config.progress == "newest" else _sums(history, order, newest)
        unfinished = (progress >= config.begun_from) & (progress < config.unfinished_below)
        series = np.zeros(len(kept), bool) if config.series_from is None else count >= config.series_from
        age = np.maximum(queries.now[history.owner[kept]] - history.time[kept], 0) / (config.half_life_days * DAY)
        score = np.where(unfinished | series, unfinished + 0.5**age, 0).astype(np.float32)
        indptr = np.searchsorted(history.owner[kept], np.arange(len(queries) + 1))
        return WeightedItems(indptr.astype(np.int64), history.item[kept], score)


def _sums(history: Histories, order: IntVector, newest: IntVector) -> FloatVector:
    """(p,) summed weight of every item of every history; ``order`` puts its events side by side up to ``newest``."""
    total = np.add.reduceat(history.weight[order], np.append(0, newest[:-1] + 1)) if len(newest) else np.empty(0)
    return np.asarray(total, np.float32)
