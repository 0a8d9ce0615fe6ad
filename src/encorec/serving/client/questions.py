"""What a client asks and how it reads the answer, whichever way the bytes travel."""

from collections.abc import Mapping, Sequence
from typing import Any, Generic, NotRequired, TypedDict, TypeVar
from urllib.parse import quote, urlencode
from uuid import uuid4

import msgspec

from encorec.errors import EncorecError
from encorec.pipeline.requests import ItemId, PastEvent
from encorec.serving.http.answers import (
    BatchAnswer,
    ErrorAnswer,
    EventsAnswer,
    HealthAnswer,
    ItemAnswer,
    PopularAnswer,
    RecommendAnswer,
    SimilarAnswer,
    UserAnswer,
)

__all__ = [
    "Call",
    "EventFields",
    "Question",
    "RequestRefused",
    "ServiceError",
    "ServiceUnavailable",
    "events_call",
    "health_call",
    "item_call",
    "metrics_call",
    "popular_call",
    "recommend_batch_call",
    "recommend_call",
    "similar_call",
    "user_call",
]

T = TypeVar("T")


class ServiceError(EncorecError):
    """The service did not give the answer.

    Args:
        message: what it said, or why there was no word from it.
        status: of HTTP; none = there was no answer.
        path: where the fault lies: ``$.k`` is a field of the body; none = not in the request.
        request_id: under which the service logs the call.
        retry_after: seconds after which it wants to be asked again.

    Example:
        >>> ServiceError("k is 501", status=422, path="$.k").path
        '$.k'
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        path: str | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.path, self.request_id, self.retry_after = status, path, request_id, retry_after


class RequestRefused(ServiceError):
    """The request is at fault (4xx): asking again does not help."""


class ServiceUnavailable(ServiceError):
    """The service is away, overloaded or failing, and what could be tried again was."""


class Question(TypedDict, total=False):
    """The fields of ``POST /v1/recommend`` besides ``user_id`` and ``k``; ``RecommendBody`` explains them."""

    allow: Sequence[ItemId] | None
    deny: Sequence[ItemId]
    history: Sequence[PastEvent | Mapping[str, Any]] | None
    user: Mapping[str, Any] | None
    placement: str
    session_id: str | None
    explain: bool
    deadline_ms: float | None


class EventFields(TypedDict):
    """The fields of an event; ``EventBody`` explains them. Without an ``event_id`` the client makes one."""

    event_id: NotRequired[ItemId]
    user_id: ItemId
    item_id: ItemId
    type: NotRequired[str]
    timestamp: NotRequired[float | str]
    value: NotRequired[float]
    request_id: NotRequired[str]


class Call(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """One request, ready to be sent, and sent again: every call here means the same the second time.

    Args:
        method: of HTTP.
        path: with the query string.
        answer: type of the answer; ``str`` = plain text.
        body: JSON; none = it has no body.
        settled: statuses that come with the answer.

    Example:
        >>> health_call("ready").path
        '/health/ready'
    """

    method: str
    path: str
    answer: type[T]
    body: bytes | None = None
    settled: tuple[int, ...] = (200,)

    def read(self, status: int, headers: Mapping[str, str], content: bytes) -> T:
        """The answer.

        Args:
            status: of HTTP.
            headers: names in lower case.
            content: the body.

        Raises:
            RequestRefused: status 4xx, except 429.
            ServiceUnavailable: any other status without the answer, or what came is none.
        """
        if status in self.settled:
            if self.answer is str:
                return content.decode("utf-8", "replace")  # pyright: ignore[reportReturnType]
            try:
                return msgspec.json.decode(content, type=self.answer)
            except msgspec.DecodeError as error:
                raise ServiceUnavailable(f"{self.path}: the answer cannot be read: {error}", status=status) from error
        kind = RequestRefused if 400 <= status < 500 and status != 429 else ServiceUnavailable
        message, path = _fault(content)
        raise kind(
            f"{self.method} {self.path}: {status}, {message}",
            status=status,
            path=path,
            request_id=headers.get("x-request-id"),
            retry_after=_seconds(headers.get("retry-after", "")),
        )


def recommend_call(user_id: ItemId | None, k: int, more: Question) -> Call[RecommendAnswer]:
    """``POST /v1/recommend``."""
    return _post("/v1/recommend", {"user_id": user_id, "k": k, **more}, RecommendAnswer)


def recommend_batch_call(requests: Sequence[Mapping[str, Any]]) -> Call[BatchAnswer]:
    """``POST /v1/recommend/batch``."""
    return _post("/v1/recommend/batch", {"requests": requests}, BatchAnswer)


def similar_call(
    item_id: ItemId, k: int, allow: Sequence[ItemId] | None, deny: Sequence[ItemId]
) -> Call[SimilarAnswer]:
    """``POST /v1/similar``."""
    return _post("/v1/similar", {"item_id": item_id, "k": k, "allow": allow, "deny": deny}, SimilarAnswer)


def events_call(events: Sequence[EventFields]) -> Call[EventsAnswer]:
    """``POST /v1/events``: every event has a name before it is sent, so that sending it again changes nothing."""
    return _post("/v1/events", {"events": [{"event_id": uuid4().hex, **event} for event in events]}, EventsAnswer)


def popular_call(k: int) -> Call[PopularAnswer]:
    """``GET /v1/popular``."""
    return Call(method="GET", path=f"/v1/popular?{urlencode({'k': k})}", answer=PopularAnswer)


def item_call(item_id: ItemId) -> Call[ItemAnswer]:
    """``GET /v1/items/{item_id}``."""
    return Call(method="GET", path=f"/v1/items/{quote(str(item_id), safe='')}", answer=ItemAnswer)


def user_call(user_id: ItemId) -> Call[UserAnswer]:
    """``GET /v1/users/{user_id}``."""
    return Call(method="GET", path=f"/v1/users/{quote(str(user_id), safe='')}", answer=UserAnswer)


def health_call(what: str) -> Call[HealthAnswer]:
    """``GET /health/live`` or ``/health/ready``; a service that is not ready says so, which is an answer."""
    return Call(method="GET", path=f"/health/{what}", answer=HealthAnswer, settled=(200, 503))


def metrics_call() -> Call[str]:
    """``GET /metrics``."""
    return Call(method="GET", path="/metrics", answer=str)


def _post(path: str, body: Mapping[str, Any], answer: type[T]) -> Call[T]:
    return Call(method="POST", path=path, answer=answer, body=msgspec.json.encode(body))


def _fault(content: bytes) -> tuple[str, str | None]:
    try:
        error = msgspec.json.decode(content, type=ErrorAnswer).error
    except msgspec.DecodeError:
        return content[:200].decode("utf-8", "replace"), None
    return f"{error.message} (at {error.path})", error.path


def _seconds(text: str) -> float | None:
    """``Retry-After`` in seconds; its other form, a date, is for pages that are gone for long."""
    return float(text) if text.isdecimal() and len(text) < 10 else None
