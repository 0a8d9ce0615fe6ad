"""Slates of every kind: laws that hold for all, caps and boosts by hand and slowly, batches, saving."""

from collections import Counter
from dataclasses import replace
from typing import Any, Literal, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from encorec.data.dataset import Dataset
from encorec.data.features import Categories, FeatureTable, Tags
from encorec.data.interactions import Interactions
from encorec.errors import ArtifactError, ConfigError, QueryError
from encorec.pipeline.selectors import TopSelector, fit_selector, restore_selector
from encorec.pipeline.varied_selector import SelectionConfig, VariedSelector
from encorec.protocols import Selector
from encorec.types import Candidates, Eligibility, Histories, Queries, Slate

DAY = 86_400
ITEMS, NOW = 12, 100 * DAY
KINDS: tuple[Literal["mmr", "dpp", "calibrated"], ...] = ("mmr", "dpp", "calibrated")
SERIES = ["a", "a", "a", "b", "b", "c", None, None, "d", "a", "b", "c"]
GENRES = [["war"], ["war"], ["war", "drama"], ["drama"], [], ["space"], ["space"], ["war"], [], ["drama"], ["x"], ["x"]]


def shop() -> Dataset:
    """Item i was first taken on day 8 i by 12 - i users; the last by nobody."""
    user = [one for item in range(ITEMS - 1) for one in range(ITEMS - item)]
    item = [item for item in range(ITEMS - 1) for _ in range(ITEMS - item)]
    table = Interactions.of(user, item, [8 * DAY * one for one in item], items=ITEMS, users=ITEMS)
    shelf = FeatureTable(ITEMS, categorical={"series": Categories.of(SERIES)}, tags={"genres": Tags.of(GENRES)})
    return replace(Dataset.of(table), item_features=shelf)


DATA = shop()


class Asked(NamedTuple):
    """One query: its history, and its candidates with their relevance."""

    history: list[int]
    relevance: dict[int, float]


def queries(asked: list[Asked]) -> Queries:
    histories = Histories.of([(one.history, list(range(len(one.history)))) for one in asked])
    return Queries(histories, np.full(len(asked), NOW), Eligibility(np.ones(ITEMS, bool)))


def candidates(asked: list[Asked]) -> Candidates:
    rows = [(q, item, one.relevance[item]) for q, one in enumerate(asked) for item in sorted(one.relevance)]
    query, item, relevance = (np.array([row[at] for row in rows]) for at in range(3))
    pair = np.ones((len(rows), 1), np.float32)
    return Candidates(query.astype(np.int32), item.astype(np.int32), pair, pair, ("als",), relevance.astype(float))


def select(config: SelectionConfig, asked: list[Asked], k: int) -> Slate:
    return VariedSelector.fit(config, DATA).select(queries(asked), candidates(asked), k)


def by_relevance(one: Asked) -> list[int]:
    return sorted(one.relevance, key=lambda item: (np.isnan(one.relevance[item]), -one.relevance[item], item))


scores = st.sampled_from([-np.inf, -3.0, -0.5, 0.0, 0.25, 0.3, 2.0, 2.5, 40.0, np.inf, np.nan])
asked_one = st.builds(
    Asked,
    st.lists(st.integers(0, ITEMS - 1), max_size=6),
    st.dictionaries(st.integers(0, ITEMS - 1), scores, min_size=1),
)
configs = st.builds(
    SelectionConfig,
    kind=st.sampled_from(["top", *KINDS]),
    strength=st.sampled_from([0.0, 0.2, 0.7, 1.0]),
    pool=st.sampled_from([1, 3, 100]),
    caps=st.dictionaries(st.sampled_from(["series", "genres"]), st.integers(0, 3)),
    freshness=st.sampled_from([0.0, 0.5]),
    popularity=st.sampled_from([0.0, 0.5]),
)


@given(configs, st.lists(asked_one, min_size=1, max_size=3), st.integers(0, 14))
def test_a_slate_holds_as_many_candidates_as_there_are_none_twice(
    config: SelectionConfig, asked: list[Asked], k: int
) -> None:
    slate = select(config, asked, k)
    for row, one in enumerate(asked):
        filled = min(k, len(one.relevance))
        shown = slate.item[row, :filled].tolist()
        assert len(set(shown)) == filled
        assert set(shown) <= one.relevance.keys()
        assert slate.item[row, filled:].tolist() == [-1] * (k - filled)
        wanted = np.array([one.relevance[item] for item in shown], np.float32)
        np.testing.assert_array_equal(slate.score[row, :filled], wanted)
    assert (slate.propensity == 1).all()


