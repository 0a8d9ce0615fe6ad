"""What follows what, counted again in plain Python."""

from typing import Any

import numpy as np
import pytest
from tests.contracts.worlds import world
from tests.retrieval.asking import HISTORIES, asks, filled

from encorec.data.dataset import Dataset
from encorec.data.interactions import Interactions
from encorec.errors import ConfigError
from encorec.retrieval.covisitation import Covisitation, CovisitationConfig
from encorec.types import FloatMatrix

WORLD = world()
CONFIGS = [
    CovisitationConfig(),
    CovisitationConfig(window=1, damping=0),
    CovisitationConfig(window=3, damping=2, backward=0.5, last=2, decay=0.5),
    CovisitationConfig(window=1000, backward=1.0),
]


def fitted(config: CovisitationConfig, data: Dataset = WORLD) -> Covisitation:
    return Covisitation(config).fit(data, rng=np.random.default_rng(0))


def counted_slowly(data: Dataset, config: CovisitationConfig) -> FloatMatrix:
    items = data.interactions.items
    pairs = np.zeros((items, items))
    for user in range(data.interactions.users):
        history = data.interactions.histories.items(user).tolist()
        for place, first in enumerate(history):
            for steps, later in enumerate(history[place + 1 : place + 1 + config.window], 1):
                if first != later:
                    pairs[first, later] += 1 / steps
                    pairs[later, first] += config.backward / steps
    return pairs / np.maximum(data.interactions.item_counts + config.damping, 1)[:, None]


@pytest.mark.parametrize("config", CONFIGS)
def test_counts_are_those_of_two_loops(config: CovisitationConfig) -> None:
    found = fitted(config).similar(np.arange(WORLD.interactions.items))
    assert np.abs(found - counted_slowly(WORLD, config)).max() < 1e-6


@pytest.mark.parametrize("config", CONFIGS)
def test_scores_are_summed_over_the_newest_events(config: CovisitationConfig) -> None:
    matrix, scores = counted_slowly(WORLD, config), fitted(config).scores(asks(WORLD, HISTORIES))
    for row, events in enumerate(HISTORIES):
        total = np.zeros(len(matrix))
        for steps, (item, _, weight) in enumerate(events[::-1][: config.last]):
            total += weight * config.decay**steps * matrix[item]
        assert scores[row] == pytest.approx(filled(total, WORLD), abs=1e-5)


@pytest.mark.parametrize("neighbours", [1, 3, 10_000])
def test_only_the_strongest_followers_are_kept(neighbours: int) -> None:
    whole = fitted(CovisitationConfig(window=1000)).similar(np.arange(WORLD.interactions.items))
    found = fitted(CovisitationConfig(window=1000, neighbours=neighbours)).similar(np.arange(len(whole)))
    for full, kept in zip(whole, found, strict=True):
        assert sorted(kept[kept > 0], reverse=True) == sorted(full[full > 0], reverse=True)[:neighbours]
        assert (kept[kept > 0] == full[kept > 0]).all()


def test_one_history_worked_by_hand() -> None:
    """0, 1, 2 once each: 1 follows 0 after one step, 2 after two; divided by one event and a damping of one."""
    data = Dataset.of(Interactions.of([0, 0, 0], [0, 1, 2], [1, 2, 3]))
    found = fitted(CovisitationConfig(damping=1), data).similar(np.arange(3))
    assert found.tolist() == [[0, 0.5, 0.25], [0, 0, 0.5], [0, 0, 0]]


def test_users_do_not_follow_each_other() -> None:
    data = Dataset.of(Interactions.of([0, 1], [0, 1], [1, 2]))
    assert not fitted(CovisitationConfig(damping=0), data).arrays()["value"].any()


@pytest.mark.parametrize(
    "setting", [{"window": 0}, {"last": 0}, {"decay": 0}, {"damping": -1}, {"backward": 2}, {"backward": -0.1}]
)
def test_settings_out_of_bounds_are_refused(setting: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=rf"CovisitationConfig\.{next(iter(setting))} is"):
        CovisitationConfig(**setting)
