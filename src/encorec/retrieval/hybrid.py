"""Hybrid factorisation: users and items are sums of the vectors of what they consist of, identity included."""

from collections.abc import Collection
from typing import Any, Literal

import numpy as np
from scipy import sparse

from encorec.config import Config, bounded
from encorec.data.dataset import Dataset
from encorec.data.features import FeatureTable
from encorec.errors import ConfigError, unknown_name
from encorec.protocols import Arrays
from encorec.retrieval.fold_in import FoldInRetriever, learn_fold_in
from encorec.retrieval.index import IndexConfig
from encorec.retrieval.scoring import popularity_prior, user_item_matrix
from encorec.retrieval.user_order import order_by_deeds
from encorec.types import FloatMatrix, IntVector, Queries

__all__ = ["Hybrid", "HybridConfig"]


class HybridConfig(Config, tag="hybrid", tag_field="kind"):
    """Size of the vectors, what users and items consist of, and how they are learnt.

    Args:
        embedding_size: numbers per vector.
        loss: warp looks for an untaken item that stands too high, bpr draws one; warp-kos learns from the k-th best
            of the taken ones.
        learning_rate: of the stochastic gradient (adagrad).
        user_reg: L2 penalty of user features.
        item_reg: L2 penalty of item features.
        epochs: passes over the interactions.
        max_sampled: untaken items that warp draws before it gives up.
        user_features: categories of users that take part; none = all.
        item_features: tags and categories of items that take part; none = all.
        cosine: compare directions alone: no biases, vectors of length 1. A cure for the pull of popular items, which
            have large biases and long vectors.
        last: newest events of a history that are used when a user is folded in; none = all.
        decay: weight of an event for each newer one, in (0, 1].
        half_life_days: an event counts half after so many days; none = none fades.
        index: how the items are searched.
    """

    embedding_size: int = 64
    loss: Literal["warp", "bpr", "warp-kos"] = "warp"
    learning_rate: float = 0.05
    user_reg: float = 0.0
    item_reg: float = 0.0
    epochs: int = 30
    max_sampled: int = 10
    user_features: tuple[str, ...] | None = None
    item_features: tuple[str, ...] | None = None
    cosine: bool = False
    last: int | None = None
    decay: float = 1.0
    half_life_days: float | None = None
    index: IndexConfig = IndexConfig()

    def __post_init__(self) -> None:
        bounded(self, embedding_size=(1, 4096), learning_rate=(1e-9, 100), epochs=(1, 100_000))
        bounded(self, user_reg=(0, 10**6), item_reg=(0, 10**6), max_sampled=(1, 10**6))
        bounded(self, last=(1, 10**6), decay=(1e-6, 1), half_life_days=(1e-3, 36_500))


