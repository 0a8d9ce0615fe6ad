"""The loop: the same seed gives the same numbers, broken off or not, and the best epoch is kept."""

import csv
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.contracts.worlds import world

from encorec.config import decode
from encorec.errors import ArtifactError, ConfigError
from encorec.nn.sasrec import SequenceTask
from encorec.nn.schedule import rate_at
from encorec.nn.training import train
from encorec.nn.training_config import TrainingConfig
from encorec.nn.transformer_config import TransformerConfig
from encorec.retrieval.user_order import order_by_deeds

TABLE = world().interactions
CONFIG = TrainingConfig(epochs=4, batch_size=16, learning_rate=0.01, patience=None, clip=1.0, weight_decay=0.01)


class BrokenOffError(Exception):
    """Whoever watches pulls the plug."""


def task_of(training: TrainingConfig, seed: int = 0) -> SequenceTask:
    config = TransformerConfig(embedding_size=8, blocks=1, last=6, negatives=20, training=training)
    return SequenceTask(TABLE, order_by_deeds(TABLE), None, config, np.random.default_rng(seed))


def numbers(task: SequenceTask) -> dict[str, list[float]]:
    return {name: value.ravel().tolist() for name, value in task.module.state_dict().items()}


def test_a_seed_gives_one_network_and_leaves_the_generator_of_torch_alone() -> None:
    before = torch.get_rng_state()
    first, second, other = (task_of(CONFIG, seed) for seed in (0, 0, 1))
    for task, seed in ((first, 5), (second, 5), (other, 5)):
        train(task, CONFIG, np.random.default_rng(seed))
    assert numbers(first) == numbers(second)
    assert numbers(first) != numbers(other)
    assert torch.equal(before, torch.get_rng_state())


def test_a_training_that_was_broken_off_goes_on_as_if_it_had_not_been(tmp_path: Path) -> None:
    def unplug(epoch) -> None:
        if epoch.number == 2:
            raise BrokenOffError

    whole, broken, resumed = (task_of(CONFIG) for _ in range(3))
    expected = train(whole, CONFIG, np.random.default_rng(5))
    with pytest.raises(BrokenOffError):
        train(broken, CONFIG, np.random.default_rng(5), folder=tmp_path, watch=unplug)
    told = []
    found = train(resumed, CONFIG, np.random.default_rng(99), folder=tmp_path, watch=told.append)
    assert [epoch.number for epoch in told] == [3, 4]
    assert [one[:4] for one in found] == [one[:4] for one in expected]
    assert numbers(resumed) == numbers(whole)


def test_a_finished_training_is_not_done_again(tmp_path: Path) -> None:
    first, again = task_of(CONFIG), task_of(CONFIG)
    train(first, CONFIG, np.random.default_rng(5), folder=tmp_path)
    told = []
    train(again, CONFIG, np.random.default_rng(5), folder=tmp_path, watch=told.append)
    assert told == []
    assert numbers(first) == numbers(again)


def test_a_torn_checkpoint_is_refused(tmp_path: Path) -> None:
    train(task_of(CONFIG), CONFIG, np.random.default_rng(5), folder=tmp_path)
    whole = (tmp_path / "checkpoint.pt").read_bytes()
    for content in (whole[: len(whole) // 2], b"", b"cposix\nsystem\n(S'echo no'\ntR."):
        (tmp_path / "checkpoint.pt").write_bytes(content)
        with pytest.raises(ArtifactError, match="delete it to begin anew"):
            train(task_of(CONFIG), CONFIG, np.random.default_rng(5), folder=tmp_path)


def test_every_epoch_is_logged(tmp_path: Path) -> None:
    epochs = train(task_of(CONFIG), CONFIG, np.random.default_rng(5), folder=tmp_path)
    rows = list(csv.DictReader((tmp_path / "log.csv").read_text(encoding="utf-8").splitlines()))
    assert [int(row["number"]) for row in rows] == [1, 2, 3, 4]
    assert [float(row["loss"]) for row in rows] == [epoch.loss for epoch in epochs]
    assert [float(row["metric"]) for row in rows] == [epoch.metric for epoch in epochs]


class Told:
    """A network of one number that grows by its gradient, judged as it is told."""

    def __init__(self, metrics: list[float]) -> None:
        self.module, self.generator = torch.nn.Linear(1, 1, bias=False), torch.Generator()
        self.metrics, self.seen = iter(metrics), []

    def steps(self) -> int:
        return 1

    def batches(self, rng):
        yield torch.ones(1, 1)

    def loss(self, batch, rng):
        return -self.module(batch).sum()

    def validate(self) -> float:
        self.seen.append(self.module.weight.item())
        return next(self.metrics)


@pytest.mark.parametrize(
    ("metrics", "run", "best"),
    [
        ([0.1, 0.4, 0.3, 0.4, 0.2, 0.9], 4, 1),
        ([0.3, 0.2, 0.1, 0.9, 0.9, 0.9], 3, 0),
        ([0.1, 0.2, 0.3, 0.4, 0.5, 0.6], 6, 5),
    ],
)
def test_training_ends_when_nothing_gets_better_and_the_best_is_kept(metrics, run, best) -> None:
    task = Told(metrics)
    epochs = train(task, TrainingConfig(epochs=6, patience=2), np.random.default_rng(0))
    assert len(epochs) == run
    assert task.module.weight.item() == task.seen[best]
    assert len(set(task.seen)) == run


def test_without_validation_every_epoch_is_run_and_the_last_kept() -> None:
    task = Told([math.nan] * 6)
    assert len(train(task, TrainingConfig(epochs=6, patience=2), np.random.default_rng(0))) == 6
    assert task.module.weight.item() == task.seen[-1]


@pytest.mark.parametrize("schedule", ["constant", "cosine", "linear"])
def test_the_rate_rises_and_falls_as_it_is_told(schedule) -> None:
    config = TrainingConfig(learning_rate=0.8, warmup=0.25, schedule=schedule)
    rates = [rate_at(step, 40, config) for step in range(40)]
    assert rates[:10] == pytest.approx([0.08 * (step + 1) for step in range(10)])
    share = np.arange(30) / 30
    expected = {"constant": np.ones(30), "linear": 1 - share, "cosine": np.cos(np.pi * share / 2) ** 2}[schedule]
    assert rates[10:] == pytest.approx(0.8 * expected)


def test_hostile_settings_are_refused() -> None:
    for wrong in ({"epochs": 0}, {"learning_rate": 0.0}, {"warmup": 1.5}, {"patience": 0}, {"validation_share": 0.9}):
        with pytest.raises(ConfigError, match="allowed is"):
            decode(wrong, TrainingConfig)


def test_a_device_that_is_not_there_is_named() -> None:
    if not torch.cuda.is_available():
        with pytest.raises(ConfigError, match="torch sees no such device"):
            train(task_of(CONFIG), TrainingConfig(device="cuda"), np.random.default_rng(0))
