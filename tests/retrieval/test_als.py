"""ALS: vectors learnt by implicit, users folded in by the least squares of the paper."""

from typing import Any

import numpy as np
import pytest
from implicit.cpu.als import AlternatingLeastSquares
from scipy import sparse
from tests.contracts.worlds import world
from tests.retrieval.asking import HISTORIES, Events, asks, dense_matrix, filled, merged
from threadpoolctl import threadpool_limits

from encorec.errors import ConfigError
from encorec.retrieval.als import ALS, ALSConfig
from encorec.retrieval.factorisation import als_item_factors
from encorec.types import FloatMatrix, FloatVector

WORLD = world()
CONFIG = ALSConfig(embedding_size=6, reg=2, alpha=3, epochs=4)
MODEL = ALS(CONFIG).fit(WORLD, rng=np.random.default_rng(5))


def twin() -> AlternatingLeastSquares:
    """The same training by implicit itself."""
    seed = int(np.random.default_rng(5).integers(2**31))
    model = AlternatingLeastSquares(factors=6, regularization=2, alpha=3, iterations=4, random_state=seed)
    with threadpool_limits(limits=1, user_api="blas"):
        model.fit(sparse.csr_matrix(dense_matrix(WORLD).astype(np.float32)), show_progress=False)
    return model


def least_squares(events: Events, factors: FloatMatrix, decay: float) -> FloatVector:
    """hu2008, equation 3, as one overdetermined system: sqrt(c) (p - y u) for every item, and sqrt(reg) u."""
    strength = merged(events, decay, len(factors))
    taken = strength > 0
    root = np.sqrt(np.where(taken, CONFIG.alpha * strength, 1))
    rows = np.vstack([root[:, None] * factors, np.sqrt(CONFIG.reg) * np.eye(factors.shape[1])])
    return np.linalg.lstsq(rows, np.append(root * taken, np.zeros(factors.shape[1])))[0]


def test_item_vectors_are_those_of_implicit() -> None:
    assert pytest.approx(np.asarray(twin().item_factors), abs=1e-5) == MODEL.arrays()["factors"].T


def test_folding_in_equals_recalculating_in_implicit() -> None:
    rows = np.array([merged(events, 1.0, WORLD.interactions.items) for events in HISTORIES], np.float32)
    expected = np.asarray(twin().recalculate_user(np.arange(len(rows)), sparse.csr_matrix(rows)))
    assert MODEL.encode(asks(WORLD, HISTORIES)) == pytest.approx(expected, abs=2e-4)


@pytest.mark.parametrize("decay", [1.0, 0.3])
def test_folding_in_is_weighted_least_squares(decay: float) -> None:
    model = ALS.from_arrays(ALSConfig(embedding_size=6, reg=2, alpha=3, decay=decay), MODEL.arrays())
    users, factors = model.encode(asks(WORLD, HISTORIES)), MODEL.arrays()["factors"].T.astype(np.float64)
    for row, events in enumerate(HISTORIES):
        assert users[row] == pytest.approx(least_squares(events, factors, decay), abs=1e-5)


def test_scores_are_inner_products_and_popularity_for_nobody() -> None:
    queries = asks(WORLD, HISTORIES)
    users, factors = MODEL.encode(queries).astype(np.float64), MODEL.arrays()["factors"].astype(np.float64)
    scores = MODEL.scores(queries)
    for row in range(len(HISTORIES)):
        assert scores[row] == pytest.approx(filled(users[row] @ factors, WORLD), abs=1e-5)


def test_items_that_nobody_took_have_no_vector_and_come_last() -> None:
    never = WORLD.interactions.item_counts == 0
    assert never.any()
    assert not MODEL.arrays()["factors"][:, never].any()
    assert (MODEL.scores(asks(WORLD, HISTORIES))[:, never] == -1).all()


def test_similarity_is_the_cosine_of_vectors() -> None:
    factors = MODEL.arrays()["factors"].T.astype(np.float64)
    found = MODEL.similar(np.array([3, 0]))
    for row, item in enumerate([3, 0]):
        for other in (0, 1, 3, 9):
            norms = np.linalg.norm(factors[item]) * np.linalg.norm(factors[other])
            assert found[row, other] == pytest.approx(factors[item] @ factors[other] / norms, abs=1e-5)


def test_learning_draws_from_the_rng_alone() -> None:
    matrix = sparse.csr_array(dense_matrix(WORLD).astype(np.float32))
    first, again, other = (als_item_factors(matrix, 3, 1.0, 1.0, 2, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert first.tolist() == again.tolist()
    assert first.tolist() != other.tolist()


@pytest.mark.parametrize("setting", [{"embedding_size": 0}, {"reg": 0}, {"alpha": 0}, {"epochs": 0}, {"decay": 0}])
def test_settings_out_of_bounds_are_refused(setting: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=rf"ALSConfig\.{next(iter(setting))} is"):
        ALSConfig(**setting)
