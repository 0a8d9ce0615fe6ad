"""State in Redis, and what becomes of the service when it is killed, stalled, slow, and back again. Real processes."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.end_to_end.service import Service
from tests.redis_server import RedisServer
from tests.serving.fault_proxy import FaultProxy


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    """Not started: that is for the service to live through."""
    with RedisServer() as own:
        yield own


@pytest.fixture(scope="module")
def start(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Service]:
    def service(state: str, *options: str) -> Service:
        bounds = ("--redis-read-ms", "200", "--max-wait-ms", "20000", "--deadline-ms", "10000")  # for a busy machine
        chosen = ("--clock", "data-end", "--state", state, *bounds, *options)
        return Service(tmp_path_factory.mktemp("service"), project / "artifact", *chosen)

    return service


@pytest.fixture(scope="module")
def proxy(server: RedisServer) -> Iterator[FaultProxy]:
    with FaultProxy(server.port) as between:
        yield between


@pytest.fixture(scope="module")
def service(server: RedisServer, proxy: FaultProxy, start: Callable[..., Service]) -> Iterator[Service]:
    """Started while its Redis was away, and found by it since."""
    with start(proxy.url) as running:
        assert answers(running, 20) == [["state"]] * 20
        server.start()
        assert recovers(running)
        yield running


def event(name: str, item: str, user: str = "fan") -> dict[str, Any]:
    return {"event_id": name, "user_id": user, "item_id": item}


def answers(service: Service, count: int, user: str = "fan") -> list[list[str]]:
    """What each of many answers had to do without; every one of them is full."""
    degraded = []
    for _ in range(count):
        answer = service.post("/v1/recommend", {"user_id": user})
        assert len(answer["items"]) == 10
        degraded.append(answer["degraded"])
    return degraded


def send(service: Service, *events: dict[str, Any]) -> int:
    """The status of a call of events."""
    return httpx.post(f"{service.url}/v1/events", json={"events": list(events)}, timeout=30).status_code


def recovers(service: Service) -> bool:
    return any(answers(service, 1) == [[]] or time.sleep(0.05) for _ in range(200))


def gone_and_back(service: Service, user: str, away: Callable[[], Any], back: Callable[[], Any]) -> None:
    """Full answers without state while it is away, no event acknowledged; with state again, and nothing lost."""
    assert recovers(service)
    first, second = event(f"{user}-1", "f000", user), event(f"{user}-2", "f003", user)
    assert send(service, first) == 200
    away()
    began = time.monotonic()
    assert answers(service, 60, user) == [["state"]] * 60
    assert time.monotonic() - began < 40, "each of them would wait for ever"
    assert send(service, second) == 503
    back()
    assert recovers(service)
    assert send(service, first, second) == 200
    assert {one["item_id"] for one in service.get(f"/v1/users/{user}")["events"]} == {"f000", "f003"}
    assert not {"f000", "f003"} & set(service.ids(user_id=user, k=500))


def test_a_killed_redis(service: Service, server: RedisServer) -> None:
    gone_and_back(service, "killed", server.kill, server.start)


def test_a_stalled_redis(service: Service, server: RedisServer) -> None:
    gone_and_back(service, "stalled", server.stall, server.go_on)


def test_a_slow_way_to_redis(service: Service, proxy: FaultProxy) -> None:
    def delay(seconds: float) -> None:
        proxy.delay = seconds

    gone_and_back(service, "slow", lambda: delay(0.7), lambda: delay(0.0))


def test_connections_that_break(service: Service, proxy: FaultProxy) -> None:
    for place in range(3):
        proxy.reset()
        assert recovers(service)
        assert send(service, event(f"broken-{place}", f"f{place:03d}", "broken")) == 200
    assert len(service.get("/v1/users/broken")["events"]) == 3


def test_accepted_events_go_on_to_a_stream(start: Callable[..., Service], tmp_path: Path) -> None:
    with RedisServer() as server, closing(server.client()) as client:
        server.start()
        with start(str(tmp_path / "shared.sqlite"), "--outbox", server.url, "--outbox-stream", "told") as service:
            assert send(service, event("a", "f000"), event("b", "f001"), event("a", "f000")) == 200
        # The service has ended, and sent before it did.
        assert [fields[b"event_id"] for _, fields in client.xrange("told")] == [b"a", b"b"]


def test_an_event_counts_in_the_next_answer_of_every_worker(start: Callable[..., Service], tmp_path: Path) -> None:
    state = str(tmp_path / "shared.sqlite")  # two stores in Redis are asked the same in the contract of states
    with start(state) as one, start(state) as other:
        for place in range(3):
            told, asked = (one, other) if place % 2 else (other, one)
            assert send(told, event(f"step-{place}", f"f{6 + place:03d}")) == 200
            shown = asked.ids(user_id="fan", k=500)
            assert not {f"f{6 + step:03d}" for step in range(place + 1)} & set(shown)
            assert f"f{7 + place:03d}" in shown[:3]
