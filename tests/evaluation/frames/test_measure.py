"""Metrics from tables: against a slow twin and by hand; the order of rows and the kind of table mean nothing."""

import json
from pathlib import Path
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.evaluation.frames.worlds import Tables, slow_metrics, tables

from encorec.errors import ConfigError, DataError
from encorec.evaluation.frames.measure import Measured, metrics
from encorec.evaluation.options import MetricOptions

RECS = pl.DataFrame(
    {
        "user_id": [1, 1, 1, 2, 2, 5, 9],
        "item_id": [10, 20, 30, 20, 40, 10, 10],
        "rank": [1, 2, 3, 2, 1, 1, 1],
    }
)
TRUTH = pl.DataFrame({"user_id": [1, 1, 1, 2, 3, 5], "item_id": [10, 30, 50, 20, 10, 60]})
TRAIN = pl.DataFrame({"user_id": [1, 2, 3, 4, 4], "item_id": [20, 20, 20, 30, 20]})
ITEMS = pl.DataFrame({"item_id": [10, 20, 30, 40], "genres": ["war, drama", "drama", "comedy", None]})


def measured(recs: Any = RECS, truth: Any = TRUTH, wanted: Any = None, **others: Any) -> Measured:
    return metrics(recs, truth, wanted, **{"resamples": 100, **others})


def shuffled(frame: pl.DataFrame, random: Any) -> pl.DataFrame:
    order = list(range(len(frame)))
    random.shuffle(order)
    return frame[order]


@given(world=tables(), k=st.integers(1, 9))
def test_every_user_of_the_truth_is_judged_as_by_hand(world: Tables, k: int) -> None:
    wanted = list(slow_metrics([], {0}, k))
    found = measured(world.recs, world.truth, wanted, resamples=2)
    users = sorted(world.wanted)
    assert found.per_user["user_id"].to_list() == users
    for row, user in zip(found.per_user.rows(named=True), users, strict=True):
        twin = slow_metrics(world.shown.get(user, []), world.wanted[user], k)
        assert {name: row[name] for name in twin} == pytest.approx(twin, abs=1e-12)
    for name in wanted:
        assert found.estimates[name].mean == pytest.approx(found.per_user[name].mean(), abs=1e-12)
    assert found.counts["covered_users"] == len(world.wanted.keys() & world.shown.keys())
    assert found.counts["ignored_users"] == len(world.shown.keys() - world.wanted.keys())


@settings(max_examples=30)
@given(world=tables(), random=st.randoms())
def test_the_order_of_rows_changes_nothing_not_even_the_intervals(world: Tables, random: Any) -> None:
    given_tables = (world.recs, world.truth, world.train, world.items)
    straight, mixed = (
        measured(recs, truth, None, at=[1, 3], train=train, items=items, seed=5)
        for recs, truth, train, items in (given_tables, [shuffled(one, random) for one in given_tables])
    )
    assert mixed.as_dict() == straight.as_dict()
    assert mixed.per_user.equals(straight.per_user)


@given(world=tables(), random=st.randoms())
def test_scores_give_the_lists_that_ranks_give(world: Tables, random: Any) -> None:
    scores = world.recs.select("user_id", "item_id", score=-3.0 * pl.col("rank") + 7)
    found = measured(shuffled(scores, random), world.truth, ["map@4", "ndcg@2"])
    assert found.as_dict() == measured(world.recs, world.truth, ["map@4", "ndcg@2"]).as_dict()


@settings(max_examples=30)
@given(world=tables())
def test_text_ids_give_what_integers_give(world: Tables) -> None:
    def spelt(frame: pl.DataFrame) -> pl.DataFrame:
        ids = [name for name in ("user_id", "item_id") if name in frame.columns]
        return frame.with_columns(pl.format("x{}", name).alias(name) for name in ids)

    plain = measured(world.recs, world.truth, train=world.train, items=world.items)
    text = measured(spelt(world.recs), spelt(world.truth), train=spelt(world.train), items=spelt(world.items))
    means = {name: one.mean for name, one in plain.estimates.items()}
    assert {name: one.mean for name, one in text.estimates.items()} == pytest.approx(means, abs=1e-12)
    assert text.catalogue == pytest.approx(plain.catalogue, abs=1e-12)


