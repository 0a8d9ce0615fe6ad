"""Whatever fails behind a recommend route, the answer is 200, full, and says what it lacks."""

import threading
import time

import httpx
import pytest
from tests.serving.toy_engine import ToyEngine

from encorec.pipeline.requests import Request
from encorec.serving.snapshots.holder import Snapshots
from encorec.serving.state.sqlite_state import SqliteState

QUESTION = {"user_id": 17, "k": 3}


def always(_):
    return True


def never(_):
    return False


class Failing(ToyEngine):
    """Raises where it is told to, once it is warm."""

    def __init__(self, fails=None):
        super().__init__()
        self.fails, self.calls = fails or always, []
        self.warm = False

    def recommend(self, requests, states=None, **how):
        if self.warm:
            self.calls.append((len(requests), threading.current_thread().name))
            if any(map(self.fails, requests)):
                raise ZeroDivisionError("in the engine")
        return super().recommend(requests, states, **how)


def warm(start_service, engine, state=None, **settings):
    service = start_service(engine, state, **settings)
    engine.warm = True
    return service


def ids(answer):
    return [item["item_id"] for item in answer["items"]]


def test_an_engine_that_raises_is_replaced_by_popular_items(start_service, caplog):
    service = warm(start_service, Failing())
    for _ in range(3):
        answer = service.post("/v1/recommend", QUESTION | {"deny": [302]})
        assert answer.status_code == 200
        assert answer.json()["degraded"] == ["engine"]
        assert ids(answer.json()) == [242, 1, 2]
        assert answer.json()["items"][0]["source"] == ["popularity"]
    told = [record for record in caplog.records if "ZeroDivisionError" in (record.exc_text or "")]
    assert len(told) == 1, "once, with its traceback"


def test_so_on_the_course_route(start_service):
    answer = warm(start_service, Failing()).post(
        "/api/v1/recommend_for_user", {"user_id": 1, "item_whitelist": [5, 242]}
    )
    assert answer.json() == {"user_id": 1, "item_ids": [5]}


def test_what_was_remembered_is_not_shown_again_by_the_fallback_either(start_service):
    service = warm(start_service, Failing())
    service.post("/v1/events", {"events": [{"event_id": "a", "user_id": 17, "item_id": 242}]})
    assert ids(service.post("/v1/recommend", QUESTION).json()) == [302, 1, 2]


def test_of_a_batch_only_those_that_fail_are_degraded(start_service):
    engine = Failing(lambda request: request.user_id == "poison")
    service = warm(start_service, engine)
    requests = [QUESTION, {"user_id": "poison", "k": 2}, {"k": 1}]
    answers = service.post("/v1/recommend/batch", {"requests": requests}).json()["answers"]
    assert [one["degraded"] for one in answers] == [[], ["engine"], []]
    assert [len(one["items"]) for one in answers] == [3, 2, 1]


def test_batches_and_explanations_are_made_in_a_thread_of_their_own_and_short_requests_at_once(start_service):
    engine = Failing(never)
    service = warm(start_service, engine)
    service.post("/v1/recommend", QUESTION)
    service.post("/v1/recommend/batch", {"requests": [QUESTION] * 5})
    service.post("/v1/recommend", QUESTION | {"explain": True})
    (single, here), (five, aside), (explained, there) = engine.calls
    assert (single, five, explained) == (1, 5, 1)
    assert here == "MainThread"
    assert aside.startswith("bulk")
    assert there.startswith("bulk")


def test_what_was_answered_in_full_is_asked_of_the_next_snapshot(start_service):
    engine = Failing(lambda request: request.user_id == "poison")
    snapshots = Snapshots(engine)
    service = start_service(snapshots, max_shed_ms=100_000)
    engine.warm = True
    for body in (QUESTION, QUESTION | {"user_id": "poison"}, QUESTION | {"explain": True}, {"k": 3}):
        service.post("/v1/recommend", body)
    ago(service, 9.0, QUESTION | {"user_id": "shed"})
    assert [(one.user_id, one.k) for one in snapshots.recent] == [(17, 3), (None, 3)]


class Stamped:
    """An application whose requests arrived some time ago."""

    def __init__(self, app, seconds):
        self.app, self.seconds = app, seconds

    async def __call__(self, scope, receive, send):
        if scope["type"] == "http":
            scope["encorec.arrived"] = time.monotonic() - self.seconds
        await self.app(scope, receive, send)


