"""Implicit ALS: item vectors are learnt, the vector of a user is solved from any history (fold-in)."""

from typing import Any

import numpy as np
from scipy import linalg

from encorec.config import Config, bounded
from encorec.data.dataset import Dataset
from encorec.protocols import Arrays
from encorec.retrieval.history_weights import faded_history
from encorec.retrieval.scoring import distinct_items, popularity_prior, user_item_matrix
from encorec.retrieval.vectors import VectorRetriever
from encorec.types import FloatMatrix, FloatVector, Queries

__all__ = ["ALS", "ALSConfig"]

(_SOLVE,) = linalg.get_lapack_funcs(("posv",), dtype=np.float64)


class ALSConfig(Config, tag="als", tag_field="kind"):
    """Size of the vectors and how they are learnt.

    Args:
        embedding_size: numbers per vector.
        reg: L2 penalty.
        alpha: confidence of one interaction.
        epochs: alternations.
        decay: weight of an event for each newer one when a user is folded in, in (0, 1].
        half_life_days: an event counts half after so many days when a user is folded in; none = none fades.
    """

    embedding_size: int = 64
    reg: float = 10.0
    alpha: float = 1.0
    epochs: int = 15
    decay: float = 1.0
    half_life_days: float | None = None

    def __post_init__(self) -> None:
        bounded(self, embedding_size=(1, 4096), reg=(1e-9, 10**9), alpha=(1e-9, 10**6), epochs=(1, 10_000))
        bounded(self, decay=(1e-6, 1), half_life_days=(1e-3, 36_500))


class ALS(VectorRetriever):
    """Factors of the confidence-weighted interaction matrix; nothing of a user is stored.

    Source: hu2008; trained by implicit.

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
        """``factors`` (size, items), one column per item, and their Gram matrix."""
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

    def encode(self, queries: Queries) -> FloatMatrix:
        """(n, size) float32 user vectors, each solved from the history: hu2008, equation 4."""
        learnt = self.arrays()
        history = faded_history(queries, None, self.config.half_life_days)
        merged = distinct_items(history, self.config.decay, queries.items)
        users = np.zeros((len(queries), len(learnt["gram"])), np.float32)
        for row in range(len(queries)):
            events = slice(merged.indptr[row], merged.indptr[row + 1])
            if events.start < events.stop:
                items = learnt["factors"][:, merged.item[events]].T
                users[row] = self._solve(items, merged.weight[events], learnt["gram"])
        return users

    def _solve(self, items: FloatMatrix, weight: FloatVector, gram: FloatMatrix) -> FloatVector:
        exact = items.astype(np.float64)
        confidence = self.config.alpha * weight.astype(np.float64)
        _, vector, failed = _SOLVE(gram + (exact.T * (confidence - 1)) @ exact, confidence @ exact)
        if failed:
            raise linalg.LinAlgError("ALS: the history cannot be folded in: use a larger reg")
        return vector
