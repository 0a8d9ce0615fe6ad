"""The answer without an engine: the rules of the engine, its list, and bytes that are those of the encoder."""

import json

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.serving.toy_engine import DATA_END, ToyEngine

from encorec.pipeline.requests import PastEvent, Request, UserState
from encorec.serving.http.answers import RecommendAnswer
from encorec.serving.limits.fallback import Fallback

ENGINE = ToyEngine()
ids = st.sampled_from([242, 302, *range(1, 19), 999, "5", "x"])
events = st.lists(st.builds(PastEvent, item_id=ids, timestamp=st.sampled_from([1.0, DATA_END + 5.0])))


def shown(answer):
    return [item.item_id for item in answer.items]


@given(
    k=st.integers(1, 25),
    allow=st.none() | st.lists(ids).map(tuple),
    deny=st.lists(ids).map(tuple),
    history=st.none() | events.map(tuple),
    state=st.none() | st.builds(UserState, events=events.map(tuple), seen=st.lists(ids).map(tuple)),
)
def test_it_shows_what_an_engine_of_popularity_shows(k, allow, deny, history, state):
    """The toy engine is one; it leaves out what is excluded in a way of its own."""
    request = Request(user_id="new", k=k, allow=allow, deny=deny, history=history)
    state = None if history is not None else state
    if state is not None:  # a store gives events before now only
        state = UserState(tuple(one for one in state.events if one.timestamp < DATA_END), state.seen)
    [wanted] = ENGINE.recommend([request], [state], now=DATA_END)
    answer = Fallback(ENGINE).answer(request, state, DATA_END, "shed")
    assert shown(answer) == shown(wanted)
    assert answer.unknown_ids == wanted.unknown_ids
    assert answer.degraded == ["shed"]
    assert [item.position for item in answer.items] == list(range(1, len(answer.items) + 1))


def test_what_a_user_did_in_the_training_data_is_not_shown_again():
    fallback = Fallback(ENGINE)
    assert shown(fallback.answer(Request(user_id=1, k=2), None, DATA_END, "shed")) == [1, 2]
    assert shown(fallback.answer(Request(user_id="1", k=2), None, DATA_END - 1, "shed")) == [242, 1]
    assert len(shown(fallback.answer(Request(user_id=2, k=20), None, DATA_END, "shed"))) == 2
    assert shown(fallback.answer(Request(user_id=1, k=2, history=()), None, DATA_END, "shed")) == [242, 302]


def test_where_seen_items_may_be_shown_again_they_are():
    engine = ToyEngine()
    object.__setattr__(engine.artifact, "shows_seen", True)
    answer = Fallback(engine).answer(Request(user_id=1, k=2), UserState((), (242,)), DATA_END, "shed")
    assert shown(answer) == [242, 302]


@pytest.mark.parametrize("request_id", ["r", 'a"b\\', "é\u2028"])
@pytest.mark.parametrize("user_id", [None, 17, -1, "17", 'new "one"', "\ud7ff\x00é"])
@pytest.mark.parametrize("asked", [{}, {"k": 3}, {"deny": (242,)}, {"deny": (999,)}, {"allow": (5,)}, {"allow": ()}])
@pytest.mark.parametrize("variants", [{}, {"shelf": "b"}])
def test_the_bytes_are_those_of_the_encoder(request_id, user_id, asked, variants):
    fallback = Fallback(ENGINE)
    found = fallback.answer(Request(user_id=user_id, **asked), None, DATA_END, "shed")
    answer = RecommendAnswer(
        request_id=request_id,
        user_id=user_id,
        items=found.items,
        model="toy-1",
        variants=variants,
        degraded=["state", *found.degraded],
        unknown_ids=found.unknown_ids,
    )
    assert fallback.encode(answer) == msgspec.json.encode(answer)
    assert json.loads(fallback.encode(answer))["request_id"] == request_id


def test_answers_of_another_snapshot_keep_their_own_name():
    fallback, other = Fallback(ENGINE), Fallback(ToyEngine(["a", "b"]))
    items = other.answer(Request(), None, DATA_END, "shed").items
    answer = RecommendAnswer(request_id="r", user_id=1, items=items, model="older", degraded=[], unknown_ids=0)
    assert fallback.encode(answer) == msgspec.json.encode(answer)


def test_a_catalogue_of_less_than_a_slate_is_shown_whole():
    assert shown(Fallback(ToyEngine(["a", "b"])).answer(Request(k=500), None, DATA_END, "shed")) == ["a", "b"]
    assert np.isfinite([item.score for item in Fallback(ENGINE).answer(Request(), None, 1, "shed").items]).all()
