"""Two towers: numpy says what torch says, cold items and users are what is known of them."""

from dataclasses import replace

import msgspec
import numpy as np
import pytest
import torch
from scipy import sparse
from tests.contracts.test_retrievers import DESCRIBED
from tests.contracts.worlds import world
from tests.retrieval.asking import HISTORIES, asks, everybody

from encorec.config import decode
from encorec.data.dataset import Dataset
from encorec.data.features import Categories, FeatureTable, Tags
from encorec.data.interactions import Interactions
from encorec.errors import ConfigError
from encorec.nn.training import train
from encorec.nn.training_config import TrainingConfig
from encorec.nn.two_tower import Sides, TowersTask
from encorec.retrieval.feature_columns import DenseColumns
from encorec.retrieval.feature_parts import feature_parts
from encorec.retrieval.neumf import NeuMF
from encorec.retrieval.scoring import popularity_prior
from encorec.retrieval.two_tower import TwoTower, TwoTowerConfig
from encorec.retrieval.user_order import order_by_deeds
from encorec.types import FloatMatrix, Histories, Queries

WORLD = world()
BRIEF = TrainingConfig(epochs=2, batch_size=64, learning_rate=0.01)
STEADY = TrainingConfig(epochs=20, batch_size=128, learning_rate=0.02, weight_decay=0.5, validation_users=0)
UNTAUGHT = TrainingConfig(epochs=1, learning_rate=1e-9, validation_users=0)
SEEDS = range(5)
LOSSES = ("softmax", "sampled", "gbce", "bpr", "triplet")


