import os
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.redis_server import RedisServer
from tests.serving.fault_proxy import FaultProxy
from tests.serving.test_state_contract import event

from encorec.serving.state.outbox import Outbox
from encorec.serving.state.outbox_settings import OutboxSettings
from encorec.serving.state.redis_client import RedisError
from encorec.serving.state.sqlite_state import SqliteState
from encorec.serving.state.store import Event

SOURCE = Path(__file__).parents[2] / "src"


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "state.sqlite")


@pytest.fixture
def state(path):
    with closing(SqliteState(path, outbox=True)) as store:
        yield store


def names(client: Any, stream: str) -> list[str]:
    """Of the events in the stream, in order."""
    return [fields[b"event_id"].decode() for _, fields in client.xrange(stream)]


def once_each(found: list[str]) -> list[str]:
    """What a reader that drops repetitions is left with."""
    return list(dict.fromkeys(found))


def test_what_was_accepted_is_sent_in_order_and_only_once(redis_server, path, state):
    client, stream = redis_server.client(), OutboxSettings(stream="in-order")
    with closing(Outbox(path, redis_server.url, stream)) as outbox:
        state.append([event(i, user="ä\x00", type="like") for i in (3, 1, 2, 1)], now=50)
        state.append([event(i) for i in (2, 7)], now=50)
        assert outbox.waiting() == 4
        assert (outbox.send(), outbox.send(), outbox.waiting()) == (4, 0, 0)
    assert names(client, "in-order") == ["3", "1", "2", "7"]
    [(_, first), *_] = client.xrange("in-order")
    assert msgspec.json.decode(first[b"event"], type=Event) == event(3, user="ä\x00", type="like")
    client.close()


def test_a_call_that_was_not_stored_sends_nothing(path, state):
    with pytest.raises(Exception, match="NOT NULL"):
        state.append([event("a"), event("b", time=float("nan"))], now=50)
    with closing(Outbox(path, "redis://127.0.0.1:1")) as outbox:
        assert outbox.waiting() == 0


def test_what_the_stream_did_not_take_stays(path, state):
    state.append([event(i) for i in range(10)], now=50)
    with closing(Outbox(path, "redis://127.0.0.1:1")) as outbox:
        with pytest.raises(RedisError):
            outbox.send()
        assert outbox.waiting() == 10


def test_what_is_no_stream_takes_nothing(redis_server, path, state):
    client = redis_server.client()
    client.set("no-stream", "x")
    state.append([event("a")], now=50)
    with closing(Outbox(path, redis_server.url, OutboxSettings(stream="no-stream"))) as outbox:
        with pytest.raises(RedisError, match="WRONGTYPE"):
            outbox.send()
        assert outbox.waiting() == 1
        client.delete("no-stream")
        assert outbox.send() == 1
    client.close()


def test_one_of_two_sends_and_the_other_takes_over(redis_server, path, state):
    settings = OutboxSettings(stream="turns")
    with closing(Outbox(path, redis_server.url, settings)) as one:
        with closing(Outbox(path, redis_server.url, settings)) as other:
            state.append([event("a")], now=50)
            assert (other.send(), one.send()) == (1, 0)
            state.append([event("b")], now=50)
            assert one.send() == 0
        assert one.send() == 1


def wait_until(holds: Any) -> None:
    for _ in range(1000):
        if holds():
            return
        time.sleep(0.01)
    raise AssertionError("not within ten seconds")


def test_when_the_stream_comes_back_everything_arrives_and_the_log_says_so_once(path, state, caplog):
    settings = OutboxSettings(stream="back")
    with RedisServer() as server, closing(server.client()) as client, Outbox(path, server.url, settings) as outbox:
        for i in range(700):
            state.append([event(f"{i}-{j}") for j in range(2)], now=50)
            if i == 20:
                wait_until(lambda: "events wait for" in caplog.text)
                server.start()
        wait_until(lambda: outbox.waiting() == 0)
        assert once_each(names(client, "back")) == [f"{i}-{j}" for i in range(700) for j in range(2)]
    told = [one.getMessage() for one in caplog.records if one.name == "encorec.serving.state.outbox"]
    assert [one.split(" redis")[0] for one in told] == [
        "outbox: events wait for",
        "outbox: events go to",
    ]
    assert told[1].endswith(" again")


def test_answers_that_are_lost_lead_to_repetitions_and_not_to_gaps(redis_server, path, state):
    client = redis_server.client()
    with FaultProxy(redis_server.port) as proxy, closing(Outbox(path, proxy.url, OutboxSettings(stream="lost"))) as box:
        state.append([event("connected")], now=50)
        assert box.send() == 1
        state.append([event(i) for i in range(20)], now=50)
        proxy.delay = 0.6  # there and back is more than the second that the outbox waits
        with pytest.raises(RedisError):
            box.send()
        proxy.delay = 0.0
        assert (box.waiting(), box.send()) == (20, 20)
    wait_until(lambda: len(names(client, "lost")) == 41)
    assert once_each(names(client, "lost")) == ["connected", *(str(i) for i in range(20))]
    client.close()


WORKER = """
import sys
from encorec.serving.state.outbox import Outbox
from encorec.serving.state.outbox_settings import OutboxSettings
from encorec.serving.state.sqlite_state import SqliteState
from encorec.serving.state.store import Event
path, url, name = sys.argv[1:]
state = SqliteState(path, patience=30, outbox=True)
with Outbox(path, url, OutboxSettings(stream="killed")):
    for call in range(1_000_000):
        names = [f"{name}-{call}-{i}" for i in range(3)]
        state.append([Event(event_id=n, user_id=n, item_id=call, time=1.0) for n in names], now=9)
        print(*names, flush=True)
"""


def test_a_killed_process_loses_nothing_between_file_and_stream(redis_server, path, state):
    client, acknowledged = redis_server.client(), []
    for round_ in range(3):
        command = [sys.executable, "-c", WORKER, path, redis_server.url, f"w{round_}"]
        environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
        worker: Any = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        acknowledged += [next(worker.stdout) for _ in range(60 + 25 * round_)]
        worker.kill()
        acknowledged += [line for line in worker.communicate()[0].splitlines(keepends=True) if line[-1] == "\n"]
    with Outbox(path, redis_server.url, OutboxSettings(stream="killed")) as outbox:
        wait_until(lambda: outbox.waiting() == 0)
    sent = once_each(names(client, "killed"))
    assert [name for name in sent if name in set(" ".join(acknowledged).split())] == " ".join(acknowledged).split()
    assert client.xlen("killed") >= len(sent)
    client.close()
