"""Names of requests, log lines, spans, and pages of other origins."""

import json
import logging
import os
import subprocess
import sys

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from tests.serving.test_server import Process
from tests.serving.toy_engine import ToyEngine

from encorec.config import decode
from encorec.errors import ConfigError, MissingExtra
from encorec.serving.http.exchange import Exchange, Names
from encorec.serving.operations.request_log import JsonFormatter, RequestLog
from encorec.serving.operations.tracing import Tracing, tracing_of
from encorec.serving.settings import Settings


class Failing(ToyEngine):
    def popular(self, k):
        if k == 13:
            raise RuntimeError("the secret of user 4711")
        return super().popular(k)


def lines(caplog):
    return [json.loads(JsonFormatter().format(one)) for one in caplog.records if one.name == "encorec.requests"]


def test_a_request_keeps_the_name_that_its_client_gives(service):
    assert service.get("/health/live", headers={"x-request-id": "shop-17:a"}).headers["x-request-id"] == "shop-17:a"
    given = [service.get("/health/live").headers["x-request-id"] for _ in range(3)]
    assert len(set(given)) == 3


@pytest.mark.parametrize("name", [b"", b"a b", b"a\tb", b"x" * 129, b'a"b', "é".encode(), b"a\nb"])
def test_a_name_that_could_hurt_a_log_is_replaced(name):
    assert Names().of({b"x-request-id": name}).isalnum()


def test_even_a_failure_has_a_name(start_service):
    answer = start_service(Failing()).get("/v1/popular?k=13", headers={"x-request-id": "f-1"})
    assert (answer.status_code, answer.headers["x-request-id"]) == (500, "f-1")
    assert "4711" not in answer.text


def test_failed_requests_are_logged_and_others_as_asked(start_service, caplog):
    caplog.set_level(logging.INFO)
    silent = start_service(Failing())
    silent.items(user_id=17, k=2)
    assert lines(caplog) == []
    silent.post("/v1/recommend", {"user_id": 17, "k": 0}, headers={"x-request-id": "bad"}, json={"user_id": 17, "k": 0})
    silent.get("/v1/popular?k=13")
    refused, failed = lines(caplog)
    assert (refused["request_id"], refused["status"], refused["level"]) == ("bad", 422, "warning")
    assert (failed["route"], failed["status"], failed["level"]) == ("/v1/popular", 500, "error")
    caplog.clear()
    start_service(log_requests=1.0).items(user_id=4711, k=2)
    [line] = lines(caplog)
    assert line.pop("ms") > 0
    assert line.pop("time").endswith("Z")
    assert {name: line[name] for name in ("route", "status", "k", "snapshot", "degraded", "level")} == {
        "route": "/v1/recommend",
        "status": 200,
        "k": 2,
        "snapshot": "toy-1",
        "degraded": [],
        "level": "info",
    }
    assert "4711" not in json.dumps(line), "nothing of the user"


def test_the_share_of_logged_requests_is_kept_exactly():
    log = RequestLog(0.25)
    assert [log.wanted(200) for _ in range(8)].count(True) == 2
    assert all(log.wanted(503) for _ in range(5))


def test_a_traceback_is_part_of_its_line():
    try:
        raise ValueError("two\nlines")
    except ValueError:
        record = logging.LogRecord("tea", logging.ERROR, "", 0, "spilt", (), sys.exc_info())
    text = JsonFormatter().format(record)
    assert "\n" not in text
    assert "ValueError: two" in json.loads(text)["traceback"]


def test_every_line_of_a_process_is_json_where_that_is_wanted():
    process = Process(port=0, state=":memory:", log_format="json", log_requests=1).wait_until_listening()
    subprocess.run([sys.executable, "-c", f"import httpx; httpx.get('{process.url}/v1/popular')"], check=True)
    process.terminate()
    assert process.wait() == 0
    told = [json.loads(line) for line in process.log.splitlines()]
    assert [one["route"] for one in told if "route" in one] == ["/v1/popular"]
    assert {one["level"] for one in told} == {"info"}
    process.kill()


@pytest.fixture
def spans():
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return exporter, Tracing(provider)


def test_a_request_is_a_span_with_its_stages_inside(spans):
    exporter, tracing = spans
    exchange = Exchange(request_id="r", route="/v1/recommend", method="POST", began=5.0, status=200, k=10)
    exchange.stages = [("state", 5.0, 5.001), ("engine", 5.002, 5.004)]
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    tracing.ended(exchange, {b"traceparent": parent.encode()})
    state, engine, whole = exporter.get_finished_spans()
    assert whole.name == "POST /v1/recommend"
    assert f"{whole.context.trace_id:032x}" == parent.split("-")[1]
    assert whole.attributes == {
        "http.request.method": "POST",
        "http.route": "/v1/recommend",
        "http.response.status_code": 200,
        "encorec.request_id": "r",
        "encorec.k": 10,
    }
    assert [one.parent.span_id for one in (state, engine)] == [whole.context.span_id] * 2
    assert abs((engine.end_time - engine.start_time) - 2e6) < 1e3
    assert abs((engine.start_time - whole.start_time) - 2e6) < 1e3


def test_spans_that_wait_are_sent_when_the_service_ends():
    program = """
import asyncio, contextlib, httpx
from tests.serving.toy_engine import ToyEngine
from encorec.serving.app import create_app
from encorec.serving.settings import Settings
from encorec.serving.state.sqlite_state import SqliteState

async def main():
    with contextlib.closing(SqliteState(":memory:")) as state:
        app = create_app(ToyEngine(), Settings(tracing="console"), state)
        async with app.router.lifespan_context(app):
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
                await client.get("/v1/popular")
        print("ended", flush=True)

asyncio.run(main())
"""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([os.getcwd(), *sys.path])}
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment, timeout=60
    )
    assert run.stdout.partition("ended")[0].count('"name": "GET /v1/popular"') == 1


def test_tracing_is_refused_where_it_cannot_be(start_service):
    with pytest.raises(ConfigError, match="did you mean 'console'"):
        tracing_of("consol")
    with pytest.raises(ConfigError, match="tracing"):
        decode({"tracing": "everything"}, Settings)
    with pytest.raises(MissingExtra, match=r"encorec\[otel\]"):
        start_service(tracing="otlp")  # its exporter is in the extra, not among the tools of development


def test_without_opentelemetry_only_those_who_ask_for_it_are_refused():
    program = """
import sys
sys.modules["opentelemetry.sdk"] = None  # not installed
import encorec.serving.app
from encorec.serving.operations.tracing import tracing_of
assert tracing_of("off") is None
tracing_of("console")
"""
    run = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert "pip install 'encorec[otel]'" in run.stderr.splitlines()[-1]


def test_pages_of_allowed_origins_may_ask(start_service):
    service = start_service(cors_origins=("https://shop.example",))
    asked = {"origin": "https://shop.example", "access-control-request-method": "POST"}
    answer = service._runner.run(service._client.options("/v1/recommend", headers=asked))
    assert answer.headers["access-control-allow-origin"] == "https://shop.example"
    answer = service.get("/v1/popular", headers={"origin": "https://shop.example"})
    assert answer.headers["access-control-allow-origin"] == "https://shop.example"
    answer = service.get("/v1/popular", headers={"origin": "https://thief.example"})
    assert "access-control-allow-origin" not in answer.headers


def test_pages_may_not_ask_unless_told(service):
    answer = service.get("/v1/popular", headers={"origin": "https://shop.example"})
    assert "access-control-allow-origin" not in answer.headers
