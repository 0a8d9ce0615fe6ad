import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.evaluation.worlds import World, worlds

from encorec.data.features import FeatureTable, Tags
from encorec.data.interactions import Interactions
from encorec.errors import ConfigError, DataError
from encorec.evaluation.evaluate import Evaluation, Metric, evaluate, metric_names, parse_metric
from encorec.evaluation.options import MetricOptions
from encorec.types import ItemLists

CUTLESS = ["r_precision", "covered_users"]
EVERY = [f"{name}@{k}" for name in metric_names() if name not in CUTLESS for k in (1, 3, 10)] + CUTLESS
ACCURACY = ["precision@3", "recall@3", "f1@3", "hit_rate@3", "mrr@3", "map@3", "ndcg@3"]
TRAIN = Interactions.of(user=[0, 0, 1], item=[0, 1, 1], time=[1, 2, 3], items=5)
LISTS, TRUTH = np.array([[0, 1, 2], [3, 1, -1]]), ItemLists.of([[1], [1, 4]])


def features_of(world: World) -> FeatureTable:
    halves = np.arange(world.items) // 2.0
    genres = Tags.of([["drama", "war"][: item % 3] for item in range(world.items)])
    return FeatureTable(world.items, numeric={"half": halves}, tags={"genre": genres})


def judged(world: World, metrics: list[str], order: list[int] | None = None) -> Evaluation:
    """With all there is to know: user i of the truth is user i of train, and the reference are the lists reversed."""
    rows = np.arange(len(world.shown)) if order is None else np.array(order)
    return evaluate(
        world.recommended[rows],
        world.truth.take(rows),
        metrics,
        train=world.train,
        item_features=features_of(world),
        user=rows,
        reference=world.recommended[::-1][rows],
    )


def test_every_metric_of_the_conventions_has_a_name() -> None:
    assert sorted(metric_names()) == [
        "avg_popularity", "calibration", "coverage", "covered_users", "entropy", "f1", "gini", "hit_rate", "ild",
        "intersection", "map", "miuf", "mrr", "ndcg", "popularity_lift", "precision", "r_precision", "recall",
        "serendipity", "sufficient", "unexpectedness", "unrepeated",
    ]  # fmt: skip


@given(world=worlds(), random=st.randoms())
def test_the_order_of_users_changes_nothing_but_the_order_of_values(world: World, random: np.random.Generator) -> None:
    order = list(range(len(world.shown)))
    random.shuffle(order)
    straight, shuffled = judged(world, EVERY), judged(world, EVERY, order)
    assert shuffled.means == straight.means
    assert shuffled.undefined == straight.undefined
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
        return judged(world, names).means

    together = means(EVERY)
    assert sorted(together) == sorted(EVERY)
    for name in EVERY:
        assert means([name]) == {name: together[name]}


def test_users_without_recommendations_count_as_zero() -> None:
    lists = np.array([[1, 2], [-1, -1], [-1, -1]])
    features = FeatureTable(5, numeric={"year": np.arange(5.0)}, tags={"genre": Tags.of([["drama"]] * 5)})
    truth = ItemLists.of([[1], [1], [2]])
    evaluation = evaluate(
        lists, truth, EVERY, train=TRAIN, item_features=features, user=np.array([0, 1, 1]), reference=lists[:1]
    )
    assert (evaluation.users, evaluation.covered_users) == (3, 1)
    assert evaluation.means["covered_users"] == pytest.approx(1 / 3)
    for name, values in evaluation.per_user.items():
        assert values.shape == (3,)
        assert values.dtype == np.float64
        empty = np.log(100) if name.startswith("calibration") else 0.0  # as far from the history as can be
        assert values[1:] == pytest.approx([empty, empty])
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


@pytest.mark.parametrize("name", ["ndcg@10", "hit_rate@1", "coverage@250", "r_precision"])
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
        ("ndcg@1000001", "the cut-off is at most 1000000"),
        ("ndcg@" + "9" * 5000, "the cut-off is at most 1000000"),
        ("ndcg@" + "0" * 30, "needs a cut-off"),
        ("r_precision@10", "has no cut-off: write it as r_precision"),
        ("covered_users@", "has no cut-off: write it as covered_users"),
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
        ("entropy@3", "pass train= or item_features="),
        ("popularity_lift@3", "pass train="),
        ("unexpectedness@3", "pass train="),
        ("calibration@3", "pass item_features="),
        ("intersection@3", "pass reference="),
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


GENRES = FeatureTable(5, tags={"genre": Tags.of([["drama"], ["war"], ["war"], [], ["drama", "war"]])})


@pytest.mark.parametrize("metric", ["calibration@3", "popularity_lift@3"])
def test_a_metric_of_histories_asks_whose_list_it_is(metric: str) -> None:
    with pytest.raises(ConfigError, match="pass user="):
        evaluate(LISTS, TRUTH, [metric], train=TRAIN, item_features=GENRES)
    with pytest.raises(DataError, match=r"user is int64 of shape \(3,\), there are 2 lists"):
        evaluate(LISTS, TRUTH, [metric], train=TRAIN, item_features=GENRES, user=np.array([0, 1, 1]))
    with pytest.raises(DataError, match="user rows run from 0 to 2, allowed is -1 to 1"):
        evaluate(LISTS, TRUTH, [metric], train=TRAIN, item_features=GENRES, user=np.array([0, 2]))


