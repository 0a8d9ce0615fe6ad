"""The way of most requests: a route whose path is fixed is found by looking it up, and nothing else lies between."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from encorec.serving.http.request_error import Handler

__all__ = ["FixedRoutes", "ShortWayApp"]

_ANSWERED = "encorec.answered"
Route: TypeAlias = Callable[[Request], Awaitable[Response]]
Key: TypeAlias = tuple[str, str]


class FixedRoutes:
    """An ASGI application of routes without parameters.

    Args:
        routes: (method, path) -> what answers.
        on_error: class of what is raised -> what answers then.
    """

    def __init__(self, routes: Mapping[Key, Route], on_error: Mapping[int | type[Exception], Handler]) -> None:
        self._routes, self._on_error = routes, on_error

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer; what nobody foresaw is raised."""
        request = Request(scope, receive)
        try:
            response = await self._routes[scope["method"], scope["path"]](request)
        except Exception as error:
            handler = next((self._on_error[one] for one in type(error).__mro__ if one in self._on_error), None)
            if handler is None or handler is self._on_error.get(Exception):
                raise
            response = await handler(request, error)
        scope[_ANSWERED] = True
        await response(scope, receive, send)


class ShortWayApp(FastAPI):
    """A FastAPI application that answers routes of a fixed path without FastAPI.

    Its own stack (telemetry, exit stacks, a router that compares one path after the other) costs as much as reading
    the request and writing the answer. Middleware that is added lies around both ways; a path of another form, another
    method, and whatever is added by ``add_route`` goes the usual way.

    Args:
        fixed: (method, path) -> what answers.
        given: to FastAPI; ``exception_handlers`` hold for both ways.

    Example:
        >>> ShortWayApp(fixed={}, title="Encorec").title
        'Encorec'
    """

    def __init__(self, *, fixed: Mapping[Key, Route], **given: Any) -> None:
        super().__init__(**given)
        self._fixed = dict(fixed)
        self._short: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer by the short way where there is one."""
        if scope["type"] != "http" or (scope["method"], scope["path"]) not in self._fixed:
            await super().__call__(scope, receive, send)
            return
        if self._short is None:
            self._short = self._built()
        scope["app"] = self
        try:
            await self._short(scope, receive, send)
        except Exception as error:
            handler: Any = self.exception_handlers.get(Exception)
            if handler is not None and _ANSWERED not in scope:
                await (await handler(Request(scope), error))(scope, receive, send)
            raise  # the server writes it to its log

    def _built(self) -> ASGIApp:
        handlers: Any = self.exception_handlers
        app: ASGIApp = FixedRoutes(self._fixed, handlers)
        for middleware in reversed(self.user_middleware):
            app = middleware.cls(app, *middleware.args, **middleware.kwargs)
        return app
