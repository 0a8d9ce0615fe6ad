"""What everybody takes: by window, by decay, by segment of users, in turns of categories."""

from typing import Self

import numpy as np

from encorec.config import Config, bounded
from encorec.data.dataset import Dataset
from encorec.data.interactions import Interactions
from encorec.errors import ConfigError, unknown_name
from encorec.protocols import Arrays, Scored
from encorec.retrieval.category_mixing import Mixing, Quota, mixed_order, quotas, turns
from encorec.retrieval.popularity_counts import Count, Taken, in_categories, taken_counts
from encorec.retrieval.scored import RankedScores, prior_order
from encorec.retrieval.scoring import ScoringRetriever, popularity_prior
from encorec.types import FloatMatrix, FloatVector, IntVector, ItemLists, Queries

__all__ = ["Popularity", "PopularityConfig"]

DAY = 86_400


class PopularityConfig(Config, tag="popularity", tag_field="kind"):
    """How popularity is counted, and whether categories of items take turns.

    Args:
        days: window in days before the end of the data; none = all of it.
        half_life_days: an interaction counts half after so many days; none = all count alike.
        segments: user features by whose combination popularity is counted apart, such as age and sex.
        min_users: smaller segments use the list for everybody.
        count: distinct ``users`` of an item, each at the newest interaction; ``events``; ``summed-weight`` of these; or
            their ``mean-weight``, in which fading shifts the mean to what is new.
        category: item feature, a category or tags, whose values share the list; none = one order of all items.
        categories: the most popular categories that take part; none = all. Items of others follow.
        mixing: ``rotate`` lets the categories take turns, the most popular first; ``group`` puts the items of each
            together.
        quota: of a category in the list: ``equal``, or ``proportional`` to its popularity.
        places: length of the list that the quotas are of; behind it the next one begins.
    """

    days: float | None = None
    half_life_days: float | None = None
    segments: tuple[str, ...] = ()
    min_users: int = 50
    count: Count = "users"
    category: str | None = None
    categories: int | None = None
    mixing: Mixing = "rotate"
    quota: Quota = "proportional"
    places: int = 10

    def __post_init__(self) -> None:
        bounded(self, days=(1e-3, 36_500), half_life_days=(1e-3, 36_500), min_users=(1, 10**9))
        bounded(self, categories=(1, 10**6), places=(1, 10**6))


