"""Slates left to chance: the logged chances are those of the draw, and the draw is the one that was promised."""

from collections import Counter
from dataclasses import replace
from itertools import permutations
from math import inf, nan, prod

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare
from tests.worlds import Trained

from encorec.data.dataset import Dataset
from encorec.data.features import FeatureTable, Tags
from encorec.data.interactions import Interactions
from encorec.errors import ConfigError, QueryError
from encorec.pipeline.chances import ExplorationConfig, seed_of
from encorec.pipeline.engine import Engine
from encorec.pipeline.exploration import ExploringSelector
from encorec.pipeline.requests import Answer, Chance, PastEvent, Request
from encorec.pipeline.selectors import TopSelector
from encorec.pipeline.varied_selector import SelectionConfig, VariedSelector
from encorec.protocols import Selector
from encorec.types import Candidates, Eligibility, Exploration, Histories, Queries, Slate

ITEMS = 40
NUMBERS = st.floats(-1e6, 1e6, width=32)


def draw(
    scores: list[list[float]],
    k: int,
    temperature: float | list[float],
    seeds: list[int],
    head: int = 50,
    inner: Selector | None = None,
) -> Slate:
    """One slate per list of scores; the item is the place in the list."""
    n = len(scores)
    rows = [(query, item, score) for query, one in enumerate(scores) for item, score in enumerate(one)]
    query, item, score = (np.array([row[at] for row in rows]) for at in range(3))
    pair = np.ones((len(rows), 1), np.float32)
    found = Candidates(query.astype(np.int32), item.astype(np.int32), pair, pair, ("als",), score.astype(np.float32))
    chance = Exploration(np.broadcast_to(np.array(temperature, float), (n,)), np.array(seeds), head)
    rule = Eligibility(np.ones(ITEMS, bool))
    return ExploringSelector(inner or TopSelector()).select(
        Queries(Histories.empty(n), np.full(n, 99), rule, exploration=chance), found, k
    )


def chances(scores: list[float], temperature: float, shown: list[int]) -> list[float]:
    """The conditional probability of every item shown, by the definition (Plackett 1975), one softmax per place."""
    values = np.array(scores, np.float32).astype(float)
    spread = values.std()
    logit = {item: (value / spread if spread > 0 else 0.0) / temperature for item, value in enumerate(values.tolist())}
    found: list[float] = []
    for item in shown:
        top = max(logit.values())
        weight = {one: np.exp(value - top) for one, value in logit.items()}
        found.append(weight[item] / sum(weight.values()))
        del logit[item]
    return found


def test_two_items_by_hand() -> None:
    """Scores 2 and 1 are one standard deviation above and below their mean: odds of e to the 2 at temperature 1."""
    slate = draw([[2.0, 1.0]] * 200, 2, 1.0, list(range(200)))
    first = 1 / (1 + np.exp(-2))
    for items, propensity in zip(slate.item.tolist(), slate.propensity.tolist(), strict=True):
        assert propensity == pytest.approx([first if items == [0, 1] else 1 - first, 1.0], rel=1e-6)
    assert set(map(tuple, slate.item.tolist())) == {(0, 1), (1, 0)}


@given(
    st.lists(NUMBERS, min_size=1, max_size=12),
    st.floats(0.05, 50),
    st.integers(-(2**63), 2**63 - 1),
    st.integers(1, 14),
)
def test_the_logged_chances_are_those_of_the_definition(
    scores: list[float], temperature: float, seed: int, k: int
) -> None:
    slate = draw([scores], k, temperature, [seed])
    shown = [item for item in slate.item[0].tolist() if item >= 0]
    assert len(shown) == len(set(shown)) == min(k, len(scores))
    assert slate.propensity[0, : len(shown)].tolist() == pytest.approx(chances(scores, temperature, shown), rel=1e-4)
    assert slate.score[0, : len(shown)].tolist() == [np.float32(scores[item]) for item in shown]


@pytest.mark.parametrize("temperature", [0.3, 1.0, 4.0])
def test_orders_come_up_as_often_as_the_product_of_their_chances_says(temperature: float) -> None:
    scores, rounds = [0.9, 0.7, 0.65, 0.1], 20_000
    slate = draw([scores] * rounds, 2, temperature, [seed_of(f"r-{one}") for one in range(rounds)])
    orders = list(permutations(range(4), 2))
    expected = [prod(chances(scores, temperature, list(order))) for order in orders]
    assert sum(expected) == pytest.approx(1)
    seen = Counter(map(tuple, slate.item.tolist()))
    assert chisquare([seen[order] for order in orders], rounds * np.array(expected)).pvalue > 0.001
    of_order = dict(zip(map(tuple, slate.item.tolist()), slate.propensity.prod(axis=1).tolist(), strict=True))
    assert [of_order[order] for order in orders if order in of_order] == pytest.approx(
        [one for order, one in zip(orders, expected, strict=True) if order in of_order], rel=1e-5
    )


