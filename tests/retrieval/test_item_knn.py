"""Item neighbours against the recommenders of implicit, and scores against plain sums."""

from typing import Any

import numpy as np
import pytest
from implicit.nearest_neighbours import BM25Recommender, CosineRecommender, TFIDFRecommender
from scipy import sparse
from tests.contracts.worlds import world
from tests.retrieval.asking import HISTORIES, asks, filled

from encorec.data.dataset import Dataset
from encorec.data.interactions import Interactions
from encorec.errors import ConfigError
from encorec.retrieval.item_knn import ItemKNN, ItemKNNConfig
from encorec.types import FloatMatrix

pytestmark = pytest.mark.filterwarnings("ignore::implicit.utils.ParameterWarning")

WORLD = world()
ITEMS = WORLD.interactions.items
TWINS: dict[str, Any] = {
    "cosine": CosineRecommender(K=ITEMS),
    "tfidf": TFIDFRecommender(K=ITEMS),
    "bm25": BM25Recommender(K=ITEMS, K1=1.2, B=0.75),
}


def fitted(config: ItemKNNConfig, data: Dataset = WORLD) -> ItemKNN:
    return ItemKNN(config).fit(data, rng=np.random.default_rng(0))


def counts(data: Dataset) -> sparse.csr_matrix:
    table = data.interactions
    return sparse.csr_matrix((np.ones(len(table)), (table.user, table.item)), (table.users, table.items))


def similarity(model: ItemKNN) -> FloatMatrix:
    return model.similar(np.arange(ITEMS))


def similarity_of(twin: Any) -> FloatMatrix:
    """(items, items) similarity learnt by a recommender of implicit."""
    twin.fit(counts(WORLD), show_progress=False)
    return twin.similarity.toarray()


@pytest.mark.parametrize("weighting", TWINS)
def test_similarities_are_those_of_implicit(weighting: Any) -> None:
    found = similarity(fitted(ItemKNNConfig(weighting=weighting, neighbours=ITEMS)))
    assert np.abs(found).max() > 0.9
    assert np.abs(found - similarity_of(TWINS[weighting])).max() < 1e-5


def test_bm25_obeys_its_two_settings_as_implicit_does() -> None:
    config = ItemKNNConfig(weighting="bm25", neighbours=ITEMS, saturation=3.0, length_penalty=0.2)
    expected = similarity_of(BM25Recommender(K=ITEMS, K1=3.0, B=0.2))
    assert np.abs(similarity(fitted(config)) - expected).max() < 1e-5


def test_cosine_worked_by_hand() -> None:
    """Items 0 and 1 with three and two users, two of them shared: 2 / sqrt(3 * 2)."""
    data = Dataset.of(Interactions.of([0, 0, 1, 1, 2], [0, 1, 0, 1, 0], [1, 2, 3, 4, 5]))
    found = fitted(ItemKNNConfig(weighting="cosine"), data).similar(np.array([0]))
    assert found[0].tolist() == pytest.approx([1, 2 / 6**0.5])


def test_only_the_nearest_neighbours_are_kept() -> None:
    everything = similarity(fitted(ItemKNNConfig(neighbours=ITEMS)))
    learnt = fitted(ItemKNNConfig(neighbours=4)).arrays()
    met = (counts(WORLD).T @ counts(WORLD)).toarray() > 0
    for row in range(ITEMS):
        kept = learnt["item"][learnt["indptr"][row] : learnt["indptr"][row + 1]]
        nearest = sorted(np.flatnonzero(met[row]).tolist(), key=lambda item: (-everything[row, item], item))[:4]
        assert kept.tolist() == nearest


@pytest.mark.parametrize(("last", "decay"), [(None, 1.0), (None, 0.5), (2, 0.5), (1, 1.0)])
def test_scores_are_summed_similarities_of_the_events(last: int | None, decay: float) -> None:
    model = fitted(ItemKNNConfig(neighbours=ITEMS, last=last, decay=decay))
    matrix, scores = similarity(model).astype(np.float64), model.scores(asks(WORLD, HISTORIES))
    for row, events in enumerate(HISTORIES):
        newest_first = events[::-1][:last]
        total = np.zeros(ITEMS)
        for steps, (item, _, weight) in enumerate(newest_first):
            total += weight * decay**steps * matrix[item]
        assert scores[row] == pytest.approx(filled(total, WORLD), abs=1e-5)


@pytest.mark.parametrize(
    "setting", [{"neighbours": 0}, {"last": 0}, {"decay": 0}, {"length_penalty": 1.1}, {"saturation": 0}]
)
def test_settings_out_of_bounds_are_refused(setting: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=rf"ItemKNNConfig\.{next(iter(setting))} is"):
        ItemKNNConfig(**setting)