class Hybrid(FoldInRetriever):
    """LightFM: cold items are what their tags and categories are, users without history what theirs are.

    Source: kula2015; warp: weston2011. The identity of a user is not stored: it is folded in from the history. Numbers
    and tags of users do not take part.

    Example:
        >>> from encorec.data.interactions import Interactions
        >>> from encorec.types import Eligibility, Histories
        >>> data = Dataset.of(Interactions.of([0, 0, 1, 1, 2], [0, 1, 0, 1, 2], [1, 2, 3, 4, 5]))
        >>> model = Hybrid(HybridConfig(embedding_size=4)).fit(data, rng=np.random.default_rng(0))
        >>> queries = Queries(Histories.of([([0], [7])]), np.array([9]), Eligibility(np.array([False, True, True])))
        >>> model.retrieve(queries, 2).item.tolist()
        [1, 2]
    """

    Settings = HybridConfig

    def learn(self, data: Dataset, rng: np.random.Generator) -> Arrays:
        """``factors``, ``bias``, ``fold_in``, the vectors of user categories and the order of popularity."""
        from encorec.retrieval.hybrid_training import hybrid_embeddings

        config, table = self.config, data.interactions
        columns = _chosen("user_features", config.user_features, data.user_features.categorical)
        known = (*data.item_features.tags, *data.item_features.categorical)
        traits = _chosen("item_features", config.item_features, known)
        order = order_by_deeds(table)
        users, items = _parts(data.user_features, columns)[order], _parts(data.item_features, traits)
        matrix, sides = user_item_matrix(table)[order], (_with_identity(users), _with_identity(items))
        of_users, of_items, biases = hybrid_embeddings(matrix, *sides, self._settings, config.epochs, rng)
        untaken = np.flatnonzero(table.item_counts == 0)
        of_items[untaken], biases[untaken] = 0, 0  # nothing was learnt of them but what they consist of
        rows, bias = _sums(items, of_items), _sums(items, biases[:, None])[:, 0]
        besides = np.asarray(users @ of_users[len(order) :], np.float32)
        target = _sums(users, of_users)
        if config.cosine:
            rows, target, bias = _unit(rows), _unit(target), np.zeros_like(bias)
        bias[~rows.any(axis=1)] = 0
        return {
            "factors": np.ascontiguousarray(rows.T),
            "bias": bias,
            "fold_in": learn_fold_in(matrix, rows, target, besides if columns else None),
            "prior": popularity_prior(data),
            "user_vectors": of_users[len(order) :],
            "user_column": np.array([data.user_features.dense_names.index(name) for name in columns], np.int64),
            "user_offset": np.cumsum([0, *(len(data.user_features.categorical[name].values) for name in columns)]),
        }

    def encode(self, queries: Queries) -> FloatMatrix:
        """(n, size) float32: folded in from history and features; of length 1 where directions are compared."""
        vectors = super().encode(queries)
        return _unit(vectors) if self.config.cosine else vectors

    def known_besides(self, queries: Queries) -> FloatMatrix | None:
        """(n, size) float32 summed vectors of the users' categories; none where the model has none."""
        learnt = self.arrays()
        if not len(learnt["user_column"]):
            return None
        total = np.zeros((len(queries), len(learnt["factors"])), np.float32)
        if queries.user_features is not None:
            for place, column in enumerate(learnt["user_column"]):
                given = queries.user_features[:, column]
                known = np.flatnonzero(given >= 0)
                code = learnt["user_offset"][place] + given[known].astype(np.int64)
                inside = code < learnt["user_offset"][place + 1]
                total[known[inside]] += learnt["user_vectors"][code[inside]]
        return total

    @property
    def _settings(self) -> dict[str, Any]:
        config = self.config
        return {
            "no_components": config.embedding_size,
            "loss": config.loss,
            "learning_rate": config.learning_rate,
            "user_alpha": config.user_reg,
            "item_alpha": config.item_reg,
            "max_sampled": config.max_sampled,
        }


def _chosen(field: str, names: tuple[str, ...] | None, known: Collection[str]) -> tuple[str, ...]:
    """The features that take part."""
    for name in names or ():
        if name not in known:
            raise ConfigError(f"hybrid: {field}: " + unknown_name("feature", name, known))
    return tuple(known) if names is None else names


def _parts(features: FeatureTable, names: tuple[str, ...]) -> sparse.csr_array:
    """(n, values) 1 where the entity has the tag or category, the values of all features side by side."""
    entities: list[IntVector] = [np.empty(0, np.int64)]
    values: list[IntVector] = [np.empty(0, np.int64)]
    start = 0
    for name in names:
        if name in features.tags:
            owner, code = features.tags[name].lists.owner, features.tags[name].lists.item
            size = len(features.tags[name].values)
        else:
            owner = np.flatnonzero(features.categorical[name].code >= 0)
            code, size = features.categorical[name].code[owner], len(features.categorical[name].values)
        entities.append(owner)
        values.append(code.astype(np.int64) + start)
        start += size
    pairs = np.concatenate(entities), np.concatenate(values)
    return sparse.csr_array((np.ones(len(pairs[0]), np.float32), pairs), (features.size, start))


def _with_identity(parts: sparse.csr_array) -> sparse.csr_array:
    """(n, n + values): every entity consists of itself too."""
    itself: Any = sparse.eye_array(_rows(parts))
    return sparse.csr_array(sparse.hstack([itself, parts]))


def _sums(parts: sparse.csr_array, vectors: FloatMatrix) -> FloatMatrix:
    """(n, size) float32 sum of the vectors of what each entity consists of; its own stand first."""
    entities = _rows(parts)
    return np.asarray(vectors[:entities] + parts @ vectors[entities:], np.float32)


def _rows(matrix: sparse.csr_array) -> int:
    return len(matrix.indptr) - 1


def _unit(vectors: FloatMatrix) -> FloatMatrix:
    """(n, size) float32 of length 1; zeros stay."""
    length = np.sqrt(np.add.accumulate(vectors.astype(np.float64) ** 2, axis=1)[:, -1:])
    return (vectors / np.maximum(length, 1e-12)).astype(np.float32)
