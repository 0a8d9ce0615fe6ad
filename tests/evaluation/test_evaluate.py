import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.evaluation.worlds import World, worlds

from encorec.data.features import FeatureTable
from encorec.data.interactions import Interactions
from encorec.errors import ConfigError, DataError
from encorec.evaluation.evaluate import Metric, evaluate, metric_names, parse_metric
from encorec.evaluation.options import MetricOptions
from encorec.types import ItemLists

EVERY = [f"{name}@{k}" for name in metric_names() for k in (1, 3, 10)]
ACCURACY = ["precision@3", "recall@3", "f1@3", "hit_rate@3", "mrr@3", "map@3", "ndcg@3"]
TRAIN = Interactions.of(user=[0, 0, 1], item=[0, 1, 1], time=[1, 2, 3], items=5)
LISTS, TRUTH = np.array([[0, 1, 2], [3, 1, -1]]), ItemLists.of([[1], [1, 4]])


def features_of(world: World) -> FeatureTable:
    return FeatureTable(world.items, numeric={"half": np.arange(world.items) // 2.0})


def test_every_metric_of_the_conventions_has_a_name() -> None:
    assert sorted(metric_names()) == [
        "avg_popularity", "coverage", "f1", "gini", "hit_rate", "ild", "map", "miuf", "mrr", "ndcg", "precision",
        "recall", "serendipity",
    ]  # fmt: skip


@given(world=worlds(), random=st.randoms())
def test_the_order_of_users_changes_nothing_but_the_order_of_values(world: World, random: np.random.Generator) -> None:
    order = list(range(len(world.shown)))
    random.shuffle(order)
    straight = evaluate(world.recommended, world.truth, EVERY, train=world.train, item_features=features_of(world))
    shuffled = evaluate(
        world.recommended[order],
        world.truth.take(np.array(order)),
        EVERY,
        train=world.train,
        item_features=features_of(world),
    )
    assert shuffled.catalogue == pytest.approx(straight.catalogue)
    assert shuffled.skipped_pairs == straight.skipped_pairs
    for name, values in straight.per_user.items():
        assert shuffled.per_user[name].tolist() == values[order].tolist()


@given(world=worlds(), random=st.randoms())
def test_accuracy_does_not_depend_on_item_numbers(world: World, random: np.random.Generator) -> None:
    renamed = list(range(100, 100 + world.items))
    random.shuffle(renamed)
    names = np.array([*renamed, -1])
    other = ItemLists(world.truth.indptr, names[world.truth.item])
    assert evaluate(names[world.recommended], other, ACCURACY).means == pytest.approx(
        evaluate(world.recommended, world.truth, ACCURACY).means
    )


@given(world=worlds())
def test_together_or_alone_a_metric_is_the_same(world: World) -> None:
    def means(names: list[str]) -> dict[str, float]:
        return evaluate(
            world.recommended, world.truth, names, train=world.train, item_features=features_of(world)
        ).means

    together = means(EVERY)
    assert list(together) == EVERY
    for name in EVERY:
        assert means([name]) == {name: together[name]}


def test_users_without_recommendations_count_as_zero() -> None:
    lists = np.array([[1, 2], [-1, -1], [-1, -1]])
    features = FeatureTable(5, numeric={"year": np.arange(5.0)})
    truth = ItemLists.of([[1], [1], [2]])
    evaluation = evaluate(lists, truth, EVERY, train=TRAIN, item_features=features)
    assert (evaluation.users, evaluation.covered_users) == (3, 1)
    for values in evaluation.per_user.values():
        assert values.shape == (3,)
        assert values.dtype == np.float64
        assert values[1:].tolist() == [0.0, 0.0]
    assert evaluation.means["hit_rate@1"] == pytest.approx(1 / 3)


def test_options_reach_the_metric_they_are_for() -> None:
    names = ["recall@1", "f1@1", "map@1", "ndcg@3", "miuf@3", "ild@3"]
    features = FeatureTable(5, numeric={"year": np.arange(5.0), "kind": np.zeros(5)})
    usual = evaluate(LISTS, TRUTH, names, train=TRAIN, item_features=features)
    changed = evaluate(
        LISTS,
        ItemLists.of([[1], [3, 4]]),
        names,
        train=TRAIN,
        item_features=features,
        options=MetricOptions(
            recall_denominator="min",
            map_denominator="k",
            ndcg_ideal="k",
            miuf_unseen="skip",
            ild_distance="hamming_share",
        ),
    )
    assert changed.per_user["recall@1"].tolist() == [0.0, 1.0]
    assert changed.per_user["f1@1"].tolist() == [0.0, 1.0]
    assert changed.per_user["map@1"].tolist() == [0.0, 1.0]
    assert changed.per_user["ndcg@3"] == pytest.approx([0.6309297536 / 2.1309297536, 1 / 2.1309297536])
    assert changed.per_user["miuf@3"].tolist() == [0.5, 0.0]
    assert changed.per_user["ild@3"] == pytest.approx(usual.per_user["ild@3"] / 2)


def test_pairs_that_could_not_be_compared_are_counted() -> None:
    features = FeatureTable(5, numeric={"year": np.array([1999, np.nan, 2001, 2001, 2001])})
    evaluation = evaluate(LISTS, TRUTH, ["ild@3", "ild@1", "mrr@3"], item_features=features)
    assert evaluation.skipped_pairs == {"ild@3": 3, "ild@1": 0}


def test_the_catalogue_is_the_vocabulary_of_train_or_else_of_the_features() -> None:
    wide = FeatureTable(8, numeric={"year": np.arange(8.0)})
    assert evaluate(LISTS, TRUTH, ["coverage@3"], train=TRAIN, item_features=wide).means["coverage@3"] == 4 / 5
    assert evaluate(LISTS, TRUTH, ["coverage@3"], item_features=wide).means["coverage@3"] == 4 / 8


def test_a_metric_asked_for_twice_is_given_once() -> None:
    assert list(evaluate(LISTS, TRUTH, ["mrr@3", "mrr@3"]).means) == ["mrr@3"]


@pytest.mark.parametrize("name", ["ndcg@10", "hit_rate@1", "coverage@250"])
def test_a_metric_is_written_as_it_is_read(name: str) -> None:
    assert str(parse_metric(name)) == name


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("ndgc@10", "did you mean 'ndcg'?"),
        ("NDCG@10", "unknown metric 'NDCG'"),
        ("ndcg", "needs a cut-off of 1 or more: write it as ndcg@10"),
        ("ndcg@0", "needs a cut-off"),
        ("ndcg@-5", "needs a cut-off"),
        ("ndcg@5.5", "needs a cut-off"),
        ("ndcg@5@5", "needs a cut-off"),
        ("ndcg@²", "needs a cut-off"),
        ("", "unknown metric ''"),
    ],
)
def test_a_name_that_is_no_metric_is_refused_with_the_nearest(name: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_metric(name)
    assert message in str(caught.value)


def test_parsed_metrics_are_values() -> None:
    assert parse_metric("map@5") == Metric("map", 5)


@pytest.mark.parametrize(
    ("metric", "message"),
    [
        ("miuf@3", "pass train="),
        ("avg_popularity@3", "pass train="),
        ("serendipity@3", "pass train="),
        ("ild@3", "pass item_features="),
        ("coverage@3", "pass train= or item_features="),
        ("gini@3", "pass train= or item_features="),
    ],
)
def test_a_metric_asks_for_what_it_reads(metric: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        evaluate(LISTS, TRUTH, [metric])


def test_items_beyond_the_catalogue_are_refused() -> None:
    lists = np.array([[0, 1, 2], [3, 5, -1]])
    with pytest.raises(DataError, match=r"item 5 is beyond the 5 items of train \(first such list: row 1\)"):
        evaluate(lists, TRUTH, ["miuf@3"], train=TRAIN)
    with pytest.raises(DataError, match="item 5 is beyond the 4 items of item_features"):
        evaluate(lists, TRUTH, ["ild@3"], item_features=FeatureTable(4, numeric={"year": np.arange(4.0)}))


def test_nothing_is_judged_by_an_empty_past_or_an_empty_catalogue() -> None:
    with pytest.raises(DataError, match="train has no interactions"):
        evaluate(LISTS, TRUTH, ["miuf@3"], train=Interactions.of([], [], [], items=5))
    nothing, truth = np.array([[-1]]), ItemLists.of([[0]])
    with pytest.raises(DataError, match="train has no items"):
        evaluate(nothing, truth, ["coverage@3"], train=Interactions.of([], [], []))
    with pytest.raises(DataError, match="item_features has no items"):
        evaluate(nothing, truth, ["coverage@3"], item_features=FeatureTable(0))
