"""The load generator against real services: ours, and ones that stall, refuse and break off."""

import asyncio
import json
import math
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.serving.flaky_proxy import Proxy, babbles, hangs_up, says, stalls
from tests.serving.test_server import Process
from typer.testing import CliRunner

from encorec.cli import app
from encorec.errors import ConfigError
from encorec.serving.load_test.open_loop import Load, load_test, send_times
from encorec.serving.load_test.report import QUANTILES, LoadReport, histogram_lines
from encorec.serving.load_test.search import highest_rate


@pytest.fixture(scope="module")
def service():
    process = Process(port=0, state=":memory:").wait_until_listening()
    yield process
    process.kill()


class Stalling:
    """Answers at once, but for one pause of all connections together."""

    def __init__(self, pause, after):
        self._pause, self._after, self.asked = pause, after, 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        started = asyncio.run_coroutine_threadsafe(asyncio.start_server(self._serve, "127.0.0.1", 0), self._loop)
        self._server = started.result()
        self.url = "http://{}:{}".format(*self._server.sockets[0].getsockname())

    async def _serve(self, reader, writer):
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                await reader.readexactly(int(head.lower().split(b"content-length: ")[1].split(b"\r")[0]))
                self.asked += 1
                if self.asked == self._after:
                    threading.Event().wait(self._pause)  # the whole process stands still
                writer.write(b'HTTP/1.1 200 OK\r\ncontent-length: 15\r\n\r\n{"degraded":[]}')
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.transport.abort()

    def stop(self):
        async def end():
            self._server.close()
            running = asyncio.all_tasks() - {asyncio.current_task()}
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
            await asyncio.sleep(0.01)  # until the loop has let go of the connections

        asyncio.run_coroutine_threadsafe(end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


def test_a_stall_is_not_hidden(service):
    """Half a second's pause at 100/s: some 50 requests were due meanwhile, and all of them waited."""
    stalling = Stalling(pause=0.5, after=50)
    try:
        report = load_test(stalling.url, Load(rate=100, seconds=1.5, warm_up=0, connections=1), [1])
    finally:
        stalling.stop()
    assert (report.requests, report.errors, report.degraded) == (150, {}, 0.0)
    slow = sum(count for low, _, count in report.histogram if low > 50)
    assert 25 <= slow <= 75
    assert report.latency_ms["p90"] > 100
    assert report.service_ms["p90"] < report.latency_ms["p90"], "a closed loop would have seen one slow request"
    assert report.waited > 0.2


def test_all_requests_are_sent_and_answered(service):
    report = load_test(service.url, Load(rate=200, seconds=1, warm_up=0.2, connections=8), list(range(1, 31)))
    assert (report.requests, report.errors) == (200, {})
    assert sum(count for *_, count in report.histogram) == 200
    assert report.latency_ms["p50"] <= report.latency_ms["p99"] <= report.latency_ms["max"]


def test_poisson_times_have_the_rate_and_the_spread():
    times = send_times(Load(rate=200, seconds=100, warm_up=0, poisson=True), np.random.default_rng(3))
    assert abs(len(times) - 20_000) < 4 * math.sqrt(20_000)
    gaps = np.diff(times)
    assert abs(gaps.std() / gaps.mean() - 1) < 0.05
    assert np.all(gaps >= 0)
    assert times[-1] < 100


@pytest.mark.parametrize(
    ("fault", "kind"),
    [(stalls, "timeout"), (hangs_up, "connection"), (babbles, "not HTTP"), (says("503 Busy"), "503")],
)
def test_errors_are_counted_by_kind(service, fault, kind):
    with Proxy(service.address, [fault] * 1000) as proxy:
        report = load_test(proxy.url, Load(rate=20, seconds=0.5, warm_up=0, connections=2, timeout=0.2), ["a", 2])
    assert report.requests == 10
    assert report.errors.get(kind, 0) >= 3
    assert set(report.errors) <= {kind, "timeout"}
    assert sum(report.errors.values()) == 10
    assert report.latency_ms == {}


def test_refused_requests_are_errors(service):
    report = load_test(service.url, Load(rate=20, seconds=0.5, warm_up=0, k=501), [1])
    assert report.errors == {"422": 10}


def test_degraded_answers_are_counted(service):
    process = Process(port=0, state=":memory:", deadline_ms=0.1, max_wait_ms=0.1).wait_until_listening()
    report = load_test(process.url, Load(rate=20, seconds=0.5, warm_up=0), [1])
    process.kill()
    assert (report.errors, report.degraded) == ({}, 1.0)


@pytest.mark.parametrize(
    ("url", "users", "said"),
    [("http://127.0.0.1:1", [1], "nobody answers"), ("https://shop", [1], "plain HTTP"), ("shop", [1], "URL")],
)
def test_where_nobody_answers_it_says_so(url, users, said):
    with pytest.raises(ConfigError, match=said):
        load_test(url, Load(rate=1, seconds=0.1), users)


def test_no_users_no_load(service):
    with pytest.raises(ConfigError, match="no users"):
        load_test(service.url, Load(rate=1, seconds=0.1), [])


@given(st.lists(st.floats(1e-5, 10), min_size=1, max_size=200))
def test_figures_agree_with_sorting(seconds):
    latency = np.array([*seconds, np.nan])
    report = LoadReport.of(latency, latency, np.zeros(1), rate=1, seconds=1, errors={"x": 1}, degraded=0, waited=0)
    inorder = sorted(seconds)
    for name, share in QUANTILES.items():
        rank = math.ceil(share * (len(inorder) - 1) - 1e-9)
        assert math.isclose(report.latency_ms[name], 1000 * inorder[rank])
    for low, high, count in report.histogram:
        assert count == sum(low * (1 - 1e-12) <= 1000 * one < high * (1 - 1e-12) for one in seconds)
    assert len(histogram_lines(report.histogram)) == len(report.histogram)


def known(limit):
    """A service whose p99 is 10 ms up to ``limit`` requests per second, 100 ms from there."""

    def test(rate):
        latency = np.full(1000, 0.01 if rate <= limit else 0.1)
        return LoadReport.of(latency, latency, np.zeros(1), rate=rate, seconds=1, errors={}, degraded=0, waited=0)

    return test


@given(st.floats(1.5, 1e5), st.floats(1, 1e4))
def test_the_highest_rate_is_found(limit, start):
    found = highest_rate(known(limit), start, p99_ms=50)
    assert found.report is not None
    assert found.report.rate <= limit <= found.report.rate * 1.06 or limit < 2
    assert [held for rate, held in found.tried] == [rate <= limit for rate, _ in found.tried]


def test_the_command_prints_figures_and_json(service, tmp_path):
    (tmp_path / "users").write_text("1\n2\n\nnew one\n")
    given = ["loadtest", service.url, "--rate", "50", "--seconds", "0.5", "--warm-up", "0"]
    told = CliRunner().invoke(app, [*given, "--users", str(tmp_path / "users"), "--poisson"])
    assert told.exit_code == 0, told.output
    assert "p99.9" in told.output
    told = CliRunner().invoke(app, [*given, "--users", "1..5", "--json"])
    assert json.loads(told.stdout)["requests"] == 25
    told = CliRunner().invoke(app, [*given, "--users", "1..", "--json"])
    assert isinstance(told.exception, ConfigError)
