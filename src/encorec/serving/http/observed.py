"""Around the whole application: every request is named, timed, counted, logged and traced."""

import asyncio
import time
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from encorec.serving.http.exchange import Exchange, Names
from encorec.serving.http.openapi import Endpoint
from encorec.serving.logs.service_logs import ServiceLogs
from encorec.serving.operations.exposition import CONTENT_TYPE
from encorec.serving.operations.metrics import Metrics
from encorec.serving.operations.request_log import RequestLog
from encorec.serving.operations.tracing import Tracing
from encorec.serving.settings import Settings
from encorec.serving.snapshots.holder import Snapshots

__all__ = ["Observed", "follow_logs", "follow_snapshots", "metrics_endpoint", "observe", "refreshed"]

_EVERY = 5.0  # seconds between two refreshes of the figures


def observe(app: FastAPI, settings: Settings, metrics: Metrics, tracing: Tracing | None, paths: Iterable[str]) -> None:
    """Let the application tell what it does, and pages of other origins ask it where that is allowed.

    Args:
        app: not yet started.
        settings: of logs and origins.
        metrics: where it is counted.
        tracing: keeps spans; none = nobody does.
        paths: of the routes, as in the documentation.
    """
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=["GET", "POST"],
            allow_headers=["content-type", "x-request-id"],
            expose_headers=["x-request-id", "retry-after"],
            max_age=3600,
        )
    log = RequestLog(settings.log_requests)
    app.add_middleware(Observed, metrics=metrics, log=log, tracing=tracing, paths=paths)


def follow_snapshots(metrics: Metrics, snapshots: Snapshots) -> None:
    """Count changes of the snapshot, and what is shown from each.

    Args:
        metrics: where it is counted.
        snapshots: that change.
    """
    metrics.serving(snapshots.current)
    snapshots.subscribe(metrics.serving)
    metrics.follow("encorec_reloads_total", lambda: snapshots.swaps, outcome="ok")
    metrics.follow("encorec_reloads_total", lambda: snapshots.refused, outcome="refused")
    metrics.follow("encorec_snapshot_fault", lambda: snapshots.fault is not None)


def follow_logs(metrics: Metrics, logs: ServiceLogs) -> None:
    """Count what the logs could not take.

    Args:
        metrics: where it is counted.
        logs: of what was shown and heard.
    """
    for name in logs.counts:
        metrics.follow("encorec_log_dropped_total", lambda name=name: logs.counts[name].dropped, log=name)


@asynccontextmanager
async def refreshed(metrics: Metrics, every: float = _EVERY) -> AsyncGenerator[None]:
    """Inside the ``with`` block the figures of this worker reach the others every few seconds.

    Args:
        metrics: of this worker.
        every: seconds.
    """

    async def refresh() -> None:
        while True:
            metrics.refresh()
            await asyncio.sleep(every)

    task = asyncio.create_task(refresh())
    try:
        yield
    finally:
        task.cancel()
        metrics.refresh()


def metrics_endpoint(metrics: Metrics) -> Endpoint:
    """``GET /metrics``.

    Args:
        metrics: that it tells.

    Example:
        >>> metrics_endpoint(Metrics()).path
        '/metrics'
    """

    async def answer(_: Request) -> Response:
        return Response(metrics.text(), headers={"content-type": CONTENT_TYPE})

    return Endpoint("GET /metrics", "What the service counts, for Prometheus", answer, None)


class Observed:
    """An ASGI application that tells what it does.

    Args:
        app: that answers.
        metrics: counts.
        log: writes.
        tracing: keeps spans; none = nobody does.
        paths: of the routes, as in the documentation.
    """

    def __init__(
        self, app: ASGIApp, *, metrics: Metrics, log: RequestLog, tracing: Tracing | None, paths: Iterable[str]
    ) -> None:
        self._app, self._metrics, self._log, self._tracing = app, metrics, log, tracing
        self._names = Names()
        paths = list(paths)
        self._routes = {path: path for path in paths if "{" not in path}
        self._families = [(path[: path.index("{")], path) for path in paths if "{" in path]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, from its head to the end of its answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = self._begin(scope)

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                exchange.status = message["status"]
                message["headers"] = [*message["headers"], (b"x-request-id", exchange.request_id.encode())]
            await send(message)

        try:
            await self._app(scope, receive, told)
        except Exception:
            exchange.status = 500
            raise
        finally:
            self._end(scope, exchange)

    def _begin(self, scope: Scope) -> Exchange:
        self._metrics.begun()
        exchange = scope["encorec.exchange"] = Exchange(
            request_id=self._names.of(dict(scope["headers"])),
            route=self._route(scope["path"]),
            method=scope["method"],
            began=time.monotonic(),
        )
        return exchange

    def _end(self, scope: Scope, exchange: Exchange) -> None:
        arrived = scope.get("encorec.arrived", exchange.began)  # a request may wait before its turn comes
        seconds = time.monotonic() - arrived
        if arrived < exchange.began:
            exchange.stages.append(("wait", arrived, exchange.began))
        self._metrics.ended(exchange.route, exchange.status or 499, seconds)
        for name, began, ended in exchange.stages:
            self._metrics.stage(name, ended - began)
        self._log.ended(exchange, seconds)
        if self._tracing is not None:
            self._tracing.ended(exchange, dict(scope["headers"]))

    def _route(self, path: str) -> str:
        found = self._routes.get(path)
        if found is None:
            found = next((whole for start, whole in self._families if path.startswith(start)), "other")
        return found
