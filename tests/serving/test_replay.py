import random
from pathlib import Path

import numpy as np
import pytest
from tests.serving.log_files import call, event, write_segment

from encorec.data.vocabulary import Vocabulary
from encorec.errors import DataError
from encorec.serving.logs.compaction import compact
from encorec.serving.logs.replay import differing_users, logged_calls, replay
from encorec.serving.state.sqlite_state import SqliteState

ITEMS = Vocabulary(np.arange(240, 260))


def calls(seed: int):
    """Late events, repetitions, more than a state keeps, some of the future."""
    rng = random.Random(seed)
    made = []
    for count in range(700):
        names = [f"e{count}-{place}" if rng.random() < 0.9 else "again" for place in range(rng.randrange(1, 4))]
        who = [rng.choice([1, 2, 3, "x"]) for _ in names]
        times = [rng.choice([1000.0, rng.uniform(0, 1000), 1e9]) for _ in names]
        events = [
            event(name, user, rng.randrange(240, 260), time=time)
            for name, user, time in zip(names, who, times, strict=True)
        ]
        made.append(call(1000.0 + count / 10, *events))
    return made


def fed_one_by_one(given) -> SqliteState:
    state = SqliteState(":memory:")
    for one in given:
        state.append(one.events, now=one.now)
    return state


@pytest.mark.parametrize("form", ["logs", "events", "tables", "table"])
def test_from_a_log_and_from_its_tables_the_state_is_the_one_that_was_fed(tmp_path, form):
    given = calls(seed=2)
    write_segment(tmp_path / "logs", "events", "1", given)
    compact(tmp_path / "logs", tmp_path / "tables")
    places = {"events": "logs/events", "table": "tables/events/1.parquet"}
    fresh, live = SqliteState(":memory:"), fed_one_by_one(given)
    report = replay(logged_calls(tmp_path / places.get(form, form)), ITEMS, fresh)
    assert report.users == {"1", "2", "3", "x"}
    assert report.accepted == len({one.event_id for each in given for one in each.events})
    assert (report.now, report.unknown_items) == (1070, 0)
    assert differing_users(report.users, fresh, live, before=2**32) == []
    assert differing_users(report.users, fresh, live, before=1070) == []
    assert len(fresh.read(1, before=2**32).events) == 200
    fresh.close()
    live.close()


def test_workers_logs_are_fed_as_one(tmp_path):
    given = calls(seed=4)
    for worker in range(5):
        name = f"20260102T030405.00000{worker}Z-w{worker}-000001"
        moved = [call(1_767_323_045 + place, *one.events) for place, one in enumerate(given) if place % 5 == worker]
        write_segment(tmp_path, "events", name, moved)
    fresh, live = SqliteState(":memory:"), SqliteState(":memory:")
    for place, one in enumerate(given):
        live.append(one.events, now=1_767_323_045 + place + 1)
    report = replay(logged_calls(tmp_path), ITEMS, fresh)
    assert report.calls == 700
    assert differing_users(report.users, fresh, live, before=2**33) == []
    fresh.close()
    live.close()


def test_items_that_the_artifact_does_not_know_are_kept_and_counted(tmp_path):
    write_segment(tmp_path, "events", "1", [call(60.0, event("a", item=7), event("b", item="250"))])
    state = SqliteState(":memory:")
    report = replay(logged_calls(tmp_path), ITEMS, state)
    assert (report.accepted, report.unknown_items) == (2, 1)
    assert set(state.read(17, before=61).seen) == {7, 250}
    state.close()


def test_an_empty_log_is_an_empty_state(tmp_path):
    write_segment(tmp_path, "events", "1", [])
    state = SqliteState(":memory:")
    report = replay(logged_calls(tmp_path), ITEMS, state)
    assert (report.calls, report.accepted, report.users, report.now) == (0, 0, set(), 0)
    state.close()


def test_what_is_no_log_is_said(tmp_path):
    with pytest.raises(DataError, match="no log of events"):
        logged_calls(tmp_path)
    for content in (b"", b"PAR1 nothing"):
        path: Path = tmp_path / "table.parquet"
        path.write_bytes(content)
        with pytest.raises(DataError, match="no table of events"):
            logged_calls(path)
