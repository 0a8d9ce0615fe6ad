"""The inverse in place against numpy's own."""

import numpy as np
import pytest
from scipy import linalg, sparse

from encorec.retrieval.ease_inverse import BLOCK, csr_parts, inverse_gram


@pytest.mark.parametrize(
    ("rows", "columns"), [(1, 1), (5, 3), (3, 40), (700, BLOCK - 1), (700, BLOCK), (90, BLOCK + 1)]
)
def test_inverse_is_that_of_numpy(rows: int, columns: int) -> None:
    matrix = sparse.random_array((rows, columns), density=0.2, rng=np.random.default_rng(0)).tocsr()
    dense = matrix.toarray()
    found = inverse_gram(matrix, 3.0)
    assert np.abs(found - np.linalg.inv(dense.T @ dense + 3 * np.eye(columns))).max() < 1e-12
    assert (found == found.T).all()


def test_every_column_can_have_a_penalty_of_its_own() -> None:
    rng = np.random.default_rng(2)
    matrix, penalty = sparse.random_array((30, BLOCK + 9), density=0.1, rng=rng).tocsr(), rng.random(BLOCK + 9) + 0.1
    square = matrix.toarray().T @ matrix.toarray() + np.diag(penalty)
    assert np.abs(inverse_gram(matrix, penalty) @ square - np.eye(len(square))).max() < 1e-9


def test_several_blocks_are_swept_one_after_the_other() -> None:
    matrix = sparse.random_array((400, 2 * BLOCK + 37), density=0.05, rng=np.random.default_rng(1)).tocsr()
    square = matrix.toarray().T @ matrix.toarray() + 0.5 * np.eye(2 * BLOCK + 37)
    assert np.abs(inverse_gram(matrix, 0.5) @ square - np.eye(len(square))).max() < 1e-9


def test_columns_in_any_order_are_put_in_order() -> None:
    matrix = sparse.csr_array((np.array([1.0, 2.0, 3.0]), np.array([2, 0, 1]), np.array([0, 2, 3])), (2, 3))
    assert [part.tolist() for part in csr_parts(matrix)] == [[0, 2, 3], [0, 2, 1], [2, 1, 3]]
    dense = matrix.toarray()
    assert inverse_gram(matrix, 1.0) == pytest.approx(np.linalg.inv(dense.T @ dense + np.eye(3)))


def test_what_cannot_be_inverted_says_so() -> None:
    with pytest.raises(linalg.LinAlgError, match="use a larger reg"):
        inverse_gram(sparse.csr_array(np.full((2, 2), 1e10)), 1e-12)
