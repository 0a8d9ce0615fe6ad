"""Popularity counted again with dictionaries: window, half-life, segments, what is counted, turns of categories."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.contracts.worlds import DAY, world
from tests.retrieval.asking import asks
from tests.retrieval.growing import grown, same_arrays

from encorec.data.dataset import Dataset
from encorec.data.features import Categories, FeatureTable, Tags
from encorec.data.interactions import Interactions
from encorec.errors import ConfigError
from encorec.retrieval.category_mixing import quotas, turns
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
    counts = untied(counts, config, data)
    return counts / counts.max()


def untied(counts: FloatVector, config: PopularityConfig, data: Dataset) -> FloatVector:
    """Whole counts of a window or segment lose up to half a count by how few users took the item ever."""
    if config.half_life_days is not None or not (config.days or config.segments):
        return counts
    users = np.array([len(set(data.interactions.user[data.interactions.item == item])) for item in range(len(counts))])
    return np.where(counts > 0, counts - (1 - users / users.max()) / 2, 0)


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


def test_equal_counts_of_a_window_stand_by_all_time_popularity() -> None:
    """Items 0, 1, 2: one user each today, before that taken by 1, 3 and 2 users; item 3 by two today, nobody before."""
    before = [(0, 0), (0, 1), (1, 1), (2, 1), (0, 2), (1, 2)]
    today = [(5, 0), (5, 1), (5, 2), (6, 3), (7, 3)]
    users, items = [user for user, _ in before + today], [item for _, item in before + today]
    data = Dataset.of(Interactions.of(users, items, [0] * len(before) + [9 * DAY] * len(today)))
    scores = fitted(PopularityConfig(days=7), data).scores(asks(data, [[]]))[0]
    assert np.argsort(-scores).tolist() == [3, 1, 2, 0]


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


@pytest.mark.parametrize(
    "setting", [{"days": 0}, {"half_life_days": 0}, {"min_users": 0}, {"categories": 0}, {"places": 0}]
)
def test_settings_out_of_bounds_are_refused(setting: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=rf"PopularityConfig\.{next(iter(setting))} is"):
        PopularityConfig(**setting)


def measured_slowly(data: Dataset, config: PopularityConfig) -> FloatVector:
    """(items,) share of the most popular item, event by event."""
    table = data.interactions
    amount, number = np.zeros(table.items), np.zeros(table.items)
    for item, time, weight in zip(table.item.tolist(), table.time.tolist(), table.weight.tolist(), strict=True):
        age = (max(table.time) - time) / DAY
        if config.days is None or age < config.days:
            fade = 1 if config.half_life_days is None else 0.5 ** (age / config.half_life_days)
            amount[item] += fade * (1 if config.count == "events" else weight)
            number[item] += fade
    if config.count == "mean-weight":
        amount = amount / np.maximum(number, 1e-300)
    if config.count == "events":
        amount = untied(amount, config, data)
    return amount / amount.max()


@pytest.mark.parametrize("days", [None, 20])
@pytest.mark.parametrize("half_life_days", [None, 5])
@pytest.mark.parametrize("count", ["events", "summed-weight", "mean-weight"])
def test_events_and_weights_are_counted_on_request(count: Any, days: float, half_life_days: float) -> None:
    config = PopularityConfig(count=count, days=days, half_life_days=half_life_days)
    expected = with_the_rest_behind(measured_slowly(WORLD, config))
    assert fitted(config).scores(asks(WORLD, [[]]))[0] == pytest.approx(expected, abs=1e-6)


def test_all_four_counts_worked_by_hand() -> None:
    """Item 0: user 0 twice, weights 1 and 3; item 1: users 0 and 1, weights 1 and 2."""
    table = Interactions.of([0, 0, 0, 1], [0, 0, 1, 1], [1, 2, 3, 4], [1, 3, 1, 2])
    wanted = {"users": [0.5, 1], "events": [1, 1], "summed-weight": [1, 0.75], "mean-weight": [1, 0.75]}
    for count, shares in wanted.items():
        config: Any = PopularityConfig(count=count)  # pyright: ignore[reportArgumentType]
        assert fitted(config, Dataset.of(table)).scores(asks(Dataset.of(table), [[]]))[0].tolist() == shares


def shelf(kinds: list[Any], users_of: list[int], tags: bool = False) -> Dataset:
    """Items of these kinds, taken by so many users each."""
    item = np.repeat(np.arange(len(kinds)), users_of)
    user = np.concatenate([np.arange(one) for one in users_of]).astype(int)
    if tags:
        known = FeatureTable(len(kinds), tags={"kind": Tags.of(kinds)})
    else:
        known = FeatureTable(len(kinds), categorical={"kind": Categories.of(kinds)})
    table = Interactions.of(user, item, np.arange(len(item)), items=len(kinds))
    return replace(Dataset.of(table), item_features=known)


def order_of(data: Dataset, **settings: Any) -> list[int]:
    model = fitted(PopularityConfig(category="kind", **settings), data)
    found = model.retrieve(asks(data, [[]]), data.interactions.items)
    assert (np.diff(found.score[:, 0]) <= 0).all()
    return found.item.tolist()


SHELF = shelf(["a", "a", "a", "a", "b", "b", "c", None, "c"], [9, 8, 7, 6, 5, 4, 3, 2, 0])


@pytest.mark.parametrize(
    ("settings", "wanted"),
    [
        ({"quota": "equal"}, [0, 4, 6, 1, 5, 2, 3, 7, 8]),
        ({"quota": "equal", "categories": 2}, [0, 4, 1, 5, 2, 3, 6, 7, 8]),
        ({"quota": "equal", "mixing": "group", "places": 4}, [0, 1, 4, 6, 2, 3, 5, 7, 8]),
        ({"mixing": "group", "places": 5}, [0, 1, 2, 4, 6, 3, 5, 7, 8]),
        ({"places": 5}, [0, 4, 6, 1, 2, 3, 5, 7, 8]),
        ({"places": 1}, [0, 1, 2, 3, 4, 5, 6, 7, 8]),
    ],
)
def test_categories_take_turns_worked_by_hand(settings: dict[str, Any], wanted: list[int]) -> None:
    """Kinds a, b and c have 9, 5 and 3 users: of five places 2, 1 and 0, two left over to a and b, one from a to c."""
    assert order_of(SHELF, **settings) == wanted


def test_an_item_of_several_tags_stands_once() -> None:
    data = shelf([["a", "b"], ["b"], ["a"], [], ["b"]], [9, 8, 7, 6, 5], tags=True)
    assert order_of(data, quota="equal") == [
        0,
        1,
        2,
        4,
        3,
    ]  # nine users each: a comes first, by name; item 0 is taken then


def test_users_of_a_category_count_once() -> None:
    """Ten users take both items of a; eleven take the one of b, which is therefore the first category."""
    assert order_of(shelf(["a", "a", "b"], [10, 10, 11]), quota="equal") == [2, 0, 1]
    assert order_of(shelf(["a", "a", "b"], [10, 10, 11]), quota="equal", count="events") == [0, 2, 1]


def test_turns_are_taken_within_windows_and_segments() -> None:
    genre = Categories.of([["film", "series", None][item % 3] for item in range(ITEMS)])
    data = replace(WORLD, item_features=FeatureTable(ITEMS, categorical={"kind": genre}))
    turns: Any = {"category": "kind", "quota": "equal", "days": 20}
    model = fitted(PopularityConfig(segments=("sex",), min_users=5, **turns), data)
    plain = fitted(PopularityConfig(segments=("sex",), min_users=5, days=20), data)
    assert len(model.arrays()["code"]) == len(plain.arrays()["code"]) > 2
    for mine, theirs in zip(model.arrays()["popularity"], plain.arrays()["popularity"], strict=True):
        films = [item for item in np.argsort(-theirs, kind="stable") if theirs[item] > 0 and item % 3 == 0]
        assert [item for item in np.argsort(-mine, kind="stable") if item % 3 == 0][: len(films)] == films
        assert ((mine > 0) == (theirs > 0)).all()
        first = np.argsort(-mine, kind="stable")[:6] % 3
        assert sorted(first[:2].tolist()) == sorted(first[2:4].tolist()) == sorted(first[4:].tolist()) == [0, 1]


@given(
    st.lists(st.integers(1, 50), min_size=1, max_size=8), st.integers(1, 30), st.sampled_from(["equal", "proportional"])
)
def test_quotas_divide_all_places_and_do_not_rise(popularity: list[int], places: int, quota: Any) -> None:
    given = quotas(np.sort(popularity)[::-1].astype(float), quota, places)
    assert given.sum() == places
    assert (given >= 0).all()
    assert quota == "proportional" or np.ptp(given) <= 1
    assert places < len(popularity) or (given > 0).all()
    for mixing in ("rotate", "group"):
        assert np.bincount(turns(given, mixing), minlength=len(given)).tolist() == given.tolist()


def test_an_unknown_category_is_named_with_its_nearest() -> None:
    with pytest.raises(ConfigError, match="unknown item feature 'kinds': did you mean 'kind'"):
        fitted(PopularityConfig(category="kinds"), SHELF)
    with pytest.raises(ConfigError, match="the data have no item feature that is a category or tags"):
        fitted(PopularityConfig(category="kind"))


def test_nothing_taken_is_the_catalogue() -> None:
    data = replace(SHELF, interactions=Interactions.of([], [], [], items=9, users=9))
    assert order_of(data) == fitted(PopularityConfig(), data).retrieve(asks(data, [[]], now=3), 9).item.tolist()


@pytest.mark.parametrize("new_names", [False, True])
@pytest.mark.parametrize("count", ["users", "mean-weight"])
def test_updates_learn_what_one_fit_learns(count: Any, new_names: bool) -> None:
    config = PopularityConfig(count=count, half_life_days=9, days=30, segments=("sex",), min_users=5)
    assert same_arrays(*grown(WORLD, lambda: Popularity(config), 1, 4, new_names))