def test_weights_of_the_log_average_one_for_any_target() -> None:
    """What off-policy evaluation stands on: the mean of target over logged probability is 1."""
    scores, rounds = [3.0, 2.0, 1.5, 1.0, -2.0], 40_000
    slate = draw([scores] * rounds, 3, 1.0, list(range(rounds)))
    weight = (1 / (5 * 4 * 3)) / slate.propensity.astype(float).prod(axis=1)
    assert abs(weight.mean() - 1) < 4 * weight.std() / np.sqrt(rounds)


def test_cold_it_is_the_ranking_and_hot_all_orders_are_alike() -> None:
    scores = [0.4, 0.9, 0.1, 0.6, 0.5]
    cold = draw([scores] * 50, 4, 0.001, list(range(50)))
    assert cold.item.tolist() == [[1, 3, 4, 0]] * 50
    assert cold.propensity.min() > 0.99
    hot = draw([scores] * 6000, 5, 1e6, list(range(6000)))
    np.testing.assert_allclose(hot.propensity, np.tile([1 / 5, 1 / 4, 1 / 3, 1 / 2, 1], (6000, 1)), rtol=1e-4)
    for place in range(5):
        assert chisquare(np.bincount(hot.item[:, place], minlength=5)).pvalue > 0.001


def test_without_temperature_nothing_is_left_to_chance() -> None:
    slate = draw([[0.4, 0.9, 0.1]] * 3, 2, 0.0, [1, 2, 3])
    assert slate.item.tolist() == [[1, 0]] * 3
    assert slate.propensity.tolist() == [[1.0, 1.0]] * 3


def test_equal_scores_have_equal_chances() -> None:
    slate = draw([[0.1] * 5] * 5000, 2, 0.01, list(range(5000)))
    np.testing.assert_allclose(slate.propensity, np.tile([1 / 5, 1 / 4], (5000, 1)), rtol=1e-6)
    assert chisquare(np.bincount(slate.item[:, 0], minlength=5)).pvalue > 0.001


def test_scores_that_are_no_numbers_are_not_left_to_chance() -> None:
    slate = draw([[nan, 0.2, inf, 0.1, -inf, nan]] * 40, 6, 1.0, list(range(40)))
    assert {tuple(items[:1] + items[3:4]) for items in slate.item.tolist()} == {(2, 4)}
    assert set(map(tuple, slate.item[:, 1:3].tolist())) == {(1, 3), (3, 1)}
    assert set(map(tuple, slate.item[:, 4:].tolist())) == {(0, 5)}
    assert np.array_equal(slate.propensity[:, [0, 3, 4, 5]], np.ones((40, 4)))
    nothing = draw([[nan, nan]], 2, 1.0, [7])
    assert (nothing.item.tolist(), nothing.propensity.tolist()) == ([[0, 1]], [[1.0, 1.0]])


def test_fewer_candidates_than_places_leave_places_empty() -> None:
    slate = draw([[0.3, 0.2], [0.3], [0.5, 0.4, 0.3, 0.2, 0.1]], 4, 2.0, [3, 4, 5], head=2)
    assert slate.filled.tolist() == [2, 1, 4]
    assert set(slate.item[0].tolist()) == {0, 1, -1}
    assert slate.item[1].tolist() == [0, -1, -1, -1]
    assert slate.propensity[1].tolist() == [1.0] * 4
    assert np.isnan(slate.score[0, 2:]).all()


def test_only_the_head_is_drawn_from() -> None:
    slate = draw([list(np.linspace(1, 0, 30))] * 500, 3, 50.0, list(range(500)), head=6)
    assert set(slate.item.ravel().tolist()) == set(range(6))


@given(st.lists(st.integers(-1000, 1000), min_size=2, max_size=12), st.integers(-50, 50), st.sampled_from([0.5, 2, 64]))
def test_a_temperature_means_the_same_on_every_scale(scores: list[int], shift: int, unit: float) -> None:
    plain = draw([list(map(float, scores))], 5, 0.7, [11])
    other = draw([[unit * (one + shift) for one in scores]], 5, 0.7, [11])
    assert plain.item.tolist() == other.item.tolist()
    np.testing.assert_allclose(plain.propensity, other.propensity, rtol=1e-4)


def test_a_batch_gives_what_single_queries_give() -> None:
    rng = np.random.default_rng(5)
    scores = [rng.normal(size=rng.integers(1, 30)).tolist() for _ in range(40)]
    temperature = rng.choice([0, 0.2, 1, 5], 40).tolist()
    seeds = rng.integers(-(2**62), 2**62, 40).tolist()
    for inner in (TopSelector(), varied("mmr")):
        together = draw(scores, 7, temperature, seeds, inner=inner)
        for row in range(40):
            alone = draw([scores[row]], 7, temperature[row], [seeds[row]], inner=inner)
            for name in ("item", "score", "source", "propensity"):
                np.testing.assert_array_equal(getattr(together, name)[row], getattr(alone, name)[0], strict=True)


