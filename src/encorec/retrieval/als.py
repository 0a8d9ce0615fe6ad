"""Implicit ALS: item vectors are learnt, the vector of a user is solved from any history (fold-in)."""

from typing import Any, NamedTuple

import numpy as np
from scipy import linalg

from encorec.config import Config, bounded
from encorec.data.dataset import Dataset
from encorec.protocols import Arrays, Reasons
from encorec.retrieval.als_layout import Layout
from encorec.retrieval.als_training import attribute_map, mapped, solve_sides
from encorec.retrieval.feature_columns import DenseColumns, feature_matrix
from encorec.retrieval.history_weights import faded_history
from encorec.retrieval.index import IndexConfig
from encorec.retrieval.reasons import ranked_reasons
from encorec.retrieval.scoring import WeightedItems, distinct_items, popularity_prior, user_item_matrix
from encorec.retrieval.vectors import VectorRetriever
from encorec.types import BoolVector, FloatMatrix, FloatVector, IntVector, Queries

__all__ = ["ALS", "ALSConfig"]

(_SOLVE,) = linalg.get_lapack_funcs(("posv",), dtype=np.float64)


class ALSConfig(Config, tag="als", tag_field="kind"):
    """Size of the vectors and how they are learnt.

    Args:
        embedding_size: numbers per vector, those of features and biases not counted.
        reg: L2 penalty.
        alpha: confidence of one interaction.
        epochs: alternations.
        bias: whether users and items have a number of their own besides their product.
        user_features: numeric and categorical features of users that are known numbers of their vectors.
        item_features: numeric and categorical features and tags of items that are known numbers of their vectors.
        cg_steps: of conjugate gradient for each vector and alternation of the training, as implicit takes three; 0 =
            exact, as the vector of a query always is.
        last: newest events of a history that are used when a user is folded in; none = all.
        decay: weight of an event for each newer one when a user is folded in, in (0, 1].
        half_life_days: an event counts half after so many days when a user is folded in; none = none fades.
        index: how the items are searched.
    """

    embedding_size: int = 64
    reg: float = 10.0
    alpha: float = 1.0
    epochs: int = 15
    bias: bool = False
    user_features: tuple[str, ...] = ()
    item_features: tuple[str, ...] = ()
    cg_steps: int = 3
    last: int | None = None
    decay: float = 1.0
    half_life_days: float | None = None
    index: IndexConfig = IndexConfig()

    def __post_init__(self) -> None:
        bounded(self, embedding_size=(1, 4096), reg=(1e-9, 10**9), alpha=(1e-9, 10**6), epochs=(1, 10_000))
        bounded(self, cg_steps=(0, 1000))
        bounded(self, last=(1, 10**6), decay=(1e-6, 1), half_life_days=(1e-3, 36_500))

    @property
    def plain(self) -> bool:
        """Whether implicit trains: nothing of the vectors is known beforehand, and its three steps are wanted."""
        return not (self.bias or self.user_features or self.item_features) and self.cg_steps == 3


class _System(NamedTuple):
    """The least squares of one query: its history and the numbers of its vector that are known."""

    taken: FloatMatrix
    confidence: FloatVector
    known: FloatVector


