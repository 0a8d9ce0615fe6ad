"""Down-sampling against a twin that walks through the truth in words, and weights against their definition."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.evaluation.worlds import World, worlds

from encorec.data.interactions import Interactions
from encorec.errors import ConfigError
from encorec.evaluation.evaluate import evaluate
from encorec.evaluation.metrics.debias import inverse_propensity, kept_by_down_sampling
from encorec.evaluation.options import MetricOptions
from encorec.types import ItemLists

COEFFICIENTS = st.sampled_from([0.0, 0.5, 1.5, 100.0])
SEEDS = st.integers(0, 2**32)


def most_allowed(relevant: list[list[int]], coefficient: float) -> int:
    counts = [*Counter(item for row in relevant for item in row).values()]
    low, high = np.percentile(counts, [25, 75])
    return int(high + coefficient * (high - low))


def slow_sample(relevant: list[list[int]], coefficient: float, seed: int) -> set[tuple[int, int]]:
    """As RecTools does: shuffle the pairs of the items with too many users, keep the first of each item."""
    popularity = Counter(item for row in relevant for item in row)
    most = most_allowed(relevant, coefficient)
    pairs = [(user, item) for user, row in enumerate(relevant) for item in sorted(row)]
    excessive = [pair for pair in pairs if popularity[pair[1]] > most]
    shuffled = [excessive[one] for one in np.random.default_rng(seed).choice(len(excessive), len(excessive), False)]
    kept, counted = {pair for pair in pairs if popularity[pair[1]] <= most}, Counter[int]()
    for user, item in shuffled:
        if counted[item] < most:
            kept.add((user, item))
        counted[item] += 1
    return kept


def kept_pairs(relevant: list[list[int]], coefficient: float, seed: int) -> set[tuple[int, int]]:
    truth = ItemLists.of(relevant)
    kept = kept_by_down_sampling(truth, coefficient=coefficient, rng=np.random.default_rng(seed))
    return set(zip(truth.owner[kept].tolist(), truth.item[kept].tolist(), strict=True))


@given(worlds(), COEFFICIENTS, SEEDS)
def test_the_sample_is_that_of_the_slow_twin(world: World, coefficient: float, seed: int) -> None:
    popularity = Counter(item for row in world.relevant for item in row)
    if max(popularity.values()) <= most_allowed(world.relevant, coefficient):
        assert len(kept_pairs(world.relevant, coefficient, seed)) == sum(popularity.values())
    else:
        assert kept_pairs(world.relevant, coefficient, seed) == slow_sample(world.relevant, coefficient, seed)


@given(worlds(), COEFFICIENTS, SEEDS)
def test_the_order_of_a_users_items_does_not_matter(world: World, coefficient: float, seed: int) -> None:
    reversed_rows = [row[::-1] for row in world.relevant]
    assert kept_pairs(world.relevant, coefficient, seed) == kept_pairs(reversed_rows, coefficient, seed)


def test_the_limit_as_worked_by_hand() -> None:
    """Items with 1, 1, 2, 2 and 9 users: quartiles 1 and 2, so 1.5 allows 3.5 users and 0 allows 2."""
    rows = [[0, 1, 2, 4], [2, 3, 4], [3, 4], [4], [4], [4], [4], [4], [4]]
    for coefficient, left in [(0.0, 2), (1.5, 3), (7.0, 9)]:
        counts = Counter(item for _, item in kept_pairs(rows, coefficient, 0))
        assert counts == {0: 1, 1: 1, 2: 2, 3: 2, 4: left}


def test_every_user_is_as_likely_to_stay() -> None:
    rows = [[0, user + 1] for user in range(6)]
    stayed = Counter(user for seed in range(3000) for user, item in kept_pairs(rows, 1.5, seed) if item == 0)
    assert sum(stayed.values()) == 3000
    assert sum((count - 500) ** 2 / 500 for count in stayed.values()) < 20.5  # 99.9 % point of chi2, 5 degrees


@given(worlds(), st.sampled_from([0.0, 0.5, 1.0, 2.0]))
def test_weights_are_those_of_the_definition(world: World, power: float) -> None:
    popularity = Counter(item for row in world.relevant for item in row)
    expected: list[float] = []
    for row in world.relevant:
        raw = [popularity[item] ** -power for item in row]
        expected += [one * len(row) / sum(raw) for one in raw]
    assert inverse_propensity(world.truth, power=power) == pytest.approx(expected)


POPULAR = ItemLists.of([[0, 1], [0, 2], [0, 3], [0, 4], [0]])
SHOWN = np.array([[0, 1], [2, 0], [4, 3], [-1, -1], [1, 0]])


def test_down_sampling_leaves_out_users_without_truth() -> None:
    """Item 0 has five users and the others one: one user keeps it, and the last user may keep nothing."""
    metrics = ["recall@2", "miuf@2", "coverage@2", "intersection@2", "popularity_lift@2"]
    train = Interactions.of(user=[0, 1, 2], item=[0, 1, 2], time=[0, 0, 0], users=5, items=5)
    counted: dict[int, int] = {}
    for seed in range(20):
        options = MetricOptions(debias_method="iqr", debias_seed=seed)
        found = evaluate(
            SHOWN, POPULAR, metrics, train=train, options=options, user=np.arange(5), reference=SHOWN[::-1]
        )
        counted[found.users] = counted.get(found.users, 0) + 1
        assert found.rows.tolist() == list(range(found.users))
        assert {len(values) for values in found.per_user.values()} == {found.users}
        assert found.means["coverage@2"] == 1.0  # of all lists: no truth is needed
        everybody = evaluate(SHOWN, POPULAR, metrics[1:], train=train, user=np.arange(5), reference=SHOWN[::-1])
        for name, values in everybody.per_user.items():
            assert found.per_user[name].tolist() == values[found.rows].tolist()
    assert counted.keys() == {4, 5}


def test_inverse_propensity_makes_the_popular_item_count_less() -> None:
    """Item 0 has five users and weighs a fifth of an item with one: 1/3 and 5/3 for a user of both."""
    options = MetricOptions(debias_method="ips")
    found = evaluate(SHOWN, POPULAR, ["recall@1", "map@2", "ndcg@2"], options=options)
    assert found.per_user["recall@1"] == pytest.approx([1 / 6, 5 / 6, 0, 0, 0])
    assert found.per_user["map@2"] == pytest.approx([1, 1, 5 / 12, 0, 1 / 2])
    second = 1 / np.log2(3)
    best = 5 / 3 + second / 3
    assert found.per_user["ndcg@2"] == pytest.approx(
        [(1 / 3 + second * 5 / 3) / best, 1, second * 5 / 3 / best, 0, second]
    )
    none = MetricOptions(debias_method="ips", debias_power=0)
    plain = evaluate(SHOWN, POPULAR, ["recall@1", "map@2", "ndcg@2"])
    for name, values in evaluate(SHOWN, POPULAR, ["recall@1", "map@2", "ndcg@2"], options=none).per_user.items():
        assert values == pytest.approx(plain.per_user[name])


@pytest.mark.parametrize("metric", ["precision@2", "f1@2", "hit_rate@2", "mrr@2", "r_precision"])
def test_a_metric_without_a_weighted_form_says_so(metric: str) -> None:
    with pytest.raises(ConfigError, match="has no form weighted by inverse propensity, map, ndcg, recall have"):
        evaluate(SHOWN, POPULAR, [metric], options=MetricOptions(debias_method="ips"))


def test_weighted_metrics_are_divided_by_all_that_is_relevant() -> None:
    with pytest.raises(ConfigError, match='leave recall and map denominator "all"'):
        evaluate(SHOWN, POPULAR, ["map@2"], options=MetricOptions(debias_method="ips", map_denominator="min"))
