"""One request and its answer, as the logs and traces see them: no user, no key, no item."""

import re
import time
from collections.abc import Iterator, MutableMapping
from itertools import count
from typing import Any
from uuid import uuid4

import msgspec

from encorec.serving.http.answers import RecommendAnswer

__all__ = ["Exchange", "Names", "exchange_of"]

_KEY = "encorec.exchange"
_ACCEPTED = re.compile(rb"[A-Za-z0-9._:/+=@-]{1,128}")


class Exchange(msgspec.Struct, kw_only=True):
    """What is known of a request while it is answered.

    Args:
        request_id: from the client's ``X-Request-Id``, or made.
        route: as in the documentation; ``other`` = none of the routes.
        method: of HTTP.
        began: seconds of ``time.monotonic``.
        status: of the answer; 0 = not yet answered.
        k: places asked for, added up over a batch; none = not a question for slates.
        snapshot: that answered.
        degraded: stages left out of any of its answers.
        stages: (name, began, ended), seconds of ``time.monotonic``.

    Example:
        >>> Exchange(request_id="r", route="/docs", method="GET", began=0.0).status
        0
    """

    request_id: str
    route: str
    method: str
    began: float
    status: int = 0
    k: int | None = None
    snapshot: str | None = None
    degraded: list[str] = msgspec.field(default_factory=list[str])
    stages: list[tuple[str, float, float]] = msgspec.field(default_factory=list[tuple[str, float, float]])

    def stage(self, name: str) -> "_Timed":
        """Times what happens inside a ``with`` block.

        Args:
            name: of the stage.
        """
        return _Timed(self.stages, name)

    def answered(self, answer: RecommendAnswer, k: int) -> None:
        """One of its slates is on the way.

        Args:
            answer: as it is sent.
            k: places asked for.
        """
        self.k, self.snapshot = k + (self.k or 0), answer.model
        for reason in answer.degraded:
            if reason not in self.degraded:
                self.degraded.append(reason)


class _Timed:
    """A stage while it runs: a class, because a generator would cost more than it measures."""

    __slots__ = ("_began", "_name", "_stages")

    def __init__(self, stages: list[tuple[str, float, float]], name: str) -> None:
        self._stages, self._name, self._began = stages, name, time.monotonic()

    def __enter__(self) -> None: ...

    def __exit__(self, *error: object) -> None:
        self._stages.append((self._name, self._began, time.monotonic()))


class Names:
    """Names of requests: unique over processes, cheap to make.

    Example:
        >>> names = Names()
        >>> names.of({b"x-request-id": b"a-1"}), names.of({b"x-request-id": b"a b"}) == "a b"
        ('a-1', False)
    """

    def __init__(self) -> None:
        self._prefix = uuid4().hex[:20]
        self._count: Iterator[int] = count()

    def of(self, headers: MutableMapping[bytes, bytes] | dict[bytes, bytes]) -> str:
        """The name that the client gives, if it is a decent one, or a new one.

        Args:
            headers: of the request, names in lower case.
        """
        given = headers.get(b"x-request-id")
        if given is not None and _ACCEPTED.fullmatch(given):
            return given.decode("ascii")
        return f"{self._prefix}{next(self._count):012x}"


def exchange_of(scope: MutableMapping[str, Any]) -> Exchange:
    """The exchange of an ASGI scope; a scope that nobody observes gets one of its own.

    Args:
        scope: of the request.

    Example:
        >>> scope = {"method": "GET", "path": "/"}
        >>> exchange_of(scope) is exchange_of(scope)
        True
    """
    found = scope.get(_KEY)
    if found is None:
        found = scope[_KEY] = Exchange(
            request_id="", route="other", method=scope.get("method", ""), began=time.monotonic()
        )
    return found