def varied(kind: str) -> Selector:
    """A selector over forty items of four genres."""
    shelf = FeatureTable(
        ITEMS, tags={"genres": Tags.of([[("war", "space", "crime", "family")[i % 4]] for i in range(ITEMS)])}
    )
    data = replace(Dataset.of(Interactions.of([0] * ITEMS, list(range(ITEMS)), [5] * ITEMS)), item_features=shelf)
    return VariedSelector.fit(SelectionConfig(kind=kind, strength=0.6), data)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("kind", ["mmr", "dpp", "calibrated"])
def test_the_order_of_a_varied_selector_holds(kind: str) -> None:
    scores = [1 - 0.02 * item for item in range(20)]
    inner = varied(kind)
    certain = draw([scores], 10, 0.0, [1], inner=inner)
    cold = draw([scores] * 20, 10, 0.001, list(range(20)), inner=inner)
    assert (certain.item.tolist() * 20, certain.score.tolist() * 20) == (cold.item.tolist(), cold.score.tolist())
    mild = draw([scores] * 2000, 1, 1.0, list(range(2000)), head=10, inner=inner)
    head = draw([scores], 10, 0.0, [1], inner=inner)
    ordered = sorted(head.score[0].tolist(), reverse=True)
    place = {item: at for at, item in enumerate(head.item[0].tolist())}
    for item, propensity in zip(mild.item[:, 0].tolist(), mild.propensity[:, 0].tolist(), strict=True):
        assert propensity == pytest.approx(chances(ordered, 1.0, [place[item]])[0], rel=1e-5)


@pytest.mark.parametrize("temperature", [-1.0, nan, inf, 1e-4, 1e-300])
def test_no_other_temperature_is_accepted(temperature: float) -> None:
    with pytest.raises(QueryError, match="temperature"):
        Exploration(np.array([temperature]), np.array([1]))
    with pytest.raises(ConfigError, match="temperature"):
        ExplorationConfig(temperature=temperature)


def test_heads_and_lengths_are_checked() -> None:
    with pytest.raises(QueryError, match="head is 0"):
        Exploration(np.array([1.0]), np.array([1]), head=0)
    with pytest.raises(QueryError, match="1 temperatures but 2 seeds"):
        Exploration(np.array([1.0]), np.array([1, 2]))
    with pytest.raises(ConfigError, match="head is 0"):
        ExplorationConfig(head=0)
    one, chance = np.ones((1, 1), np.float32), Exploration(np.array([1.0]), np.array([1]))
    found = Candidates(np.array([0]), np.array([0]), one, one, ("als",))
    asked = Queries(Histories.empty(1), np.array([9]), Eligibility(np.ones(1, bool)), exploration=chance)
    with pytest.raises(QueryError, match="without relevance"):
        ExploringSelector(TopSelector()).select(asked, found, 1)


def test_seeds_follow_from_names_and_differ() -> None:
    seeds = [seed_of(f"r-{one}") for one in range(1000)]
    assert len(set(seeds)) == 1000
    assert seeds == [seed_of(f"r-{one}") for one in range(1000)]
    assert all(-(2**63) <= one < 2**63 for one in [*seeds, seed_of(""), seed_of("\ud800")])


@pytest.fixture(scope="module")
def engine(trained: Trained) -> Engine:
    return trained.engine


def ids(answer: Answer) -> list[object]:
    return [item.item_id for item in answer.items]


def test_the_engine_draws_by_the_seed_and_says_the_chances(engine: Engine) -> None:
    request = Request(user_id=5, k=8)
    [certain], [none] = engine.recommend([request]), engine.recommend([request], chances=[None])
    assert certain == none
    [zero] = engine.recommend([request], chances=[Chance(temperature=0.0, seed=3)])
    assert zero == certain
    drawn = [engine.recommend([request], chances=[Chance(temperature=1.0, seed=one, head=30)])[0] for one in range(30)]
    assert len({tuple(ids(one)) for one in drawn}) > 20
    assert engine.recommend([request], chances=[Chance(temperature=1.0, seed=7, head=30)])[0] == drawn[7]
    for answer in drawn:
        assert len(set(ids(answer))) == 8
        assert all(0 < item.propensity < 1 for item in answer.items)
    scores = {(item.item_id, item.score) for answer in (certain, *drawn) for item in answer.items}
    assert len(scores) == len({item for item, _ in scores}) <= 30


def test_a_batch_of_all_sorts_is_answered_like_single_requests(engine: Engine) -> None:
    requests = [Request(user_id=one, k=3 + one % 4) for one in range(24)]
    requests += [Request(history=(PastEvent(3, 5.0),), k=5), Request(user_id="nobody"), Request(allow=(1, 2), k=4)]
    chance = [
        None if at % 3 == 0 else Chance(temperature=[0.0, 0.5, 2.0, 9.0][at % 4], seed=at, head=[1, 10, 50][at % 3])
        for at in range(len(requests))
    ]
    together = engine.recommend(requests, chances=chance)
    for request, one, answer in zip(requests, chance, together, strict=True):
        assert engine.recommend([request], chances=[one]) == [answer]
    with pytest.raises(QueryError, match="1 chances"):
        engine.recommend(requests, chances=[None])