def ago(service, seconds, body, path="/v1/recommend"):
    async def ask():
        transport = httpx.ASGITransport(Stamped(service.app, seconds))
        async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
            return await client.post(path, json=body)

    return service._runner.run(ask()).json()


class TestShedding:
    def test_who_has_waited_too_long_gets_popular_items_without_the_engine(self, start_service):
        engine = Failing(never)
        service = warm(start_service, engine, max_wait_ms=500, max_shed_ms=100_000)
        service.post("/v1/events", {"events": [{"event_id": "a", "user_id": 17, "item_id": 242}]})
        answer = ago(service, 1.0, QUESTION)
        assert answer["degraded"] == ["shed"]
        assert ids(answer) == [302, 1, 2]
        assert engine.calls == []
        assert ago(service, 0.0, QUESTION)["degraded"] == []
        assert len(engine.calls) == 1

    @pytest.mark.parametrize(
        ("asked", "expected"),
        [
            ({"k": 2}, [242, 302]),
            ({"k": 2, "deny": [242]}, [302, 1]),
            ({"k": 2, "allow": [7, 5, 999]}, [5, 7]),
            ({"history": [{"item_id": 242, "timestamp": 5}], "k": 1}, [302]),
            ({"user_id": 1, "k": 1}, [1]),
        ],
    )
    def test_their_rules_hold(self, start_service, asked, expected):
        assert ids(ago(start_service(max_shed_ms=100_000), 9.0, asked)) == expected

    def test_a_deadline_that_has_passed_sheds_too(self, start_service):
        service = start_service(max_wait_ms=100_000, max_shed_ms=100_000)
        assert ago(service, 0.2, {"deadline_ms": 150})["degraded"] == ["shed"]
        assert ago(service, 0.2, {"deadline_ms": 60_000})["degraded"] == []

    def test_a_deadline_is_set_where_none_is_named_and_cut_where_it_is_too_long(self, start_service):
        service = start_service(max_wait_ms=100_000, max_shed_ms=100_000, deadline_ms=150, max_deadline_ms=400)
        assert ago(service, 0.2, {})["degraded"] == ["shed"]
        assert ago(service, 0.2, {"deadline_ms": 60_000})["degraded"] == []
        assert ago(service, 0.5, {"deadline_ms": 60_000})["degraded"] == ["shed"]

    def test_where_even_that_comes_too_late_they_are_told_to_come_again(self, service):
        assert ago(service, 9.0, QUESTION) == {
            "error": {
                "message": "more is asked of this process than it can answer; send it again",
                "path": "/v1/recommend",
            }
        }

    def test_batches_wait_as_long_as_they_must(self, start_service):
        answer = ago(start_service(max_shed_ms=100_000), 9.0, {"requests": [QUESTION]}, "/v1/recommend/batch")
        assert answer["answers"][0]["degraded"] == []


def test_the_watch_of_a_single_request_has_the_deadline_and_that_of_a_batch_none(start_service):
    class Watched(ToyEngine):
        def __init__(self):
            super().__init__()
            self.watches = []

        def recommend(self, requests, states=None, *, now, chances=None, watch=None):
            if watch is not None:
                self.watches.append(watch.attempt("ranker", lambda: True))
            return super().recommend(requests, states, now=now)

    engine = Watched()
    service = start_service(engine)
    service.post("/v1/recommend", {"deadline_ms": 60_000})
    service.post("/v1/recommend/batch", {"requests": [{"deadline_ms": 0.0001}]})
    assert engine.watches == [True, True]
    assert Request().k == 10


class Wild(SqliteState):
    """A store that fails in a way that it does not know itself."""

    def read(self, user_id, *, before):
        raise RuntimeError("wild")

    def read_users(self, user_ids, *, before):
        raise RuntimeError("wild")


def test_a_state_that_fails_in_whatever_way_is_done_without(start_service):
    service = start_service(None, Wild(":memory:"))
    assert service.post("/v1/recommend", QUESTION).json()["degraded"] == ["state"]
    batch = service.post("/v1/recommend/batch", {"requests": [QUESTION, {}]}).json()
    assert [one["degraded"] for one in batch["answers"]] == [["state"], []]


def test_other_routes_fail_in_the_form_of_an_error_with_the_name_of_the_request(start_service):
    class NoNeighbours(ToyEngine):
        def similar(self, item_id, k, *, allow=None, deny=()):
            raise ZeroDivisionError

    answer = start_service(NoNeighbours()).post("/v1/similar", {"item_id": 242})
    assert answer.status_code == 500
    assert answer.json()["error"]["path"] == "/v1/similar"
    assert answer.headers["x-request-id"]
