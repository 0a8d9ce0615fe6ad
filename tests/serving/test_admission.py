import asyncio

import pytest

from encorec.serving.http.request_error import RequestError
from encorec.serving.limits.admission import Admission
from encorec.serving.limits.bulk import Bulk
from encorec.serving.limits.failures import Failures


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def asked(path, waiting, most, arrived=100.0):
    sent = []

    async def app(scope, receive, send):
        sent.append({"type": "answered"})

    async def receive():
        raise AssertionError("nothing is read of what is turned away")

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "path": path, "encorec.waiting": waiting, "encorec.arrived": arrived}
    asyncio.run(Admission(app, most, 1.0, clock=lambda: 100.0)(scope, receive, send))
    return sent


@pytest.mark.parametrize(("waiting", "answered"), [(0, True), (9, True), (10, False), (10_000, False)])
def test_beyond_the_bound_requests_are_turned_away(waiting, answered):
    first, *rest = asked("/v1/recommend", waiting, most=10)
    if answered:
        assert (first["type"], rest) == ("answered", [])
        return
    assert first["status"] == 503
    headers = dict(first["headers"])
    assert headers[b"retry-after"] == b"1"
    assert headers[b"content-length"] == str(len(rest[0]["body"])).encode()
    assert b'"path":"/v1/recommend"' in rest[0]["body"]


@pytest.mark.parametrize(("arrived", "answered"), [(99.1, True), (98.9, False)])
def test_who_has_waited_for_ages_is_turned_away(arrived, answered):
    first, *_ = asked("/v1/recommend", 0, most=10, arrived=arrived)
    assert (first["type"] == "answered") == answered


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/metrics", "/admin/reload"])
def test_operators_are_always_heard(path):
    assert asked(path, 10_000, most=10, arrived=0.0) == [{"type": "answered"}]


def test_bulk_work_is_done_one_by_one_aside_and_bounded():
    bulk = Bulk(2)

    async def several():
        release = asyncio.Event()
        loop = asyncio.get_running_loop()
        order = []

        def first():
            asyncio.run_coroutine_threadsafe(release.wait(), loop).result()
            order.append(1)

        def second():
            order.append(2)

        under_way = [asyncio.create_task(bulk.run(work)) for work in (first, second)]
        await asyncio.sleep(0)
        assert bulk.full
        with pytest.raises(RequestError, match="2 bulk requests are waiting, allowed are 2") as refused:
            await bulk.run(second)
        assert refused.value.status == 503
        release.set()
        await asyncio.gather(*under_way)
        assert order == [1, 2]
        assert not bulk.full

    asyncio.run(several())
    bulk.close()


def test_bulk_work_that_raises_leaves_its_place():
    bulk = Bulk(1)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            asyncio.run(bulk.run(lambda: 1 / 0))
    bulk.close()


def test_a_failure_is_told_once_in_a_while_with_the_number_of_those_between(caplog):
    clock = Clock()
    failures = Failures(pause=10, clock=clock)
    for _ in range(4):
        failures.report("ranker", ValueError("torn"))
    failures.report("source:als", ValueError())
    assert [record.getMessage() for record in caplog.records] == [
        "answered without ranker: torn",
        "answered without source:als: ValueError",
    ]
    assert caplog.records[0].exc_info
    clock.now = 10.0
    failures.report("ranker", OSError("worn"), traceback=False)
    assert caplog.records[-1].getMessage() == "answered without ranker: worn; 3 more since the last word on it"
    assert not caplog.records[-1].exc_info
    assert failures.count == 6
