"""Systems against a reference: paired, by hand and against the bootstrap on arrays."""

import json
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.evaluation.frames.worlds import Tables, tables

from encorec.errors import ConfigError, DataError
from encorec.evaluation.frames.comparison import compare_lists
from encorec.evaluation.frames.measure import metrics
from encorec.evaluation.uncertainty import compare, holm

TRUTH = pl.DataFrame({"user_id": [1, 2, 3, 4], "item_id": [10, 10, 20, 20]})
OLD = pl.DataFrame({"user_id": [1, 2, 3, 9], "item_id": [10, 30, 30, 10], "rank": 1})
NEW = pl.DataFrame({"user_id": [1, 2, 3, 3], "item_id": [30, 10, 30, 20], "rank": [1, 1, 1, 2]})
SYSTEMS = {"old": OLD, "new": NEW, "both": pl.concat([OLD, TRUTH[3:].with_columns(rank=1)], how="vertical_relaxed")}


def test_differences_are_system_minus_reference_user_by_user() -> None:
    """mrr@2 of old: 1, 0, 0, 0; of new: 0, 1, 1/2, 0; of both: 1, 0, 0, 1."""
    found = compare_lists(SYSTEMS, TRUTH, ["mrr@2"], resamples=200)
    assert found.reference == "old"
    assert found.means == {"old": {"mrr@2": 1 / 4}, "new": {"mrr@2": 3 / 8}, "both": {"mrr@2": 1 / 2}}
    new = found.differences["new"]["mrr@2"]
    assert (new.mean, new.better, new.equal, new.worse) == (1 / 8, 1 / 2, 1 / 4, 1 / 4)
    assert found.covered_users == {"old": 3, "new": 3, "both": 4}
    assert found.ignored_users == {"old": 1, "new": 0, "both": 1}
    assert found.per_user["new"]["mrr@2"].to_list() == [0, 1, 1 / 2, 0]


def test_each_pair_is_that_of_the_comparison_of_arrays_and_p_is_adjusted_over_systems() -> None:
    found = compare_lists(SYSTEMS, TRUTH, ["mrr@2", "recall@1"], seed=4, resamples=200)
    for metric in ("mrr@2", "recall@1"):
        values = {name: one[metric].to_numpy() for name, one in found.per_user.items()}
        alone = {
            name: compare(values[name], values["old"], rng=np.random.default_rng(4), resamples=200)
            for name in ("new", "both")
        }
        assert {name: found.differences[name][metric] for name in alone} == alone
        adjusted = holm([one.p for one in alone.values()])
        assert [found.adjusted_p[name][metric] for name in alone] == adjusted


def test_another_reference_may_be_named() -> None:
    found = compare_lists(SYSTEMS, TRUTH, ["mrr@2"], reference="new", resamples=50)
    assert found.differences["old"]["mrr@2"].mean == -1 / 8
    assert found.differences.keys() == {"old", "both"}


def test_the_dictionary_is_ready_for_json_and_a_catalogue_metric_has_no_interval() -> None:
    content = compare_lists(SYSTEMS, TRUTH, ["mrr@2", "coverage@2"], train=TRUTH, resamples=50).as_dict()
    assert json.loads(json.dumps(content)) == content
    assert content["comparisons"]["new"]["coverage@2"] == {"mean": 1 / 2, "ci95": None, "p": None, "p_holm": None}
    assert content["comparisons"]["new"]["mrr@2"].keys() == {
        *("mean", "ci95", "p", "p_holm", "better", "equal", "worse")
    }
    assert content["systems"]["old"]["means"] == {"mrr@2": 1 / 4, "coverage@2": 1 / 2}


@settings(max_examples=25)
@given(world=tables(), random=st.randoms())
def test_the_order_of_rows_changes_nothing(world: Tables, random: Any) -> None:
    def mixed(frame: pl.DataFrame) -> pl.DataFrame:
        order = list(range(len(frame)))
        random.shuffle(order)
        return frame[order]

    second = world.recs.filter(pl.col("rank") <= 2)
    straight = compare_lists({"a": world.recs, "b": second}, world.truth, at=[1, 4], resamples=20)
    shuffled = compare_lists({"a": mixed(world.recs), "b": mixed(second)}, mixed(world.truth), at=[1, 4], resamples=20)
    assert shuffled.as_dict() == straight.as_dict()


@settings(max_examples=20)
@given(world=tables())
def test_a_system_is_judged_in_company_as_it_is_alone(world: Tables) -> None:
    others = {"train": world.train, "items": world.items, "at": [3], "resamples": 2}
    second = world.recs.filter(pl.col("rank") == 1).with_columns(pl.col("item_id") + 100)
    together = compare_lists({"a": world.recs, "b": second}, world.truth, **others)
    for name, lists in {"a": world.recs, "b": second}.items():
        assert together.means[name] == pytest.approx(metrics(lists, world.truth, **others).means, abs=1e-12)


def test_overlap_is_that_with_the_reference() -> None:
    found = compare_lists(SYSTEMS, TRUTH, ["intersection@1", "unexpectedness@1"], resamples=20)
    assert found.means["both"]["intersection@1"] == 3 / 4
    assert found.means["new"]["intersection@1"] == 1 / 4
    assert found.means["new"]["unexpectedness@1"] == 1 / 2
    by_popularity = compare_lists(SYSTEMS, TRUTH, ["unexpectedness@1"], train=OLD.drop("rank"), resamples=20)
    alone = metrics(NEW, TRUTH, ["unexpectedness@1"], train=OLD.drop("rank"), resamples=20)
    assert by_popularity.means["new"] == alone.means


def test_values_come_in_the_kind_of_each_system() -> None:
    found = compare_lists({"a": OLD.to_pandas(), "b": NEW}, TRUTH, ["mrr@1"], resamples=20)
    assert isinstance(found.per_user["a"], pd.DataFrame)
    assert isinstance(found.per_user["b"], pl.DataFrame)


def test_one_system_cannot_be_compared_and_an_unknown_reference_is_named() -> None:
    with pytest.raises(ConfigError, match="two systems or more, got 1"):
        compare_lists({"old": OLD}, TRUTH)
    with pytest.raises(ConfigError, match="unknown reference 'olt': did you mean 'old'"):
        compare_lists(SYSTEMS, TRUTH, reference="olt")
    with pytest.raises(DataError, match="new: column 'rank' has 1 value below 1"):
        compare_lists(SYSTEMS | {"new": NEW.with_columns(rank=pl.Series([0, 1, 1, 2]))}, TRUTH)