@given(st.sampled_from(["top", *KINDS]), st.lists(asked_one, min_size=1, max_size=3), st.integers(1, 14))
def test_with_every_knob_at_nothing_the_order_is_that_of_relevance(kind: Any, asked: list[Asked], k: int) -> None:
    config = SelectionConfig(kind=kind, strength=0, caps={"series": 0}, pool=5)
    slate = select(config, asked, k)
    plain = TopSelector().select(queries(asked), candidates(asked), k)
    np.testing.assert_array_equal(slate.item, plain.item)
    np.testing.assert_array_equal(slate.score, plain.score)
    assert slate.counts == {"over_cap": 0}


@given(configs, st.lists(asked_one, min_size=2, max_size=4), st.integers(1, 14))
def test_a_batch_gives_to_the_last_bit_what_single_queries_give(
    config: SelectionConfig, asked: list[Asked], k: int
) -> None:
    together = select(config, asked, k)
    alone = [select(config, [one], k) for one in asked]
    for name in ("item", "score", "source", "propensity"):
        np.testing.assert_array_equal(getattr(together, name), np.concatenate([getattr(one, name) for one in alone]))
    assert together.counts["over_cap"] == sum(one.counts["over_cap"] for one in alone)


@given(
    st.sampled_from(["top", *KINDS]),
    st.sampled_from([0.0, 0.4, 1.0]),
    st.sampled_from([1, 4, 100]),
    st.integers(1, 3),
    asked_one,
    st.integers(1, 12),
)
def test_a_cap_holds_as_long_as_there_is_anything_else(
    kind: Any, strength: float, pool: int, cap: int, one: Asked, k: int
) -> None:
    """Every item has one series at most, so as many places as the caps allow are filled within them first."""
    slate = select(SelectionConfig(kind=kind, strength=strength, pool=pool, caps={"series": cap}), [one], k)
    shown = [item for item in slate.item[0].tolist() if item >= 0]
    available = Counter(SERIES[item] for item in one.relevance)
    room = sum(many if series is None else min(many, cap) for series, many in available.items())
    within, used = min(room, len(shown)), Counter[str]()
    for item in shown[:within]:
        series = SERIES[item]
        if series is not None:
            used[series] += 1
    assert all(many <= cap for many in used.values())
    assert slate.counts["over_cap"] == len(shown) - within


def test_caps_worked_by_hand() -> None:
    """Series a fills the ranking; at most two of it, though item 3 of series b comes from behind the pool."""
    one = Asked([], {0: 0.9, 1: 0.8, 2: 0.7, 9: 0.6, 3: 0.1})
    assert select(SelectionConfig(caps={"series": 2}, pool=4), [one], 4).item.tolist() == [[0, 1, 3, 2]]
    assert select(SelectionConfig(caps={"series": 2}, pool=4), [one], 4).counts == {"over_cap": 1}
    assert select(SelectionConfig(caps={"genres": 1}), [one], 3).item.tolist() == [[0, 9, 1]]


def test_what_nobody_could_score_comes_last_but_before_a_broken_cap() -> None:
    one = Asked([], {0: 0.9, 1: 0.8, 5: np.nan})
    assert select(SelectionConfig(kind="mmr", strength=0.5), [one], 3).item.tolist() == [[0, 1, 5]]
    assert select(SelectionConfig(caps={"series": 1}), [one], 3).item.tolist() == [[0, 5, 1]]


def test_freshness_by_its_half_life() -> None:
    """Day 100: item 10 is 20 days old, item 0 is 100: with a half-life of 20 days they gain 1/2 and 1/32."""
    one = Asked([], {0: 1.0, 10: 0.6, 5: 0.0})
    config = SelectionConfig(freshness=0.8, freshness_half_life=20)
    assert select(config, [one], 2).item.tolist() == [[0, 10]]
    config = SelectionConfig(freshness=0.9, freshness_half_life=20)
    assert 0.6 + 0.9 / 2 > 1 + 0.9 / 32
    assert select(config, [one], 2).item.tolist() == [[10, 0]]


def test_what_nobody_has_met_is_not_fresh() -> None:
    one = Asked([], {0: 1.0, 11: 0.99, 5: 0.0})
    assert select(SelectionConfig(freshness=1, freshness_half_life=1000), [one], 1).item.tolist() == [[0]]


