"""Items that are described alike: nearest neighbours by features, for items that nobody took yet as for all others."""

from typing import Self

import msgspec
import numpy as np

from encorec.config import Config, bounded
from encorec.data.dataset import Dataset
from encorec.data.interactions import Interactions
from encorec.errors import ConfigError, unknown_name
from encorec.protocols import Arrays, Reasons, Scored
from encorec.retrieval.feature_space import FeatureWeighting, chosen_features, feature_space
from encorec.retrieval.history_weights import faded_history
from encorec.retrieval.neighbour_lists import SparseRows, nearest_alike
from encorec.retrieval.scored import prior_order
from encorec.retrieval.scoring import (
    ScoringRetriever,
    WeightedItems,
    csr_rows,
    popularity_prior,
    recent_events,
    sparse_reasons,
    sparse_rows,
)
from encorec.types import FloatMatrix, IntVector, Queries

__all__ = ["ContentKNN", "ContentKNNConfig"]


class ContentKNNConfig(Config, tag="content-knn", tag_field="kind"):
    """Which features are compared, and which neighbours count.

    Args:
        features: item features to compare; none named = all that are categories or tags.
        weights: of features in the similarity; 1 for those not named.
        weighting: ``tfidf`` counts values that few items have more, ``one-hot`` all alike.
        bins: of equally many items, that numbers fall into.
        neighbours: kept per item, itself included; of equally alike ones the more popular.
        last: newest events of a history that are used; none = all.
        decay: weight of an event for each newer one, in (0, 1].
        half_life_days: an event counts half after so many days; none = none fades.
    """

    features: tuple[str, ...] = ()
    weights: dict[str, float] = msgspec.field(default_factory=dict[str, float])
    weighting: FeatureWeighting = "tfidf"
    bins: int = 10
    neighbours: int = 100
    last: int | None = None
    decay: float = 1.0
    half_life_days: float | None = None

    def __post_init__(self) -> None:
        bounded(self, neighbours=(1, 100_000), last=(1, 10**6), decay=(1e-6, 1), half_life_days=(1e-3, 36_500))
        bounded(self, bins=(2, 10_000))
        for name, weight in self.weights.items():
            if not 0 <= weight <= 10**6:
                raise ConfigError(f"ContentKNNConfig.weights.{name} is {weight}, allowed is 0 to 1000000")


class ContentKNN(ScoringRetriever):
    """Sum of the similarities, by features, of an item to the items of the history: cosine of what is known of them.

    Example:
        >>> from dataclasses import replace
        >>> from encorec.data.features import Categories, FeatureTable
        >>> from encorec.types import Eligibility, Histories
        >>> genre = {"genre": Categories.of(["war", "love", "war"])}
        >>> log = Interactions.of([0], [0], [1], items=3)
        >>> data = replace(Dataset.of(log), item_features=FeatureTable(3, categorical=genre))
        >>> model = ContentKNN().fit(data, rng=np.random.default_rng(0))
        >>> queries = Queries(Histories.of([([0], [7])]), np.array([9]), Eligibility(np.array([False, True, True])))
        >>> model.retrieve(queries, 2).item.tolist()
        [2, 1]
    """

    Settings = ContentKNNConfig

    def learn(self, data: Dataset, rng: np.random.Generator) -> Arrays:
        """The similarity matrix, its strongest ``neighbours`` per row in CSR form.

        Raises:
            ConfigError: features or weights that the data do not know.
        """
        config, prior, items = self.config, popularity_prior(data), len(data.items)
        names = chosen_features(data.item_features, config.features)
        for name in config.weights:
            if name not in names:
                raise ConfigError("content-knn: weights: " + unknown_name("compared feature", name, names))
        order = prior_order(
            prior
        )  # numbered by falling popularity, so that of equally alike items the popular are kept
        space = feature_space(data.item_features, names, config.weights, config.weighting, config.bins)[order]
        rows, columns = SparseRows.of(space), SparseRows.of(space.T.tocsr())
        shape = items, min(config.neighbours, items)
        place, score = np.empty(shape, np.int32), np.empty(shape, np.float32)
        nearest_alike(np.arange(items), rows, columns, np.empty(0), place, score)
        row = np.argsort(order)
        item = np.where(place >= 0, order[place], -1)[row]
        return {**csr_rows(item, score[row]), "prior": prior}

    def scored(self, queries: Queries) -> Scored:
        """Summed similarity; items like none of the history follow by popularity."""
        return self.sparse_scores(self._events(queries))

    def similar(self, items: IntVector) -> FloatMatrix:
        """(n,) item numbers -> (n, items) float32 similarity, 0 beyond the kept neighbours."""
        return sparse_rows(self.arrays(), items)

    def explain(self, queries: Queries, item: IntVector) -> Reasons:
        """What every item of the history added to the score of ``item`` (n,), one per query: its similarity."""
        return sparse_reasons(self._events(queries), self.arrays(), item)

    def update(self, data: Dataset, events: Interactions) -> Self:
        """A fit on ``data``: a new item changes how rare every value is."""
        return type(self)(self.config).fit(data, rng=np.random.default_rng(0))

    def _events(self, queries: Queries) -> WeightedItems:
        return recent_events(faded_history(queries, self.config.last, self.config.half_life_days), self.config.decay)
