import math
import sqlite3
import threading
from contextlib import closing

import numpy as np
import pytest

from encorec.errors import ConfigError
from encorec.pipeline.requests import PastEvent, UserState
from encorec.serving.state.history_cache import HistoryCache, HistoryCacheConfig, KeptState
from encorec.serving.state.sqlite_state import SqliteState
from encorec.serving.state.store import Event, StateError


def kept(entries: int, version: int = 1, since: int = 0, until: float = math.inf) -> KeptState:
    return KeptState(UserState(seen=tuple(range(entries))), version, since, until)


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "state.sqlite")


def uncached(path: str) -> SqliteState:
    return SqliteState(path, kept=5, patience=30, cache=HistoryCacheConfig(entries=0))


@pytest.mark.parametrize("seed", range(4))
def test_what_is_kept_is_what_the_file_says_whoever_wrote_it_last(path, seed):
    rng = np.random.default_rng(seed)
    small = HistoryCacheConfig(entries=60)
    with (
        closing(SqliteState(path, kept=5, cache=small)) as one,
        closing(SqliteState(path, kept=5)) as other,
        closing(uncached(path)) as plain,
    ):
        now = 100
        for step in range(150):
            now += int(rng.integers(0, 3))
            writer = (one, other)[int(rng.integers(2))]
            events = [
                Event(
                    event_id=f"{rng.integers(400)}",
                    user_id=int(rng.integers(4)),
                    item_id=int(rng.integers(12)),
                    time=float(now + rng.integers(-30, 8)) + float(rng.choice([0.0, 0.5])),
                )
                for _ in range(int(rng.integers(0, 3)))
            ]
            writer.append(events, now=now)
            for user in rng.integers(5, size=3).tolist():
                expected = plain.read(user, before=now)
                assert one.read(user, before=now) == expected, step
                assert other.read(user, before=now) == expected, step


def test_an_event_of_the_future_counts_from_its_time_on(path):
    with closing(SqliteState(path)) as state:
        state.append([Event(event_id="a", user_id=1, item_id=7, time=60.0)], now=50)
        found = {before: state.read(1, before=before).seen for before in (50, 51, 60, 61, 62, 61, 60)}
    assert found == {50: (), 51: (), 60: (), 61: (7,), 62: (7,)}


def test_what_another_process_takes_back_was_never_seen(path):
    with closing(SqliteState(path)) as state, closing(sqlite3.connect(path, isolation_level=None)) as other:
        state.append([Event(event_id="a", user_id="1", item_id=7, time=10.0)], now=50)
        other.execute("BEGIN IMMEDIATE")
        other.execute("INSERT INTO seen VALUES ('1', 8, 10.0)")
        other.execute("UPDATE versions SET version = version + 1")
        assert state.read(1, before=50).seen == (7,)
        other.execute("ROLLBACK")
        state.append([Event(event_id="b", user_id=1, item_id=9, time=11.0)], now=50)
        assert state.read(1, before=50).seen == (7, 9)


def test_a_file_that_was_closed_gives_no_kept_state(path):
    state = SqliteState(path)
    state.append([Event(event_id="a", user_id=1, item_id=7, time=10.0)], now=50)
    assert state.read(1, before=50).seen == (7,)
    state.close()
    with pytest.raises(StateError, match="cannot be read"):
        state.read(1, before=50)


def test_a_file_of_the_first_format_is_read_as_it_was(path):
    with closing(SqliteState(path)) as state:
        state.append([Event(event_id=f"{i}", user_id=i % 3, item_id=i, time=i + 0.5) for i in range(9)], now=50)
    with closing(sqlite3.connect(path)) as old:
        old.execute("DROP TABLE versions")
        old.execute("PRAGMA user_version = 1")
    with closing(SqliteState(path)) as state:
        assert state.read(1, before=50) == UserState(tuple(PastEvent(i, i + 0.5) for i in (1, 4, 7)), (1, 4, 7))
        state.append([Event(event_id="x", user_id=1, item_id=99, time=20.0)], now=50)
        assert state.read(1, before=50).seen == (1, 4, 7, 99)
        assert state.read(3, before=50) == UserState()


def test_room_is_bounded_and_who_was_not_asked_for_the_longest_goes_first():
    cache = HistoryCache(HistoryCacheConfig(entries=60))
    cache.put("a", kept(10))
    cache.put("b", kept(10))
    cache.put("c", kept(10))
    assert cache.size == 54
    assert cache.get("a", 1, 5) is not None
    cache.put("d", kept(10))
    assert [name for name in "abcd" if cache.get(name, 1, 5) is not None] == ["a", "c", "d"]
    cache.put("e", kept(53))
    assert cache.get("e", 1, 5) is None, "larger than all the room"
    cache.put("a", kept(2))
    assert cache.size == 10 + 18 + 18
    assert cache.get("a", 2, 5) is None, "another version"
    assert cache.size == 36


def test_threads_lose_no_count():
    cache = HistoryCache(HistoryCacheConfig(entries=500))

    def work(seed: int) -> None:
        rng = np.random.default_rng(seed)
        for _ in range(3000):
            name, version = str(rng.integers(40)), int(rng.integers(3))
            if cache.get(name, version, 5) is None:
                cache.put(name, kept(int(rng.integers(30)), version))

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    left = [one for name in range(40) for version in range(3) if (one := cache.get(str(name), version, 5)) is not None]
    assert all(len(one.seen) < 30 for one in left)
    assert 0 <= cache.size <= 500
    for name in range(40):
        cache.get(str(name), -1, 5)
    assert cache.size == 0


def test_room_has_bounds():
    with pytest.raises(ConfigError, match="entries"):
        HistoryCacheConfig(entries=-1)