def test_the_popular_lose_by_the_logarithm_of_their_users() -> None:
    """Item 0 has 12 users and item 10 has 2: shares 1 and log 3 / log 13."""
    one = Asked([], {0: 1.0, 10: 0.8, 5: 0.0})
    gap = 1 - np.log(3) / np.log(13)
    for strength, best in ((0.2 / gap * 0.98, 0), (0.2 / gap * 1.02, 10)):
        assert select(SelectionConfig(popularity=strength), [one], 1).item.tolist() == [[best]]


@given(asked_one, st.sampled_from([2.0**-20, 0.5, 2.0**30]), configs)
def test_the_scale_of_the_ranker_does_not_matter(one: Asked, scale: float, config: SelectionConfig) -> None:
    """By powers of two, so that nothing is rounded."""
    scaled = Asked(one.history, {item: scale * value for item, value in one.relevance.items()})
    first, second = select(config, [one], 5), select(config, [scaled], 5)
    np.testing.assert_array_equal(first.item, second.item)


@given(configs, st.lists(asked_one, min_size=1, max_size=3))
def test_saved_and_restored_it_answers_the_same(config: SelectionConfig, asked: list[Asked]) -> None:
    fitted = fit_selector(config, DATA)
    assert isinstance(fitted, Selector)
    arrays = fitted.arrays() if isinstance(fitted, VariedSelector) else {}
    again = restore_selector(config, arrays, ITEMS)
    assert type(again) is type(fitted)
    first, second = (one.select(queries(asked), candidates(asked), 6) for one in (fitted, again))
    np.testing.assert_array_equal(first.item, second.item)


DAMAGE = {
    "first": lambda one: one[:-1],
    "share": lambda one: one[:-1],
    "caps.offsets": lambda one: one[::-1].copy(),
    "caps.code": lambda one: one + 99,
    "traits.offsets": lambda one: one + 1,
    "traits.code": lambda one: one - 1,
    "traits.weight": lambda one: one[:-1],
}


@pytest.mark.parametrize("name", DAMAGE)
def test_arrays_that_do_not_fit_are_refused(name: str) -> None:
    config = SelectionConfig(kind="mmr", caps={"series": 2})
    arrays = VariedSelector.fit(config, DATA).arrays()
    with pytest.raises(ArtifactError, match="do not fit the 12 items; train again"):
        restore_selector(config, arrays | {name: DAMAGE[name](arrays[name])}, ITEMS)


def test_by_default_it_is_the_best_k() -> None:
    assert not SelectionConfig().varied
    assert isinstance(fit_selector(SelectionConfig(caps={"series": 0}), DATA), TopSelector)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"strength": 1.1}, "SelectionConfig.strength is 1.1, allowed is 0 to 1"),
        ({"strength": float("nan")}, "strength is nan"),
        ({"pool": 0}, "pool is 0"),
        ({"caps": {"series": -1}}, "caps.series is -1, allowed is 0"),
        ({"freshness": -0.1}, "freshness is -0.1"),
        ({"freshness_half_life": 0}, "freshness_half_life is 0"),
    ],
)
def test_settings_beyond_their_bounds_are_refused(settings: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        SelectionConfig(**settings)


def test_features_that_the_items_do_not_have_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"selection\.caps: unknown item feature 'serie': did you mean 'series'"):
        fit_selector(SelectionConfig(caps={"serie": 1}), DATA)
    with pytest.raises(ConfigError, match=r"selection\.compared: unknown item feature 'genre'"):
        fit_selector(SelectionConfig(kind="dpp", compared=("genre",)), DATA)
    bare = Dataset.of(DATA.interactions)
    with pytest.raises(ConfigError, match=r"selection\.compared: the items have neither tags nor categories"):
        fit_selector(SelectionConfig(kind="calibrated"), bare)


def test_candidates_must_be_ranked_first() -> None:
    one = [Asked([], {0: 1.0})]
    selector = VariedSelector.fit(SelectionConfig(kind="mmr"), DATA)
    with pytest.raises(QueryError, match="VariedSelector: candidates without relevance; rank them first"):
        selector.select(queries(one), replace(candidates(one), relevance=None), 3)


def test_no_candidates_and_no_queries_give_empty_places() -> None:
    nothing = Candidates(np.empty(0, np.int32), np.empty(0, np.int32), np.empty((0, 1)), np.empty((0, 1)), ("als",))
    nothing = replace(nothing, relevance=np.empty(0))
    for kind in ("top", *KINDS):
        selector = VariedSelector.fit(SelectionConfig(kind=kind, caps={"series": 1}), DATA)
        assert selector.select(queries([Asked([1], {})]), nothing, 2).item.tolist() == [[-1, -1]]
        assert selector.select(queries([]), nothing, 2).item.shape == (0, 2)
