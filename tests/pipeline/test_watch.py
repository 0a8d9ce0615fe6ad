"""Deadlines between stages, and stages that fail: every answer stays full, eligible and honest about what it lacks."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.worlds import ITEMS, Trained, small_world

from encorec.errors import QueryError
from encorec.pipeline.engine import Engine
from encorec.pipeline.requests import Answer, Request, UserState
from encorec.pipeline.two_stage import FirstStage, TwoStage
from encorec.pipeline.watch import StageCosts, Watch
from encorec.protocols import Retriever
from encorec.types import FloatMatrix, FloatVector, Queries

USER = 5
WORLD = small_world().interactions
TAKEN = set(WORLD.item.tolist())
OWN = set(WORLD.histories.items(USER).tolist())
SOURCES = ("steps", "knn", "als", "popular")
POPULAR = sorted(TAKEN, key=lambda item: (-int(WORLD.item_users[item]), item))


class Clock:
    """Stands still but for what is spent on it."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Broken:
    """Raises whatever is asked of it, in the form of a scorer or of a plain retriever."""

    def __init__(self, error: Exception, *, scores: bool) -> None:
        self._error = error
        if scores:
            self.scores = self._raise

    def retrieve(self, queries: Queries, n: int) -> Any:
        return self._raise(queries)

    def _raise(self, queries: Queries) -> Any:
        raise self._error


