"""EASE against ridge regressions solved one by one, and its three forms against each other."""

import numpy as np
import pytest
from tests.contracts.worlds import world
from tests.retrieval.asking import HISTORIES, asks, dense_matrix, filled, merged

from encorec.data.dataset import Dataset
from encorec.data.interactions import Interactions
from encorec.errors import ConfigError
from encorec.retrieval.ease import EASE, EASEConfig
from encorec.types import FloatMatrix

WORLD, CROWD = world(users=40, items=60, rows=600), world(users=90, items=60, rows=900)
REG = 20.0


def fitted(data: Dataset, config: EASEConfig) -> EASE:
    return EASE(config).fit(data, rng=np.random.default_rng(0))


def ridge_by_ridge(data: Dataset, items: list[int]) -> FloatMatrix:
    """(items, items) column j: the ridge regression of item j on all other ``items``; no closed form of EASE."""
    dense = dense_matrix(data)
    weights = np.zeros((data.interactions.items, data.interactions.items))
    for one in items:
        others = [item for item in items if item != one]
        known = dense[:, others]
        weights[others, one] = np.linalg.solve(known.T @ known + REG * np.eye(len(others)), known.T @ dense[:, one])
    return weights


def most_taken(data: Dataset, size: int) -> list[int]:
    counts = data.interactions.item_counts
    return sorted(sorted(range(len(counts)), key=lambda item: (-counts[item], item))[:size])


def test_weights_of_two_items_worked_by_hand() -> None:
    """Items 0 and 1 with three and two users, two of them shared: 2 / (3 + 1) one way, 2 / (2 + 1) the other."""
    data = Dataset.of(Interactions.of([0, 0, 1, 1, 2], [0, 1, 0, 1, 0], [1, 2, 3, 4, 5]))
    weights = fitted(data, EASEConfig(reg=1)).arrays()["weights"]
    assert weights == pytest.approx(np.array([[0, 2 / 4], [2 / 3, 0]]))


def test_dense_weights_are_ridge_regressions() -> None:
    items = list(range(WORLD.interactions.items))
    weights = fitted(WORLD, EASEConfig(reg=REG)).arrays()["weights"]
    assert np.abs(weights - ridge_by_ridge(WORLD, items)).max() < 1e-6


def test_only_the_most_taken_items_take_part() -> None:
    weights = fitted(WORLD, EASEConfig(reg=REG, max_items=30)).arrays()["weights"]
    assert np.abs(weights - ridge_by_ridge(WORLD, most_taken(WORLD, 30))).max() < 1e-6


@pytest.mark.parametrize("settings", [{}, {"decay": 0.5}, {"last": 2, "decay": 0.5}, {"last": 1}])
def test_scores_are_the_weighted_rows_of_the_history(settings: dict[str, float]) -> None:
    model = fitted(WORLD, EASEConfig(reg=REG, **settings))  # pyright: ignore[reportArgumentType]
    weights = ridge_by_ridge(WORLD, list(range(WORLD.interactions.items)))
    scores = model.scores(asks(WORLD, HISTORIES))
    for row, events in enumerate(HISTORIES):
        history = merged(events, model.config.decay, len(weights), model.config.last)
        assert scores[row] == pytest.approx(filled(history @ weights, WORLD), abs=1e-5)


def test_dual_form_gives_the_scores_of_the_primal_form() -> None:
    primal, dual = fitted(WORLD, EASEConfig(reg=REG)), fitted(WORLD, EASEConfig(reg=REG, neighbours=9))
    assert "inverse" in dual.arrays()
    queries = asks(WORLD, HISTORIES)
    assert np.abs(primal.scores(queries) - dual.scores(queries)).max() < 1e-5


def test_one_item_alone_says_nothing_of_itself_in_either_form() -> None:
    queries = asks(WORLD, [[(20, 4, 3.0)]])
    prior = filled(np.zeros(WORLD.interactions.items), WORLD)[20]
    for config in (EASEConfig(reg=REG), EASEConfig(reg=REG, neighbours=9)):
        assert fitted(WORLD, config).scores(queries)[0, 20] == pytest.approx(prior)


def test_dual_form_does_not_depend_on_users_without_a_past() -> None:
    config, queries = EASEConfig(reg=REG, neighbours=9), asks(WORLD, HISTORIES)
    table = WORLD.interactions
    more = Dataset.of(
        Interactions.of(table.user + 3, table.item, table.time, table.weight, users=90, items=table.items)
    )
    assert fitted(more, config).scores(queries).tolist() == fitted(WORLD, config).scores(queries).tolist()


def test_truncation_keeps_the_largest_weights_of_every_row() -> None:
    learnt = fitted(CROWD, EASEConfig(reg=REG, neighbours=9)).arrays()
    weights = fitted(CROWD, EASEConfig(reg=REG)).arrays()["weights"]
    for row in range(len(weights)):
        kept = slice(learnt["indptr"][row], learnt["indptr"][row + 1])
        largest = sorted(range(len(weights)), key=lambda item: (-abs(weights[row, item]), item))[:9]
        assert learnt["item"][kept].tolist() == largest
        assert learnt["value"][kept].tolist() == weights[row, largest].tolist()


def test_truncation_of_some_items_leaves_the_others_without_weights() -> None:
    learnt = fitted(CROWD, EASEConfig(reg=REG, neighbours=9, max_items=40)).arrays()
    inside = most_taken(CROWD, 40)
    assert set(learnt["item"].tolist()) <= set(inside)
    assert np.flatnonzero(np.diff(learnt["indptr"])).tolist() == inside


def test_truncated_scores_are_those_of_the_kept_weights() -> None:
    model = fitted(CROWD, EASEConfig(reg=REG, neighbours=9))
    learnt = model.arrays()
    weights = np.zeros((CROWD.interactions.items,) * 2)
    weights[np.repeat(np.arange(len(weights)), np.diff(learnt["indptr"])), learnt["item"]] = learnt["value"]
    scores = model.scores(asks(CROWD, HISTORIES))
    for row, events in enumerate(HISTORIES):
        expected = filled(merged(events, 1.0, len(weights)) @ weights, CROWD)
        assert scores[row] == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(
    "setting", [{"reg": 0}, {"last": 0}, {"decay": 0}, {"decay": 1.5}, {"max_items": 0}, {"neighbours": 0}]
)
def test_settings_out_of_bounds_are_refused(setting: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=rf"EASEConfig\.{next(iter(setting))} is"):
        EASEConfig(**setting)  # pyright: ignore[reportArgumentType]