class ALS(VectorRetriever):
    """Factors of the confidence-weighted interaction matrix; nothing of a user is stored.

    Source: hu2008; trained by implicit where nothing but interactions counts. With features or biases the known
    numbers stay as they are and the others are solved given them. Users without history and items without interactions
    then get those numbers from their features (gantner2010). A query's own bias is left out of its scores, as it moves
    them all alike. It has no ``update``: new events move every vector.

    Example:
        >>> from encorec.data.interactions import Interactions
        >>> from encorec.types import Eligibility, Histories
        >>> data = Dataset.of(Interactions.of([0, 0, 1, 1, 2], [0, 1, 0, 1, 2], [1, 2, 3, 4, 5]))
        >>> model = ALS(ALSConfig(embedding_size=2, reg=0.1)).fit(data, rng=np.random.default_rng(0))
        >>> queries = Queries(Histories.of([([0], [7])]), np.array([9]), Eligibility(np.array([False, True, True])))
        >>> model.retrieve(queries, 2).item.tolist()
        [1, 2]
    """

    Settings = ALSConfig

    def learn(self, data: Dataset, rng: np.random.Generator) -> Arrays:
        """``factors`` (size, items), one column per item, their Gram matrix, and what features say."""
        return self._learn_plain(data, rng) if self.config.plain else self._learn_known(data, rng)

    def encode(self, queries: Queries) -> FloatMatrix:
        """(n, size) float32 user vectors, each solved from history and features: hu2008, equation 4."""
        layout, known = self._layout, self._known(queries)
        merged = self._events(queries)
        free, fixed = self._free, self._fixed
        users = np.zeros((len(queries), layout.size))
        for row in range(len(queries)):
            events = slice(merged.indptr[row], merged.indptr[row + 1])
            if self._evidence[merged.item[events]].any():
                system = self._system(merged, events, known[row])
                users[row, free], users[row, fixed] = self._solved(system, self._pull(system)), known[row]
            elif known[row, : layout.user].any():
                features = known[row : row + 1, : layout.user]
                users[row, free], users[row, fixed] = mapped(features, self.arrays()["user_map"])[0], known[row]
        return users[:, : layout.columns].astype(np.float32)

    def explain(self, queries: Queries, item: IntVector) -> Reasons:
        """What every item of the history added to the score of ``item`` (n,), one per query: hu2008, section 5.

        The rest of a score is what biases and features say without the history.
        """
        layout, known, merged = self._layout, self._known(queries), self._events(queries)
        share = np.zeros(len(merged.item), np.float32)
        for row, asked in enumerate(np.asarray(item)):
            events = slice(merged.indptr[row], merged.indptr[row + 1])
            if self._evidence[asked] and self._evidence[merged.item[events]].any():
                system = self._system(merged, events, known[row])
                target = self._items(np.array([asked]))[0]
                target[layout.columns :] = 0  # the query's own bias is no part of the score
                direction = self._solved(system, target[self._free])
                share[events] = self._weights(system) * (system.taken[:, self._free] @ direction)
        return ranked_reasons(merged.indptr, merged.item, share)

    def _learn_plain(self, data: Dataset, rng: np.random.Generator) -> Arrays:
        from encorec.retrieval.factorisation import als_item_factors

        config = self.config
        matrix: Any = user_item_matrix(data.interactions).astype(np.float32)
        factors = als_item_factors(matrix, config.embedding_size, config.reg, config.alpha, config.epochs, rng)
        factors[data.interactions.item_counts == 0] = 0
        exact = factors.astype(np.float64)
        return {
            "factors": np.ascontiguousarray(factors.T),
            "gram": exact.T @ exact + config.reg * np.eye(config.embedding_size),
            "prior": popularity_prior(data),
        }

    def _learn_known(self, data: Dataset, rng: np.random.Generator) -> Arrays:
        config, table = self.config, data.interactions
        columns = DenseColumns.of(data.user_features, config.user_features, "als: user_features")
        of_users = columns.encode(data.user_features.dense())
        of_items = feature_matrix(data.item_features, config.item_features, "als: item_features")
        layout = Layout(of_users.shape[1], config.embedding_size, of_items.shape[1], config.bias)
        active, taken = np.flatnonzero(table.user_counts), np.flatnonzero(table.item_counts)
        matrix: Any = user_item_matrix(table)[active][:, taken]
        matrix.data *= config.alpha
        known = of_users[active], of_items[taken]
        users, items = solve_sides(matrix, known, layout, config.reg, config.epochs, rng, config.cg_steps)
        everything = self._all_items(items, taken, of_items, layout)
        found: Arrays = {
            "factors": np.ascontiguousarray(everything[:, : layout.columns].T, np.float32),
            "gram": items.T @ items + config.reg * np.eye(layout.size),
            "prior": popularity_prior(data),
            "known": np.array([layout.user, layout.item], np.int64),
            "user_map": attribute_map(known[0], users[:, ~layout.user_fixed]),
            **{f"user_{name}": column for name, column in columns._asdict().items()},
        }
        return found | ({"bias": everything[:, layout.columns].astype(np.float32)} if config.bias else {})

    def _all_items(self, items: FloatMatrix, taken: IntVector, features: FloatMatrix, layout: Layout) -> FloatMatrix:
        """(items, size) vectors: solved where anybody took the item, else from its features, else zeros."""
        vectors = layout.items(features)
        cold = np.setdiff1d(np.flatnonzero(features.any(axis=1)), taken)
        weights = attribute_map(features[taken], items[:, ~layout.item_fixed])
        vectors[np.ix_(cold, np.flatnonzero(~layout.item_fixed))] = mapped(features[cold], weights)
        vectors[np.setdiff1d(np.arange(len(vectors)), np.union1d(taken, cold))] = 0
        vectors[taken] = items
        return vectors

    def _events(self, queries: Queries) -> WeightedItems:
        history = faded_history(queries, self.config.last, self.config.half_life_days)
        return distinct_items(history, self.config.decay, queries.items)

    def _known(self, queries: Queries) -> FloatMatrix:
        """(n, known) float64 numbers that the queries' vectors begin with, and 1 for the biases."""
        learnt, layout = self.arrays(), self._layout
        features = np.zeros((len(queries), layout.user))
        if layout.user and queries.user_features is not None:
            columns = DenseColumns(*(learnt[f"user_{name}"] for name in DenseColumns._fields))
            features[:] = columns.encode(queries.user_features)
        return np.concatenate([features, np.ones((len(features), int(layout.bias)))], axis=1)

    def _system(self, merged: WeightedItems, events: slice, known: FloatVector) -> _System:
        confidence = self.config.alpha * merged.weight[events].astype(np.float64)
        return _System(self._items(merged.item[events]), confidence, known)

    def _items(self, item: IntVector) -> FloatMatrix:
        """(n, size) float64 vectors of items, the numbers for the biases included."""
        learnt, bias = self.arrays(), self.config.bias
        vectors = learnt["factors"][:, item].T.astype(np.float64)
        if not bias:
            return vectors
        return np.column_stack([vectors, learnt["bias"][item].astype(np.float64), self._evidence[item]])

    def _weights(self, system: _System) -> FloatVector:
        """(m,) how strongly each item of the history pulls the user towards itself."""
        if not len(system.known):
            return system.confidence
        reached = system.taken[:, self._fixed] @ system.known
        return system.confidence - (system.confidence - 1) * reached

    def _pull(self, system: _System) -> FloatVector:
        """Right side of the least squares, in the numbers that are to be solved."""
        right = self._weights(system) @ system.taken[:, self._free]
        return right - self._cross @ system.known if len(system.known) else right

    def _solved(self, system: _System, right: FloatVector) -> FloatVector:
        taken = system.taken[:, self._free]
        square = self._square + (taken.T * (system.confidence - 1)) @ taken
        _, vector, failed = _SOLVE(square, right)
        if failed:
            raise linalg.LinAlgError("ALS: the history cannot be folded in: use a larger reg")
        return vector

    @property
    def _evidence(self) -> Any:
        """(items,) whether anything is known of the item; found once."""
        return self._once("evidence", lambda: self.known)

    @property
    def _fixed(self) -> BoolVector:
        """(size,) whether the number of a query's vector is known; found once, as all that follows from it."""
        return self._once("fixed", lambda: self._layout.user_fixed)

    @property
    def _free(self) -> BoolVector:
        return self._once("free", lambda: ~self._fixed)

    @property
    def _square(self) -> FloatMatrix:
        """(s, s) Gram matrix of the numbers that are solved."""
        return self._once("square", lambda: np.ascontiguousarray(self.arrays()["gram"][self._free][:, self._free]))

    @property
    def _cross(self) -> FloatMatrix:
        """(s, g) Gram matrix of the numbers that are solved with the known ones."""
        return self._once("cross", lambda: np.ascontiguousarray(self.arrays()["gram"][self._free][:, self._fixed]))

    @property
    def _layout(self) -> Layout:
        learnt, config = self.arrays(), self.config
        user, item = learnt["known"].tolist() if "known" in learnt else (0, 0)
        return Layout(user, len(learnt["factors"]) - user - item, item, config.bias)
