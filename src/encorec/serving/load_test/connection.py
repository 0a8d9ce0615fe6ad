"""One connection of the load generator: a question at a time, as few steps per answer as Python allows."""

import asyncio
from collections.abc import Callable

__all__ = ["LoadConnection", "Outcome"]

Outcome = Callable[["LoadConnection", str, bool], None]
"""Told of every question's end: the connection, the kind of its end, and whether the answer was degraded."""


class LoadConnection(asyncio.Protocol):
    """Sends what it is given and tells what became of it.

    Kinds of end: ``200`` and other statuses, ``connection`` (closed or reset), ``not HTTP``.

    Args:
        ended: told of the end of every question.
        lost: told when the connection is no more.
    """

    def __init__(self, ended: Outcome, lost: Callable[["LoadConnection"], None]) -> None:
        self._ended, self._lost = ended, lost
        self._transport: asyncio.Transport | None = None
        self._answer = bytearray()
        self._closing = False
        self.due = self.sent = 0.0
        self.busy = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection stands."""
        self._transport = transport  # pyright: ignore[reportAttributeAccessIssue]

    def ask(self, question: bytes, due: float, sent: float) -> None:
        """Send a question.

        Args:
            question: head and body.
            due: second at which it should have been sent.
            sent: second at which it is.
        """
        self.due, self.sent, self.busy = due, sent, True
        if self._transport is not None:
            self._transport.write(question)

    def data_received(self, data: bytes) -> None:
        """Bytes of an answer."""
        answer = self._answer
        answer += data
        head = answer.find(b"\r\n\r\n")
        if head < 0:
            return
        fields = bytes(answer[:head]).lower()
        place = fields.find(b"\r\ncontent-length:")
        if place < 0 or not fields.startswith(b"http/1."):
            self.give_up("not HTTP")
            return
        whole = head + 4 + int(fields[place + 17 :].split(b"\r\n", 1)[0])
        if len(answer) < whole:
            return
        status = fields[9:12].decode("ascii", "replace")
        degraded = status == "200" and b'"degraded":[' in answer and b'"degraded":[]' not in answer
        self._closing = b"\r\nconnection: close" in fields
        answer.clear()
        self._end(status, degraded=degraded)
        if self._closing:
            self.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """The service, the network or this process closed the connection."""
        self._transport = None
        if self.busy:
            self._end("connection", degraded=False)
        self._lost(self)

    @property
    def usable(self) -> bool:
        """Whether a question can be sent now."""
        return self._transport is not None and not self.busy and not self._closing

    def abort(self) -> None:
        """Close at once."""
        if self._transport is not None:
            self._transport.abort()

    def give_up(self, kind: str) -> None:
        """Nothing more is expected of this connection."""
        self._closing = True
        self._end(kind, degraded=False)
        self.abort()

    def _end(self, kind: str, *, degraded: bool) -> None:
        if self.busy:
            self.busy = False
            self._ended(self, kind, degraded)