def test_values_by_hand() -> None:
    """User 1 finds 2 of 3 at ranks 1 and 3, user 2 one of one at rank 2, user 3 has no list, user 5 finds nothing."""
    found = measured(wanted=["map@3", "recall@3", "precision@3", "mrr@3", "ndcg@3"])
    assert found.per_user["map@3"].to_list() == pytest.approx([(1 + 2 / 3) / 3, 1 / 2, 0, 0])
    assert found.per_user["recall@3"].to_list() == pytest.approx([2 / 3, 1, 0, 0])
    assert found.per_user["ndcg@3"].to_list() == pytest.approx([1.5 / (1.5 + 1 / np.log2(3)), 1 / np.log2(3), 0, 0])
    assert found.estimates["precision@3"].mean == pytest.approx((2 / 3 + 1 / 3) / 4)
    assert found.estimates["mrr@3"].mean == pytest.approx((1 + 1 / 2) / 4)
    assert (found.counts["users"], found.counts["covered_users"], found.counts["ignored_users"]) == (4, 3, 1)


def test_the_dictionary_is_ready_for_json() -> None:
    content = measured(wanted=["map@3", "coverage@3"], train=TRAIN, items=ITEMS, seed=3).as_dict()
    assert json.loads(json.dumps(content)) == content
    assert content["map@3"].keys() == {"mean", "ci95", "users"}
    assert content["map@3"]["ci95"][0] <= content["map@3"]["mean"] <= content["map@3"]["ci95"][1]
    assert content["coverage@3"] == {"mean": 1.0, "ci95": None, "users": 4}
    assert (content["covered_users"], content["ignored_users"], content["users"]) == (3, 1, 4)
    assert (content["seed"], content["resamples"]) == (3, 100)


def test_a_list_shorter_than_k_is_judged_at_k() -> None:
    found = measured(wanted=["precision@100", "map@100"])
    assert found.per_user["precision@100"].to_list() == [0.02, 0.01, 0, 0]
    assert found.estimates["map@100"].mean == measured(wanted=["map@3"]).estimates["map@3"].mean


def test_with_rank_and_score_the_rank_is_read() -> None:
    both = RECS.with_columns(score=pl.col("rank").cast(pl.Float64))
    assert measured(both).as_dict() == measured().as_dict()


def test_a_pair_of_the_truth_that_stands_twice_counts_once() -> None:
    found = measured(truth=pl.concat([TRUTH, TRUTH[:2]]))
    assert found.counts["repeated_truth"] == 2
    assert found.per_user.equals(measured().per_user)


def test_novelty_is_that_of_the_training_users_and_the_catalogue_that_of_train_and_items() -> None:
    """Of 4 train users, 4 had item 20 and 1 had item 30; items 10 and 40 count as had by one."""
    found = measured(wanted=["miuf@2", "coverage@1", "avg_popularity@2"], train=TRAIN, items=ITEMS)
    assert found.per_user["miuf@2"].to_list() == [1.0, 1.0, 0.0, 2.0]
    assert found.per_user["avg_popularity@2"].to_list() == [2.0, 2.0, 0.0, 0.0]
    assert found.catalogue["coverage@1"] == 2 / 4


def test_lists_of_unlike_items_are_diverse() -> None:
    found = measured(wanted=["ild@3"], items=ITEMS)
    assert found.per_user["ild@3"][0] == pytest.approx((1 + 3 + 2) / 3)


def test_features_may_be_named() -> None:
    wide = ITEMS.with_columns(year=pl.Series([1990, 1991, 1992, 1993]))
    assert (
        measured(wanted=["ild@3"], items=wide, features=["genres"]).as_dict()
        == measured(wanted=["ild@3"], items=ITEMS).as_dict()
    )
    with pytest.raises(DataError, match="unknown column 'genre': did you mean 'genres'"):
        measured(wanted=["ild@3"], items=wide, features=["genre"])


