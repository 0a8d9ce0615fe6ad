"""NeuMF: compiled loops say what torch says, any pair alone or among others, and tastes are learnt."""

import numpy as np
import pytest
import torch
from tests.contracts.worlds import world
from tests.retrieval.asking import HISTORIES, asks, everybody
from tests.retrieval.test_two_tower import SEEDS, STEADY, TASTES, UNTAUGHT, asked, tastes, told_apart

from encorec.errors import ArtifactError
from encorec.nn.neumf import FactorisationTask
from encorec.nn.neural_factorisation import NeuralFactorisation
from encorec.nn.training import train
from encorec.nn.training_config import TrainingConfig
from encorec.retrieval.neumf import NeuMF, NeuMFConfig
from encorec.retrieval.scoring import popularity_prior
from encorec.retrieval.user_order import order_by_deeds

WORLD = world()
TABLE = WORLD.interactions
BRIEF = TrainingConfig(epochs=2, batch_size=64, learning_rate=0.01)
CONFIG = NeuMFConfig(embedding_size=6, hidden=9, last=7, decay=0.8, training=BRIEF)
NOBODY = np.array([], np.int64)


def test_loops_say_what_torch_says() -> None:
    task = FactorisationTask(TABLE, order_by_deeds(TABLE), NOBODY, CONFIG, "both", np.random.default_rng(0))
    train(task, BRIEF, np.random.default_rng(1))
    learnt = {**task.module.arrays(), "taken": TABLE.item_counts > 0, "prior": popularity_prior(WORLD)}
    found = NeuMF.from_arrays(CONFIG, learnt).scores(everybody(WORLD))
    taken = np.flatnonzero(TABLE.item_counts)
    for user in order_by_deeds(TABLE):
        item = TABLE.item[TABLE.indptr[user] : TABLE.indptr[user + 1]][-7:].astype(np.int64)
        weight = 0.8 ** np.arange(len(item) - 1, -1, -1)
        with torch.no_grad():
            parts = torch.tensor([0]), torch.tensor(item), torch.tensor(weight / weight.sum(), dtype=torch.float32)
            logit = task.module(task.module.users(*parts), torch.tensor(taken)[None])[0].double().numpy()
        assert found[user, taken] == pytest.approx(np.log1p(np.exp(logit)), abs=1e-5)


def test_the_network_is_its_formula() -> None:
    """he2017, equations 9 to 12, with numbers of one's own."""
    net = NeuralFactorisation(CONFIG, 5, "both", np.random.default_rng(3))
    own = {name: value.detach().double().numpy() for name, value in net.named_parameters()}
    offset, item, weight = torch.tensor([0]), torch.tensor([1, 4]), torch.tensor([0.25, 0.75])
    found = net(net.users(offset, item, weight), torch.tensor([[0, 3]])).detach().numpy()[0]
    mean = {name: 0.25 * own[name][1] + 0.75 * own[name][4] for name in ("product_history", "perceptron_history")}
    for place, one in enumerate((0, 3)):
        product = (mean["product_history"] * own["product_item"][one]) @ own["product_out"]
        x = np.append(mean["perceptron_history"], own["perceptron_item"][one])
        x = np.maximum(x @ own["first.weight"] + own["first.bias"], 0)
        x = np.maximum(x @ own["second.weight"] + own["second.bias"], 0)
        assert found[place] == pytest.approx(product + x @ own["out.weight"][:, 0] + own["out.bias"][0], abs=1e-5)


def test_what_was_trained_alone_counts_half_each() -> None:
    rng = np.random.default_rng(0)
    product, perceptron, both = (
        NeuralFactorisation(CONFIG, 5, part, rng) for part in ("product", "perceptron", "both")
    )
    both.begin_from(product, perceptron)
    history = torch.tensor([0]), torch.tensor([2]), torch.ones(1)
    item = torch.tensor([[0, 1, 3]])
    parts = [net(net.users(*history), item) for net in (product, perceptron, both)]
    assert torch.allclose(parts[2], (parts[0] + parts[1]) / 2, atol=1e-6)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("pretraining", [0, 10])
def test_tastes_are_learnt(pretraining: int, seed: int) -> None:
    config = NeuMFConfig(embedding_size=8, hidden=16, pretraining=pretraining, training=STEADY)
    model = NeuMF(config).fit(tastes(seed), rng=np.random.default_rng(seed))
    assert told_apart(model) == 1
    scores = model.scores(asked(TASTES, [[0, 2], [1, 3]]))
    assert (scores[:, :38] > 0).all()
    assert (scores[:, 38:] == -1).all()


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_is_known_before_it_is_learnt(seed: int) -> None:
    config = NeuMFConfig(embedding_size=8, hidden=16, training=UNTAUGHT)
    assert told_apart(NeuMF(config).fit(tastes(seed), rng=np.random.default_rng(seed))) == 0


def test_pairs_are_scored_alone_as_among_all() -> None:
    model = NeuMF(CONFIG).fit(WORLD, rng=np.random.default_rng(0))
    queries = asks(WORLD, HISTORIES)
    everything, scored = model.scores(queries), model.scored(queries)
    rng = np.random.default_rng(5)
    query, item = np.sort(rng.integers(0, 4, 60)).astype(np.int32), rng.integers(0, TABLE.items, 60).astype(np.int32)
    assert scored.at(query, item).tolist() == everything[query, item].tolist()
    eligible = rng.random((4, TABLE.items)) < 0.1
    found, score = scored.best(eligible, 5)
    for row in range(4):
        ranked = sorted(np.flatnonzero(eligible[row]), key=lambda one: (-everything[row, one], one))[:5]
        assert found[row].tolist()[: len(ranked)] == ranked
        assert score[row].tolist()[: len(ranked)] == everything[row, ranked].tolist()


def test_nobody_is_popularity() -> None:
    model = NeuMF(CONFIG).fit(WORLD, rng=np.random.default_rng(0))
    never = int(np.flatnonzero(TABLE.item_counts == 0)[0])
    for history in ([], [(never, 3, 1.0)]):
        assert model.scores(asks(WORLD, [history]))[0].tolist() == model.arrays()["prior"].tolist()


def test_scores_of_extreme_pairs_are_finite_and_in_order() -> None:
    model = NeuMF(CONFIG).fit(WORLD, rng=np.random.default_rng(0))
    learnt = {**model.arrays(), "out_bias": np.array([1e4], np.float32)}
    high = NeuMF.from_arrays(CONFIG, learnt).scores(asks(WORLD, HISTORIES[:1]))
    low = NeuMF.from_arrays(CONFIG, {**learnt, "out_bias": -learnt["out_bias"]}).scores(asks(WORLD, HISTORIES[:1]))
    assert np.isfinite(high).all()
    assert np.isfinite(low).all()
    taken = TABLE.item_counts > 0
    assert (high[0, taken] > 9000).all()
    assert (low[0, taken] >= 0).all()


@pytest.mark.parametrize("name", ["taken", "product_item", "hidden_item", "second_weight", "out_weight", "out_bias"])
def test_arrays_that_do_not_fit_are_refused(name: str) -> None:
    learnt = NeuMF(CONFIG).fit(WORLD, rng=np.random.default_rng(0)).arrays()
    with pytest.raises(ArtifactError, match=f"neumf: {name} has shape"):
        NeuMF.from_arrays(CONFIG, {**learnt, name: learnt[name][:-1]})
    with pytest.raises(ArtifactError, match=f"no array {name}"):
        NeuMF.from_arrays(CONFIG, {other: array for other, array in learnt.items() if other != name})
