"""A real Redis in a process of its own, on a free port, without a disk."""

import shutil
import signal
import socket
import subprocess
import time
from typing import Any, Self

import pytest
import redis


class RedisServer:
    """A server that can be killed, stopped in its tracks, and started again on the same port."""

    def __init__(self, *options: str) -> None:
        self._program = shutil.which("redis-server") or shutil.which("valkey-server")
        if self._program is None:
            pytest.fail("these tests start a Redis of their own: apt-get install redis-server")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._options = options
        self._process: Any = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self._process is not None:
            self.kill()

    def start(self) -> None:
        command = [self._program, "--port", self.port, "--bind", "127.0.0.1", "--save", "", *self._options]
        self._process = subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL)
        while not self._answers():
            assert self._process.poll() is None, f"redis-server ended with {self._process.returncode}"
            time.sleep(0.01)

    def _answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def stall(self) -> None:
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def client(self, **options: Any) -> Any:
        return redis.Redis(port=self.port, **options)
