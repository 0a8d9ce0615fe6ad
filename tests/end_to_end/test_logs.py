"""What a service logs is there after a kill, and a full disk takes logs and events, not answers."""

import json
import re
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import polars as pl
import pytest
from tests.end_to_end.project import environment, succeeded

from encorec.evaluation.offpolicy.impressions import log_of
from encorec.serving.logs.event_log import Records, calls_of
from encorec.serving.logs.impressions import Impression
from encorec.serving.logs.segments import segments_of


class LoggingService:
    """A service with logs that may end in any way."""

    def __init__(self, folder: Path, artifact: Path, *options: str) -> None:
        self.logs, self.lines = folder / "logs", list[str]()
        named = ("--state", str(folder / "state.sqlite"), "--logs", str(self.logs), "--clock", "data-end")
        arguments = ["serve", str(artifact), "--port", "0", *named, *options]
        command = [sys.executable, "-m", "encorec", *arguments]
        self.process = subprocess.Popen(command, cwd=folder, env=environment(), stderr=subprocess.PIPE, text=True)
        # A pipe, which has no size: a file would be full along with the others.
        self._ear = threading.Thread(target=self._listen, daemon=True)
        self._ear.start()
        while not (found := re.search(r"running on (http://[\d.]+:\d+)", self.said)):
            assert self.process.poll() is None, self.said
            time.sleep(0.01)
        self.client = httpx.Client(base_url=found[1], timeout=30)

    def _listen(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as lines:
            self.lines.extend(lines)

    @property
    def said(self) -> str:
        return "".join(self.lines)

    def tell(self, *names: str, **more: Any) -> httpx.Response:
        events = [{"event_id": name, "user_id": "fan", "item_id": "f000"} | more for name in names]
        return self.client.post("/v1/events", json={"events": events})

    def ask(self, **question: Any) -> Any:
        answer = self.client.post("/v1/recommend", json=question)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def end(self, how: signal.Signals) -> None:
        self.client.close()
        self.process.send_signal(how)
        self.process.wait(timeout=30)
        self._ear.join(timeout=30)

    def full_disk(self, *, full: bool) -> None:
        """No file of the process may grow, or each may again."""
        _, hard = resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE)
        size = 0 if full else hard
        resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, (size, hard))


@pytest.fixture
def service(project: Path, tmp_path: Path) -> Iterator[LoggingService]:
    running = LoggingService(tmp_path, project / "artifact")
    yield running
    if running.process.poll() is None:
        running.end(signal.SIGKILL)


def names(logs: Path) -> list[str]:
    return [event.event_id for call in calls_of(logs / "events") for event in call.events]


def test_after_a_kill_every_acknowledged_event_is_logged_and_the_tables_say_what_was_earned(
    service: LoggingService, project: Path, tmp_path: Path
) -> None:
    shown = [service.ask(user_id=f"v{number:03d}", k=3) for number in range(20)]
    for place, answer in enumerate(shown[:5]):
        taken = {"item_id": answer["items"][0]["item_id"], "request_id": answer["request_id"]}
        assert service.tell(f"e{place}", **taken).json()["accepted"] == 1
    time.sleep(0.5)  # far longer than impressions wait for the disk
    service.end(signal.SIGKILL)
    assert names(service.logs) == [f"e{place}" for place in range(5)]
    succeeded(tmp_path, "logs", "compact", "logs", "--out", "tables")
    [impressions], [events] = (
        list((tmp_path / "tables" / name).glob("*.parquet")) for name in ("impressions", "events")
    )
    found = log_of(impressions, events)
    assert pl.read_parquet(impressions)["request_id"].to_list() == [answer["request_id"] for answer in shown]
    assert found.filter(reward=1.0).rows() == sorted(
        (answer["request_id"], 1, answer["items"][0]["item_id"], 1.0, 1.0) for answer in shown[:5]
    )
    options = ("--artifact", project / "artifact", "--against", "state.sqlite", "--json")
    report = json.loads(succeeded(tmp_path, "replay", "logs", *options).stdout)
    assert (report["accepted"], report["differing_users"]) == (5, [])


def test_a_full_disk_takes_logs_and_events_but_no_answers_and_when_there_is_space_all_goes_on(
    service: LoggingService,
) -> None:
    assert service.tell("before").json()["accepted"] == 1
    first = service.ask(user_id="v007")
    time.sleep(0.5)
    service.full_disk(full=True)
    lost = [service.ask(user_id="v007")["request_id"] for _ in range(5)]
    refused = service.tell("during")
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
    time.sleep(0.5)
    service.full_disk(full=False)
    assert service.tell("during").status_code == 200
    last = service.ask(user_id="v007")
    service.end(signal.SIGTERM)
    assert service.process.returncode == 0
    assert [item["item_id"] for item in first["items"]] == [item["item_id"] for item in last["items"]]
    assert names(service.logs) == ["before", "during"]
    paths = segments_of(service.logs / "impressions")
    logged = [one.request_id for path in paths for one in Records(path, Impression)]
    assert logged == [first["request_id"], last["request_id"]]
    assert lost
    assert re.search(r"log .*impressions dropped \d+ frames \(OSError: .*File too large", service.said)
