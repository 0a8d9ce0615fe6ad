import time
from contextlib import closing
from typing import Any

import msgspec
import pytest
from tests.redis_server import RedisServer
from tests.serving.fault_proxy import FaultProxy
from tests.serving.test_state_contract import event

from encorec.errors import ConfigError
from encorec.pipeline.requests import PastEvent, UserState
from encorec.serving.state.redis_settings import RedisSettings
from encorec.serving.state.redis_state import RedisState
from encorec.serving.state.store import AppendResult, Event, StateError

SECRET = "s3cr3t"


def patient(prefix: str, **more: Any) -> RedisSettings:
    return RedisSettings(**{"prefix": prefix, "read_ms": 5000, "write_ms": 5000, "pause_ms": 50} | more)


@pytest.fixture
def server():
    """A server to stop."""
    with RedisServer() as own:
        own.start()
        yield own


@pytest.fixture
def state(redis_server, request):
    with closing(RedisState(redis_server.url, patient(request.node.name))) as store:
        yield store


def recovered(store: RedisState) -> UserState:
    """The state as soon as it can be read again; the breaker tries by itself."""
    for _ in range(400):
        try:
            return store.read(1, before=50)
        except StateError:
            time.sleep(0.025)
    raise AssertionError("the state did not come back in ten seconds")


def fails(store: RedisState, reads: int = 5) -> list[str]:
    problems = []
    for _ in range(reads):
        with pytest.raises(StateError) as caught:
            store.read(1, before=50)
        problems.append(str(caught.value))
    return problems


def test_a_server_that_is_away_is_no_error_before_the_first_call_and_is_found_when_it_comes():
    with RedisServer() as server, closing(RedisState(server.url, patient("late"))) as store:
        problems = fails(store)
        assert "Connection refused" in problems[0]
        assert (
            problems[3:]
            == [f"state '{server.url}' cannot be read: it did not answer and is left alone for a while"] * 2
        )
        server.start()
        assert recovered(store) == UserState()
        assert store.append([event("a")], now=50) == AppendResult(1, 0)


def test_a_server_that_stalls_costs_a_timeout_and_is_found_again(server):
    with closing(RedisState(server.url, patient("stall"))) as store:
        store.append([event("a")], now=50)
    with closing(RedisState(server.url, patient("stall", read_ms=10, write_ms=10, pause_ms=20))) as store:
        server.stall()
        began = time.monotonic()
        assert "Timeout" in fails(store, 50)[0]
        with pytest.raises(StateError):
            store.append([event("b")], now=50)
        assert time.monotonic() - began < 10, "without the timeout it would wait for ever"
        server.go_on()
        assert recovered(store).events[0] == PastEvent(1, 10.0)


def test_a_restarted_server_needs_no_restart_of_ours(server):
    with closing(RedisState(server.url, patient("restart"))) as store:
        assert store.append([event("a")], now=50) == AppendResult(1, 0)
        server.kill()
        fails(store, 2)
        server.start()
        assert recovered(store) == UserState(), "this one keeps nothing on disk"
        assert store.append([event("a")], now=50) == AppendResult(1, 0)
        assert recovered(store).seen == (1,)


def test_events_outlive_a_server_that_is_told_to_keep_them(tmp_path):
    options = ("--appendonly", "yes", "--appendfsync", "always", "--dir", str(tmp_path))
    with RedisServer(*options) as server, closing(RedisState(server.url, patient("disk"))) as store:
        server.start()
        for i in range(50):
            assert store.append([event(i, item=i, time=i)], now=50).accepted == 1
        server.kill()
        fails(store, 1)
        server.start()
        assert recovered(store).seen == tuple(range(50))
        assert store.append([event(i) for i in range(50)], now=50).duplicates == 50


