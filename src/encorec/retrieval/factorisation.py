"""Training of factor models. The only user of implicit; a served artifact never comes here."""

import numpy as np
from implicit.cpu.als import AlternatingLeastSquares
from implicit.cpu.bpr import BayesianPersonalizedRanking
from scipy import sparse
from threadpoolctl import threadpool_limits

from encorec.types import FloatMatrix, FloatVector

__all__ = ["als_item_factors", "bpr_factors"]


def als_item_factors(
    matrix: sparse.csr_array, size: int, reg: float, alpha: float, epochs: int, rng: np.random.Generator
) -> FloatMatrix:
    """(items, size) float32 item vectors of implicit ALS.

    Args:
        matrix: (users, items) float32 interaction strengths.
        size: numbers per vector.
        reg: L2 penalty.
        alpha: confidence of strength 1.
        epochs: alternations.
        rng: source of the starting vectors.

    Example:
        >>> matrix = sparse.csr_array(np.eye(3, dtype=np.float32))
        >>> als_item_factors(matrix, 2, 0.1, 1.0, 1, np.random.default_rng(0)).shape
        (3, 2)
    """
    with threadpool_limits(limits=1, user_api="blas"):
        model = AlternatingLeastSquares(
            factors=size, regularization=reg, alpha=alpha, iterations=epochs, random_state=int(rng.integers(2**31))
        )
        model.fit(sparse.csr_matrix(matrix), show_progress=False)
    return np.array(model.item_factors)


def bpr_factors(
    matrix: sparse.csr_array, size: int, learning_rate: float, reg: float, epochs: int, rng: np.random.Generator
) -> tuple[FloatMatrix, FloatMatrix, FloatVector]:
    """(users, size) and (items, size) float32 vectors and (items,) float32 biases of implicit BPR, on one thread.

    Args:
        matrix: (users, items); what is not 0 was taken.
        size: numbers per vector.
        learning_rate: of the stochastic gradient.
        reg: L2 penalty.
        epochs: passes over the interactions.
        rng: source of the starting vectors and of the pairs.

    Example:
        >>> matrix = sparse.csr_array(np.eye(3, dtype=np.float32))
        >>> [part.shape for part in bpr_factors(matrix, 2, 0.1, 0.1, 1, np.random.default_rng(0))]
        [(3, 2), (3, 2), (3,)]
    """
    model = BayesianPersonalizedRanking(
        factors=size,
        learning_rate=learning_rate,
        regularization=reg,
        iterations=epochs,
        num_threads=1,
        random_state=int(rng.integers(2**31)),
    )
    model.fit(sparse.csr_matrix(matrix, dtype=np.float32), show_progress=False)
    users, items = np.array(model.user_factors), np.array(model.item_factors)
    return users[:, :-1], items[:, :-1], items[:, -1].copy()  # the last number of an item meets a 1 of every user
