import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from encorec.errors import ConfigError
from encorec.pipeline.requests import PastEvent, UserState
from encorec.serving.state.sqlite_state import SqliteState
from encorec.serving.state.store import AppendResult, Event, StateError

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


def test_what_was_stored_is_there_after_reopening(path, state):
    state.append([event("a", weight=2.5)], now=50)
    state.close()
    again = SqliteState(path)
    assert again.read(1, before=50) == UserState((PastEvent(1, 10.0, 2.5),), (1,))
    assert again.append([event("a")], now=50).duplicates == 1
    again.close()


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
    with pytest.raises(ConfigError, match="format 99, this version reads 2"):
        SqliteState(path)


WRITER = """
import sys
from encorec.serving.state.sqlite_state import SqliteState
from encorec.serving.state.store import Event
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
from encorec.serving.state.sqlite_state import SqliteState
from encorec.serving.state.store import Event, StateError
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
