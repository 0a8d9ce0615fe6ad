"""Several real processes on one socket: all answer, the dead are replaced, all follow a reload, all end well."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.serving.stores import accept, renamed
from tests.worlds import Trained

from encorec.serving.snapshots.store import SnapshotStore

ROOT = Path(__file__).parents[2]
KEY = {"X-API-Key": "open sesame"}


class Workers:
    """``encorec serve STORE --workers 2`` on a free port."""

    def __init__(self, store: Path, place: Path, *options: str) -> None:
        self.log = place / "log"
        state = str(place / "state.sqlite")
        command = [sys.executable, "-m", "encorec", "serve", str(store), "--port", "0", "--workers", "2"]
        environment = {**os.environ, "ENCOREC_API_KEY": "open sesame"}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [*command, "--state", state, "--clock", "data-end", *options], env=environment, stderr=log, stdout=log
            )

    def wait_until_listening(self) -> "Workers":
        while not (found := re.search(r"2 workers running on (http://\S+)", self.log.read_text())):
            assert self.process.poll() is None, self.log.read_text()
            time.sleep(0.05)
        self.url = found[1]
        return self

    def get(self, path: str) -> Any:
        return httpx.get(self.url + path, headers=KEY, timeout=60).json()

    def post(self, path: str, body: Any = None) -> httpx.Response:
        return httpx.post(self.url + path, json=body, headers=KEY, timeout=60)

    def pids(self) -> set[int]:
        return {one["pid"] for one in self.get("/admin/snapshots")["workers"]}

    def models(self) -> list[str]:
        """Of new connections, each accepted by whoever comes first."""
        answers = [self.post("/v1/recommend", {}) for _ in range(20)]
        assert {one.status_code for one in answers} <= {200, 503}, "503 = had to wait while no worker was there"
        return [one.json()["model"] for one in answers if one.status_code == 200]


@pytest.fixture
def store(trained: Trained, tmp_path: Path) -> SnapshotStore:
    made = SnapshotStore(tmp_path / "store")
    for name in ("one", "two"):
        made.publish(renamed(trained.folder, tmp_path, name), accept)
    return made


@pytest.fixture
def workers(store: SnapshotStore, tmp_path: Path) -> Iterator[Workers]:
    made = Workers(store.folder, tmp_path)
    yield made.wait_until_listening()
    made.process.kill()
    made.process.wait()


def wait_for(found: Any) -> None:
    end = time.monotonic() + 60
    while not found():
        assert time.monotonic() < end
        time.sleep(0.05)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_all_workers_follow_one_call_and_end_together(
    workers: Workers, store: SnapshotStore, trained: Trained, tmp_path: Path
) -> None:
    store.publish(renamed(trained.folder, tmp_path, "three"), accept)
    assert set(workers.models()) == {"two"}, "without a watch nothing changes by itself"
    answer = workers.post("/admin/reload")
    assert answer.status_code == 200, answer.text
    assert [one["model"] for one in answer.json()["workers"]] == ["three", "three"]
    assert set(workers.models()) == {"three"}
    answer = workers.post("/admin/rollback")
    assert answer.status_code == 200, answer.text
    assert (set(workers.models()), store.current()) == ({"two"}, "two")

    store.publish(renamed(trained.folder, tmp_path, "four"), accept)
    (store.path("four") / "items/ids.npy").write_bytes(b"gone")
    answer = workers.post("/admin/reload")
    assert answer.status_code == 409
    assert "ids.npy" in answer.json()["error"]
    assert set(workers.models()) == {"two"}

    pids = workers.pids()
    workers.process.send_signal(signal.SIGTERM)
    assert workers.process.wait(30) == 0, workers.log.read_text()
    assert not any(map(alive, pids))
    assert "Traceback" not in workers.log.read_text()
    assert "open sesame" not in workers.log.read_text()


def test_a_worker_that_dies_is_replaced(workers: Workers) -> None:
    before = workers.pids()
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not any(map(alive, before)))
    wait_for(lambda: set(workers.models()) == {"two"})
    wait_for(lambda: len(workers.pids() - before) == 2)
    assert "another starts in" in workers.log.read_text()


def test_workers_end_when_the_one_that_started_them_is_killed(workers: Workers) -> None:
    pids = workers.pids()
    workers.process.kill()
    workers.process.wait()
    wait_for(lambda: not any(map(alive, pids)))


def test_a_watched_store_is_followed_without_a_word(store: SnapshotStore, trained: Trained, tmp_path: Path) -> None:
    workers = Workers(store.folder, tmp_path, "--watch", "--watch-seconds", "0.1").wait_until_listening()
    store.publish(renamed(trained.folder, tmp_path, "three"), accept)
    wait_for(lambda: [one["model"] for one in workers.get("/admin/snapshots")["workers"]] == ["three", "three"])
    workers.process.terminate()
    assert workers.process.wait(30) == 0


@pytest.mark.parametrize(("options", "told"), [
    (["--port", "{taken}"], "cannot listen on 127.0.0.1:"),
    (["--state", ":memory:"], "each would have its own"),
    (["--state", "/nowhere/state.sqlite"], "cannot be opened"),
])  # fmt: skip
def test_what_cannot_start_ends_with_a_word(
    store: SnapshotStore, tmp_path: Path, options: list[str], told: str
) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        given = [one.format(taken=taken.getsockname()[1]) for one in options]
        workers = Workers(store.folder, tmp_path, *given)
        assert workers.process.wait(60) not in (0, None)
    assert told in workers.log.read_text()
    assert "Traceback" not in workers.log.read_text()
