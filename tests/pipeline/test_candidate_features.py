"""Every feature equals its slow twin, is the same in a batch and alone, and knows nothing of the future."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.pipeline import feature_twins
from tests.pipeline.drawn import DAY, SOURCES, START, Asked, World, moments, worlds
from tests.worlds import Trained

from encorec.data.dataset import Dataset
from encorec.data.features import Categories, FeatureTable, Tags
from encorec.data.interactions import Interactions
from encorec.errors import ConfigError
from encorec.pipeline.candidate_features import CandidateFeatures, FeatureConfig
from encorec.pipeline.candidate_features.context import Context
from encorec.pipeline.candidate_features.item_activity import ItemActivity
from encorec.pipeline.candidate_features.own_history import OwnHistory
from encorec.pipeline.candidate_features.recent_similarity import RecentSimilarity
from encorec.pipeline.candidate_features.segment_taste import SegmentTaste
from encorec.pipeline.candidate_features.session import Session
from encorec.pipeline.candidate_features.source_scores import SourceScores
from encorec.pipeline.candidate_features.static_values import StaticValues
from encorec.pipeline.candidate_features.time_of_asking import TimeOfAsking
from encorec.pipeline.candidate_features.traits import Traits
from encorec.pipeline.candidate_features.user_activity import UserActivity
from encorec.pipeline.eligibility import fold_queries
from encorec.pipeline.two_stage import FirstStage
from encorec.protocols import Scorer, is_scorer
from encorec.types import FloatMatrix

Twin = Callable[[World, Asked, int], list[float]]

GROUPS: dict[str, tuple[Callable[[Dataset], Any], Twin]] = {
    "scores": (lambda _: SourceScores(SOURCES), feature_twins.scores),
    "items": (ItemActivity.fit, feature_twins.items),
    "users": (UserActivity.fit, feature_twins.users),
    "traits": (Traits.fit, feature_twins.traits),
    "static": (StaticValues.fit, feature_twins.static),
    "own": (lambda _: OwnHistory(), feature_twins.own),
    "segments": (SegmentTaste.fit, feature_twins.segments),
    "time": (TimeOfAsking.fit, feature_twins.time),
    "session": (lambda _: Session(feature_twins.GAP_MINUTES), feature_twins.session),
}


def computed(group: Any, context: Context) -> FloatMatrix:
    out = np.full((len(context.candidates), len(group.names)), 777, np.float32, order="F")
    group.compute(context, out)
    return out


@settings(max_examples=60)
@given(world=worlds())
def test_features_equal_their_twins(world: World) -> None:
    for name, (fit, twin) in GROUPS.items():
        values = computed(fit(world.data), world.context())
        wanted = [twin(world, asked, place) for asked in world.asked for place in range(len(asked.candidates))]
        np.testing.assert_allclose(values, np.array(wanted), rtol=2e-5, atol=2e-5, err_msg=name)


@settings(max_examples=60)
@given(world=worlds())
def test_features_are_the_same_in_a_batch_and_alone(world: World) -> None:
    for name, (fit, _) in GROUPS.items():
        group = fit(world.data)
        alone = [computed(group, world.context([asked])) for asked in world.asked]
        together = computed(group, world.context())
        np.testing.assert_array_equal(together, np.concatenate(alone), strict=True, err_msg=name)


@settings(max_examples=60)
@given(worlds(), moments(), st.data())
def test_what_happens_to_an_item_later_changes_none_of_its_features(
    world: World, now: int, draw: st.DataObject
) -> None:
    """The newest event before now has to be of today: after the last day that anybody has seen, windows stand still."""
    moment = now + 1
    past = [row for row in world.rows if row[2] < moment] + [(0, 0, now, 1.0)]
    row = st.tuples(st.integers(0, len(world.ages) - 1), st.integers(0, len(world.years) - 1), moments(days=40))
    later = [(user, item, time + moment - START, 1.0) for user, item, time in draw.draw(st.lists(row, max_size=8))]
    asked = [replace(one, now=moment, history=[]) for one in world.asked]
    before, after = (
        computed(ItemActivity.fit(replace(world, rows=rows).data), world.context(asked))
        for rows in (past, past + later)
    )
    np.testing.assert_array_equal(before, after)


def test_item_days_are_counted_from_the_first_interaction() -> None:
    """Not from 1970: a table of twenty thousand empty days would be huge, or its days weeks long."""
    data = Dataset.of(Interactions.of([0, 0], [0, 1], [START, START + 3 * DAY]))
    learnt = ItemActivity.fit(data).arrays()
    assert learnt["events"].shape == (5, 2)
    assert learnt["clock"].tolist() == [START // DAY * DAY, DAY]


def test_days_are_joined_where_the_table_would_be_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("encorec.pipeline.candidate_features.item_activity.LARGEST_TABLE", 8)
    data = Dataset.of(Interactions.of([0, 0, 0], [0, 1, 0], [0, 5 * DAY, 10 * DAY]))
    learnt = ItemActivity.fit(data).arrays()
    assert learnt["clock"].tolist() == [0, 3 * DAY]
    assert learnt["events"].tolist() == [[0, 0], [1, 0], [1, 1], [1, 1], [2, 1]]


def test_a_column_without_any_value_is_unknown_not_garbage() -> None:
    """Found where the last category column of a file was empty."""
    shelf = FeatureTable(2, {}, {"kind": Categories.of([None, None])}, {"genres": Tags.of([["war"], []])})
    data = replace(Dataset.of(Interactions.of([0, 0], [0, 1], [START, START])), item_features=shelf)
    asked = Asked([(0, START, 1.0)], START + 1, [], [0], [[1.0, 1.0]], [[1.0, 1.0]])
    world = World([], [0, 0], [], [], [], [], [asked])
    group = Traits.fit(data)
    assert group.names == ("genres_affinity", "kind_affinity", "genres_affinity_recent", "kind_affinity_recent")
    np.testing.assert_array_equal(computed(group, world.context()), [[1, np.nan, 1, np.nan]])


def test_of_a_huge_vocabulary_only_the_frequent_values_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("encorec.pipeline.candidate_features.traits.LARGEST_VOCABULARY", 1)
    shelf = FeatureTable(3, tags={"genres": Tags.of([["rare", "war"], ["war"], ["rare2"]])})
    data = replace(Dataset.of(Interactions.of([0] * 3, [0, 1, 2], [START] * 3)), item_features=shelf)
    asked = Asked([(1, START, 1.0)], START + 1, [], [0, 2], [[1.0, 1.0]] * 2, [[1.0, 1.0]] * 2)
    world = World([], [0, 0, 0], [], [], [], [], [asked])
    np.testing.assert_array_equal(computed(Traits.fit(data), world.context()), [[1, 1], [np.nan, np.nan]])


def test_recent_similarity_is_the_score_for_the_newest_events_alone(trained: Trained) -> None:
    first = trained.engine.artifact.pipeline.first
    queries = fold_queries(trained.exam.test).take(np.arange(9))
    found = first.candidates(queries)
    group = RecentSimilarity((("steps", 1), ("als", 3)))
    values = computed(group, Context(queries, found, first.retrievers))
    for row, (query, item) in enumerate(zip(found.query, found.item, strict=True)):
        one = queries.take(np.array([query]))
        for column, (source, events) in enumerate(group.asked):
            cut = one.with_history(one.history.tail(events))
            assert values[row, column] == scorer(first, source).scores(cut)[0, item]


def scorer(first: FirstStage, source: str) -> Scorer:
    retriever = first.retrievers[source]
    assert is_scorer(retriever)
    return retriever


class OnlyRetrieves:
    """A plug-in that cannot score the whole catalogue."""

    def retrieve(self, queries: Any, n: int) -> Any:
        raise NotImplementedError


def test_recent_similarity_of_a_source_that_cannot_score_is_unknown() -> None:
    world = World([], [0], [], [], [], [], [Asked([], START, [], [0], [[1.0, 1.0]], [[1.0, 1.0]])])
    context = replace(world.context(), retrievers={"plug-in": OnlyRetrieves()})
    assert np.isnan(computed(RecentSimilarity((("plug-in", 1),)), context)).all()


def test_columns_stand_in_the_order_of_their_names(trained: Trained) -> None:
    first = trained.engine.artifact.pipeline.first
    queries = fold_queries(trained.exam.test).take(np.arange(5))
    found = first.candidates(queries)
    features = first.features.compute(queries, found, first.retrievers)
    columns = dict(zip(first.features.names, features.T, strict=True))
    assert len(columns) == len(first.features.names)
    np.testing.assert_array_equal(columns["steps_score"], found.score[:, found.sources.index("steps")])
    np.testing.assert_array_equal(columns["item_year"], trained.data.item_features.numeric["year"][found.item])
    np.testing.assert_array_equal(columns["user_events"], queries.history.lengths[found.query])


def test_features_restored_from_their_arrays_are_the_same(trained: Trained) -> None:
    first = trained.exam.pipeline.first
    features = first.features
    restored = CandidateFeatures.from_arrays(
        features.config, features.sources, features.learnt_names(), features.arrays()
    )
    queries = fold_queries(trained.exam.test).take(np.arange(5))
    found = first.candidates(queries)
    assert restored.names == features.names
    np.testing.assert_array_equal(
        restored.compute(queries, found, first.retrievers), features.compute(queries, found, first.retrievers)
    )


def test_only_the_groups_asked_for_are_computed(trained: Trained) -> None:
    config = FeatureConfig(groups=("users", "scores"))
    features = CandidateFeatures.fit(config, ("steps",), trained.data)
    assert features.names == (*UserActivity.NAMES, *SourceScores(("steps",)).names)
    assert {name.partition(".")[0] for name in features.arrays()} == {"users"}


@pytest.mark.parametrize(
    ("given_groups", "told"),
    [((), "named once each, got none"), (("users", "users"), "named once each, got users, users")],
)
def test_groups_are_named_once_each(given_groups: Any, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        FeatureConfig(groups=given_groups)


def test_recent_events_are_at_least_one() -> None:
    with pytest.raises(ConfigError, match="recent_events must be at least 1"):
        FeatureConfig(recent_events=(1, 0))
