"""What follows what, counted again in plain Python."""

from dataclasses import replace
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


@pytest.mark.parametrize("config", CONFIGS)
def test_reasons_add_up_to_the_scores(config: CovisitationConfig) -> None:
    model, matrix, queries = fitted(config), counted_slowly(WORLD, config), asks(WORLD, HISTORIES)
    scores = model.scores(queries)
    for item in range(len(matrix)):
        reasons = model.explain(queries, np.full(len(HISTORIES), item))
        for row, events in enumerate(HISTORIES):
            wanted = np.zeros(len(matrix))
            for steps, (one, _, weight) in enumerate(events[::-1][: config.last]):
                wanted[one] += weight * config.decay**steps * matrix[one, item]
            kept = slice(reasons.indptr[row], reasons.indptr[row + 1])
            share = np.zeros(len(matrix))
            share[reasons.item[kept]] = reasons.share[kept]
            assert share == pytest.approx(wanted, abs=1e-6)
            if share.any():
                assert share.sum() == pytest.approx(scores[row, item], abs=2e-6)


def test_events_fade_by_their_age_and_by_their_steps() -> None:
    day, config = 86_400, CovisitationConfig(decay=0.5, half_life_days=4)
    scores = fitted(config).scores(asks(WORLD, [[(3, 4 * day, 1.0), (1, 8 * day, 1.0)]], now=8 * day))
    matrix = counted_slowly(WORLD, config)
    assert scores[0] == pytest.approx(filled(0.25 * matrix[3] + matrix[1], WORLD), abs=1e-5)


def batches(data: Dataset, seed: int, parts: int) -> list[Interactions]:
    """The log in so many random parts, old and new events mixed."""
    table, part = data.interactions, np.random.default_rng(seed).integers(0, parts, len(data.interactions))
    return [table.take(part == one) for one in range(parts)]


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("parts", [2, 9])
@pytest.mark.parametrize(
    "config", [*CONFIGS, CovisitationConfig(neighbours=2, backward=0.3), CovisitationConfig(window=1)]
)
def test_updates_learn_to_the_last_bit_what_one_fit_learns(config: CovisitationConfig, parts: int, seed: int) -> None:
    first, *later = batches(WORLD, seed, parts)
    data = replace(WORLD, interactions=first)
    model = fitted(config, data)
    for events in later:
        data = data.joined(events)
        model = model.update(data, events)
    wanted, found = fitted(config, data).arrays(), model.arrays()
    assert found.keys() == wanted.keys()
    for name, array in wanted.items():
        assert found[name].dtype == array.dtype
        assert found[name].tolist() == array.tolist()


def test_an_update_counts_only_what_stands_near_the_new_events() -> None:
    """User 0 goes on after item 2; with a window of one step only the rows of items 2 and 3 can change."""
    old = Interactions.of([0, 0, 0, 1, 1], [0, 1, 2, 4, 5], [1, 2, 3, 4, 5], users=2, items=6)
    new = Interactions.of([0], [3], [9], users=2, items=6)
    table = old.joined(new)
    changed = Covisitation(CovisitationConfig(window=1))._changed(table, new)  # pyright: ignore[reportPrivateUsage]
    assert np.flatnonzero(changed).tolist() == [2, 3]
