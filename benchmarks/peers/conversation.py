"""Talking with a driver: a process in the peers' environment that answers one JSON line with another.

Tables go through files in a folder that both know. A driver times the peer's call itself, so what travels between the
processes counts for nobody.
"""

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from benchmarks.peers.environment import FOLDER, interpreter

__all__ = ["Peer"]


class Peer:
    """A running driver.

    Args:
        driver: name of the script, such as ``rectools_metrics``.
        settings: variables added to its environment.
        folder: of the script, and of the environment that runs it.
    """

    def __init__(self, driver: str, settings: Mapping[str, str] | None = None, folder: Path = FOLDER) -> None:
        self.driver = driver
        own = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
        self._process = subprocess.Popen(
            [interpreter(folder), "-W", "ignore", folder / f"{driver}.py"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=own | {"PYTHONPATH": str(FOLDER)} | dict(settings or {}),  # of ``dialogue``
        )

    def ask(self, call: str, **arguments: Any) -> Any:
        """What the driver's function ``call`` returns; paths may be among the arguments."""
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError(f"{self.driver}: no pipe to the driver")
        line = json.dumps({"call": call, "arguments": arguments}, default=_plain)
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"{self.driver}: the driver ended in {call!r}; its error stands above")
        return json.loads(answer)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()
        if kind is not None:
            self._process.terminate()
        self._process.wait()


def _plain(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    return value.item()
