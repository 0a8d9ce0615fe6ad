"""The service as an ASGI application: raw routes for speed, described in full all the same."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from encorec import __version__
from encorec.serving.clock import Clock
from encorec.serving.experiments.loading import open_variants
from encorec.serving.experiments.variants import Variants
from encorec.serving.http.admin import admin_endpoints
from encorec.serving.http.api_key import ApiKey, guard
from encorec.serving.http.docs_page import docs_page
from encorec.serving.http.handlers import Handlers
from encorec.serving.http.observed import follow_logs, follow_snapshots, metrics_endpoint, observe, refreshed
from encorec.serving.http.openapi import describe
from encorec.serving.http.request_error import error_handlers
from encorec.serving.http.routes import endpoints
from encorec.serving.http.short_way import ShortWayApp
from encorec.serving.limits.admission import Admission
from encorec.serving.logs.service_logs import ServiceLogs
from encorec.serving.operations.metrics import Metrics
from encorec.serving.operations.tracing import Tracing, tracing_of
from encorec.serving.settings import Settings
from encorec.serving.snapshots.holder import ServedEngine, Snapshots
from encorec.serving.snapshots.warm_up import warm_explanations, warm_up
from encorec.serving.snapshots.watch import following
from encorec.serving.state.store import UserStateStore
from encorec.serving.workers.board import WorkerBoard

__all__ = ["create_app"]


def create_app(
    engine: ServedEngine | Snapshots,
    settings: Settings,
    state: UserStateStore,
    *,
    key: ApiKey | None = None,
    board: WorkerBoard | None = None,
    variants: Variants | None = None,
) -> FastAPI:
    """The application around one engine and one state; the caller closes the state.

    ``/health/ready`` says no until the application has started and the engine has answered its warm-up.

    Args:
        engine: answers questions; or the holder of engines that can be replaced while it answers.
        settings: what is refused, and what time it is.
        state: remembers events.
        key: that the admin routes ask for, or all; none = there are no admin routes.
        board: of the workers of this service; none = this process is the only one.
        variants: of experiments; none = those of the settings, which may name no snapshots.

    Raises:
        ConfigError: all routes shall ask for a key, and there is none; an experiment that this engine cannot serve.
    """
    snapshots = engine if isinstance(engine, Snapshots) else Snapshots(engine)
    clock = Clock.named(settings.clock, snapshots.current.artifact.data_end)
    metrics = Metrics(settings.metrics_folder)
    follow_snapshots(metrics, snapshots)
    logs = ServiceLogs(settings.logs, settings.segments)
    follow_logs(metrics, logs)
    variants = variants or open_variants(settings)
    variants.prepare(snapshots.current)
    snapshots.require(variants.prepare)
    handlers = Handlers(snapshots, state, clock, settings, metrics, logs, variants)
    routes = (*endpoints(handlers), *([metrics_endpoint(metrics)] if settings.metrics else []))
    routes += admin_endpoints(snapshots, key, board, settings.reload_seconds)
    document, tracing = describe(routes, settings), tracing_of(settings.tracing)
    app = ShortWayApp(
        fixed={(route.method, route.path): route.handler for route in routes if "{" not in route.path},
        title="Encorec",
        version=__version__,
        docs_url=None,
        openapi_url="/openapi.json" if settings.docs else None,
        redoc_url=None,
        lifespan=_lifespan(handlers, snapshots, clock, metrics, logs, following(snapshots, settings, board), tracing),
        exception_handlers=error_handlers(),
    )
    app.openapi = lambda: document
    for route in routes:
        app.add_route(route.path, route.handler, methods=[route.method])
    if settings.docs:
        app.add_route("/docs", _always(docs_page(document)), methods=["GET"])
    app.add_middleware(Admission, most=settings.max_waiting, longest=settings.max_shed_ms / 1000)
    guard(app, settings, key)
    observe(app, settings, metrics, tracing, [*(route.public_path for route in routes), "/docs", "/openapi.json"])
    return app


def _always(response: Response) -> Callable[[Request], Awaitable[Response]]:
    async def handler(_: Request) -> Response:
        return response

    return handler


def _lifespan(
    handlers: Handlers,
    snapshots: Snapshots,
    clock: Clock,
    metrics: Metrics,
    logs: ServiceLogs,
    follows: AbstractAsyncContextManager[None],
    tracing: Tracing | None,
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        now = clock.first_open_second()
        warm_up(snapshots.current, now=now)
        warm_explanations(snapshots.current, now=now)
        handlers.ready = True
        with logs:
            async with refreshed(metrics), follows:
                yield
            handlers.ready = False
        handlers.close()
        if tracing is not None:
            tracing.close()

    return lifespan