def test_users_of_whom_nothing_can_be_told_are_counted() -> None:
    metrics = ["calibration@3", "popularity_lift@3", "mrr@3"]
    evaluation = evaluate(LISTS, TRUTH, metrics, train=TRAIN, item_features=GENRES, user=np.array([-1, 1]))
    assert evaluation.undefined == {"calibration@3": 1, "popularity_lift@3": 1}
    assert [evaluation.per_user[name][0] for name in metrics[:2]] == [0.0, 0.0]


def test_the_catalogue_given_is_the_catalogue() -> None:
    some = np.array([True, True, True, True, False])
    metrics = ["coverage@3", "gini@3", "entropy@3", "serendipity@3"]
    options = MetricOptions(serendipity_catalogue="given")
    train = Interactions.of(user=[0, 0, 1], item=[0, 1, 1], time=[1, 2, 3], items=5)
    found = evaluate(LISTS, TRUTH, metrics, train=train, catalogue=some, options=options)
    small = Interactions.of(user=[0, 0, 1], item=[0, 1, 1], time=[1, 2, 3], items=4)
    vocabulary = MetricOptions(serendipity_catalogue="vocabulary")
    assert found.means == evaluate(LISTS, TRUTH, metrics, train=small, options=vocabulary).means
    assert evaluate(LISTS, TRUTH, ["coverage@3"], catalogue=some).means == {"coverage@3": 1.0}
    with pytest.raises(ConfigError, match="pass catalogue="):
        evaluate(LISTS, TRUTH, ["serendipity@3"], train=TRAIN, options=options)


def test_what_is_not_in_the_catalogue_cannot_have_been_recommended() -> None:
    some = np.array([True, False, True, True, True])
    with pytest.raises(DataError, match=r"2 places hold an item outside the catalogue \(first: row 0, item 1\)"):
        evaluate(LISTS, TRUTH, ["mrr@3"], catalogue=some)
    with pytest.raises(DataError, match="item 3 is beyond the 3 items of catalogue"):
        evaluate(LISTS, TRUTH, ["mrr@3"], catalogue=some[:3])
    with pytest.raises(DataError, match="must be a vector with true or false"):
        evaluate(LISTS, TRUTH, ["mrr@3"], catalogue=np.arange(5))  # pyright: ignore[reportArgumentType]


def test_ranks_of_serendipity_are_shares_of_the_items_of_train_unless_told_otherwise() -> None:
    """Two of five items have users in train. Item 1 was hit at rank 2 by the first user and is the most popular."""
    lists, truth = np.array([[2, 4], [4, 2]]), ItemLists.of([[2], [2]])
    usual = evaluate(lists, truth, ["serendipity@2"], train=TRAIN)
    assert usual.per_user["serendipity@2"] == pytest.approx([(2 + 1 - 1) / 2 / 2, (2 + 1 - 2) / 2 / 2])
    wide = evaluate(
        lists, truth, ["serendipity@2"], train=TRAIN, options=MetricOptions(serendipity_catalogue="vocabulary")
    )
    assert wide.per_user["serendipity@2"] == pytest.approx([1 / 2, 4 / 5 / 2])


def test_coverage_counts_items_when_told_so() -> None:
    absolute = MetricOptions(coverage_absolute=True)
    assert evaluate(LISTS, TRUTH, ["coverage@3"], train=TRAIN, options=absolute).means["coverage@3"] == 4.0


def test_lists_with_repeats_are_read_by_metrics_of_their_quality_only() -> None:
    repeated = np.array([[1, 1, 2], [3, -1, -1]])
    quality = ["unrepeated@3", "sufficient@3", "covered_users"]
    found = evaluate(repeated, TRUTH, quality)
    assert {name: values.tolist() for name, values in found.per_user.items()} == {
        "unrepeated@3": [0.0, 1.0],
        "sufficient@3": [1.0, 0.0],
        "covered_users": [1.0, 1.0],
    }
    with pytest.raises(DataError, match=r"hold an item twice \(first: row 0\); .* \(only unrepeated@k"):
        evaluate(repeated, TRUTH, [*quality, "mrr@3"])
    with pytest.raises(DataError, match="hold an item twice"):
        evaluate(repeated, TRUTH, [])


def test_references_are_checked() -> None:
    with pytest.raises(DataError, match=r"reference has shape \(3, 1\), there are 2 lists"):
        evaluate(LISTS, TRUTH, ["intersection@3"], reference=np.array([[1], [2], [3]]))
    with pytest.raises(DataError, match="reference: 1 lists hold an item twice"):
        evaluate(LISTS, TRUTH, ["intersection@3"], reference=np.array([[1, 1]]))


def test_grades_reach_ndcg() -> None:
    grades = np.array([1.0, 1.0, 3.0])
    options = MetricOptions(ndcg_gain="exponential")
    found = evaluate(LISTS, TRUTH, ["ndcg@3", "mrr@3"], gain=grades, options=options)
    best = 7 + 1 / np.log2(3)
    assert found.per_user["ndcg@3"] == pytest.approx([1 / np.log2(3), 1 / np.log2(3) / best])
    assert found.per_user["mrr@3"].tolist() == [0.5, 0.5]
