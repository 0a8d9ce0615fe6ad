"""Whoever waits for a network is told every epoch, and what is fitted is the same."""

import re

import numpy as np
import pytest
from tests.contracts.worlds import world

from encorec.nn.training_config import TrainingConfig
from encorec.pipeline.fit import PipelineConfig, fit_first_stage
from encorec.pipeline.retriever_fit import fit_retriever
from encorec.retrieval.als import ALSConfig
from encorec.retrieval.neumf import NeuMFConfig
from encorec.retrieval.registry import make_retriever
from encorec.retrieval.sasrec import SASRecConfig
from encorec.retrieval.two_tower import TwoTowerConfig

WORLD = world()
BRIEF = TrainingConfig(epochs=3, batch_size=64, patience=None)
NETWORKS = {
    "sasrec": SASRecConfig(embedding_size=4, blocks=1, training=BRIEF),
    "two-tower": TwoTowerConfig(embedding_size=4, training=BRIEF),
    "neumf": NeuMFConfig(embedding_size=4, hidden=4, training=BRIEF),
}


@pytest.mark.parametrize("kind", NETWORKS)
def test_every_epoch_is_told_and_changes_nothing(kind: str) -> None:
    config, told = NETWORKS[kind], []
    watched = fit_retriever("net", config, WORLD, np.random.default_rng(4), lambda *step: told.append(step))
    alone = make_retriever(config).fit(WORLD, rng=np.random.default_rng(4))
    assert [step[1:] for step in told] == [(1, 3), (2, 3), (3, 3)]
    form = r"fit net: epoch (\d), loss \d+\.\d{4}, ndcg@10 0\.\d{4} on events kept aside"
    assert [match[1] for step in told if (match := re.fullmatch(form, step[0]))] == ["1", "2", "3"]
    for name, array in alone.arrays().items():
        assert (array == watched.arrays()[name]).all(), name


def test_where_nothing_is_kept_aside_there_is_no_metric() -> None:
    told = []
    config = SASRecConfig(embedding_size=4, training=TrainingConfig(epochs=1, validation_users=0))
    fit_retriever("net", config, WORLD, np.random.default_rng(0), lambda *step: told.append(step[0]))
    assert re.fullmatch(r"fit net: epoch 1, loss \d+\.\d{4}", told[0])


def test_pretraining_is_counted() -> None:
    told = []
    config = NeuMFConfig(embedding_size=4, hidden=4, pretraining=2, training=BRIEF)
    fit_retriever("net", config, WORLD, np.random.default_rng(0), lambda *step: told.append(step))
    assert [step[1:] for step in told] == [(number, 7) for number in range(1, 8)]


def test_nobody_is_told_afterwards_even_if_it_failed() -> None:
    class FedUpError(Exception):
        pass

    def refuse(*_: object) -> None:
        raise FedUpError

    config = NETWORKS["neumf"]
    fitted = fit_retriever("net", config, WORLD, np.random.default_rng(0), lambda *_: None)
    assert fitted.watch is None  # pyright: ignore[reportAttributeAccessIssue]
    fitted.fit(WORLD, rng=np.random.default_rng(0))
    with pytest.raises(FedUpError):
        fit_retriever("net", config, WORLD, np.random.default_rng(0), refuse)


def test_the_first_stage_tells_what_is_fitted_and_the_epochs_in_between() -> None:
    told = []
    config = PipelineConfig(retrievers={"als": ALSConfig(embedding_size=4), "net": NETWORKS["sasrec"]})
    fit_first_stage(config, WORLD, 0, lambda *step: told.append(step))
    assert [(what.partition(",")[0], done, total) for what, done, total in told] == [
        ("fit als", 0, 2),
        ("fit net", 1, 2),
        ("fit net: epoch 1", 1, 3),
        ("fit net: epoch 2", 2, 3),
        ("fit net: epoch 3", 3, 3),
    ]