def tastes(seed: int = 0, users: int = 400, items: int = 40) -> Dataset:
    """Two kinds of films and two kinds of people who keep to one; the last two films were never taken."""
    rng = np.random.default_rng(seed)
    user = np.repeat(np.arange(users), 8)
    item = 2 * rng.integers(0, items // 2 - 1, len(user)) + user % 2
    table = Interactions.of(user, item, np.arange(len(user)), items=items)
    kind, group = Categories.of(["comic", "war"] * (items // 2)), Categories.of(["a", "b"] * (users // 2))
    return replace(
        Dataset.of(table),
        item_features=FeatureTable(items, categorical={"kind": kind}),
        user_features=FeatureTable(users, categorical={"group": group}),
    )


TASTES = tastes()


def asked(data: Dataset, histories: list[list[int]], features: FloatMatrix | None = None) -> Queries:
    history = Histories.of([(items, list(range(len(items)))) for items in histories])
    return replace(asks(data, [[]] * len(histories)), history=history, user_features=features)


@pytest.mark.parametrize("featured", [False, True])
@pytest.mark.parametrize("history", ["mean", "attention"])
@pytest.mark.parametrize(("blocks", "last", "decay"), [(1, 50, 0.95), (0, 3, 1.0), (3, 8, 0.5)])
def test_numpy_says_what_torch_says(featured: bool, history, blocks: int, last: int, decay: float) -> None:
    config = TwoTowerConfig(embedding_size=12, blocks=blocks, history=history, last=last, decay=decay, training=BRIEF)
    table, features, sides = DESCRIBED.interactions, DESCRIBED.user_features, Sides(None, None)
    columns = DenseColumns.of(features, ("age", "sex"), "two-tower")
    if featured:
        of_items = feature_parts(DESCRIBED.item_features, ("genres", "year"), "two-tower")
        sides = Sides(sparse.csr_array(columns.encode(features.dense())), of_items)
    task = TowersTask(table, order_by_deeds(table), sides, config, np.random.default_rng(0))
    train(task, BRIEF, np.random.default_rng(1))
    learnt = {**task.module.arrays(), "prior": popularity_prior(DESCRIBED)}
    learnt |= {f"user_{name}": column for name, column in columns._asdict().items()} if featured else {}
    found = TwoTower.from_arrays(config, learnt).encode(everybody(DESCRIBED))
    with torch.no_grad():
        items = task.module.items(torch.arange(table.items)).numpy()
        for user in order_by_deeds(table):
            item = table.item[table.indptr[user] : table.indptr[user + 1]][-last:].astype(np.int64)
            weight = decay ** np.arange(len(item) - 1, -1, -1)
            given = torch.tensor([int(user)])
            parts = torch.tensor([0]), torch.tensor(item), torch.tensor(weight / weight.sum(), dtype=torch.float32)
            expected = task.module.users(*parts, given)[0].numpy()
            assert found[user] == pytest.approx(expected, abs=1e-5)
    assert pytest.approx(items, abs=1e-6) == learnt["factors"].T


def told_apart(model: TwoTower | NeuMF) -> float:
    """Share of the histories of one film whose 19 taken films of its kind stand above all 19 of the other kind."""
    scores = model.scores(asked(TASTES, [[item] for item in range(38)]))[:, :38]
    same = np.arange(38) % 2 == np.arange(38)[:, None] % 2
    lowest, highest = np.where(same, scores, np.inf).min(axis=1), np.where(same, -np.inf, scores).max(axis=1)
    return float((lowest > highest).mean())


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("loss", "history"), [*((loss, "mean") for loss in LOSSES), ("softmax", "attention")])
def test_every_loss_learns_who_likes_what(loss, history, seed: int) -> None:
    negatives = 4 if loss in ("bpr", "triplet") else 20
    config = TwoTowerConfig(embedding_size=8, history=history, loss=loss, negatives=negatives, training=STEADY)
    model = TwoTower(config).fit(tastes(seed), rng=np.random.default_rng(seed))
    assert told_apart(model) == 1


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_is_known_before_it_is_learnt(seed: int) -> None:
    model = TwoTower(TwoTowerConfig(embedding_size=8, training=UNTAUGHT)).fit(
        tastes(seed), rng=np.random.default_rng(seed)
    )
    assert told_apart(model) == 0


@pytest.mark.parametrize("seed", SEEDS)
def test_attention_finds_the_events_that_tell(seed: int) -> None:
    """Sixteen of twenty films say nothing; one of the other four, seen at some time, says what everybody takes last."""
    rng = np.random.default_rng(seed)
    item, telling = rng.integers(4, 20, (300, 6)), rng.integers(0, 4, 300)
    item[np.arange(300), rng.integers(0, 5, 300)] = telling
    item[:, 5] = 20 + telling
    data = Dataset.of(Interactions.of(np.repeat(np.arange(300), 6), item.ravel(), np.tile(np.arange(6), 300)))
    config = TwoTowerConfig(embedding_size=16, history="attention", decay=1, dropout=0, training=STEADY)
    model = TwoTower(config).fit(data, rng=rng)
    spoken = model.arrays()["spoken"]
    assert spoken[:4].min() > spoken[4:20].max()
    histories = [np.insert(rng.integers(4, 20, 4), place, one).tolist() for one in range(4) for place in range(5)]
    best = 20 + model.scores(asked(data, histories))[:, 20:].argmax(axis=1)
    assert best.tolist() == [20 + one for one in range(4) for _ in range(5)]
    same = TwoTower(msgspec.structs.replace(config, training=UNTAUGHT)).fit(data, rng=rng).arrays()["spoken"]
    assert np.abs(same).max() < 1e-6


@pytest.mark.parametrize("seed", SEEDS)
def test_cold_items_are_their_features_and_are_alike_by_them(seed: int) -> None:
    config = TwoTowerConfig(embedding_size=8, item_features=("kind",), id_dropout=0.3, training=STEADY)
    model = TwoTower(config).fit(tastes(seed), rng=np.random.default_rng(seed))
    scores = model.scores(asked(TASTES, [[item] for item in range(38)]))
    comic = np.arange(38) % 2 == 0
    assert ((scores[:, 38] > scores[:, 39]) == comic).all()
    alike = model.similar(np.array([38, 39]))[:, :38]
    assert alike[0, comic].min() > alike[0, ~comic].max()
    assert alike[1, ~comic].min() > alike[1, comic].max()


def test_without_features_an_item_that_nobody_took_comes_by_popularity() -> None:
    model = TwoTower(TwoTowerConfig(embedding_size=8, training=BRIEF)).fit(TASTES, rng=np.random.default_rng(0))
    assert not model.arrays()["factors"][:, 38:].any()
    assert model.scores(asked(TASTES, [[0]]))[0, 38:].tolist() == [-1, -1]


@pytest.mark.parametrize("seed", SEEDS)
def test_users_without_a_history_are_their_features(seed: int) -> None:
    config = TwoTowerConfig(embedding_size=8, user_features=("group",), history_dropout=0.3, training=STEADY)
    model = TwoTower(config).fit(tastes(seed), rng=np.random.default_rng(seed))
    features = np.array([[0.0], [1.0], [np.nan]], np.float32)
    scores = model.scores(asked(TASTES, [[], [], []], features))
    comic = np.arange(38) % 2 == 0
    assert scores[0, :38][comic].min() > scores[0, :38][~comic].max()
    assert scores[1, :38][~comic].min() > scores[1, :38][comic].max()
    assert scores[2].tolist() == model.arrays()["prior"].tolist()
    nobody = asked(TASTES, [[], []])
    assert not model.encode(nobody).any()


def test_features_that_are_out_of_range_or_infinite_do_no_harm() -> None:
    config = TwoTowerConfig(embedding_size=4, user_features=("age", "sex"), training=BRIEF)
    model = TwoTower(config).fit(WORLD, rng=np.random.default_rng(0))
    hostile = np.array([[np.inf, 7], [-np.inf, -3], [1e30, np.nan], [np.nan, np.inf]], np.float32)
    for history in ([], [0, 3]):
        vectors = model.encode(asked(WORLD, [history] * 4, hostile))
        assert np.isfinite(vectors).all()


@pytest.mark.parametrize("history", ["mean", "attention"])
def test_only_the_newest_events_are_read_and_the_newest_count_most(history) -> None:
    config = TwoTowerConfig(embedding_size=8, blocks=0, history=history, last=3, decay=0.5, training=BRIEF)
    model = TwoTower(config).fit(WORLD, rng=np.random.default_rng(0))
    long = list(range(30))
    assert model.encode(asked(WORLD, [long])).tolist() == model.encode(asked(WORLD, [long[-3:]])).tolist()
    vectors = model.arrays()["history"][:3].astype(np.float64)
    for items in ([0, 1, 2], [2, 1, 0]):
        strength = np.log([0.25, 0.5, 1.0])
        if history == "attention":
            strength = model.arrays()["spoken"][items] + model.arrays()["ago"][::-1].astype(np.float64)
        share = np.exp(strength) / np.exp(strength).sum()
        assert model.encode(asked(WORLD, [items]))[0] == pytest.approx(share @ vectors[items], abs=1e-6)


def test_hostile_names_are_named() -> None:
    for wrong, told in (("item_features", "'kin': did you mean 'kind'"), ("user_features", "'kin'.*allowed: age, sex")):
        model = TwoTower(decode({"kind": "two-tower", wrong: ["kin"]}, TwoTowerConfig))
        with pytest.raises(ConfigError, match=told):
            model.fit(DESCRIBED, rng=np.random.default_rng(0))


def test_parts_are_the_columns_of_a_dense_matrix_with_tags_sharing_one_weight() -> None:
    year = np.array([1990, np.nan, 2000], np.float32)
    features = FeatureTable(
        3,
        {"year": year},
        {"kind": Categories.of(["film", None, "show"])},
        {"genres": Tags.of([["drama", "war"], [], ["war"]])},
    )
    parts = feature_parts(features, ("genres", "year", "kind"), "two-tower")
    assert parts is not None
    root = 1 / np.sqrt(2)
    assert parts.toarray() == pytest.approx(
        np.array([[root, root, -1, 1, 0], [0, 0, 0, 0, 0], [0, 1, 1, 0, 1]]), abs=1e-6
    )
    assert feature_parts(features, (), "two-tower") is None


def test_a_history_of_the_world_is_answered_whatever_its_length() -> None:
    model = TwoTower(TwoTowerConfig(embedding_size=4, training=BRIEF)).fit(WORLD, rng=np.random.default_rng(0))
    assert np.isfinite(model.scores(asks(WORLD, HISTORIES))).all()