def test_connections_that_break_are_made_anew(redis_server):
    with (
        FaultProxy(redis_server.port) as proxy,
        closing(RedisState(proxy.url, patient("breaks"))) as store,
    ):
        for i in range(5):
            store.append([event(i, item=i)], now=50)
            proxy.reset()
            time.sleep(0.02)
            assert recovered(store).seen == tuple(range(i + 1))


def test_a_slow_way_is_given_up_and_taken_again_when_it_is_fast(redis_server):
    with (
        FaultProxy(redis_server.port) as proxy,
        closing(RedisState(proxy.url, patient("slow", read_ms=50, pause_ms=20))) as store,
    ):
        store.append([event("a")], now=50)
        proxy.delay = 0.2
        assert "Timeout" in fails(store, 3)[0]
        proxy.delay = 0.0
        assert recovered(store).seen == (1,)
        proxy.stalled = True
        fails(store, 3)
        proxy.stalled = False
        assert recovered(store).seen == (1,)


def test_a_write_that_was_cut_off_can_be_sent_again(redis_server):
    with (
        FaultProxy(redis_server.port) as proxy,
        closing(RedisState(proxy.url, patient("cut", write_ms=50))) as store,
    ):
        proxy.delay = 0.2
        with pytest.raises(StateError, match="cannot be written: Timeout"):
            store.append([event("a"), event("b", item=2)], now=50)
        proxy.delay = 0.0
        recovered(store)
        result = store.append([event("a"), event("b", item=2)], now=50)
        assert result.accepted + result.duplicates == 2
        assert store.read(1, before=50).seen == (1, 2)
        assert len(store.read(1, before=50).events) == 2


@pytest.mark.parametrize("kind", ["past", "seen"])
def test_what_somebody_else_wrote_stops_a_call_before_it_stores_anything(redis_server, state, request, kind):
    vandal = redis_server.client()
    vandal.set(f"{request.node.name}:{kind}:vandalised", "x")
    with pytest.raises(StateError, match="WRONGTYPE"):
        state.append([event("a"), event("b", user="vandalised")], now=50)
    assert state.read(1, before=50) == UserState()
    assert state.append([event("a"), event("b")], now=50) == AppendResult(2, 0)
    vandal.zadd(f"{request.node.name}:past:odd", {b"\xff": 1.0})
    with pytest.raises(StateError, match="holds something else"):
        state.read("odd", before=50)
    vandal.close()


def filled(store: RedisState) -> int:
    """How many events went in, a hundred per call."""
    for stored in range(0, 100_000, 100):
        try:
            store.append([event(name, user=name, item="x" * 100) for name in range(stored, stored + 100)], now=50)
        except StateError as error:
            if "maxmemory" not in str(error):
                raise
            return stored
    raise AssertionError("the server was never full")


def test_a_full_server_refuses_whole_calls_and_serves_reads():
    options = ("--maxmemory", "3mb", "--maxmemory-policy", "noeviction")
    with RedisServer(*options) as server, closing(RedisState(server.url, patient("full"))) as store:
        server.start()
        stored = filled(store)
        users = [str(name) for name in range(stored + 100)]
        assert [len(one.events) for one in store.read_users(users, before=50)] == [1] * stored + [0] * 100


def test_names_of_events_are_forgotten_after_their_days_and_nothing_else_grows(redis_server, state, request):
    client, prefix = redis_server.client(), request.node.name
    for _ in range(2):
        state.append([event(i, item=i % 7, time=i) for i in range(1_000)], now=2_000)
    assert client.zcard(f"{prefix}:past:1") == 200
    assert client.zcard(f"{prefix}:seen:1") == 7
    lives = [client.ttl(key) for key in client.scan_iter(f"{prefix}:id:*", count=1000)]
    assert len(lives) == 1_000
    assert all(0 < life <= 7 * 86_400 for life in lives)
    client.close()


