"""A faulty service in a process of its own, and its switches."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
from tests.end_to_end.project import ROOT, environment


class Faulty:
    """A running service with its switches."""

    def __init__(self, folder: Path, artifact: Path, **settings: Any) -> None:
        self._switches = folder / "switches"
        self._switches.mkdir()
        self.log = folder / "service.log"
        given = json.dumps({"port": 0, "clock": "data-end", "state": str(folder / "state.sqlite")} | settings)
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.end_to_end.faulty_service", artifact, self._switches, given],
                cwd=ROOT,
                env=environment(),
                stderr=log,
            )
        self.url = self._wait_for_url()
        self.client = httpx.Client(base_url=self.url, timeout=30)

    def _wait_for_url(self) -> str:
        while "running on " not in (told := self.log.read_text()):
            assert self._process.poll() is None, told
            time.sleep(0.02)
        return told.partition("running on ")[2].split()[0]

    @property
    def address(self) -> tuple[str, int]:
        host, port = self.url.removeprefix("http://").split(":")
        return host, int(port)

    def switch_on(self, name: str) -> None:
        (self._switches / name).touch()

    def switch_off(self, name: str) -> None:
        (self._switches / name).unlink()

    def ask(self, **request: Any) -> Any:
        answer = self.client.post("/v1/recommend", json=request)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def stop(self) -> None:
        self.client.close()
        self._process.send_signal(signal.SIGTERM)
        assert self._process.wait(30) == 0, self.log.read_text()
