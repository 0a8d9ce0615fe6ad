"""A real process, a real socket, real signals."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).parents[2]
SERVE = """
import sys
from encorec.config import decode
from encorec.serving.server import run
from encorec.serving.settings import Settings
from tests.serving.toy_engine import ToyEngine
import msgspec
run(ToyEngine(), decode(msgspec.json.decode(sys.argv[1]), Settings))
"""


class Process:
    """A service in a process of its own, on a free port."""

    def __init__(self, program=SERVE, **settings):
        given = str(settings).replace("'", '"')
        self._process = subprocess.Popen(
            [sys.executable, "-c", program, given],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"},
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stderr is not None
        self._stderr = self._process.stderr
        self.log = ""
        self.url = ""

    def wait_until_listening(self):
        while not (found := re.search(r"running on (http://[\d.]+:\d+)", self.log)):
            self.read_line()
        self.url = found[1]
        return self

    def read_line(self):
        line = self._stderr.readline()
        assert line, self.log
        self.log += line

    def terminate(self):
        self._process.send_signal(signal.SIGTERM)

    def wait(self):
        self.log += self._stderr.read()
        return self._process.wait()

    def kill(self):
        self._process.kill()
        self._process.wait()
        self._stderr.close()

    @property
    def address(self):
        host, port = self.url.removeprefix("http://").split(":")
        return host, int(port)


@pytest.fixture
def start_process():
    started = []

    def start(program=SERVE, **settings):
        started.append(Process(program, **{"port": 0} | settings))
        return started[-1]

    yield start
    for process in started:
        process.kill()


def shown(process, user="new"):
    answer = httpx.post(f"{process.url}/v1/recommend", json={"user_id": user, "k": 1})
    assert answer.json()["degraded"] == []
    return answer.json()["items"][0]["item_id"]


def post_event(process, name, item, user="new"):
    event = {"event_id": name, "user_id": user, "item_id": item}
    answer = httpx.post(f"{process.url}/v1/events", json={"events": [event]})
    assert answer.json()["accepted"] == 1


def test_served_stopped_and_served_again(start_process, tmp_path):
    state = str(tmp_path / "state.sqlite")
    process = start_process(state=state).wait_until_listening()
    assert httpx.get(f"{process.url}/health/ready").json() == {"status": "ready", "model": "toy-1"}
    assert shown(process) == 242
    post_event(process, "a", 242)
    assert shown(process) == 302
    process.terminate()
    assert process.wait() == 0, process.log
    again = start_process(state=state).wait_until_listening()
    assert shown(again) == 302


def test_two_processes_see_each_others_events(start_process, tmp_path):
    state = str(tmp_path / "state.sqlite")
    one, other = (start_process(state=state) for _ in range(2))
    one.wait_until_listening()
    other.wait_until_listening()
    post_event(one, "a", 242)
    assert shown(other) == 302
    post_event(other, "b", 302)
    assert shown(one) == 1


def test_an_acknowledged_event_survives_kill_9(start_process, tmp_path):
    state = str(tmp_path / "state.sqlite")
    process = start_process(state=state).wait_until_listening()
    post_event(process, "a", 242)
    process.kill()
    assert shown(start_process(state=state).wait_until_listening()) == 302


def test_a_request_under_way_is_answered_before_the_process_ends(start_process):
    process = start_process(state=":memory:").wait_until_listening()
    body = b'{"user_id": 17, "k": 1}'
    head = f"POST /v1/recommend HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    with socket.create_connection(process.address) as connection:
        connection.sendall(head + body[:5])
        assert httpx.get(f"{process.url}/health/live").status_code == 200  # so the first half has been read
        process.terminate()
        while "Shutting down" not in process.log:
            process.read_line()
        connection.sendall(body[5:])
        answer = connection.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 200"), answer
    assert b'"item_id":242' in answer
    assert process.wait() == 0, process.log


def chunks():
    for _ in range(300):
        yield b" " * 10_000


def test_a_body_of_undeclared_length_is_given_up_at_the_limit(start_process):
    process = start_process(state=":memory:").wait_until_listening()
    # The server may hang up while the rest is on its way: refused all the same.
    with contextlib.suppress(httpx.TransportError):
        assert httpx.post(f"{process.url}/v1/recommend", content=chunks()).status_code == 413
    assert shown(process) == 242


def test_a_client_that_goes_away_does_no_harm(start_process):
    process = start_process(state=":memory:").wait_until_listening()
    for _ in range(5):
        with socket.create_connection(process.address) as connection:
            connection.sendall(b"POST /v1/recommend HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
    assert shown(process) == 242
    process.terminate()
    assert process.wait() == 0
    assert "Traceback" not in process.log


def test_a_port_that_is_taken_ends_the_process_with_a_word(start_process):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        process = start_process(state=":memory:", port=taken.getsockname()[1])
        assert process.wait() != 0
    assert "address already in use" in process.log


def test_linear_algebra_runs_on_one_thread(start_process):
    program = SERVE.replace("run(ToyEngine()", "run(Counting()").replace(
        "import msgspec",
        """
import msgspec, threadpoolctl
class Counting(ToyEngine):
    def popular(self, k):
        print("threads:", [pool["num_threads"] for pool in threadpoolctl.threadpool_info()], file=sys.stderr)
        return super().popular(k)
""",
    )
    process = start_process(program, state=":memory:").wait_until_listening()
    told = re.findall(r"threads: \[(.*)\]", process.log)
    assert told
    assert {pool for threads in told for pool in threads.split(", ")} == {"1"}
