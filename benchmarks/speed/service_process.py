"""A service in a process of its own: how it is started, what it costs, how it ends."""

import http.client
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from benchmarks.record import ROOT

__all__ = ["ServiceProcess"]

PATIENCE = 30


class ServiceProcess:
    """A running service that said on its error stream where it listens; it ends with the ``with`` block.

    Args:
        command: that starts it on a free port.
        settings: variables added to its environment.
    """

    def __init__(self, command: Sequence[str | Path], settings: Mapping[str, str] | None = None) -> None:
        environment = {**os.environ, **(settings or {})}
        self._process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)
        stream = self._process.stderr
        found = None
        for line in stream or ():
            _pass_on([line])
            if found := re.search(r"running on http://([\d.]+):(\d+)", line):
                break
        if found is None:
            raise RuntimeError(f"{command}: ended with {self._process.wait()} before it listened")
        self.host, self.port = found[1], int(found[2])
        threading.Thread(target=_pass_on, args=(stream,), daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._process.terminate()
        self._process.wait(PATIENCE)

    @property
    def processor_seconds(self) -> float:
        """User and system time of the process so far, in hundredths of a second."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self, name: str = "VmRSS") -> float:
        """A line of the process's memory table, in megabytes; ``RssFile`` is what it shares with others."""
        lines = Path(f"/proc/{self._process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{name}:"))

    def ask(self, path: str, body: Any = None) -> Any:
        """The answer to one request, which must be 200."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=PATIENCE)
        headers = {"content-type": "application/json"}
        connection.request("GET" if body is None else "POST", path, body and json.dumps(body), headers)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status} {content[:200]!r}")
        return json.loads(content)


def _pass_on(lines: Iterable[str]) -> None:
    """Show what is worth showing, so that no error is lost and the pipe never fills."""
    sys.stderr.writelines(line for line in lines if not line.startswith("INFO"))
