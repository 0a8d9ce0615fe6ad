"""Item neighbours against the recommenders of implicit, and scores against plain sums."""

from typing import Any

import numpy as np
import pytest
from implicit.nearest_neighbours import BM25Recommender, CosineRecommender, TFIDFRecommender
from scipy import sparse
from tests.contracts.worlds import world
from tests.retrieval.asking import HISTORIES, asks, filled
from tests.retrieval.growing import grown, same_arrays

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
    """(items, items) similarity learnt by a recommender of implicit from the items that anybody took.

    Items that nobody took are no documents; a log that is numbered by itself, as in RecTools, has none.
    """
    taken = np.flatnonzero(WORLD.interactions.item_counts)
    twin.fit(counts(WORLD)[:, taken], show_progress=False)
    found = np.zeros((ITEMS, ITEMS))
    found[np.ix_(taken, taken)] = twin.similarity.toarray()
    return found


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
    "setting",
    [{"neighbours": 0}, {"last": 0}, {"decay": 0}, {"length_penalty": 1.1}, {"saturation": 0}, {"half_life_days": 0}],
)
def test_settings_out_of_bounds_are_refused(setting: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=rf"ItemKNNConfig\.{next(iter(setting))} is"):
        ItemKNNConfig(**setting)


def test_jaccard_is_the_share_of_common_users_among_all() -> None:
    """Also by hand: items 0 and 1 with three and two users, two of them shared: 2 / 3."""
    data = Dataset.of(Interactions.of([0, 0, 1, 1, 2, 2], [0, 1, 0, 1, 0, 0], [1, 2, 3, 4, 5, 6]))
    assert fitted(ItemKNNConfig(weighting="jaccard"), data).similar(np.array([0]))[0].tolist() == [1, np.float32(2 / 3)]
    found = similarity(fitted(ItemKNNConfig(weighting="jaccard", neighbours=ITEMS)))
    table = WORLD.interactions
    takers = [set(table.user[table.item == item].tolist()) for item in range(ITEMS)]
    expected = [[len(a & b) / max(len(a | b), 1) for b in takers] for a in takers]
    assert np.abs(found - expected).max() < 1e-7


def test_events_fade_by_their_age() -> None:
    day = 86_400
    model = fitted(ItemKNNConfig(neighbours=ITEMS, half_life_days=4, decay=0.5))
    scores = model.scores(asks(WORLD, [[(3, 4 * day, 1.0), (1, 8 * day, 2.0)]], now=8 * day))
    matrix = similarity(model).astype(np.float64)
    assert scores[0] == pytest.approx(filled(0.25 * matrix[3] + 2 * matrix[1], WORLD), abs=1e-5)


@pytest.mark.parametrize("weighting", [*TWINS, "jaccard"])
def test_reasons_add_up_to_the_scores(weighting: Any) -> None:
    model, queries = fitted(ItemKNNConfig(weighting=weighting, neighbours=20, decay=0.9)), asks(WORLD, HISTORIES)
    scores = model.scores(queries)
    for item in range(ITEMS):
        reasons = model.explain(queries, np.full(len(HISTORIES), item))
        for row in range(len(HISTORIES)):
            share = reasons.share[reasons.indptr[row] : reasons.indptr[row + 1]]
            assert share.sum() == pytest.approx(max(scores[row, item], 0), rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("new_names", [False, True])
@pytest.mark.parametrize(("parts", "seed"), [(2, 0), (7, 1), (40, 2)])
@pytest.mark.parametrize("neighbours", [3, 12, 500])
@pytest.mark.parametrize("weighting", [*TWINS, "jaccard"])
def test_updates_learn_to_the_last_bit_what_one_fit_learns(
    weighting: Any, neighbours: int, parts: int, seed: int, new_names: bool
) -> None:
    config = ItemKNNConfig(weighting=weighting, neighbours=neighbours)
    assert same_arrays(*grown(WORLD, lambda: ItemKNN(config), seed, parts, new_names))


def test_a_neighbour_that_was_not_kept_comes_in_when_a_kept_one_falls() -> None:
    """Item 0 keeps itself and item 1; when others take item 1, item 2 is closer, though no event is of it."""
    old = Interactions.of([0, 0, 1, 1, 2, 2], [0, 1, 0, 1, 0, 2], [1, 2, 3, 4, 5, 6], users=9, items=3)
    new = Interactions.of([3, 4, 5, 6, 7, 8], [1] * 6, [9] * 6, users=9, items=3)
    config, data = ItemKNNConfig(weighting="cosine", neighbours=2), Dataset.of(old.joined(new))
    before, after = fitted(config, Dataset.of(old)), fitted(config, Dataset.of(old)).update(data, new)
    assert before.arrays()["item"][:2].tolist() == [0, 1]
    assert after.arrays()["item"][:2].tolist() == [0, 2]
    assert same_arrays(after, fitted(config, data))
