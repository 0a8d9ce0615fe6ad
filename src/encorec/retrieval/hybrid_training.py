"""Training of hybrid factor models. The only user of lightfm; a served artifact never comes here."""

import warnings
from typing import Any

import numpy as np
from scipy import sparse

from encorec.errors import MissingExtra
from encorec.types import FloatMatrix, FloatVector

try:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it tells of builds without OpenMP; one thread is all that is used
        from lightfm import LightFM
except ImportError as error:
    raise MissingExtra("lightfm-next", "hybrid") from error

__all__ = ["hybrid_embeddings"]


def hybrid_embeddings(
    matrix: sparse.csr_array,
    users: sparse.csr_array,
    items: sparse.csr_array,
    settings: dict[str, Any],
    epochs: int,
    rng: np.random.Generator,
) -> tuple[FloatMatrix, FloatMatrix, FloatVector]:
    """Embeddings of user features and of item features, float32, and the biases of item features; one thread.

    Args:
        matrix: (n, m) interactions; what is not 0 was taken.
        users: (n, user features) what each user consists of.
        items: (m, item features) what each item consists of.
        settings: of the constructor of LightFM.
        epochs: passes over the interactions.
        rng: source of everything random.

    Example:
        >>> eye = sparse.csr_array(np.eye(3))
        >>> found = hybrid_embeddings(eye, eye, eye, {"no_components": 2}, 1, np.random.default_rng(0))
        >>> [part.shape for part in found]
        [(3, 2), (3, 2), (3,)]
    """
    model: Any = LightFM(**settings, random_state=int(rng.integers(2**31)))
    taken = _narrow(matrix).tocoo()
    taken.data[:] = 1
    model.fit(taken, *(_narrow(part) for part in (users, items)), epochs=epochs, num_threads=1)
    found = model.user_embeddings, model.item_embeddings, model.item_biases
    users_of, items_of, bias = (np.array(part, np.float32) for part in found)
    return users_of, items_of, bias


def _narrow(matrix: sparse.csr_array) -> sparse.csr_matrix:
    """With 32-bit numbers throughout, which is all that its loops read."""
    parts = matrix.data.astype(np.float32), matrix.indices.astype(np.int32), matrix.indptr.astype(np.int32)
    made = sparse.csr_matrix(matrix.shape, dtype=np.float32)
    made.data, made.indices, made.indptr = parts  # the constructor would widen the indices again
    return made
