"""Neural matrix factorisation: a product of vectors and a perceptron, for small catalogues or as a ranker's feature."""

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from encorec.data.dataset import Dataset
from encorec.nn.epoch import Watch
from encorec.nn.neumf_config import FactorisationConfig
from encorec.protocols import Arrays, Scored
from encorec.retrieval.neumf_scores import NeuMFScores, refuse_unfit
from encorec.retrieval.scoring import ScoringRetriever, popularity_prior
from encorec.retrieval.user_order import order_by_deeds
from encorec.types import BoolVector, FloatMatrix, Queries

__all__ = ["NeuMF", "NeuMFConfig"]


class NeuMFConfig(FactorisationConfig, tag="neumf", tag_field="kind"):
    """Size of the product and of the perceptron, and how they are trained: the fields of ``FactorisationConfig``.

    Example:
        >>> NeuMFConfig(pretraining=5).hidden
        64
    """


class NeuMF(ScoringRetriever):
    """Scores that are no inner products: a perceptron says what a history and an item are to each other.

    Source: he2017; a user is the mean of the history, so nothing of a user is stored. Every item of the catalogue is
    scored for every query, which suits small catalogues; given candidates are scored alone. Trained by torch, which a
    fitted model needs no more. It has no ``update``: new events move every vector.

    Example:
        >>> from encorec.data.interactions import Interactions
        >>> from encorec.nn.training_config import TrainingConfig
        >>> from encorec.types import Eligibility, Histories
        >>> user, item = np.repeat(np.arange(40), 2), np.tile([0, 1, 2, 3], 20)
        >>> data = Dataset.of(Interactions.of(user, item, np.arange(80)))
        >>> config = NeuMFConfig(embedding_size=8, training=TrainingConfig(epochs=40, learning_rate=0.02))
        >>> model = NeuMF(config).fit(data, rng=np.random.default_rng(0))
        >>> rule = Eligibility(np.array([False, True, False, True]))
        >>> queries = Queries(Histories.of([([0], [7]), ([2], [7])]), np.array([9, 9]), rule)
        >>> model.retrieve(queries, 1).item.tolist()
        [1, 3]
    """

    Settings = NeuMFConfig
    watch: Watch | None = None  # told of every epoch of a fit as it ends

    def learn(self, data: Dataset, rng: np.random.Generator) -> Arrays:
        """Tables of the history, the layers, which items were taken, and the order of popularity."""
        from encorec.nn.neumf import train_neumf

        table = data.interactions
        learnt = train_neumf(table, order_by_deeds(table), self.config, rng, watch=self.watch)
        return {**learnt, "taken": table.item_counts > 0, "prior": popularity_prior(data)}

    @classmethod
    def from_arrays(cls, config: Any, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The retriever that these arrays were taken from.

        Raises:
            ArtifactError: they do not fit each other.
        """
        refuse_unfit(dict(arrays))
        return super().from_arrays(config, arrays)

    def scored(self, queries: Queries) -> Scored:
        """Positive numbers for items that somebody took; the others, and all where no history is, by popularity."""
        return NeuMFScores(*self._users(queries), self.arrays())

    def _users(self, queries: Queries) -> tuple[FloatMatrix, FloatMatrix, BoolVector]:
        """(n, size) and (n, hidden) float32 of the queries, and (n,) bool whether anything is known of each."""
        learnt, history = self.arrays(), queries.history
        product = np.zeros((len(queries), learnt["product_item"].shape[1]), np.float32)
        hidden = np.zeros((len(queries), learnt["hidden_item"].shape[1]), np.float32)
        known = np.zeros(len(queries), np.bool_)
        for query in range(len(queries)):
            item = history.item[int(history.starts[query]) : int(history.stops[query])]
            item = item[learnt["taken"][item]][-self.config.last :]
            known[query] = bool(len(item))
            if len(item):
                weight = self.config.decay ** np.arange(len(item) - 1, -1, -1)
                weight = (weight / weight.sum()).astype(np.float32)
                product[query] = weight @ learnt["product_history"][item]
                hidden[query] = (weight @ learnt["perceptron_history"][item]) @ learnt["hidden_user"]
        return product, hidden, known