def test_grades_are_gains_and_a_gain_of_zero_is_not_relevant() -> None:
    """User 1: grades 3 at rank 1 and 1 at rank 3, best order 3, 2, 1; user 7 wants nothing and is not judged."""
    graded = pl.DataFrame({"user_id": [1, 1, 1, 2, 7], "item_id": [10, 30, 50, 20, 10], "gain": [3, 1, 2, 1, 0]})
    found = measured(truth=graded, wanted=["ndcg@3", "map@3"])
    ideal = 3 + 2 / np.log2(3) + 1 / 2
    assert found.per_user["user_id"].to_list() == [1, 2]
    assert found.per_user["ndcg@3"].to_list() == pytest.approx([(3 + 1 / 2) / ideal, 1 / np.log2(3)])
    steep = measured(truth=graded, wanted=["ndcg@3"], options=MetricOptions(ndcg_gain="exponential"))
    assert steep.per_user["ndcg@3"][0] == pytest.approx((7 + 1 / 2) / (7 + 3 / np.log2(3) + 1 / 2))


def test_options_reach_the_metrics() -> None:
    found = measured(wanted=["map@2"], options=MetricOptions(map_denominator="min"))
    assert found.per_user["map@2"].to_list() == pytest.approx([1 / 2, 1 / 2, 0, 0])


@pytest.mark.parametrize("kind", ["pandas", "pyarrow", "polars", "lazy", "csv", "parquet"])
def test_tables_of_every_kind_give_the_same(kind: str, tmp_path: Path) -> None:
    def turned(frame: pl.DataFrame, name: str) -> Any:
        path = tmp_path / f"{name}.{kind}"
        if kind == "csv":
            frame.write_csv(path)
        elif kind == "parquet":
            frame.write_parquet(path)
        turns = {"pandas": frame.to_pandas, "pyarrow": frame.to_arrow, "lazy": frame.lazy, "polars": lambda: frame}
        return turns[kind]() if kind in turns else path

    found = measured(
        turned(RECS, "recs"), turned(TRUTH, "truth"), train=turned(TRAIN, "train"), items=turned(ITEMS, "items")
    )
    plain = measured(train=TRAIN, items=ITEMS)
    assert found.as_dict() == plain.as_dict()
    expected = {"pandas": pd.DataFrame, "pyarrow": pa.Table}.get(kind, pl.DataFrame)
    assert type(found.per_user) is expected
    values = nw.from_native(found.per_user)
    assert values.columns == plain.per_user.columns
    assert values["user_id"].to_list() == [1, 2, 3, 5]
    assert values["map@10"].to_list() == plain.per_user["map@10"].to_list()


