"""What everybody takes: by window, by decay, by segment of users."""

import numpy as np

from encorec.config import Config, bounded
from encorec.data.dataset import Dataset
from encorec.errors import ConfigError, unknown_name
from encorec.protocols import Arrays, Scored
from encorec.retrieval.scored import RankedScores
from encorec.retrieval.scoring import ScoringRetriever, popularity_prior
from encorec.types import FloatMatrix, FloatVector, IntVector, Queries

__all__ = ["Popularity", "PopularityConfig"]

DAY = 86_400


class PopularityConfig(Config, tag="popularity", tag_field="kind"):
    """How popularity is counted.

    Args:
        days: window in days before the end of the data; none = all of it.
        half_life_days: an interaction counts half after so many days; none = all count alike.
        segments: user features by whose combination popularity is counted apart, such as age and sex.
        min_users: smaller segments use the list for everybody.
    """

    days: float | None = None
    half_life_days: float | None = None
    segments: tuple[str, ...] = ()
    min_users: int = 50

    def __post_init__(self) -> None:
        bounded(self, days=(1e-3, 36_500), half_life_days=(1e-3, 36_500), min_users=(1, 10**9))


class Popularity(ScoringRetriever):
    """Users per item, each counted once, at the newest interaction.

    Items outside the window follow by all-time popularity; in a segment, items that nobody there took follow in the
    order for everybody.

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
        columns = self._columns(data)
        features = data.user_features.dense()[:, columns]
        code, known = np.unique(_keys(features), return_inverse=True, axis=0)
        table = data.interactions
        pairs = table.user.astype(np.int64) * table.items + table.item
        order = np.argsort(pairs, kind="stable")
        newest = order[np.diff(pairs[order], append=-1) != 0]
        weight = self._weights(table.end - 1 - table.time[newest])
        user, item = table.user[newest], table.item[newest]
        share = _share(np.bincount(item, weight, table.items))
        everybody = np.where(share > 0, share, popularity_prior(data))
        rows, codes = [everybody], [np.zeros(len(columns), np.float32)]
        active = np.flatnonzero(table.user_counts)
        for segment in range(len(code) if columns else 0):
            members = known[active] == segment
            if members.sum() >= self.config.min_users:
                inside = known[user] == segment
                share = _share(np.bincount(item[inside], weight[inside], table.items))
                rows.append(np.where(share > 0, share, everybody - 1))
                codes.append(code[segment])
        return {
            "popularity": np.stack(rows).astype(np.float32),
            "code": np.stack(codes).astype(np.float32),
            "column": np.asarray(columns, np.int64),
        }

    def scored(self, queries: Queries) -> Scored:
        """Share of the top item; negative where nobody took it in the window or segment."""
        return RankedScores(self._segments(queries), self.arrays()["popularity"], self.order("popularity"))

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

    def _weights(self, age: IntVector) -> FloatVector:
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


def _share(counts: FloatVector | IntVector) -> FloatVector:
    return counts / max(counts.max(initial=0), 1e-12)
