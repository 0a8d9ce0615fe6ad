"""Bayesian personalised ranking: vectors that put what a user took above what the user did not."""

import numpy as np

from encorec.config import Config, bounded
from encorec.data.dataset import Dataset
from encorec.protocols import Arrays
from encorec.retrieval.fold_in import FoldInRetriever, learn_fold_in
from encorec.retrieval.index import IndexConfig
from encorec.retrieval.scoring import popularity_prior, user_item_matrix
from encorec.retrieval.user_order import order_by_deeds

__all__ = ["BPR", "BPRConfig"]


class BPRConfig(Config, tag="bpr", tag_field="kind"):
    """Size of the vectors and how they are learnt.

    Args:
        embedding_size: numbers per vector.
        learning_rate: of the stochastic gradient.
        reg: L2 penalty.
        epochs: passes over the interactions.
        last: newest events of a history that are used when a user is folded in; none = all.
        decay: weight of an event for each newer one, in (0, 1].
        half_life_days: an event counts half after so many days; none = none fades.
        index: how the items are searched.
    """

    embedding_size: int = 64
    learning_rate: float = 0.05
    reg: float = 0.01
    epochs: int = 100
    last: int | None = None
    decay: float = 1.0
    half_life_days: float | None = None
    index: IndexConfig = IndexConfig()

    def __post_init__(self) -> None:
        bounded(self, embedding_size=(1, 4096), learning_rate=(1e-9, 100), reg=(0, 10**6), epochs=(1, 100_000))
        bounded(self, last=(1, 10**6), decay=(1e-6, 1), half_life_days=(1e-3, 36_500))


class BPR(FoldInRetriever):
    """Pairs of a taken and an untaken item are set in order, by stochastic gradient.

    Source: rendle2009; trained by implicit on one thread, so that a seed gives one model.

    Example:
        >>> from encorec.data.interactions import Interactions
        >>> from encorec.types import Eligibility, Histories, Queries
        >>> data = Dataset.of(Interactions.of([0, 0, 1, 1, 2], [0, 1, 0, 1, 2], [1, 2, 3, 4, 5]))
        >>> model = BPR(BPRConfig(embedding_size=4)).fit(data, rng=np.random.default_rng(0))
        >>> queries = Queries(Histories.of([([0], [7])]), np.array([9]), Eligibility(np.array([False, True, True])))
        >>> model.retrieve(queries, 2).item.tolist()
        [1, 2]
    """

    Settings = BPRConfig

    def learn(self, data: Dataset, rng: np.random.Generator) -> Arrays:
        """``factors`` (size, items), ``bias`` (items,), the map ``fold_in`` and the order of popularity."""
        from encorec.retrieval.factorisation import bpr_factors

        config, table = self.config, data.interactions
        matrix = user_item_matrix(table)[order_by_deeds(table)]
        users, items, bias = bpr_factors(
            matrix, config.embedding_size, config.learning_rate, config.reg, config.epochs, rng
        )
        untaken = table.item_counts == 0
        items[untaken], bias[untaken] = 0, 0
        return {
            "factors": np.ascontiguousarray(items.T),
            "bias": bias,
            "fold_in": learn_fold_in(matrix, items, users),
            "prior": popularity_prior(data),
        }
