import asyncio
import random
from collections.abc import Sequence
from pathlib import Path

import msgspec

from encorec.serving.logs.event_log import EventLog, LoggedCall, Records, calls_of
from encorec.serving.logs.frame_log import FrameLog, SegmentConfig
from encorec.serving.logs.frames import HEADER, frame
from encorec.serving.state.store import Event

BEGAN, START = "20260102T030405.000000Z", 1_767_323_045.0


def call(received: float, *names: str) -> LoggedCall:
    events = tuple(Event(event_id=name, user_id=17, item_id=242, time=50.0) for name in names or (str(received),))
    return LoggedCall(received=received, now=51, events=events)


def write(folder: Path, began: str, writer: str, calls: Sequence[LoggedCall]) -> Path:
    path = folder / f"{began}-{writer}-000001.frames"
    payloads = [msgspec.msgpack.encode(one) for one in calls]
    path.write_bytes(HEADER + b"".join(frame(one) + one for one in payloads))
    return path


def test_events_come_back_as_they_went_in(tmp_path):
    events = [
        Event(event_id="a", user_id=17, item_id="x", time=0.1 + 0.2, weight=1e-9, type="like", request_id="r"),
        Event(event_id="b", user_id="17", item_id=-(2**63), time=253_402_300_799.0, request_id=None),
    ]
    frames = FrameLog(tmp_path, SegmentConfig())
    asyncio.run(EventLog(frames).add(events, received=1.5, now=2))
    asyncio.run(EventLog(frames).add([], received=2.5, now=3))
    frames.close()
    assert list(calls_of(tmp_path)) == [LoggedCall(received=1.5, now=2, events=tuple(events))]


def test_calls_of_many_workers_come_in_the_order_in_which_they_were_received(tmp_path):
    rng, start = random.Random(1), int(START)
    given: list[LoggedCall] = []
    for worker in range(40):
        began = start + worker * 30
        times = sorted(began + rng.uniform(-1, 300) for _ in range(25))
        moment = f"20260102T03{4 + (began - start + 5) // 60:02d}{(began - start + 5) % 60:02d}.000000Z"
        write(tmp_path, moment, f"w{worker}", [call(one) for one in times])
        given += [call(one) for one in times]
    assert list(calls_of(tmp_path)) == sorted(given, key=lambda one: one.received)


def test_a_clock_that_was_set_back_does_not_change_the_order_of_a_worker(tmp_path):
    write(tmp_path, BEGAN, "a", [call(START + one) for one in (100, 40, 101)])
    write(tmp_path, BEGAN, "b", [call(START + one) for one in (50, 102)])
    assert [one.received - START for one in calls_of(tmp_path)] == [50, 100, 40, 101, 102]


def test_thousands_of_files_are_no_matter(tmp_path):
    for number in range(3000):
        moment = f"20260102T{number // 3600:02d}{number // 60 % 60:02d}{number % 60:02d}.000000Z"
        write(tmp_path, moment, f"w{number}", [call(1_767_312_000.0 + number)])
    times = [one.received for one in calls_of(tmp_path)]
    assert times == sorted(times)
    assert len(times) == 3000


def test_a_file_that_somebody_renamed_is_read_all_the_same(tmp_path):
    write(tmp_path, BEGAN, "a", [call(START + 5), call(START + 7)]).rename(tmp_path / "saved.frames")
    write(tmp_path, BEGAN, "b", [call(START + 6)])
    assert [one.received - START for one in calls_of(tmp_path)] == [5, 6, 7]


def test_a_sound_frame_that_is_no_call_is_counted(tmp_path):
    path = write(tmp_path, BEGAN, "a", [call(5.0)])
    with path.open("ab") as file:
        for payload in (b"", b"\xc1", msgspec.msgpack.encode({"received": "x"}), b"\xa1\xff"):
            file.write(frame(payload) + payload)
    records = Records(path, LoggedCall)
    assert [one.received for one in records] == [5.0]
    assert records.unreadable == 4
