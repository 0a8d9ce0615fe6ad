"""``encorec serve`` in a process of its own, on a free port, asked over HTTP."""

import re
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, Self

import httpx
from tests.end_to_end.project import environment

PATIENT = {f"ENCOREC_{name}_MS": "60000" for name in ("DEADLINE", "MAX_DEADLINE", "MAX_WAIT", "MAX_SHED")}
"""On a busy machine nothing may be left out for want of time, unless a test asks for that."""


class Service:
    """A running service; leaving the ``with`` block stops it with SIGTERM and checks that it ended well."""

    def __init__(self, folder: Path, artifact: Path, *options: str) -> None:
        arguments = ["serve", str(artifact), "--port", "0", "--state", str(folder / "state.sqlite"), *options]
        self.log = folder / "service.log"
        self._out = self.log.open("wb")
        command = [sys.executable, "-m", "encorec", *arguments]
        self._process = subprocess.Popen(command, cwd=folder, env=PATIENT | environment(), stderr=subprocess.PIPE)

    def __enter__(self) -> Self:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self._out.write(line)
            if found := re.search(rb"running on (http://[\d.]+:\d+)", line):
                self.url = found[1].decode()
                self._client = httpx.Client(base_url=self.url, timeout=30)
                self._ear = threading.Thread(target=self._listen, daemon=True)
                self._ear.start()
                return self
        raise RuntimeError(f"the service ended with {self._process.wait()}")

    def __exit__(self, *error: object) -> None:
        self._client.close()
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(timeout=30)
        self._ear.join(timeout=30)
        self._out.close()
        assert self._process.returncode == 0
        assert "Traceback" not in self.log.read_text()

    def _listen(self) -> None:
        """A pipe that nobody reads would stop the service at its next line."""
        assert self._process.stderr is not None
        with self._process.stderr as lines:
            self._out.writelines(lines)

    def get(self, path: str) -> Any:
        answer = self._client.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, body: dict[str, Any]) -> Any:
        answer = self._client.post(path, json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def items(self, **request: Any) -> list[tuple[Any, float]]:
        """Ids and scores of an answer."""
        answer = self.post("/v1/recommend", request)
        assert answer["degraded"] == []
        return [(item["item_id"], item["score"]) for item in answer["items"]]

    def ids(self, **request: Any) -> list[Any]:
        return [item for item, _ in self.items(**request)]
