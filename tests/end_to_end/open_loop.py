"""Questions sent when they are due, however slow the answers are; what became of each of them."""

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Any

import numpy as np

__all__ = ["Outcome", "ask_open_loop", "percentile"]


@dataclass(frozen=True)
class Outcome:
    """What became of one question; latency in seconds from the time at which it was due; status 0 = no answer."""

    status: int
    latency: float
    degraded: tuple[str, ...] = ()
    items: int = 0
    retry_after: bool = False


class _Connection(asyncio.Protocol):
    """One question at a time."""

    def __init__(self) -> None:
        self._told = bytearray()
        self.answer: asyncio.Future[tuple[bytes, bytes]] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport

    def ask(self, question: bytes) -> "asyncio.Future[tuple[bytes, bytes]]":
        self.answer = asyncio.get_running_loop().create_future()
        self._told.clear()
        self.transport.write(question)
        return self.answer

    def data_received(self, data: bytes) -> None:
        self._told += data
        head, gap, body = bytes(self._told).partition(b"\r\n\r\n")
        if gap and self.answer is not None and not self.answer.done():
            length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
            if len(body) >= length:
                self.answer.set_result((head, body))

    def connection_lost(self, exc: Exception | None) -> None:
        if self.answer is not None and not self.answer.done():
            self.answer.set_exception(ConnectionError("closed"))


def ask_open_loop(
    host: str, port: int, bodies: Sequence[dict[str, Any]], *, rate: float, seconds: float, fresh: bool = False
) -> list[Outcome]:
    """Ask ``rate`` times a second; where every connection is busy, or with ``fresh``, a question opens another."""
    questions = [_question(host, body) for body in bodies]
    return asyncio.run(_ask_all(host, port, islice(cycle(questions), int(rate * seconds)), rate, fresh))


async def _ask_all(host: str, port: int, questions: Any, rate: float, fresh: bool) -> list[Outcome]:
    idle: list[_Connection] = []
    began = time.monotonic()
    tasks: list[asyncio.Task[Outcome]] = []
    for at, question in enumerate(questions):
        due = began + at / rate
        if (left := due - time.monotonic()) > 0:
            await asyncio.sleep(left)
        tasks.append(asyncio.create_task(_ask(host, port, question, due, None if fresh else idle)))
    outcomes = await asyncio.gather(*tasks)
    for one in idle:
        one.transport.close()
    return list(outcomes)


async def _ask(host: str, port: int, question: bytes, due: float, idle: list[_Connection] | None) -> Outcome:
    """With ``idle`` connections to take from and to give back to; without, on one of its own."""
    try:
        connection, (head, body) = await _answer(host, port, question, idle or [])
    except OSError:
        return Outcome(0, time.monotonic() - due)
    latency = time.monotonic() - due
    if idle is None:
        connection.transport.close()
    else:
        idle.append(connection)
    status, told = int(head.split(b" ", 2)[1]), json.loads(body)
    return Outcome(
        status,
        latency,
        tuple(told.get("degraded", ())),
        len(told.get("items", ())),
        b"retry-after" in head.lower(),
    )


async def _answer(
    host: str, port: int, question: bytes, idle: list[_Connection]
) -> tuple[_Connection, tuple[bytes, bytes]]:
    """A connection that the service has closed meanwhile, because nobody asked on it for long, is done without."""
    while idle:
        connection = idle.pop()
        if not connection.transport.is_closing():
            try:
                return connection, await connection.ask(question)
            except OSError:
                continue
    _, connection = await asyncio.get_running_loop().create_connection(_Connection, host, port)
    return connection, await connection.ask(question)


def _question(host: str, body: dict[str, Any]) -> bytes:
    content = json.dumps(body).encode()
    head = f"POST /v1/recommend HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\n"
    return f"{head}content-length: {len(content)}\r\n\r\n".encode() + content


def percentile(outcomes: Sequence[Outcome], q: float) -> float:
    """Of the latencies, in seconds."""
    return float(np.quantile([one.latency for one in outcomes], q))
