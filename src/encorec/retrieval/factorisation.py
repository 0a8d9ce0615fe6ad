"""Training of factor models. The only user of implicit; a served artifact never comes here."""

import numpy as np
from implicit.cpu.als import AlternatingLeastSquares
from scipy import sparse
from threadpoolctl import threadpool_limits

from encorec.types import FloatMatrix

__all__ = ["als_item_factors"]


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
