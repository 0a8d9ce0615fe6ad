"""Two towers: users are what they did lately and what is known of them, items are themselves and their features."""

from typing import Any

import numpy as np
from scipy import sparse

from encorec.data.dataset import Dataset
from encorec.nn.epoch import Watch
from encorec.nn.two_tower_config import TowersConfig
from encorec.protocols import Arrays
from encorec.retrieval.dense_layers import residual, softmax
from encorec.retrieval.feature_columns import DenseColumns
from encorec.retrieval.feature_parts import feature_parts
from encorec.retrieval.index import IndexConfig
from encorec.retrieval.scoring import popularity_prior
from encorec.retrieval.user_order import order_by_deeds
from encorec.retrieval.vectors import VectorRetriever
from encorec.types import FloatMatrix, FloatVector, IntVector, Queries

__all__ = ["TwoTower", "TwoTowerConfig"]


class TwoTowerConfig(TowersConfig, tag="two-tower", tag_field="kind"):
    """Size of the towers, what they read, how they are trained, and how the items are searched.

    Args:
        index: how the items are searched. The other fields are those of ``TowersConfig``.

    Example:
        >>> TwoTowerConfig(loss="triplet").margin
        0.5
    """

    index: IndexConfig = IndexConfig()


class TwoTower(VectorRetriever):
    """A deep structured semantic model: cold items have vectors by their features, cold users by theirs.

    Source: huang2013; softmax over the batch with its correction: yi2019. Trained by torch, which a fitted model needs
    no more. Items are alike by the cosine of what the item tower says. It has no ``update``: new events move every
    vector.

    Example:
        >>> from encorec.data.interactions import Interactions
        >>> from encorec.nn.training_config import TrainingConfig
        >>> from encorec.types import Eligibility, Histories
        >>> user, item = np.repeat(np.arange(40), 2), np.tile([0, 1, 2, 3], 20)
        >>> data = Dataset.of(Interactions.of(user, item, np.arange(80)))
        >>> config = TwoTowerConfig(embedding_size=8, dropout=0, training=TrainingConfig(learning_rate=0.01))
        >>> model = TwoTower(config).fit(data, rng=np.random.default_rng(0))
        >>> rule = Eligibility(np.array([False, True, False, True]))
        >>> queries = Queries(Histories.of([([0], [7]), ([2], [7])]), np.array([9, 9]), rule)
        >>> model.retrieve(queries, 1).item.tolist()
        [1, 3]
    """

    Settings = TwoTowerConfig
    watch: Watch | None = None  # told of every epoch of a fit as it ends

    def learn(self, data: Dataset, rng: np.random.Generator) -> Arrays:
        """``factors`` (size, items), ``history`` (items, size), the user tower, and the order of popularity."""
        from encorec.nn.two_tower import Sides, train_two_tower

        config, table = self.config, data.interactions
        columns = DenseColumns.of(data.user_features, config.user_features, "two-tower: user_features")
        of_users: Any = None
        if config.user_features:
            of_users = sparse.csr_array(columns.encode(data.user_features.dense()))
        of_items = feature_parts(data.item_features, config.item_features, "two-tower: item_features")
        learnt = train_two_tower(table, order_by_deeds(table), Sides(of_users, of_items), config, rng, watch=self.watch)
        unknown = table.item_counts == 0
        if of_items is not None:
            unknown = unknown & (np.diff(of_items.indptr) == 0)
        learnt["factors"][:, unknown] = 0
        named = {f"user_{name}": column for name, column in columns._asdict().items()} if config.user_features else {}
        return {**learnt, **named, "prior": popularity_prior(data)}

    def encode(self, queries: Queries) -> FloatMatrix:
        """(n, size) float32 from history and features; zeros where nothing is known of either."""
        learnt, history = self.arrays(), queries.history
        taken = self._once("taken", lambda: np.asarray(learnt["history"].any(axis=1)))
        features = self._features(queries)
        out = np.zeros((len(queries), len(learnt["factors"])), np.float32)
        for query in range(len(queries)):
            item = history.item[int(history.starts[query]) : int(history.stops[query])]
            item = item[taken[item]][-self.config.last :]
            given = None if features is None else features[query]
            if len(item) or (given is not None and given.any()):
                out[query] = self._tower(item, given)
        return out

    def _tower(self, item: IntVector, given: FloatVector | None) -> FloatVector:
        """(size,) float32 vector of one user: items of the history, oldest first, and the user's features."""
        learnt = self.arrays()
        x = np.zeros((1, len(learnt["factors"])), np.float32)
        if len(item):
            x = (self._shares(item) @ learnt["history"][item])[None]
        if given is not None:
            x = x + given @ learnt["user_table"]
        for block in range(self.config.blocks):
            x = residual(x, learnt, "user", block)
        return x[0]

    def _shares(self, item: IntVector) -> FloatVector:
        """(t,) float32 shares of the events of one history, at least one, oldest first; they sum to 1."""
        ago = np.arange(len(item) - 1, -1, -1)
        if self.config.history == "attention":
            learnt = self.arrays()
            return softmax(learnt["spoken"][item] + learnt["ago"][ago])
        weight = self.config.decay**ago
        return (weight / weight.sum()).astype(np.float32)

    def _features(self, queries: Queries) -> FloatMatrix | None:
        """(n, c) float32 columns of the users' features; none where they are not read or not given."""
        learnt = self.arrays()
        if "user_table" not in learnt or queries.user_features is None:
            return None
        columns = DenseColumns(*(learnt[f"user_{name}"] for name in DenseColumns._fields))
        return columns.encode(queries.user_features)