class Popularity(ScoringRetriever):
    """Users per item, each counted once, at the newest interaction; or what ``count`` says.

    Equal counts of a window or segment stand in the order of all-time popularity, in which items outside the window
    follow; in a segment, items that nobody there took follow in the order for everybody. Where categories take turns,
    the score of an item is its place: 1 for the first, near 0 for the last that was taken.

    Example:
        >>> from encorec.data.interactions import Interactions
        >>> from encorec.types import Eligibility, Histories
        >>> data = Dataset.of(Interactions.of([0, 1, 1], [2, 2, 0], [5, 6, 7]))
        >>> model = Popularity().fit(data, rng=np.random.default_rng(0))
        >>> queries = Queries(Histories.empty(1), np.array([9]), Eligibility(np.ones(3, bool)))
        >>> model.retrieve(queries, 2).item.tolist()
        [2, 0]
    """

    Settings = PopularityConfig

    def learn(self, data: Dataset, rng: np.random.Generator) -> Arrays:
        """Popularity for everybody in row 0, for segment s in row s, and the codes that name a segment."""
        columns, categories, table = self._columns(data), self._categories(data), data.interactions
        taken = Taken(table.user, table.item, self._fade(table.end - 1 - table.time), table.weight)
        code, segment = self._found_segments(data, columns)
        prior = popularity_prior(data)
        own = self._shares(taken, categories, prior, np.zeros(table.users, np.int64), 1)[0]
        everybody = np.where(own > 0, own, prior)
        inside = self._shares(taken, categories, prior, segment, len(code))
        rows = np.vstack([everybody[None], np.where(inside > 0, inside, everybody - 1)])
        return {
            "popularity": rows.astype(np.float32),
            "code": np.vstack([np.zeros((1, len(columns))), code]).astype(np.float32),
            "column": np.asarray(columns, np.int64),
        }

    def scored(self, queries: Queries) -> Scored:
        """Share of the top item; negative where nobody took it in the window or segment."""
        return RankedScores(self._segments(queries), self.arrays()["popularity"], self.order("popularity"))

    def update(self, data: Dataset, events: Interactions) -> Self:
        """Counted anew in ``data``, in one pass: windows and fading move with every event, and users count once."""
        return type(self)(self.config).fit(data, rng=np.random.default_rng(0))

    def _segments(self, queries: Queries) -> IntVector:
        """(n,) row of each query's segment, 0 = everybody."""
        learnt = self.arrays()
        if len(learnt["code"]) == 1 or queries.user_features is None:
            return np.zeros(len(queries), np.int64)
        keys = _keys(queries.user_features[:, learnt["column"]])
        same = (keys[:, None, :] == learnt["code"][None, 1:, :]).all(axis=2)
        return np.where(same.any(axis=1), same.argmax(axis=1) + 1, 0)

    def _columns(self, data: Dataset) -> list[int]:
        names = data.user_features.dense_names
        for name in self.config.segments:
            if name not in names:
                raise ConfigError("popularity: segments: " + unknown_name("user feature", name, names))
        return [names.index(name) for name in self.config.segments]

    def _categories(self, data: Dataset) -> ItemLists | None:
        """The categories of every item; none where they do not take turns."""
        name, features = self.config.category, data.item_features
        if name is None:
            return None
        if name in features.tags:
            return features.tags[name].lists
        if name in features.categorical:
            code = features.categorical[name].code
            indptr = np.concatenate([np.zeros(1, np.int64), np.cumsum(code >= 0, dtype=np.int64)])
            return ItemLists(indptr, code[code >= 0].astype(np.int32))
        allowed = [*features.categorical, *features.tags]
        if not allowed:
            raise ConfigError(
                f"popularity: category {name!r}: the data have no item feature that is a category or tags; "
                "read them with item features, or leave category out"
            )
        raise ConfigError("popularity: category: " + unknown_name("item feature", name, allowed))

    def _found_segments(self, data: Dataset, columns: list[int]) -> tuple[FloatMatrix, IntVector]:
        """(s, F) codes of the segments that are large enough, and the (users,) segment of each user, -1 = none."""
        if not columns:
            return np.zeros((0, 0), np.float32), np.full(data.interactions.users, -1, np.int64)
        keys = _keys(data.user_features.dense()[:, columns])
        code, known = np.unique(keys, return_inverse=True, axis=0)
        active = data.interactions.user_counts > 0
        large = np.bincount(known[active], minlength=len(code)) >= self.config.min_users
        return code[large], np.where(large[known], (np.cumsum(large) - 1)[known], -1).astype(np.int64)

    def _shares(
        self, taken: Taken, categories: ItemLists | None, prior: FloatVector, group: IntVector, groups: int
    ) -> FloatMatrix:
        """(groups, items) share of the top item, or 1 for the first in turn; 0 where nobody of the group took it."""
        count = self.config.count
        counts = self._untied(taken_counts(taken, len(prior), count, group, groups), prior)
        if categories is None:
            return counts / np.maximum(counts.max(axis=1, initial=0, keepdims=True), 1e-12)
        named = int(categories.item.max(initial=-1)) + 1
        popular = taken_counts(in_categories(taken, categories), named, count, group, groups)
        for own, of_categories in zip(counts, popular, strict=True):
            own[:] = self._in_turns(own, of_categories, categories)
        return counts

    def _untied(self, counts: FloatMatrix, prior: FloatVector) -> FloatMatrix:
        """Whole counts of windows and segments, where many are equal, with less than one for all-time popularity."""
        whole = self.config.count in ("users", "events") and self.config.half_life_days is None
        if not whole or (self.config.days is None and not self.config.segments):
            return counts
        return np.where(counts > 0, counts + prior / 2, 0)

    def _in_turns(self, counts: FloatVector, popular: FloatVector, categories: ItemLists) -> FloatVector:
        """(items,) 1 for the first item when categories take turns, falling to 0 behind the last with a count.

        Args:
            counts: (items,) of each item.
            popular: (c,) of each category.
            categories: of each item.
        """
        chosen = prior_order(popular)[: np.count_nonzero(popular)][: self.config.categories]
        place = np.full(len(popular), len(chosen))
        place[chosen] = np.arange(len(chosen))
        order = prior_order(counts)[: np.count_nonzero(counts)]
        lists = categories.take(order)
        category, item = place[lists.item], order[lists.owner]
        listed = np.argsort(category, kind="stable")[: np.count_nonzero(category < len(chosen))]
        bounds = np.searchsorted(category[listed], np.arange(len(chosen) + 1)).astype(np.int64)
        turn = turns(quotas(popular[chosen], self.config.quota, self.config.places), self.config.mixing)
        first = mixed_order(ItemLists(bounds, item[listed]), turn, len(counts))
        share = np.zeros(len(counts))
        rest = order[~np.isin(order, first)]
        share[np.concatenate([first, rest])] = 1 - np.arange(len(order)) / max(len(order), 1)
        return share

    def _fade(self, age: IntVector) -> FloatVector:
        """(m,) what an interaction of this age in seconds counts."""
        weight = np.ones(len(age))
        if self.config.half_life_days is not None:
            weight = 0.5 ** (age / (self.config.half_life_days * DAY))
        if self.config.days is not None:
            weight = np.where(age < self.config.days * DAY, weight, 0)
        return weight


def _keys(features: FloatMatrix) -> FloatMatrix:
    """Unknown values form a segment of their own."""
    return np.nan_to_num(features, nan=-1.0)