def test_a_name_can_be_forgotten_sooner(redis_server):
    with closing(RedisState(redis_server.url, patient("short", event_id_days=0.001))) as store:
        store.append([event("a")], now=50)
    client = redis_server.client()
    assert 0 < client.ttl("short:id:a") <= 86
    client.close()


def test_services_of_different_prefix_share_a_server_and_nothing_else(redis_server):
    with (
        closing(RedisState(redis_server.url, patient("one"))) as one,
        closing(RedisState(redis_server.url, patient("two"))) as two,
    ):
        one.append([event("a")], now=50)
        assert two.read(1, before=50) == UserState()
        assert two.append([event("a")], now=50).accepted == 1


def test_a_forgotten_script_is_sent_anew(redis_server, state):
    client = redis_server.client()
    for i in range(3):
        client.script_flush()
        assert state.append([event(i, item=i)], now=50).accepted == 1
        client.script_flush()
        assert len(state.read(1, before=50).seen) == i + 1
    client.close()


def test_accepted_events_are_in_the_stream_once_and_the_others_are_not(redis_server):
    client = redis_server.client()
    with closing(RedisState(redis_server.url, patient("posting"), stream="posted")) as store:
        store.append([event("a", user="ä\x00", type="like"), event("b"), event("a")], now=50)
        store.append([event("b"), event("c")], now=50)
        client.set("posted-not", "x")
    entries = [fields for _, fields in client.xrange("posted")]
    assert [fields[b"event_id"] for fields in entries] == [b"a", b"b", b"c"]
    assert msgspec.json.decode(entries[0][b"event"], type=Event) == event("a", user="ä\x00", type="like")
    with closing(RedisState(redis_server.url, patient("posting"), stream="posted-not")) as store:
        with pytest.raises(StateError, match="WRONGTYPE"):
            store.append([event("d")], now=50)
        assert len(store.read(1, before=50).events) == 2
    client.close()


def test_a_stream_is_cut_to_its_length(redis_server):
    client = redis_server.client()
    with closing(RedisState(redis_server.url, patient("cutting"), stream="short", stream_length=100)) as store:
        store.append([event(i) for i in range(2_000)], now=50)
    assert 100 <= client.xlen("short") < 400
    client.close()


@pytest.fixture(scope="module")
def guarded():
    """A server that asks for a password."""
    with RedisServer("--requirepass", SECRET) as own:
        own.start()
        yield own


def test_the_password_is_used(guarded):
    with closing(RedisState(f"redis://:{SECRET}@127.0.0.1:{guarded.port}/3", patient("p"))) as store:
        assert store.append([event("a")], now=50) == AppendResult(1, 0)
        assert store.read(1, before=50).seen == (1,)


@pytest.mark.parametrize(
    "wrong", ["redis://:x{}@127.0.0.1:{}", "redis://u:x{}@127.0.0.1:{}/1", "redis://:@127.0.0.1:{1}/"]
)
def test_a_password_that_is_wrong_is_not_told(guarded, wrong):
    store = RedisState(wrong.format(SECRET, guarded.port), patient("p"))
    with closing(store), pytest.raises(StateError, match="cannot be read") as caught:
        store.read(1, before=50)
    told, cause = "", caught.value
    while cause is not None:
        told, cause = told + repr(cause), cause.__cause__ or cause.__context__
    assert SECRET not in told


@pytest.mark.parametrize(
    "url",
    [
        f"redis://:{SECRET}@localhost:port/0",
        f"redis://:{SECRET}@localhost:99999/0",
        f"redis://u:{SECRET}@localhost:6379/zero",
        f"redis://localhost:6379?password={SECRET}&socket_timeout=soon",
        f"http://:{SECRET}@localhost",
    ],
)
def test_an_address_that_cannot_be_read_is_refused_without_its_password(url):
    with pytest.raises(ConfigError, match="no address of Redis") as caught:
        RedisState(url)
    assert SECRET not in f"{caught.value!r} {caught.value.__cause__!r} {caught.value.__context__!r}"
