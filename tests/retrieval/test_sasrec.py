"""SASRec: numpy says what torch says, order matters, and a rule of what follows what is learnt."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from tests.contracts.test_retrievers import DESCRIBED
from tests.contracts.worlds import world
from tests.retrieval.asking import HISTORIES, asks, everybody

from encorec.data.dataset import Dataset
from encorec.data.features import Categories, FeatureTable
from encorec.data.interactions import Interactions
from encorec.errors import ConfigError
from encorec.nn.sasrec import SequenceTask
from encorec.nn.time_gaps import gap_bucket
from encorec.nn.training import train
from encorec.nn.training_config import TrainingConfig
from encorec.retrieval.feature_parts import feature_parts
from encorec.retrieval.sasrec import SASRec, SASRecConfig
from encorec.retrieval.user_order import order_by_deeds
from encorec.types import Histories

WORLD = world()
BRIEF = TrainingConfig(epochs=2, batch_size=16, learning_rate=0.01)
SEEDS = range(3)


@pytest.mark.parametrize("features", [(), ("genres", "kind", "year")])
@pytest.mark.parametrize("gaps", [False, True])
@pytest.mark.parametrize(("blocks", "heads", "last"), [(2, 2, 50), (1, 4, 3), (3, 1, 9)])
def test_numpy_says_what_torch_says(features, gaps: bool, blocks: int, heads: int, last: int) -> None:
    config = SASRecConfig(
        embedding_size=16, blocks=blocks, heads=heads, last=last, time_gaps=gaps, item_features=features, training=BRIEF
    )
    table, parts = DESCRIBED.interactions, feature_parts(DESCRIBED.item_features, features, "sasrec")
    task = SequenceTask(table, order_by_deeds(table), parts, config, np.random.default_rng(0))
    train(task, BRIEF, np.random.default_rng(1))
    model = SASRec.from_arrays(config, {**task.module.arrays(), "prior": np.zeros(table.items, np.float32)})
    for user in order_by_deeds(table):
        row = np.arange(int(table.indptr[user]), int(table.indptr[user + 1]))[-last:]
        asked = np.append(table.time[row][1:] + 1, table.end)
        gap = torch.tensor(gap_bucket(asked[:, None] - table.time[row]))[None] if gaps else None
        item = torch.tensor(table.item[row].astype(np.int64))[None]
        with torch.no_grad():
            expected = task.module(item, task.module.items(), gap)[0, -1].numpy()
        found = model.encode(everybody(DESCRIBED).take(np.array([user])))[0]
        assert found == pytest.approx(expected, abs=1e-5)


def sequences(seed: int = 0, users: int = 240, items: int = 20, length: int = 9) -> Dataset:
    """Everybody walks the circle of items from somewhere, one step at a time."""
    start = np.random.default_rng(seed).integers(0, items, users)
    item = (start[:, None] + np.arange(length)) % items
    user, time = np.repeat(np.arange(users), length), np.tile(np.arange(length) * 3600, users)
    return Dataset.of(Interactions.of(user, item.ravel(), time, items=items))


def foretold(model: SASRec, data: Dataset) -> int:
    """Of the 20 places on the circle, how many the model foretells the next one of."""
    walks = [[(start + step) % 20 for step in range(4)] for start in range(20)]
    histories = Histories.of([(walk, [step * 3600 for step in range(4)]) for walk in walks])
    found = model.scores(replace(asks(data, [[]] * 20), history=histories)).argmax(axis=1)
    return int((found == [(walk[-1] + 1) % 20 for walk in walks]).sum())


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("loss", "negatives"), [("softmax", None), ("softmax", 19), ("gbce", None), ("gbce", 19)])
def test_what_follows_what_is_learnt(loss, negatives: int | None, seed: int) -> None:
    training = TrainingConfig(epochs=40, batch_size=24, learning_rate=0.02, validation_users=0)
    config = SASRecConfig(embedding_size=16, dropout=0.1, negatives=negatives, loss=loss, alpha=0.5, training=training)
    data = sequences(seed)
    assert foretold(SASRec(config).fit(data, rng=np.random.default_rng(seed)), data) == 20


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_is_known_before_it_is_learnt(seed: int) -> None:
    training = TrainingConfig(epochs=1, learning_rate=1e-9, validation_users=0)
    data = sequences(seed)
    model = SASRec(SASRecConfig(embedding_size=16, training=training)).fit(data, rng=np.random.default_rng(seed))
    assert foretold(model, data) < 6


def test_the_order_of_a_history_matters() -> None:
    model = SASRec(SASRecConfig(embedding_size=8, training=BRIEF)).fit(WORLD, rng=np.random.default_rng(0))
    one, other = model.encode(asks(WORLD, [HISTORIES[0], [(7, 1, 1.0), (3, 2, 1.0), (0, 3, 1.0)]]))
    assert np.abs(one - other).max() > 1e-3


def test_only_the_newest_events_are_read() -> None:
    config = SASRecConfig(embedding_size=8, last=3, training=BRIEF)
    model = SASRec(config).fit(WORLD, rng=np.random.default_rng(0))
    long = [(item, item, 1.0) for item in range(40)]
    assert model.encode(asks(WORLD, [long])).tolist() == model.encode(asks(WORLD, [long[-3:]])).tolist()


def test_items_that_nobody_took_say_nothing_and_nothing_is_popularity() -> None:
    model = SASRec(SASRecConfig(embedding_size=8, training=BRIEF)).fit(WORLD, rng=np.random.default_rng(0))
    never = int(np.flatnonzero(WORLD.interactions.item_counts == 0)[0])
    assert not model.arrays()["factors"][:, never].any()
    some, more = model.encode(asks(WORLD, [HISTORIES[0], [*HISTORIES[0], (never, 9, 1.0)]]))
    assert some.tolist() == more.tolist()
    assert not model.encode(asks(WORLD, [[], [(never, 9, 1.0)]])).any()
    assert model.scores(asks(WORLD, [[]]))[0].tolist() == model.arrays()["prior"].tolist()


@pytest.mark.parametrize("seed", SEEDS)
def test_a_cold_item_is_found_by_its_features(seed: int) -> None:
    """Two kinds of films, and everybody keeps to one; the newest of either was never taken."""
    rng = np.random.default_rng(seed)
    user = np.repeat(np.arange(100), 6)
    item = (2 * rng.integers(0, 14, len(user)) + user % 2).astype(np.int64)
    table = Interactions.of(user, item, np.arange(len(user)), items=30)
    kind = Categories.of(["comic", "war"] * 15)
    data = replace(Dataset.of(table), item_features=FeatureTable(30, categorical={"kind": kind}))
    training = TrainingConfig(epochs=40, batch_size=16, learning_rate=0.01, validation_users=0)
    config = SASRecConfig(embedding_size=8, item_features=("kind",), training=training)
    model = SASRec(config).fit(data, rng=rng)
    scores = model.scores(asks(data, [[(one, 1, 1.0), (one + 2, 2, 1.0)] for one in range(26)]))
    comic = np.arange(26) % 2 == 0
    assert ((scores[:, 28] > scores[:, 29]) == comic).all()
    taken = np.arange(28) % 2 == 0
    for row, one in enumerate(scores[:, :28]):
        own = taken == comic[row]
        assert one[own].min() > one[~own].max()


def test_unknown_features_are_named() -> None:
    with pytest.raises(ConfigError, match="sasrec: item_features: unknown feature 'genre': did you mean 'genres'"):
        SASRec(SASRecConfig(item_features=("genre",))).fit(DESCRIBED, rng=np.random.default_rng(0))


def test_nobody_with_two_events_is_still_answered() -> None:
    data = Dataset.of(Interactions.of([0, 1, 2], [0, 1, 1], [1, 2, 3], items=4))
    model = SASRec(SASRecConfig(embedding_size=4, training=BRIEF)).fit(data, rng=np.random.default_rng(0))
    assert sorted(model.retrieve(asks(data, [[(0, 1, 1.0)]]), 9).item.tolist()) == [0, 1, 2, 3]
