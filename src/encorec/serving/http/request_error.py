"""Every refusal in one form: a status, what is wrong, and where."""

import logging
from collections.abc import Callable, Coroutine
from typing import Any, TypeAlias

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from encorec.errors import EncorecError, QueryError
from encorec.serving.http.answers import ErrorAnswer, ErrorDetail
from encorec.serving.http.exchange import exchange_of
from encorec.serving.logs.frame_log import LogError
from encorec.serving.state.store import StateError

__all__ = ["Handler", "RequestError", "error_handlers", "refusal"]

_LOG = logging.getLogger(__name__)
_ALSO_SAID = {
    413: {"Connection": "close"},  # a body that is too large is not read to its end
    503: {"Retry-After": "1"},
}


class RequestError(EncorecError):
    """A request that is refused.

    Args:
        status: HTTP status, 4xx; or 503 for what will be answered later.
        message: what was given, what is allowed.
        path: ``$`` is the body, ``$.k`` a field of it; else the name of a parameter.

    Example:
        >>> RequestError(422, "k is 501, allowed is 1 to 500", "$.k").path
        '$.k'
    """

    def __init__(self, status: int, message: str, path: str = "$") -> None:
        super().__init__(message)
        self.status, self.path = status, path


Handler: TypeAlias = Callable[[Request, Any], Coroutine[Any, Any, Response]]
"""Answers a request in whose course something was raised."""


def error_handlers() -> dict[int | type[Exception], Handler]:
    """What to answer where a handler raises; what nobody foresaw is a 500 that tells the outside nothing.

    Example:
        >>> RequestError in error_handlers()
        True
    """
    return {
        RequestError: _on_request_error,
        QueryError: _on_query_error,
        StateError: _on_state_error,
        LogError: _on_log_error,
        HTTPException: _on_http_exception,
        Exception: _on_surprise,
    }


async def _on_request_error(_: Request, error: RequestError) -> Response:
    return refusal(error.status, str(error), error.path, _ALSO_SAID.get(error.status))


async def _on_query_error(_: Request, error: QueryError) -> Response:
    return refusal(422, str(error), "$")


async def _on_state_error(_: Request, error: StateError) -> Response:
    _LOG.error("refused: %s", error)
    return _not_now()


async def _on_log_error(_: Request, _error: LogError) -> Response:
    """The log itself says once a minute what fails."""
    return _not_now()


def _not_now() -> Response:
    return refusal(503, "what users did cannot be read or stored now; send it again", "$", {"Retry-After": "1"})


async def _on_http_exception(request: Request, error: HTTPException) -> Response:
    return refusal(error.status_code, error.detail, request.url.path, error.headers)


async def _on_surprise(request: Request, _: Exception) -> Response:
    name = exchange_of(request.scope).request_id
    return refusal(500, "the service failed; its log says why", request.url.path, {"X-Request-Id": name})


def refusal(status: int, message: str, path: str, headers: Any = None) -> Response:
    """The answer to a request that is refused.

    Args:
        status: HTTP status.
        message: what was given, what is allowed.
        path: where.
        headers: of the answer.

    Example:
        >>> refusal(404, "no such route", "/v2").body
        b'{"error":{"message":"no such route","path":"/v2"}}'
    """
    content = msgspec.json.encode(ErrorAnswer(ErrorDetail(message, path)))
    return Response(content, status, headers, media_type="application/json")