class LateScores:
    """Proposes like another, and then cannot say what its proposals are worth."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def retrieve(self, queries: Queries, n: int) -> Any:
        return self._inner.retrieve(queries, n)

    def scores(self, queries: Queries) -> FloatMatrix:
        return self._inner.scores(queries)

    def scored(self, queries: Queries) -> Any:
        inner = self._inner.scored(queries)

        class OnlyBest:
            best = inner.best

            def at(self, query: Any, item: Any) -> Any:
                raise OSError("gone")

        return OnlyBest()


class Slow:
    """A ranker that takes time on a clock, and may raise afterwards."""

    def __init__(self, clock: Clock, seconds: float, error: Exception | None = None, short: int = 0) -> None:
        self.clock, self.seconds, self.error, self.short = clock, seconds, error, short
        self.asked = 0

    def score(self, features: FloatMatrix) -> FloatVector:
        self.asked += 1
        self.clock.now += self.seconds
        if self.error is not None:
            raise self.error
        return np.arange(len(features) - self.short, dtype=float)

    def save(self, folder: object) -> None:
        raise NotImplementedError


def with_pipeline(engine: Engine, **changes: Any) -> Engine:
    return Engine(replace(engine.artifact, pipeline=replace(engine.artifact.pipeline, **changes)))


def with_retrievers(engine: Engine, changed: dict[str, Any], **changes: Any) -> Engine:
    first = engine.artifact.pipeline.first
    retrievers: dict[str, Retriever] = {**first.retrievers, **changed}
    return with_pipeline(engine, first=replace(first, retrievers=retrievers), **changes)


def ask(engine: Engine, watch: Watch | None, state: UserState | None = None, **request: Any) -> Answer:
    return engine.recommend([Request(**request)], [state], watch=watch)[0]


def item_ids(answer: Answer) -> list[Any]:
    return [item.item_id for item in answer.items]


def test_a_watch_over_a_healthy_engine_changes_nothing(trained: Trained) -> None:
    requests = [Request(user_id=user, k=k, explain=user < 2) for user in range(30) for k in (3, 10)]
    costs = StageCosts()
    for watch in (Watch(), Watch(deadline=1e12, costs=costs)):
        assert trained.engine.recommend(requests, watch=watch) == trained.engine.recommend(requests)
        assert watch.whole
    assert costs.expected("ranker") > 0
    assert costs.expected("source:als") > 0


def test_without_a_watch_failures_are_raised(trained: Trained) -> None:
    broken = with_retrievers(trained.engine, {"als": Broken(OSError("gone"), scores=True)})
    with pytest.raises(OSError, match="gone"):
        ask(broken, None, user_id=USER)
    slow = with_pipeline(trained.engine, ranker=Slow(Clock(), 0, RuntimeError("torn")))
    with pytest.raises(RuntimeError, match="torn"):
        ask(slow, None, user_id=USER)


@pytest.mark.parametrize("scores", [True, False])
@pytest.mark.parametrize("source", SOURCES)
def test_a_source_that_raises_is_left_out_and_the_others_answer(trained: Trained, source: str, scores: bool) -> None:
    error = OSError("gone")
    watch = Watch()
    answer = ask(with_retrievers(trained.engine, {source: Broken(error, scores=scores)}), watch, user_id=USER)
    assert answer.degraded == [f"source:{source}"]
    assert watch.failed == {f"source:{source}": error}
    assert len(answer.items) == 10
    assert not any(source in item.source for item in answer.items)
    assert set(item_ids(answer)) <= TAKEN - OWN


def test_the_ranker_sees_nan_where_a_source_failed(trained: Trained) -> None:
    seen: list[FloatMatrix] = []

    class Looking(Slow):
        def score(self, features: FloatMatrix) -> FloatVector:
            seen.append(features.copy())
            return super().score(features)

    engine = with_retrievers(
        trained.engine, {"steps": Broken(OSError(), scores=True)}, ranker=Looking(Clock(), 0), routing=None
    )
    assert ask(engine, Watch(), user_id=USER).degraded == ["source:steps"]
    names = engine.artifact.pipeline.first.features.names
    dead = [place for place, name in enumerate(names) if name.startswith("steps_")]
    assert len(dead) > 3, "scores, ranks, scaled ones, and those of the newest events"
    assert np.isnan(seen[0][:, dead]).all()
    alive = [place for place, name in enumerate(names) if name in ("als_score", "knn_score", "popular_score")]
    assert not np.isnan(seen[0][:, alive]).any()


def test_a_source_that_fails_when_asked_for_its_scores_keeps_its_proposals(trained: Trained) -> None:
    late = LateScores(trained.engine.artifact.pipeline.first.retrievers["steps"])
    answer = ask(with_retrievers(trained.engine, {"steps": late}), Watch(), user_id=USER)
    assert answer.degraded == ["source:steps"]
    assert len(answer.items) == 10


def test_where_all_sources_fail_the_popular_items_answer(trained: Trained) -> None:
    broken = {source: Broken(OSError(source), scores=True) for source in SOURCES}
    watch = Watch()
    answer = ask(with_retrievers(trained.engine, broken), watch, user_id=USER)
    assert answer.degraded == ["retrieval", *(f"source:{source}" for source in SOURCES)]
    assert item_ids(answer) == [item for item in POPULAR if item not in OWN][:10]
    assert [item.source for item in answer.items] == [["popularity"]] * 10
    assert [item.score for item in answer.items] == pytest.approx([1 / (60 + place) for place in range(1, 11)])
    assert set(watch.failed) == {f"source:{source}" for source in SOURCES}


def test_sources_that_only_score_cannot_answer_alone(trained: Trained) -> None:
    first = trained.engine.artifact.pipeline.first
    retrievers: dict[str, Any] = {**first.retrievers, "popular": Broken(OSError(), scores=True)}
    quotas = {name: 20 * (name == "popular") for name in retrievers}
    engine = with_pipeline(trained.engine, first=FirstStage(retrievers, quotas, first.features))
    assert ask(engine, Watch(), user_id=USER).degraded == ["retrieval", "source:popular"]


CHANGES: dict[str, Callable[[Engine], Engine]] = {
    "one source": lambda one: with_retrievers(one, {"knn": Broken(OSError(), scores=True)}),
    "all sources": lambda one: with_retrievers(one, {name: Broken(OSError(), scores=True) for name in SOURCES}),
    "ranker": lambda one: with_pipeline(one, ranker=Slow(Clock(), 0, OSError()), routing=None),
    "selector": lambda one: with_pipeline(one, selector=Choosy()),
}


class Choosy:
    def select(self, queries: Queries, candidates: object, k: int) -> Any:
        raise OSError("none is good enough")


@pytest.mark.parametrize("change", CHANGES)
@given(
    k=st.integers(1, 200),
    user=st.none() | st.integers(0, 310),
    seen=st.sets(st.integers(0, ITEMS), max_size=140),
    allow=st.none() | st.sets(st.integers(0, ITEMS + 3)),
    deny=st.sets(st.integers(0, ITEMS)),
)
def test_a_degraded_answer_is_full_and_eligible_too(
    trained: Trained, change: str, k: int, user: int | None, seen: set[int], allow: set[int] | None, deny: set[int]
) -> None:
    engine = CHANGES[change](trained.engine)
    request: dict[str, Any] = {"user_id": user, "k": k, "deny": tuple(deny)}
    request |= {} if allow is None else {"allow": tuple(allow)}
    answer = ask(engine, Watch(), UserState((), tuple(seen)), **request)
    own = set() if user is None or user >= 300 else set(WORLD.histories.items(user).tolist())
    eligible = TAKEN - own - seen - deny if allow is None else (TAKEN & allow) - own - seen - deny
    shown = item_ids(answer)
    assert len(shown) == len(set(shown)) == min(k, len(eligible))
    assert set(shown) <= eligible
    assert answer.degraded


class TestWithoutTheRanker:
    @pytest.mark.parametrize("short", [0, 1])
    def test_one_that_raises_or_miscounts_leaves_the_order_of_the_fusion(self, trained: Trained, short: int) -> None:
        ranker = Slow(Clock(), 0, None if short else ValueError("torn"), short=short)
        watch = Watch()
        answer = ask(with_pipeline(trained.engine, ranker=ranker, routing=None), watch, user_id=USER)
        fused = Engine(replace(trained.engine.artifact, pipeline=TwoStage(trained.engine.artifact.pipeline.first)))
        assert answer.items == ask(fused, None, user_id=USER).items
        assert answer.degraded == ["ranker"]
        assert isinstance(watch.failed["ranker"], QueryError if short else ValueError)

    def test_where_a_source_is_named_its_order_holds(self, trained: Trained) -> None:
        changes: dict[str, Any] = {"source": "als", "routing": None}
        answer = ask(
            with_pipeline(trained.engine, ranker=Slow(Clock(), 0, OSError()), **changes), Watch(), user_id=USER
        )
        alone = with_pipeline(trained.engine, ranker=None, calibration=None, **changes)
        assert answer.items == ask(alone, None, user_id=USER).items

    def test_where_that_source_fails_as_well_it_is_the_fusion_of_the_others(self, trained: Trained) -> None:
        broken = {"als": Broken(OSError(), scores=True)}
        one = with_retrievers(trained.engine, broken, ranker=None, source="als", routing=None)
        other = with_retrievers(trained.engine, broken, ranker=None, source=None, routing=None)
        answer = ask(one, Watch(), user_id=USER)
        assert answer.degraded == ["source:als"]
        assert item_ids(answer) == item_ids(ask(other, Watch(), user_id=USER))

    def test_nothing_is_explained_that_did_not_happen(self, trained: Trained) -> None:
        engine = with_pipeline(trained.engine, ranker=Slow(Clock(), 0, OSError()), routing=None)
        answer = ask(engine, Watch(), user_id=USER, explain=True)
        assert answer.degraded == ["ranker", "explanation"]
        assert all(item.explanation is None for item in answer.items)
        assert ask(trained.engine, Watch(), user_id=USER, explain=True) == ask(
            trained.engine, None, user_id=USER, explain=True
        )


class TestDeadlines:
    def test_a_ranker_that_was_slow_is_skipped_where_too_little_time_is_left(self, trained: Trained) -> None:
        clock = Clock()
        ranker, costs = Slow(clock, 0.2), StageCosts()
        engine = with_pipeline(trained.engine, ranker=ranker, routing=None)

        def degraded(seconds: float) -> list[str]:
            return ask(engine, Watch(clock.now + seconds, costs, clock), user_id=USER).degraded

        assert degraded(0.05) == [], "nothing is known of it yet"
        assert [degraded(0.05) for _ in range(5)] == [["deadline", "ranker"]] * 5
        assert ranker.asked == 1
        assert degraded(0.3) == []

    def test_one_that_has_recovered_comes_back(self, trained: Trained) -> None:
        clock = Clock()
        ranker, costs = Slow(clock, 0.2), StageCosts(retry=20)
        engine = with_pipeline(trained.engine, ranker=ranker, routing=None)

        def degraded() -> list[str]:
            return ask(engine, Watch(clock.now + 0.05, costs, clock), user_id=USER).degraded

        degraded()
        ranker.seconds = 0.01
        answers = [degraded() for _ in range(40)]
        assert answers == [["deadline", "ranker"]] * 20 + [[]] * 20

    def test_one_that_is_always_slow_makes_few_answers_late(self, trained: Trained) -> None:
        clock = Clock()
        costs = StageCosts(retry=20)
        engine = with_pipeline(trained.engine, ranker=Slow(clock, 0.2), routing=None)
        late = 0
        for _ in range(210):
            deadline = clock.now + 0.05
            ask(engine, Watch(deadline, costs, clock), user_id=USER)
            late += clock.now > deadline
        assert late == 10, "the first time, and every time after twenty"

    def test_a_slow_source_is_skipped_and_the_others_answer(self, trained: Trained) -> None:
        clock = Clock()
        inner: Any = trained.engine.artifact.pipeline.first.retrievers["knn"]

        class SlowSource:
            def retrieve(self, queries: Queries, n: int) -> Any:
                clock.now += 0.2
                return inner.retrieve(queries, n)

        engine, costs = with_retrievers(trained.engine, {"knn": SlowSource()}), StageCosts()
        asked = [ask(engine, Watch(clock.now + 0.25, costs, clock), user_id=USER) for _ in range(2)]
        assert [one.degraded for one in asked] == [[], []]
        answer = ask(engine, Watch(clock.now + 0.1, costs, clock), user_id=USER)
        assert answer.degraded == ["deadline", "source:knn"]
        assert len(answer.items) == 10

    @pytest.mark.parametrize("costs", [None, StageCosts()])
    def test_after_the_deadline_the_popular_items_answer(self, trained: Trained, costs: StageCosts | None) -> None:
        clock = Clock()
        answer = ask(trained.engine, Watch(0.0, costs, clock), user_id=USER, k=4, explain=True)
        assert answer.degraded == ["deadline", "retrieval", "explanation"]
        assert item_ids(answer) == [item for item in POPULAR if item not in OWN][:4]


class TestBatches:
    def test_only_those_whom_a_source_failed_do_without_it(self, trained: Trained) -> None:
        """A history that one source cannot bear; the requests beside it are answered as if it were not there."""
        inner: Any = trained.engine.artifact.pipeline.first.retrievers["knn"]

        class Touchy:
            def retrieve(self, queries: Queries, n: int) -> Any:
                return inner.retrieve(queries, n)

            def scores(self, queries: Queries) -> FloatMatrix:
                if queries.user is not None and USER in queries.user:
                    raise ZeroDivisionError
                return inner.scores(queries)

        engine = with_retrievers(trained.engine, {"knn": Touchy()})
        requests = [Request(user_id=user, k=k) for k in (4, 7) for user in (1, USER, 2)]
        watch = Watch()
        answers = engine.recommend(requests, watch=watch)
        assert [one.degraded for one in answers] == [[], ["source:knn"], []] * 2
        assert set(watch.failed) == {"source:knn"}
        alone = [ask(engine, Watch(), user_id=one.user_id, k=one.k) for one in requests]
        assert answers == alone
        assert [answers[at] for at in (0, 2)] == trained.engine.recommend([requests[0], requests[2]])

    def test_where_nothing_works_all_get_popular_items_of_their_own(self, trained: Trained) -> None:
        broken = {source: Broken(OSError(source), scores=True) for source in SOURCES}
        answers = with_retrievers(trained.engine, broken).recommend(
            [Request(user_id=USER, k=5), Request(deny=tuple(POPULAR[:2]), k=5), Request(k=2)], watch=Watch()
        )
        unseen = [item for item in POPULAR if item not in OWN]
        assert [item_ids(one) for one in answers] == [unseen[:5], POPULAR[2:7], POPULAR[:2]]


@given(st.lists(st.floats(0, 10), min_size=1, max_size=200))
def test_what_a_stage_may_take_is_the_95th_percentile_of_its_last_runs(runs: list[float]) -> None:
    costs = StageCosts()
    for at, seconds in enumerate(runs):
        costs.add("ranker", seconds)
        window = sorted(runs[max(0, at - 63) : at + 1])
        assert costs.expected("ranker") == window[int(0.95 * (len(window) - 1) + 0.5)]
    assert costs.fits("ranker", costs.expected("ranker") + 0.001)


def test_one_outlier_in_a_window_is_forgiven() -> None:
    costs = StageCosts()
    for _ in range(60):
        costs.add("ranker", 0.001)
    for _ in range(3):
        costs.add("ranker", 5.0)
    assert costs.fits("ranker", 0.01)
    costs.add("ranker", 5.0)
    costs.add("ranker", 5.0)
    assert not costs.fits("ranker", 0.01)


def test_a_window_has_no_place_for_what_is_long_past() -> None:
    costs = StageCosts(window=4)
    for seconds in (9.0, 1.0, 1.0, 1.0, 1.0):
        costs.add("ranker", seconds)
    assert costs.expected("ranker") == 1.0