def test_text_ids_come_back_in_pandas() -> None:
    frames = [one.with_columns(pl.format("u{}", "user_id").alias("user_id")) for one in (RECS, TRUTH)]
    recs, truth = (one.to_pandas() for one in frames)
    assert measured(recs, truth, ["mrr@2"]).per_user["user_id"].tolist() == ["u1", "u2", "u3", "u5"]


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "an item twice": (
        {"recs": RECS.with_columns(item_id=pl.Series([10, 10, 30, 20, 40, 10, 10]))},
        "recs: column 'item_id' has 1 value that the user's list holds already (first: data row 2, 10)",
    ),
    "no order": ({"recs": RECS.drop("rank")}, "recs: has neither a column 'rank' nor a column 'score'"),
    "a rank twice": (
        {"recs": RECS.with_columns(rank=pl.Series([1, 1, 2, 2, 1, 1, 1]))},
        "recs: column 'rank' has 1 value that the user has already (first: data row 2, 1)",
    ),
    "a rank left out": (
        {"recs": RECS.with_columns(rank=pl.Series([1, 2, 4, 2, 1, 1, 1]))},
        "recs: column 'rank' has 1 value after a place that nobody holds (first: data row 3, 4); number the places",
    ),
    "ranks from 0": (
        {"recs": RECS.with_columns(rank=pl.col("rank") - 1)},
        "recs: column 'rank' has 4 values below 1 (first: data row 1, 0); ranks start at 1",
    ),
    "a negative rank": (
        {"recs": RECS.with_columns(rank=-pl.col("rank"))},
        "has 7 values below 1 (first: data row 1, -1)",
    ),
    "a list without its top": (
        {"recs": RECS.with_columns(rank=pl.col("rank") + 1)},
        "recs: column 'rank' has 3 values after a place that nobody holds (first: data row 1, 2)",
    ),
    "a huge rank": (
        {"recs": RECS.with_columns(rank=pl.Series([1, 2, 10**15, 2, 1, 1, 1]))},
        "recs: column 'rank' has 1 value beyond the 6 places that can be filled (first: data row 3, 1000000000000000)",
    ),
    "half a rank": (
        {"recs": RECS.with_columns(rank=pl.col("rank") / 2)},
        "recs: column 'rank' has 5 values with a fraction (first: data row 1, 0.5)",
    ),
    "a rank missing": (
        {"recs": RECS.with_columns(rank=pl.Series([1, None, 3, 2, 1, 1, 1]))},
        "recs: column 'rank' has 1 value missing (first: data row 2, None)",
    ),
    "a score that is no number": (
        {"recs": RECS.select("user_id", "item_id", score=pl.Series([3.0, float("nan"), 1, 1, 2, 1, 1]))},
        "recs: column 'score' has 1 value missing (first: data row 2, nan)",
    ),
    "an infinite score": (
        {"recs": RECS.select("user_id", "item_id", score=pl.Series([3.0, float("inf"), 1, 1, 2, 1, 1]))},
        "recs: column 'score' has 1 value infinite (first: data row 2, inf)",
    ),
    "equal scores": (
        {"recs": RECS.select("user_id", "item_id", score=pl.Series([0.5, 0.25, 0.5, 0.1, 0.2, 0.5, 0.5]))},
        "recs: column 'score' has 2 values equal to another one of the same user (first: data row 1, 0.5)",
    ),
    "a missing user": (
        {"recs": RECS.with_columns(user_id=pl.Series([1, 1, None, 2, 2, 5, 9]))},
        "recs: column 'user_id' has 1 value missing (first: data row 3, None)",
    ),
    "a missing item": (
        {"truth": TRUTH.with_columns(item_id=pl.Series([10, None, 50, 20, 10, 60]))},
        "truth: column 'item_id' has 1 value missing (first: data row 2, None)",
    ),
    "an id that is no integer": (
        {"recs": RECS.with_columns(item_id=pl.Series([10.0, 1e300, 30, 20, 40, 10, float("inf")]))},
        "recs: column 'item_id' has 2 values of 9.22337e+18 or more (first: data row 2, 1e+300)",
    ),
    "no truth": ({"truth": TRUTH.clear()}, "truth: the data frame has no rows"),
    "no lists": ({"recs": RECS.clear()}, "recs: the data frame has no rows"),
    "no train": ({"train": TRAIN.clear()}, "train: the data frame has no rows"),
    "no column": (
        {"truth": TRUTH.rename({"item_id": "item"})},
        "truth: unknown column 'item_id': did you mean 'item'?",
    ),
    "no frame": ({"truth": [1, 2]}, "truth: a list is no data frame"),
    "lists of others": (
        {"recs": RECS.with_columns(pl.col("user_id") + 100)},
        "recs: none of the 4 users of the truth has a list here, but others have, such as 101",
    ),
    "users of two kinds": (
        {"truth": TRUTH.with_columns(pl.col("user_id").cast(pl.String))},
        "recs: column 'user_id' holds integers (such as 1), but truth: column 'user_id' holds text (such as '1')",
    ),
    "items of two kinds": (
        {"train": TRAIN.with_columns(pl.format("film-{}", "item_id").alias("item_id"))},
        "recs: column 'item_id' holds integers (such as 10), but train: column 'item_id' holds text (such as 'film-",
    ),
    "an item described twice": (
        {"items": pl.concat([ITEMS, ITEMS[1:2]])},
        "items: column 'item_id' has 1 value already in an earlier row (first: data row 5, 20)",
    ),
    "a negative gain": (
        {"truth": TRUTH.with_columns(gain=pl.Series([1, 1, -1, 1, 1, 1]))},
        "truth: column 'gain' has 1 value below 0 (first: data row 3, -1)",
    ),
    "a missing gain": (
        {"truth": TRUTH.with_columns(gain=pl.Series([1, 1, None, 1, 1, 1]))},
        "truth: column 'gain' has 1 value missing (first: data row 3, None)",
    ),
    "no gain above 0": ({"truth": TRUTH.with_columns(gain=0)}, "truth: column 'gain' is 0 in all 6 rows"),
    "two gains of one pair": (
        {"truth": pl.concat([TRUTH, TRUTH[:1]]).with_columns(gain=pl.Series([1, 1, 1, 1, 1, 1, 2]))},
        "truth: column 'gain' has 1 value other than an earlier one of the same user and item",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_a_table_that_cannot_be_right_is_refused_with_its_place(case: str) -> None:
    changed, message = BAD[case]
    with pytest.raises(DataError) as caught:
        measured(**changed)
    assert message in str(caught.value)


def test_files_are_named_in_complaints(tmp_path: Path) -> None:
    RECS.with_columns(pl.format("u{}", "user_id").alias("user_id")).write_csv(tmp_path / "lists.csv")
    TRUTH.write_csv(tmp_path / "truth.csv")
    with pytest.raises(DataError) as caught:
        measured(tmp_path / "lists.csv", tmp_path / "truth.csv")
    assert f"{tmp_path}/truth.csv: column 'user_id' holds integers (such as 1), but " in str(caught.value)
    assert f"{tmp_path}/lists.csv: column 'user_id' holds text (such as 'u1')" in str(caught.value)


def test_integers_of_a_csv_file_may_be_text_where_another_file_holds_some_of_them(tmp_path: Path) -> None:
    text = TRUTH.with_columns(pl.col("item_id").cast(pl.String))
    text = pl.concat([text, pl.DataFrame({"user_id": [1], "item_id": ["B00x"]})])
    text.write_csv(tmp_path / "truth.csv")
    RECS.write_csv(tmp_path / "recs.csv")
    found = measured(tmp_path / "recs.csv", tmp_path / "truth.csv", ["recall@3"])
    assert found.per_user["recall@3"].to_list() == pytest.approx([2 / 4, 1, 0, 0])


@pytest.mark.parametrize(
    ("wanted", "others", "message"),
    [
        (["mapp@10"], {}, "did you mean 'map'?"),
        (["map@0"], {}, "needs a cut-off of 1 or more"),
        (["map"], {"at": [0]}, "needs a cut-off of 1 or more"),
        (["map"], {"at": []}, "there is no metric to compute"),
        ([], {}, "there is no metric to compute"),
        (["miuf@10"], {}, "train"),
        (["ild@10"], {}, "item"),
        (["map@10"], {"resamples": 0}, "resamples is 0"),
    ],
)
def test_a_question_without_an_answer_is_refused(wanted: list[str], others: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        measured(wanted=wanted, **others)


def test_an_item_beyond_the_catalogue_is_counted_and_adds_nothing_to_it() -> None:
    """The catalogue is 20 and 30; shown are 10, 20, 30 and 40."""
    found = measured(wanted=["coverage@3", "gini@3"], train=TRAIN)
    assert found.counts["beyond_catalogue"] == 2
    assert found.catalogue == {"coverage@3": 1.0, "gini@3": pytest.approx(1 / 6)}
    given = MetricOptions(serendipity_catalogue="given")
    with pytest.raises(DataError, match="2 recommended items are neither in train nor in items"):
        measured(wanted=["serendipity@3"], train=TRAIN, options=given)
    listed = measured(wanted=["serendipity@3"], train=TRAIN, items=ITEMS, options=given)
    assert listed.counts["beyond_catalogue"] == 0
    assert listed.per_user["serendipity@3"][0] == pytest.approx((1 + max(2 / 4 - 3 / 4, 0)) / 3)


def test_only_metrics_of_the_quality_of_lists_read_repeats() -> None:
    twice = RECS.with_columns(item_id=pl.Series([10, 10, 30, 20, 40, 10, 10]))
    found = measured(twice, wanted=["unrepeated@3", "sufficient@2", "covered_users"])
    assert found.per_user["unrepeated@3"].to_list() == [0, 1, 0, 1]
    assert found.per_user["sufficient@2"].to_list() == [1, 1, 0, 0]
    assert found.as_dict()["covered_users"]["mean"] == 3 / 4
    with pytest.raises(DataError, match="that the user's list holds already"):
        measured(twice, wanted=["unrepeated@3", "map@3"])


def test_metrics_without_a_cut_off_read_whole_lists() -> None:
    long = pl.DataFrame({"user_id": [1] * 40, "item_id": range(40), "rank": range(1, 41)})
    truth = pl.DataFrame({"user_id": [1] * 40, "item_id": range(20, 60)})
    assert measured(long, truth, ["r_precision", "map@1"]).means == {"r_precision": 0.5, "map@1": 0.0}


def test_histories_are_those_of_the_judged_users() -> None:
    """User 1 had one drama and is shown war and drama, drama, comedy; nobody knows the taste of user 5."""
    found = measured(wanted=["calibration@3", "popularity_lift@1"], train=TRAIN, items=ITEMS)
    list_drama = (1 / 2 + 1) / 3
    assert found.per_user["calibration@3"][0] == pytest.approx(-np.log(0.99 * list_drama + 0.01))
    assert found.undefined["calibration@3"] == 1
    assert found.per_user["popularity_lift@1"][0] == pytest.approx(0 / 4 - 1)


def test_a_reference_is_held_against_the_lists() -> None:
    other = pl.DataFrame({"user_id": [1, 1, 2], "item_id": [20, 30, 10], "rank": [1, 2, 1]})
    found = measured(wanted=["intersection@2", "unexpectedness@2"], reference=other)
    assert found.per_user["intersection@2"].to_list() == [1 / 2, 0, 0, 0]
    assert found.per_user["unexpectedness@2"].to_list() == [1 / 2, 1, 0, 1]


def test_down_sampled_users_leave_the_values_but_not_the_counts_of_lists() -> None:
    users = range(20)
    truth = pl.DataFrame({"user_id": [*users, *range(5)], "item_id": [1] * 20 + [2, 3, 4, 5, 6]})
    found = measured(truth.unique("user_id").with_columns(rank=1), truth, options=MetricOptions(debias_method="iqr"))
    assert len(found.per_user) == found.counts["users"] < 20
    assert set(range(5)) <= set(found.per_user["user_id"].to_list())


def test_ids_far_apart_are_numbered_like_ids_close_together() -> None:
    def spread(frame: pl.DataFrame) -> pl.DataFrame:
        return frame.with_columns(pl.col("user_id") * 10**15 - 2**62, pl.col("item_id") * 10**13)

    near, far = measured(train=TRAIN), measured(spread(RECS), spread(TRUTH), train=spread(TRAIN))
    assert far.as_dict() == near.as_dict()


def test_a_pandas_index_and_other_columns_are_left_alone() -> None:
    odd = RECS.with_columns(note=pl.lit("x")).to_pandas().set_index(pd.Index(range(70, 77)))
    assert measured(odd).as_dict() == measured().as_dict()


def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "torn.csv").write_text("user_id,item_id,rank\n1,2,1\n1,3\n")
    with pytest.raises(DataError, match=r"torn.csv: 1 line differs from the header in length \(first: data row 2"):
        measured(tmp_path / "torn.csv")
    with pytest.raises(DataError, match=r"none.parquet: cannot be read"):
        measured(tmp_path / "none.parquet")


def test_items_without_features_are_a_catalogue_only() -> None:
    plain = ITEMS.select("item_id")
    found = measured(items=plain)
    assert {"coverage@10", "gini@10"} <= found.means.keys()
    assert "ild@10" not in found.means
    with pytest.raises(DataError, match="the items have no features to tell them apart by"):
        measured(wanted=["ild@10"], items=plain)
