"""What every store of user state must hold to, asked of SQLite and of a real Redis."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.redis_server import RedisServer

from encorec.pipeline.requests import PastEvent, UserState
from encorec.serving.state.redis_settings import RedisSettings
from encorec.serving.state.redis_state import RedisState
from encorec.serving.state.sqlite_state import SqliteState
from encorec.serving.state.store import AppendResult, Event, StateError, UserStateStore

Opener = Callable[..., UserStateStore]
"""Opens the store of a name; the same name twice is the same store, as two workers have it."""


def event(name: object, user: int | str = 1, item: int | str = 1, time: float = 10.0, **more: Any) -> Event:
    return Event(event_id=str(name), user_id=user, item_id=item, time=time, **more)


@pytest.fixture(scope="session", params=["sqlite", "redis"])
def opener(
    request: pytest.FixtureRequest, redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Opener]:
    folder, numbers = tmp_path_factory.mktemp("stores"), count()
    with ExitStack() as opened:

        def open_store(name: str | None = None, **options: Any) -> UserStateStore:
            if request.param == "sqlite":
                path = ":memory:" if name is None else str(folder / f"{name}.sqlite")
                store: UserStateStore = SqliteState(path, **options)
            else:
                settings = RedisSettings(prefix=name or f"store-{next(numbers)}", read_ms=5000, write_ms=5000)
                store = RedisState(redis_server.url, settings, **options)
            return opened.enter_context(closing(store))

        yield open_store


@pytest.fixture
def state(opener: Opener) -> UserStateStore:
    return opener()


def slow_obvious_state(events: list[Event], user: str, before: float, kept: int) -> UserState:
    """The first event of each name, put in order of time, cut, and only then shortened."""
    first = {one.event_id: one for one in reversed(events)}
    arrived = [one for one in events if first[one.event_id] is one]
    past = sorted((one for one in arrived if str(one.user_id) == user and one.time < before), key=lambda one: one.time)
    last = tuple(PastEvent(one.item_id, one.time, one.weight) for one in past[-kept:])
    return UserState(last, tuple(sorted({one.item_id for one in past}, key=lambda item: (isinstance(item, str), item))))


def in_calls(store: UserStateStore, events: list[Event], sizes: list[int], nows: list[int]) -> None:
    """Store ``events`` in calls of the given sizes, time moving on between them."""
    rest = list(events)
    for size, now in zip(sizes, sorted(nows), strict=True):
        store.append(rest[:size], now=now)
        rest = rest[size:]
    store.append(rest, now=max(nows))


items = st.sampled_from([1, 2, 10, -3, "1", "10", "ä"])
contents = st.tuples(st.sampled_from([1, "1", 2]), items, st.integers(0, 40), st.sampled_from([0.5, 1.0]))
calls = st.lists(st.tuples(st.integers(0, 8), st.integers(0, 40)), min_size=1, max_size=6)


@given(st.lists(st.tuples(st.integers(0, 12), contents), max_size=40), calls, st.integers(0, 10))
def test_the_state_is_that_of_the_log_in_order_of_time(opener, log, calls, later):
    content = dict(reversed(log))  # repetitions of a name repeat the whole event
    events = [event(name, *content[name][:3], weight=content[name][3]) for name, _ in log]
    sizes, nows = map(list, zip(*calls, strict=True))
    with closing(opener(kept=3)) as store:
        in_calls(store, events, sizes, nows)
        before = max(nows) + later
        expected = [slow_obvious_state(events, user, before, kept=3) for user in ("1", "2", "nobody")]
        assert [store.read(user, before=before) for user in ("1", "2", "nobody")] == expected
        assert store.read_users([1, 2, "nobody"], before=before) == expected


@given(st.data(), calls, st.integers(0, 10))
def test_shuffled_doubled_late_and_future_events_leave_the_state_of_the_ordered_log(opener, data, calls, later):
    times = data.draw(st.lists(st.integers(0, 40), unique=True, max_size=20))
    log = [event(time, item=time % 5, time=time / 8) for time in sorted(times)]
    shuffled = data.draw(st.permutations([*log, *log[::2]]))
    sizes, nows = map(list, zip(*calls, strict=True))
    with closing(opener(kept=3)) as ordered, closing(opener(kept=3)) as disordered:
        ordered.append(log, now=0)
        in_calls(disordered, shuffled, sizes, nows)
        for before in (max(nows), max(nows) + later, 50):
            assert disordered.read(1, before=before) == ordered.read(1, before=before)


@given(st.lists(st.lists(st.tuples(st.integers(0, 9), contents), max_size=8), max_size=6))
def test_calls_stored_together_are_calls_stored_one_by_one(opener, log):
    content = dict(reversed([one for call in log for one in call]))
    batches = [[event(name, *content[name][:3]) for name, _ in call] for call in log]
    with closing(opener(kept=3)) as together, closing(opener(kept=3)) as apart:
        assert together.append_calls(batches, now=20) == [apart.append(one, now=20) for one in batches]
        assert together.read(1, before=99) == apart.read(1, before=99)


def test_events_of_the_future_crowd_nobody_out_and_count_when_their_time_comes(opener):
    state = opener(kept=2)
    state.append([event(i, item=i, time=i) for i in (10, 20)], now=50)
    state.append([event(i, item=i, time=i) for i in (60, 70, 80)], now=50)
    assert [one.item_id for one in state.read(1, before=50).events] == [10, 20]
    assert state.read(1, before=50).seen == (10, 20)
    assert [one.item_id for one in state.read(1, before=61).events] == [20, 60]
    assert [one.item_id for one in state.read(1, before=99).events] == [70, 80]


def test_everything_ever_touched_is_seen_though_the_history_is_short(state):
    state.append([event(i, item=i, time=i) for i in range(1_000)], now=1_000)
    read = state.read(1, before=1_000)
    assert [one.item_id for one in read.events] == list(range(800, 1_000))
    assert read.seen == tuple(range(1_000))


def test_an_event_is_seen_from_its_earliest_time_on(state):
    state.append([event("future", item=7, time=90.0), event("past", item=7, time=10.0)], now=50)
    state.append([event("again", item=7, time=95.0)], now=50)
    assert state.read(1, before=50).seen == (7,)


def test_of_events_of_equal_time_the_last_to_arrive_stand_last(state):
    state.append([event(i, item=i) for i in range(300)], now=50)
    state.append([event(i, item=i) for i in range(300, 1_200)], now=50)
    assert [one.item_id for one in state.read(1, before=50).events] == list(range(1_000, 1_200))


def test_a_name_is_stored_once_within_a_call_and_between_calls(state):
    assert state.append([event("a"), event("b"), event("a")], now=50) == AppendResult(2, 1)
    assert state.append([event("b", item=9), event("c")], now=50) == AppendResult(1, 1)
    assert state.read(1, before=50).seen == (1,)


def test_user_17_is_the_user_called_17_and_items_keep_their_type(state):
    state.append([event("a", user=17, item=5), event("b", user="17", item="5", time=11.0)], now=50)
    read = state.read("17", before=50)
    assert [one.item_id for one in read.events] == [5, "5"]
    assert read.seen == (5, "5")
    assert state.read(17, before=50) == read


@pytest.mark.parametrize(
    "odd", ["naïve \x00 ' ; -- 🎬", "x" * 10_000, "", "\r\n*3\r\n$3\r\nDEL", '"],["', "\x00", "{a}:id:*"]
)
def test_text_of_any_kind_survives(state, odd):
    state.append([event(odd, user=odd, item=odd, type=odd, request_id=odd)], now=50)
    assert state.read(odd, before=50) == UserState((PastEvent(odd, 10.0, 1.0),), (odd,))
    assert state.append([event(odd)], now=50).duplicates == 1
    assert state.read(odd + "x", before=50) == UserState()


@pytest.mark.parametrize("number", [0, -1, 2**63 - 1, -(2**63), 2**53 + 1])
def test_integers_survive_to_the_last_digit(state, number):
    state.append([event("a", user=number, item=number, time=1_714_564_800.123_457, weight=0.1)], now=2**31)
    assert state.read(number, before=2**31) == UserState((PastEvent(number, 1_714_564_800.123_457, 0.1),), (number,))


@pytest.mark.parametrize("time", [0.0, 1e-300, 253_402_300_799.0])
def test_any_time_of_the_service_can_be_stored(state, time):
    state.append([event("a", time=time)], now=50)
    assert state.read(1, before=2**40).events == (PastEvent(1, time),)


def test_nobody_known_is_an_empty_state(state):
    assert state.append([], now=50) == AppendResult(0, 0)
    assert state.append_calls([[], []], now=50) == [AppendResult(0, 0)] * 2
    assert state.append_calls([], now=50) == []
    assert state.read("nobody", before=50) == UserState()
    assert state.read_users([], before=50) == []


def test_a_call_that_cannot_be_stored_stores_nothing(state):
    with pytest.raises(StateError):
        state.append([event("a"), event("b", time=float("nan"))], now=50)
    assert state.read(1, before=50) == UserState()
    assert state.append([event("a")], now=50) == AppendResult(1, 0)


def test_two_workers_see_each_others_events_at_the_next_read(opener):
    one, other = opener("shared"), opener("shared")
    for i in range(20):
        writer, reader = (one, other) if i % 2 else (other, one)
        assert writer.append([event(i, item=i, time=i)], now=50).accepted == 1
        assert reader.read(1, before=50).events[-1].item_id == i
        assert reader.append([event(i)], now=50).duplicates == 1


def test_threads_read_while_one_appends(opener):
    state = opener("threads")
    problems: list[object] = []

    def read() -> None:
        while not done.is_set():
            events = state.read_users(["a", 1], before=50)[1].events
            problems.extend([] if [one.item_id for one in events] == list(range(len(events))) else [events])

    done, readers = threading.Event(), [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for i in range(0, 60, 3):
        state.append([event(i + j, item=i + j, time=(i + j) / 8) for j in range(3)], now=50)
    done.set()
    for reader in readers:
        reader.join()
    assert problems == []
    assert len(state.read(1, before=50).events) == 60


def test_a_closed_state_says_so(state):
    state.close()
    with pytest.raises(StateError, match="closed"):
        state.read(1, before=50)
    with pytest.raises(StateError, match="closed"):
        state.append([event("a")], now=50)
