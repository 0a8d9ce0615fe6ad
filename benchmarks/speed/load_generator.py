"""Asks a service as fast as it answers, over a few connections that stay open.

    python -m benchmarks.speed.load_generator HOST PORT PATH BODIES CONNECTIONS

BODIES is a file with one JSON body per line, each sent once. Prints seconds and latencies as JSON; an answer other than
200 is an error.
"""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import uvloop
from benchmarks.record import ROOT

__all__ = ["Load", "ask_all"]


@dataclass(frozen=True)
class Load:
    """What the client saw.

    Args:
        requests: that many were answered.
        seconds: from the first question to the last answer.
        p50: milliseconds.
        p99: milliseconds.
    """

    requests: int
    seconds: float
    p50: float
    p99: float


def ask_all(host: str, port: int, path: str, bodies: Path, connections: int) -> Load:
    """Send the bodies from a process of its own."""
    command = [sys.executable, "-m", __name__, host, str(port), path, str(bodies), str(connections)]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    return Load(**json.loads(done.stdout))


class Connection(asyncio.Protocol):
    """One question at a time until there are none."""

    def __init__(self, questions: Iterator[bytes], times: list[float], ended: asyncio.Future[None]) -> None:
        self._questions, self._times, self._ended = questions, times, ended
        self._answer = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.WriteTransport = transport  # pyright: ignore[reportAttributeAccessIssue]
        self._ask()

    def data_received(self, data: bytes) -> None:
        self._answer += data
        head, gap, body = self._answer.partition(b"\r\n\r\n")
        if not gap or len(body) < content_length(head):
            return
        self._times.append(time.perf_counter() - self._began)
        if not head.startswith(b"HTTP/1.1 200"):
            self._end(RuntimeError(bytes(self._answer[:500])))
            return
        self._answer.clear()
        self._ask()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(exc or ConnectionError("the service closed the connection"))

    def _ask(self) -> None:
        question = next(self._questions, None)
        if question is None:
            self._end(None)
            self._transport.close()
        else:
            self._began = time.perf_counter()
            self._transport.write(question)

    def _end(self, error: Exception | None) -> None:
        if not self._ended.done():
            self._ended.set_result(None) if error is None else self._ended.set_exception(error)


def content_length(head: bytes | bytearray) -> int:
    """Of the answer with this head."""
    _, _, rest = head.lower().partition(b"content-length:")
    return int(rest.split(b"\r\n", 1)[0])


def question(host: str, path: str, body: bytes) -> bytes:
    """A request on the wire."""
    head = f"POST {path} HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}"
    return head.encode() + b"\r\n\r\n" + body


async def send(host: str, port: int, questions: Sequence[bytes], connections: int) -> Load:
    loop, waiting, times = asyncio.get_running_loop(), iter(questions), list[float]()
    ended = [loop.create_future() for _ in range(connections)]
    began = time.perf_counter()
    for one in ended:
        await loop.create_connection(lambda one=one: Connection(waiting, times, one), host, port)
    await asyncio.gather(*ended)
    seconds = time.perf_counter() - began
    p50, p99 = 1000 * np.quantile(times, (0.5, 0.99))
    return Load(len(times), seconds, float(p50), float(p99))


def main(host: str, port: str, path: str, bodies: str, connections: str) -> None:
    questions = [question(host, path, body) for body in Path(bodies).read_bytes().splitlines()]
    print(json.dumps(asdict(uvloop.run(send(host, int(port), questions, int(connections))))))


if __name__ == "__main__":
    main(*sys.argv[1:])
