"""How a user's history is put together equals its plain description, whatever is remembered, told and asked."""

from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.worlds import DAY, ITEMS, USERS, Trained, small_world

from encorec.pipeline.artifact import Artifact
from encorec.pipeline.query_building import build_queries, stored_queries
from encorec.pipeline.requests import ItemId, PastEvent, Request, UserState
from encorec.types import Queries

USER = 5
WORLD = small_world().interactions
END, PAST = WORLD.end, WORLD.histories.take(np.array([USER]))
Events = list[tuple[int, int, float]]
"""Item, second and weight of each event."""


@pytest.fixture(scope="module")
def artifact(trained: Trained) -> Artifact:
    return trained.engine.artifact


def build(artifact: Artifact, request: Request, state: UserState | None = None, now: int | None = None) -> Queries:
    return build_queries(artifact, [request], [state], artifact.data_end if now is None else now)[0]


def events_of(queries: Queries, row: int = 0) -> Events:
    history = queries.history.take(np.array([row]))
    return list(zip(history.item.tolist(), history.time.tolist(), history.weight.tolist(), strict=True))


def eligible(queries: Queries) -> set[int]:
    return set(np.flatnonzero(queries.eligible.mask(1)[0]).tolist())


def trained_events(artifact: Artifact, user: ItemId | None) -> Events:
    row = -1 if user is None or not str(user).isdecimal() else int(user)
    one = artifact.histories.take(np.array([row] if 0 <= row < USERS else [], int))
    return list(zip(one.item.tolist(), one.time.tolist(), one.weight.tolist(), strict=True))


def known(events: tuple[PastEvent, ...]) -> Events:
    """Events of known items by time, in row numbers: here an id is its row."""
    rows = [(int(event.item_id), int(event.timestamp), event.weight) for event in events if is_known(event.item_id)]
    return sorted(rows, key=lambda event: event[1])


def is_known(item: ItemId) -> bool:
    return str(item).isdecimal() and int(item) < ITEMS


def twin(artifact: Artifact, request: Request, state: UserState | None, now: int) -> tuple[Events, set[int], int]:
    """History, eligible items and number of unknown ids, straight from the rules."""
    if request.history is not None:
        events, seen = known(request.history), ()
    else:
        events, seen = trained_events(artifact, request.user_id), state.seen if state else ()
        met = {(item, time) for item, time, _ in events}
        events += [event for event in known(state.events if state else ()) if event[:2] not in met]
    history = [event for event in sorted(events, key=lambda event: event[1]) if event[1] < now]
    gone = {item for item, _, _ in history} | {int(item) for item in (*seen, *request.deny) if is_known(item)}
    taken = set(artifact.histories.item.tolist())
    kept = taken if request.allow is None else {int(item) for item in request.allow if is_known(item)}
    given_ids = [*(request.allow or ()), *request.deny, *(event.item_id for event in request.history or ())]
    return history, kept & taken - gone, sum(not is_known(one) for one in given_ids)


ITEM = st.one_of(st.integers(0, ITEMS + 3), st.integers(0, ITEMS - 1).map(str), st.just("no such item"))
ITEM_LISTS = st.lists(ITEM, max_size=5).map(tuple)
TIME = st.integers(-2000, 24).map(lambda hours: END + 3600 * hours + 0.5) | st.sampled_from(
    [0.0, END - 1.0, float(END)]
)
FRESH = st.builds(PastEvent, ITEM, TIME, st.sampled_from([1.0, 2.5]))
AGAIN = st.integers(0, 5).map(lambda place: PastEvent(PAST.item[place].item(), PAST.time[place].item(), 9.0))
REQUESTS = st.builds(
    Request,
    user_id=st.sampled_from([USER, str(USER), None, "somebody new", USERS - 1]),
    allow=st.none() | ITEM_LISTS,
    deny=ITEM_LISTS,
    history=st.none() | st.lists(FRESH, max_size=6).map(tuple),
)
STATES = st.none() | st.builds(UserState, st.lists(FRESH | AGAIN, max_size=6).map(tuple), ITEM_LISTS)
MOMENTS = st.sampled_from([END, END + 3600, END - 40 * DAY, 0])


@settings(max_examples=150)
@given(request=REQUESTS, state=STATES, now=MOMENTS)
def test_a_query_equals_its_twin(trained: Trained, request: Request, state: UserState | None, now: int) -> None:
    history, may_be_shown, unknown = twin(trained.engine.artifact, request, state, now)
    queries, counted = build_queries(trained.engine.artifact, [request], [state], now)
    assert events_of(queries) == history
    assert eligible(queries) == may_be_shown
    assert (queries.now.tolist(), counted) == ([now], [unknown])


