"""Who is let in: where more is asked than can be answered, the rest is told so at once."""

import time
from collections.abc import Callable

import msgspec
from starlette.types import ASGIApp, Receive, Scope, Send

from encorec.serving.http.answers import ErrorAnswer, ErrorDetail
from encorec.serving.limits.arrival import arrived_at, waiting_before

__all__ = ["ALWAYS_HEARD", "Admission", "Patience"]

ALWAYS_HEARD = ("/health", "/metrics", "/admin")
"""Beginnings of the paths of operators, who are heard above all when there is too much to do."""

_FULL = "more is asked of this process than it can answer; send it again"


class Patience:
    """How long a request may have waited for its turn and still be worth the whole way.

    Args:
        wait: seconds.
        clock: seconds that never run backwards.

    Example:
        >>> patience = Patience(0.05, clock=lambda: 100.0)
        >>> [patience.over(arrived, deadline=101.0) for arrived in (99.97, 99.9)], patience.over(100.0, deadline=100.0)
        ([False, True], True)
    """

    def __init__(self, wait: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._wait, self._clock = wait, clock

    def over(self, arrived: float, *, deadline: float) -> bool:
        """Whether a request has waited too long, or for so long that its answer is of no more use.

        Args:
            arrived: when it came in, in seconds of the clock.
            deadline: when its answer is of no more use.
        """
        now = self._clock()
        return now >= deadline or now - arrived > self._wait


class Admission:
    """An ASGI application that turns requests away where even popular items would come late: 503, and when to return.

    Args:
        app: answers the others.
        most: requests that may wait.
        longest: seconds that a request may have waited.
        clock: seconds that never run backwards.

    Example:
        >>> import asyncio
        >>> async def app(scope, receive, send):
        ...     print("answered")
        >>> asyncio.run(Admission(app, 500, 1.0)({"type": "http", "path": "/v1/popular"}, None, None))
        answered
    """

    def __init__(self, app: ASGIApp, most: int, longest: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._app, self._most, self._longest, self._clock = app, most, longest, clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or turn it away."""
        if scope["type"] == "http" and self._too_much(scope) and not scope["path"].startswith(ALWAYS_HEARD):
            await _turn_away(scope, send)
        else:
            await self._app(scope, receive, send)

    def _too_much(self, scope: Scope) -> bool:
        return waiting_before(scope) >= self._most or self._clock() - arrived_at(scope) > self._longest


async def _turn_away(scope: Scope, send: Send) -> None:
    content = msgspec.json.encode(ErrorAnswer(ErrorDetail(_FULL, scope["path"])))
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(content)).encode()),
        (b"retry-after", b"1"),
    ]
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    await send({"type": "http.response.body", "body": content})
