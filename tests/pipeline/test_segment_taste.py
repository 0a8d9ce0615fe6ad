"""Segments: lifts worked by hand and by the source's formula, users counted once, the unknown left unknown."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from encorec.data.dataset import Dataset
from encorec.data.features import Categories, FeatureTable
from encorec.data.interactions import Interactions
from encorec.errors import ArtifactError, QueryError
from encorec.pipeline.artifact_bounds import check_bounds
from encorec.pipeline.candidate_features.context import Context
from encorec.pipeline.candidate_features.segment_taste import SMOOTHING, SegmentTaste
from encorec.types import Candidates, Eligibility, FloatMatrix, Histories, Queries

EVENTS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 4)), min_size=1, max_size=40)
CODES = st.lists(st.sampled_from([None, "a", "b", "c"]), min_size=6, max_size=6)


def people(*columns: list[Any], ages: bool = False) -> FeatureTable:
    size = len(columns[0]) if columns else 6
    named = {f"kind{place}": Categories.of(one) for place, one in enumerate(columns)}
    return FeatureTable(size, {"age": np.ones(size, np.float32)} if ages else {}, named)


def dataset(events: list[tuple[int, int]], users: FeatureTable, items: int = 5) -> Dataset:
    user, item = ([pair[place] for pair in events] for place in (0, 1))
    table = Interactions.of(user, item, list(range(len(events))), users=users.size, items=items)
    return replace(Dataset.of(table), user_features=users)


def computed(group: SegmentTaste, features: list[list[float]] | None, items: int = 5) -> FloatMatrix:
    """(queries * items, columns): every item for every query."""
    n = 1 if features is None else len(features)
    given = None if features is None else np.array(features, np.float32)
    queries = Queries(Histories.empty(n), np.full(n, 99), Eligibility(np.ones(items, bool)), given)
    query = np.repeat(np.arange(n, dtype=np.int32), items)
    item = np.tile(np.arange(items, dtype=np.int32), n)
    none = np.ones((n * items, 1), np.float32)
    out = np.full((n * items, len(group.names)), 777, np.float32, order="F")
    group.compute(Context(queries, Candidates(query, item, none, none, ("one",)), {}), out)
    return out


def test_lifts_worked_by_hand() -> None:
    """Of 10 users all 4 young and 2 of 6 old ones took item 0: share .6; one old user took item 1: share .1."""
    kind = ["young"] * 4 + ["old"] * 6
    data = dataset([*((user, 0) for user in range(6)), *((user, 1) for user in [9]), *((u, 2) for u in (6, 7, 8))],
                   people(kind))  # fmt: skip
    lifts = computed(SegmentTaste.fit(data), [[1.0], [0.0]])[:, 0]
    np.testing.assert_allclose(lifts[0], np.log(16 / 24 / 0.6), rtol=1e-6)
    np.testing.assert_allclose(lifts[1], np.log(2 / 24 / 0.1), rtol=1e-6)
    np.testing.assert_allclose(lifts[5], np.log(14 / 26 / 0.6), rtol=1e-6)
    np.testing.assert_allclose(lifts[6], np.log(3 / 26 / 0.1), rtol=1e-6)
    assert np.isnan(lifts[[3, 4, 8, 9]]).all()


@settings(max_examples=80)
@given(events=EVENTS, kinds=CODES)
def test_a_lift_is_the_shrunk_share_of_micci2001_beside_the_share_of_all(
    events: list[tuple[int, int]], kinds: list[Any]
) -> None:
    """S = w k / n + (1 - w) p with w = n / (n + a), as in equation 3 of the source."""
    group = SegmentTaste.fit(dataset(events, people(kinds)))
    names = sorted({kind for kind in kinds if kind})
    lifts = computed(group, [[float(code)] for code in range(len(names))] or None)
    active = {user for user, _ in events}
    for row, value in enumerate(lifts[:, 0] if names else []):
        alike = {user for user in active if kinds[user] == names[row // 5]}
        takers = {user for user, item in events if item == row % 5}
        share, n = len(takers) / len(active), len(alike)
        weight = n / (n + SMOOTHING)
        shrunk = weight * len(alike & takers) / max(n, 1) + (1 - weight) * share
        np.testing.assert_allclose(value, np.log(shrunk / share) if share else np.nan, rtol=1e-5, atol=1e-6)


@settings(max_examples=60)
@given(events=EVENTS, first=CODES, second=CODES)
def test_the_last_column_is_the_mean_of_the_known_ones(
    events: list[tuple[int, int]], first: list[Any], second: list[Any]
) -> None:
    group = SegmentTaste.fit(dataset(events, people(first, second, ages=True)))
    assert group.names == ("user_kind0_lift", "user_kind1_lift", "segments_lift")
    codes = [[40.0, a, b] for a in (np.nan, 0.0) for b in (np.nan, 0.0) if any(first) and any(second)]
    values = computed(group, codes or [[40.0, np.nan, np.nan]])
    known = ~np.isnan(values[:, :2])
    total, count = np.where(known, values[:, :2], 0).sum(axis=1), known.sum(axis=1)
    wanted = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    np.testing.assert_allclose(values[:, 2], wanted, rtol=1e-5, atol=1e-6)


@settings(max_examples=40)
@given(events=EVENTS, kinds=CODES, again=st.integers(0, 39))
def test_a_user_counts_once_per_item(events: list[tuple[int, int]], kinds: list[Any], again: int) -> None:
    once = SegmentTaste.fit(dataset(events, people(kinds)))
    twice = SegmentTaste.fit(dataset([*events, events[again % len(events)]], people(kinds)))
    for name, array in once.arrays().items():
        np.testing.assert_array_equal(array, twice.arrays()[name], err_msg=name)


def test_a_value_that_everybody_has_lifts_nothing() -> None:
    data = dataset([(0, 0), (1, 0), (1, 1), (2, 2)], people(["same"] * 3))
    np.testing.assert_allclose(computed(SegmentTaste.fit(data), [[0.0]])[:3], 0, atol=1e-6)


def test_users_who_never_took_anything_count_nowhere() -> None:
    some = dataset([(0, 0), (1, 1)], people(["a", "b"]))
    more = dataset([(0, 0), (1, 1)], people(["a", "b", "a", None]))
    fewer, all_of_them = (computed(SegmentTaste.fit(one), [[0.0], [1.0]]) for one in (some, more))
    np.testing.assert_array_equal(fewer, all_of_them)


def test_without_categories_of_users_there_are_no_columns() -> None:
    for users in (people(), people(ages=True)):
        group = SegmentTaste.fit(dataset([(0, 0)], users))
        assert group.names == ()
        assert computed(group, [[1.0]]).shape == (5, 0)


def test_a_table_without_interactions_knows_nothing() -> None:
    group = SegmentTaste.fit(dataset([], people(["a", "b"])))
    assert np.isnan(computed(group, [[0.0], [1.0]])).all()


@pytest.mark.parametrize("code", [np.nan, -1.0, 2.0, 1e9, np.inf, -np.inf])
def test_a_value_that_was_never_learnt_is_unknown(code: float) -> None:
    group = SegmentTaste.fit(dataset([(0, 0), (1, 1)], people(["a", "b"])))
    assert np.isnan(computed(group, [[code]])).all()


def test_a_guest_is_unknown() -> None:
    group = SegmentTaste.fit(dataset([(0, 0), (1, 1)], people(["a", "b"])))
    assert np.isnan(computed(group, None)).all()


def test_queries_with_other_columns_are_refused() -> None:
    group = SegmentTaste.fit(dataset([(0, 0), (1, 1)], people(["a", "b"], ages=True)))
    with pytest.raises(QueryError, match="user_features has 1 columns, allowed are the 2"):
        computed(group, [[0.0]])


def test_only_pairs_that_occur_are_stored() -> None:
    """3,000 zip codes and 500 items: 1.5 million pairs could occur, at most 4,000 do."""
    rng = np.random.default_rng(3)
    events = list(zip(rng.integers(0, 3000, 4000).tolist(), rng.integers(0, 500, 4000).tolist(), strict=True))
    learnt = SegmentTaste.fit(dataset(events, people([str(one) for one in range(3000)]), 500)).arrays()
    assert len(learnt["lift"]) == len(set(events))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("lift", np.zeros(1, np.float32)),
        ("floor", np.zeros(1, np.float32)),
        ("prior", np.zeros(4, np.float32)),
        ("start", np.array([0, 3])),
        ("start", np.array([1, 2])),
        ("start", np.array([0, 2, 2])),
        ("before", np.array([-1])),
    ],
)
def test_arrays_that_do_not_fit_are_refused(name: str, value: Any) -> None:
    group = SegmentTaste.fit(dataset([(0, 0), (1, 1)], people(["a", "b"])))
    with pytest.raises(ArtifactError, match="features/segments"):
        SegmentTaste(group.names, {**group.arrays(), name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [("trait", np.array([0, 2], np.int32)), ("indptr", np.array([0, 1, 2, 2, 2, 9])), ("prior", np.zeros(6))],
)
def test_what_the_loop_trusts_is_checked_with_the_artifact(name: str, value: Any) -> None:
    learnt = SegmentTaste.fit(dataset([(0, 0), (1, 1)], people(["a", "b"]))).arrays()
    arrays = {f"features/segments.{key}": array for key, array in {**learnt, name: value}.items()}
    with pytest.raises(ArtifactError, match=f"segments.{name}"):
        check_bounds("artifact", {"items/ids": np.arange(5), **arrays})
