import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from encorec.errors import ConfigError
from encorec.pipeline.requests import PastEvent, UserState
from encorec.serving.sqlite_state import SqliteState
from encorec.serving.state import AppendResult, Event, StateError

SOURCE = Path(__file__).parents[2] / "src"


def event(name, user: int | str = 1, item: int | str = 1, time=10.0, **more: Any):
    return Event(event_id=str(name), user_id=user, item_id=item, time=time, **more)


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "state.sqlite")


@pytest.fixture
def state(path):
    store = SqliteState(path)
    yield store
    store.close()


def slow_obvious_state(events, user, before, kept):
    """The first event of each name, put in order of time, cut, and only then shortened."""
    first = {one.event_id: one for one in reversed(events)}
    arrived = [one for one in events if first[one.event_id] is one]
    past = sorted((one for one in arrived if str(one.user_id) == user and one.time < before), key=lambda one: one.time)
    last = tuple(PastEvent(one.item_id, one.time, one.weight) for one in past[-kept:])
    return UserState(last, tuple(sorted({one.item_id for one in past})))


def in_calls(store, events, sizes, nows):
    """Store ``events`` in calls of the given sizes, time moving on between them."""
    rest = list(events)
    for size, now in zip(sizes, sorted(nows), strict=True):
        store.append(rest[:size], now=now)
        rest = rest[size:]
    store.append(rest, now=max(nows))


contents = st.tuples(st.sampled_from([1, "1", 2]), st.integers(1, 6), st.integers(0, 40), st.sampled_from([0.5, 1.0]))
calls = st.lists(st.tuples(st.integers(0, 8), st.integers(0, 40)), min_size=1, max_size=6)


@given(st.lists(st.tuples(st.integers(0, 12), contents), max_size=40), calls, st.integers(0, 10))
def test_the_state_is_that_of_the_log_in_order_of_time(log, calls, later):
    content = dict(reversed(log))  # repetitions of a name repeat the whole event
    events = [event(name, *content[name][:3], weight=content[name][3]) for name, _ in log]
    sizes, nows = zip(*calls, strict=True)
    store = SqliteState(":memory:", kept=3)
    in_calls(store, events, sizes, nows)
    before = max(nows) + later
    for user in ("1", "2"):
        assert store.read(user, before=before) == slow_obvious_state(events, user, before, kept=3)
    store.close()


@given(st.data(), calls, st.integers(0, 10))
def test_shuffled_doubled_late_and_future_events_leave_the_state_of_the_ordered_log(data, calls, later):
    times = data.draw(st.lists(st.integers(0, 40), unique=True, max_size=20))
    log = [event(time, item=time % 5, time=float(time)) for time in sorted(times)]
    shuffled = data.draw(st.permutations([*log, *log[::2]]))
    sizes, nows = zip(*calls, strict=True)
    ordered, disordered = SqliteState(":memory:", kept=3), SqliteState(":memory:", kept=3)
    ordered.append(log, now=0)
    in_calls(disordered, shuffled, sizes, nows)
    for before in (max(nows), max(nows) + later, 50):
        assert disordered.read(1, before=before) == ordered.read(1, before=before)
    ordered.close()
    disordered.close()


def test_events_of_the_future_crowd_nobody_out_and_count_when_their_time_comes():
    state = SqliteState(":memory:", kept=2)
    state.append([event(i, item=i, time=i) for i in (10, 20)], now=50)
    state.append([event(i, item=i, time=i) for i in (60, 70, 80)], now=50)
    assert [one.item_id for one in state.read(1, before=50).events] == [10, 20]
    assert state.read(1, before=50).seen == (10, 20)
    assert [one.item_id for one in state.read(1, before=61).events] == [20, 60]
    assert [one.item_id for one in state.read(1, before=99).events] == [70, 80]
    state.close()


def test_everything_ever_touched_is_seen_though_the_history_is_short(state):
    state.append([event(i, item=i, time=i) for i in range(1_000)], now=1_000)
    read = state.read(1, before=1_000)
    assert [one.item_id for one in read.events] == list(range(800, 1_000))
    assert set(read.seen) == set(range(1_000))


def test_an_event_is_seen_from_its_earliest_time_on(state):
    state.append([event("future", item=7, time=90.0), event("past", item=7, time=10.0)], now=50)
    state.append([event("again", item=7, time=95.0)], now=50)
    assert state.read(1, before=50).seen == (7,)


def test_a_name_is_stored_once_within_a_call_and_between_calls(state):
    assert state.append([event("a"), event("b"), event("a")], now=50) == AppendResult(2, 1)
    assert state.append([event("b", item=9), event("c")], now=50) == AppendResult(1, 1)
    assert state.read(1, before=50).seen == (1,)


def test_user_17_is_the_user_called_17_and_items_keep_their_type(state):
    state.append([event("a", user=17, item=5), event("b", user="17", item="tt0111161", time=11.0)], now=50)
    assert [one.item_id for one in state.read("17", before=50).events] == [5, "tt0111161"]
    assert state.read(17, before=50) == state.read("17", before=50)


