"""PureSVD beside numpy's decomposition: the same scores, exactly folded in, explained without a rest."""

import numpy as np
import pytest
from tests.contracts.worlds import world
from tests.retrieval.asking import everybody

from encorec.data.dataset import Dataset
from encorec.data.interactions import Interactions
from encorec.retrieval.scoring import user_item_matrix
from encorec.retrieval.svd import SVD, SVDConfig

WORLD = world()


def fitted(size: int, data: Dataset = WORLD) -> SVD:
    return SVD(SVDConfig(embedding_size=size)).fit(data, rng=np.random.default_rng(0))


@pytest.mark.parametrize("size", [1, 7, 40])
def test_scores_are_those_of_the_truncated_decomposition(size: int) -> None:
    matrix = user_item_matrix(WORLD.interactions).toarray()
    left, strength, right = np.linalg.svd(matrix, full_matrices=False)
    expected = (left[:, :size] * strength[:size]) @ right[:size]
    active, taken = WORLD.interactions.user_counts > 0, WORLD.interactions.item_counts > 0
    scores = fitted(size).scores(everybody(WORLD))
    np.testing.assert_allclose(scores[active][:, taken], expected[active][:, taken], atol=2e-4)


def test_shares_of_the_history_add_up_to_the_score() -> None:
    model, queries = fitted(7), everybody(WORLD)
    item = np.full(len(queries), 3)
    reasons = model.explain(queries, item)
    total = np.add.reduceat(np.append(reasons.share, 0), np.minimum(reasons.indptr[:-1], len(reasons.share)))
    some = np.diff(reasons.indptr) > 0
    np.testing.assert_allclose(total[some], model.scores(queries)[some, 3], rtol=1e-4, atol=1e-5)


def test_more_directions_than_the_log_has_are_left_empty() -> None:
    model = fitted(64, Dataset.of(Interactions.of([0, 0, 1, 2], [0, 1, 1, 2], [1, 2, 3, 4])))
    assert model.arrays()["factors"].any(axis=1).sum() == 2


def test_a_single_user_leaves_the_order_of_popularity() -> None:
    model = fitted(4, Dataset.of(Interactions.of([0, 0], [2, 1], [1, 2], items=4)))
    assert not model.arrays()["factors"].any()
