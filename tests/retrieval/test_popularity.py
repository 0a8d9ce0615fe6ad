"""Popularity counted again with dictionaries: window, half-life, segments."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tests.contracts.worlds import DAY, world
from tests.retrieval.asking import asks

from encorec.data.dataset import Dataset
from encorec.data.features import Categories, FeatureTable
from encorec.data.interactions import Interactions
from encorec.errors import ConfigError
from encorec.retrieval.popularity import Popularity, PopularityConfig
from encorec.types import FloatVector, Queries

WORLD = world()
ITEMS = WORLD.interactions.items
CONFIGS = [
    PopularityConfig(),
    PopularityConfig(days=14),
    PopularityConfig(half_life_days=5),
    PopularityConfig(days=20, half_life_days=5),
]


def fitted(config: PopularityConfig, data: Dataset = WORLD) -> Popularity:
    return Popularity(config).fit(data, rng=np.random.default_rng(0))


def counted_slowly(data: Dataset, config: PopularityConfig, users: set[int]) -> FloatVector:
    """(items,) share of the most popular item among ``users``: every user once per item, at the newest time."""
    table, newest = data.interactions, dict[tuple[int, int], int]()
    for user, item, time in zip(table.user.tolist(), table.item.tolist(), table.time.tolist(), strict=True):
        newest[user, item] = max(time, newest.get((user, item), 0))
    counts = np.zeros(table.items)
    for (user, item), time in newest.items():
        age = (max(table.time) - time) / DAY
        if user in users and (config.days is None or age < config.days):
            counts[item] += 1 if config.half_life_days is None else 0.5 ** (age / config.half_life_days)
    return counts / counts.max()


def with_the_rest_behind(share: FloatVector) -> FloatVector:
    """(items,) the share, and all-time popularity below it where nobody took the item."""
    users = np.array([len(set(WORLD.interactions.user[WORLD.interactions.item == item])) for item in range(ITEMS)])
    return np.where(share > 0, share, users / users.max() - 1)


def with_features(queries: Queries, features: list[list[float]]) -> Queries:
    return replace(queries, user_features=np.array(features, np.float32))


@pytest.mark.parametrize("config", CONFIGS)
def test_popularity_is_that_of_counting_users(config: PopularityConfig) -> None:
    expected = counted_slowly(WORLD, config, set(range(WORLD.interactions.users)))
    scores = fitted(config).scores(asks(WORLD, [[], [(3, 5, 1.0)]]))
    assert scores[0] == pytest.approx(with_the_rest_behind(expected), abs=1e-6)
    assert scores[1].tolist() == scores[0].tolist()


def test_decay_worked_by_hand() -> None:
    """Half-life one day: item 1, taken today by one user, weighs 1; item 0, taken by two the day before, 2 * 1/2."""
    data = Dataset.of(Interactions.of([0, 1, 2, 2, 3], [0, 0, 1, 2, 2], [0, 0, DAY, 0, DAY]))
    scores = fitted(PopularityConfig(half_life_days=1), data).scores(asks(data, [[]]))
    assert scores[0].tolist() == pytest.approx([1 / 1.5, 1 / 1.5, 1])


def test_a_user_counts_once_per_item_however_often() -> None:
    data = Dataset.of(Interactions.of([0, 0, 0, 1, 2], [0, 0, 0, 1, 1], [1, 2, 3, 4, 5]))
    assert fitted(PopularityConfig(), data).scores(asks(data, [[]]))[0].tolist() == [0.5, 1]


CONFIG = PopularityConfig(segments=("age", "sex"), min_users=5, half_life_days=30)
FEATURES = WORLD.user_features.dense()[:, :2]


def members(age: float, sex: float) -> set[int]:
    """Active users with these features, NaN = unknown."""
    alike = [np.array_equal(row, [age, sex], equal_nan=True) for row in FEATURES]
    return set(np.flatnonzero(alike & (WORLD.interactions.user_counts > 0)).tolist())


def test_segments_are_counted_among_their_members_with_the_rest_behind() -> None:
    everybody = with_the_rest_behind(counted_slowly(WORLD, CONFIG, set(range(WORLD.interactions.users))))
    model, large = fitted(CONFIG), 0
    for age in (0.0, 1.0, 2.0, np.nan):
        for sex in (0.0, 1.0, np.nan):
            expected, inside = everybody, members(age, sex)
            if len(inside) >= CONFIG.min_users:
                large += 1
                own = counted_slowly(WORLD, CONFIG, inside)
                expected = np.where(own > 0, own, everybody - 1)
            scores = model.scores(with_features(asks(WORLD, [[]]), [[age, sex]]))
            assert scores[0] == pytest.approx(expected, abs=1e-6)
    assert 3 <= large < 12


def test_a_segment_that_training_never_saw_gets_the_list_for_everybody() -> None:
    model = fitted(CONFIG)
    scores = model.scores(with_features(asks(WORLD, [[], []]), [[17, 1], [0, 5]]))
    assert scores.tolist() == [fitted(PopularityConfig(half_life_days=30)).scores(asks(WORLD, [[]]))[0].tolist()] * 2


def test_a_query_without_features_gets_the_list_for_everybody() -> None:
    expected = fitted(PopularityConfig(half_life_days=30)).scores(asks(WORLD, [[]]))
    assert fitted(CONFIG).scores(asks(WORLD, [[]])).tolist() == expected.tolist()


def test_a_segment_of_exactly_the_least_size_counts_and_idle_members_do_not() -> None:
    table = Interactions.of([0, 1, 2], [0, 1, 1], [1, 2, 3], users=9)
    features = FeatureTable(9, categorical={"sex": Categories.of(["F", "M", "M", *"FFFFFF"])})
    data = replace(Dataset.of(table), user_features=features)
    codes = [
        len(fitted(PopularityConfig(segments=("sex",), min_users=size), data).arrays()["code"]) for size in (1, 2, 3)
    ]
    assert codes == [3, 2, 1]


def test_a_misspelt_segment_is_named_with_its_nearest() -> None:
    with pytest.raises(ConfigError, match="unknown user feature 'aeg': did you mean 'age'"):
        fitted(PopularityConfig(segments=("aeg",)))


@pytest.mark.parametrize("setting", [{"days": 0}, {"half_life_days": 0}, {"min_users": 0}])
def test_settings_out_of_bounds_are_refused(setting: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=rf"PopularityConfig\.{next(iter(setting))} is"):
        PopularityConfig(**setting)