@settings(max_examples=40)
@given(asked=st.lists(st.tuples(REQUESTS, STATES), max_size=4))
def test_a_batch_is_built_like_single_queries(trained: Trained, asked: list[tuple[Request, UserState | None]]) -> None:
    artifact = trained.engine.artifact
    together, counted = build_queries(artifact, [one for one, _ in asked], [state for _, state in asked], END)
    masks = together.eligible.mask(len(asked))
    assert len(together) == len(asked)
    for row, (request, state) in enumerate(asked):
        alone, [count] = build_queries(artifact, [request], [state], END)
        assert events_of(together, row) == events_of(alone)
        assert (masks[row] == alone.eligible.mask(1)[0]).all()
        assert counted[row] == count
        np.testing.assert_array_equal(together.take(np.array([row])).user_features, alone.user_features)


def test_remembered_events_follow_the_training_history_without_those_it_holds(artifact: Artifact) -> None:
    past = trained_events(artifact, USER)
    item, time, _ = past[-1]
    fresh = next(one for one in range(ITEMS) if one not in {item for item, _, _ in past})
    state = UserState((PastEvent(item, time), PastEvent(fresh, time + 0.9, 2.0)))
    assert events_of(build(artifact, Request(user_id=USER), state)) == [*past, (fresh, time, 2.0)]


def test_what_was_seen_beyond_the_history_is_not_shown_again(artifact: Artifact) -> None:
    seen = tuple(sorted(eligible(build(artifact, Request(user_id=USER))))[:9])
    queries = build(artifact, Request(user_id=USER), UserState((), seen))
    assert eligible(queries) == eligible(build(artifact, Request(user_id=USER))) - set(seen)
    assert events_of(queries) == trained_events(artifact, USER)


def test_a_history_in_the_request_replaces_everything_remembered(artifact: Artifact) -> None:
    request = Request(user_id=USER, history=(PastEvent(3, 20.0), PastEvent(1, 10.0)))
    queries = build(artifact, request, UserState((PastEvent(7, 15),), (7, 8)))
    assert events_of(queries) == [(1, 10, 1.0), (3, 20, 1.0)]
    assert {1, 3} & eligible(queries) == set()
    assert {7, 8} <= eligible(queries)


def test_an_event_of_the_very_second_of_asking_does_not_count(artifact: Artifact) -> None:
    request = Request(history=(PastEvent(3, 99.0), PastEvent(4, 99.999), PastEvent(5, 100.0)))
    queries = build(artifact, request, now=100)
    assert [item for item, _, _ in events_of(queries)] == [3, 4]
    assert 5 in eligible(queries)


def test_seen_items_may_return_where_the_pipeline_keeps_them(artifact: Artifact) -> None:
    config = msgspec.structs.replace(artifact.config, seen="keep")
    lenient = replace(artifact, config=config)
    queries = build(lenient, Request(user_id=USER, deny=(2,)), UserState((), (7,)))
    assert eligible(queries) == set(lenient.histories.item.tolist()) - {2}


def test_ids_given_as_text_are_the_same_ids(artifact: Artifact) -> None:
    number = build(artifact, Request(user_id=USER, allow=(1, 2, 3), deny=(2,)))
    text = build(artifact, Request(user_id=str(USER), allow=("1", "2", "3"), deny=("2",)))
    assert events_of(number) == events_of(text)
    assert eligible(number) == eligible(text)
    assert number.user is not None
    assert number.user.tolist() == [USER]


@pytest.mark.parametrize(
    ("user_id", "given", "wanted"),
    [
        (USER, None, None),
        (USER, {"sex": "M"}, {"sex": "M"}),
        (USER, {"age": 71, "sex": None, "shoe": 43}, {"age": 71}),
        (USER, {"sex": "never heard of"}, None),
        ("somebody new", {"age": 71}, {"age": 71}),
        ("somebody new", None, None),
        (None, {"sex": "F"}, {"sex": "F"}),
    ],
)
def test_user_features_of_the_request_go_over_those_known(
    artifact: Artifact, trained: Trained, user_id: Any, given: Any, wanted: Any
) -> None:
    [values] = np.asarray(build(artifact, Request(user_id=user_id, user=given)).user_features)
    table = trained.data.user_features
    expected = table.dense()[USER].copy() if user_id == USER else np.full(2, np.nan, np.float32)
    for name, value in (wanted or {}).items():
        place = table.dense_names.index(name)
        expected[place] = value if name == "age" else table.categorical["sex"].values.index(value)
    np.testing.assert_array_equal(values, expected)


@given(users=st.lists(st.integers(-1, USERS - 1), max_size=6), days=st.integers(0, 120))
def test_many_users_at_once_are_the_plain_requests_of_each(artifact: Artifact, users: list[int], days: int) -> None:
    now = END - days * DAY
    requests = [Request(user_id=None if user < 0 else user) for user in users]
    one_by_one, _ = build_queries(artifact, requests, [None] * len(users), now)
    together = stored_queries(artifact, np.array(users, np.int32), now)
    assert [events_of(together, row) for row in range(len(users))] == [
        events_of(one_by_one, row) for row in range(len(users))
    ]
    assert (together.eligible.mask(len(users)) == one_by_one.eligible.mask(len(users))).all()
    assert together.now.tolist() == one_by_one.now.tolist()
    assert np.array_equal(together.user_features, one_by_one.user_features, equal_nan=True)  # pyright: ignore[reportArgumentType]