def test_text_of_any_kind_survives(state):
    odd = "naïve \x00 ' ; -- 🎬"
    state.append([event(odd, user=odd, item=odd, type=odd, request_id=odd)], now=50)
    assert state.read(odd, before=50).seen == (odd,)
    assert state.append([event(odd)], now=50).duplicates == 1


def test_what_was_stored_is_there_after_reopening(path, state):
    state.append([event("a", weight=2.5)], now=50)
    state.close()
    again = SqliteState(path)
    assert again.read(1, before=50) == UserState((PastEvent(1, 10.0, 2.5),), (1,))
    assert again.append([event("a")], now=50).duplicates == 1
    again.close()


def test_nobody_known_is_an_empty_state(state):
    assert state.append([], now=50) == AppendResult(0, 0)
    assert state.read("nobody", before=50) == UserState()


def test_a_locked_file_refuses_writes_whole_and_serves_reads(path, state):
    state.append([event("a")], now=50)
    impatient, other = SqliteState(path, patience=0.01), sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StateError, match="cannot be written: database is locked"):
        impatient.append([event("b"), event("c")], now=50)
    assert impatient.read(1, before=50).seen == (1,)
    other.execute("ROLLBACK")
    assert impatient.append([event("b"), event("c")], now=50) == AppendResult(2, 0)
    impatient.close()
    other.close()


def test_a_call_that_fails_halfway_stores_nothing(path, state):
    with pytest.raises(StateError):
        state.append([event("a"), event("b", type=None)], now=50)
    assert state.read(1, before=50) == UserState()
    assert state.append([event("a")], now=50) == AppendResult(1, 0)


def test_a_closed_state_says_so(state):
    state.close()
    with pytest.raises(StateError, match="closed"):
        state.read(1, before=50)


def test_a_file_that_is_no_state_is_refused_and_left_alone(tmp_path):
    file = tmp_path / "notes.txt"
    file.write_text("not a database, by any means, and long enough to look at " * 20)
    before = file.read_bytes()
    with pytest.raises(ConfigError, match="not a database"):
        SqliteState(str(file))
    assert file.read_bytes() == before


def test_a_folder_that_does_not_exist_is_named(tmp_path):
    with pytest.raises(ConfigError, match="unable to open"):
        SqliteState(str(tmp_path / "nowhere" / "state.sqlite"))


def test_a_later_format_is_refused(path):
    other = sqlite3.connect(path)
    other.execute("PRAGMA user_version = 99")
    other.close()
    with pytest.raises(ConfigError, match="format 99, this version reads 1"):
        SqliteState(path)


WRITER = """
import sys
from encorec.serving.sqlite_state import SqliteState
from encorec.serving.state import Event
path, writer, calls = sys.argv[1], sys.argv[2], int(sys.argv[3])
state = SqliteState(path, patience=30)
for call in range(calls):
    names = [f"{writer}-{call}-{i}" for i in range(3)]
    state.append([Event(event_id=n, user_id=n, item_id=call, time=1.0) for n in names], now=9)
    print(*names, flush=True)
"""


def start_writer(path, writer, calls) -> Any:
    command = [sys.executable, "-c", WRITER, path, writer, str(calls)]
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)


def test_processes_share_one_file_from_its_creation_on(path):
    writers = [start_writer(path, name, 40) for name in "abc"]
    acknowledged = {name for writer in writers for name in writer.communicate()[0].split()}
    assert [writer.returncode for writer in writers] == [0, 0, 0]
    assert len(acknowledged) == 3 * 40 * 3
    state = SqliteState(path)
    assert all(state.read(name, before=9).events for name in acknowledged)
    state.close()


def test_a_killed_process_takes_no_acknowledged_event_with_it(path):
    acknowledged = []
    for round_ in range(3):
        writer = start_writer(path, f"w{round_}", 1_000_000)
        acknowledged += [next(writer.stdout).split() for _ in range(20 + 10 * round_)]
        writer.kill()
        acknowledged += [line.split() for line in writer.communicate()[0].splitlines(keepends=True) if line[-1] == "\n"]
    state = SqliteState(path)
    for call in acknowledged:
        assert [len(state.read(name, before=9).events) for name in call] == [1, 1, 1]
    state.close()


FILLER = """
import resource, signal, sys
from encorec.serving.sqlite_state import SqliteState
from encorec.serving.state import Event, StateError
state = SqliteState(sys.argv[1])
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))
stored = 0
try:
    while True:
        names = [f"{stored + i}" for i in range(100)]
        state.append([Event(event_id=n, user_id="u" + n, item_id=1, time=1.0) for n in names], now=9)
        stored += 100
except StateError:
    print(stored, all(state.read(f"u{i}", before=9).seen for i in range(stored)))
"""


def test_when_the_disk_takes_no_more_events_are_refused_and_reads_go_on(path):
    run = subprocess.run(
        [sys.executable, "-c", FILLER, path],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
    )
    stored, readable = run.stdout.split()
    assert int(stored) >= 100
    assert readable == "True"
    state = SqliteState(path)
    assert state.append([event(i, time=1.0) for i in range(int(stored))], now=9).duplicates == int(stored)
    state.close()
