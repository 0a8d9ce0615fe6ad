"""The loops behind lists of neighbours: what is compared anew, and what stays."""

from typing import Any

import numpy as np
import pytest
from scipy import sparse

from encorec.retrieval.neighbour_lists import SparseRows, nearest_alike, renewed_lists
from encorec.retrieval.neighbour_weights import inverse_frequency, weighted_rows
from encorec.retrieval.scoring import csr_rows

NOTHING = np.empty(0)


def lists(matrix: Any, k: int, size: Any = NOTHING) -> tuple[Any, Any]:
    n = matrix.shape[0]
    item, score = np.empty((n, k), np.int32), np.empty((n, k), np.float32)
    nearest_alike(np.arange(n), SparseRows.of(matrix), SparseRows.of(sparse.csr_array(matrix.T)), size, item, score)
    return item, score


@pytest.mark.parametrize("k", [1, 4, 30])
@pytest.mark.parametrize("sets", [False, True])
def test_nearest_rows_are_those_of_the_whole_product(k: int, sets: bool) -> None:
    dense = (np.random.default_rng(k).random((30, 40)) < 0.15).astype(float)
    size = dense.sum(axis=1)
    product = dense @ dense.T
    wanted = product / np.maximum(size[:, None] + size - product, 1) if sets else product
    item, score = lists(sparse.csr_array(dense), k, size if sets else NOTHING)
    for row in range(30):
        nearest = sorted(np.flatnonzero(product[row] > 0).tolist(), key=lambda one: (-wanted[row, one], one))[:k]
        assert item[row][item[row] >= 0].tolist() == nearest
        assert score[row][: len(nearest)] == pytest.approx(wanted[row, nearest])


def test_only_rows_that_could_change_are_compared_anew() -> None:
    """Two groups of rows that share no column: new values of row 0 leave the second group as it is."""
    rng = np.random.default_rng(0)
    dense = np.zeros((20, 30))
    dense[:10, :15], dense[10:, 15:] = rng.random((10, 15)), rng.random((10, 15))
    old = csr_rows(*lists(sparse.csr_array(dense), 4))
    changed, again = np.arange(20) == 0, np.empty(20, bool)
    dense[0, :15] = 0.01
    after = sparse.csr_array(dense)
    item, score = np.empty((20, 4), np.int32), np.empty((20, 4), np.float32)
    parts = SparseRows.of(after), SparseRows.of(sparse.csr_array(after.T)).within(changed)
    kept = old["indptr"], old["item"], old["value"]
    renewed_lists(*parts, NOTHING, changed, *kept, item, score, again)
    wanted_item, wanted_score = lists(after, 4)
    held = [row for row in range(20) if 0 in old["item"][4 * row : 4 * row + 4]]
    assert np.flatnonzero(again).tolist() == held
    assert (len(held), held[-1]) < (10, 10)
    assert item[~again].tolist() == wanted_item[~again].tolist()
    assert score[~again].tolist() == wanted_score[~again].tolist()


def test_no_rows_and_no_columns_have_no_neighbours() -> None:
    assert lists(sparse.csr_array((3, 0)), 2)[0].tolist() == [[-1, -1]] * 3
    assert lists(sparse.csr_array((0, 3)), 0)[0].shape == (0, 0)


@pytest.mark.parametrize("weighting", ["cosine", "tfidf"])
def test_weighted_rows_have_norm_one_or_nothing(weighting: Any) -> None:
    counts = sparse.csr_array(np.array([[1.0, 2.0, 0.0], [0.0, 3.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]))
    norms = np.linalg.norm(weighted_rows(counts, weighting, 1.2, 0.75).toarray(), axis=1)
    assert norms.round(12).tolist() == [1, 1, 0, 0]


def test_what_all_rows_have_says_less_than_nothing() -> None:
    assert inverse_frequency(sparse.csr_array(np.ones((2, 1)))).tolist() == [np.log(2) - np.log(3)]
