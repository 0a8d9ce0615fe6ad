"""The service as an ASGI application: raw routes for speed, described in full all the same."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from encorec import __version__
from encorec.serving.clock import Clock
from encorec.serving.docs_page import docs_page
from encorec.serving.handlers import Handlers
from encorec.serving.openapi import describe
from encorec.serving.request_error import error_handlers
from encorec.serving.routes import endpoints
from encorec.serving.settings import Settings
from encorec.serving.snapshots import ServedEngine, warm_up
from encorec.serving.state import UserStateStore

__all__ = ["create_app"]


def create_app(engine: ServedEngine, settings: Settings, state: UserStateStore) -> FastAPI:
    """The application around one engine and one state; the caller closes the state.

    ``/health/ready`` says no until the application has started and the engine has answered its warm-up.

    Args:
        engine: answers questions.
        settings: what is refused, and what time it is.
        state: remembers events.
    """
    clock = Clock.named(settings.clock, engine.artifact.data_end)
    handlers = Handlers(engine, state, clock, settings)
    routes = endpoints(handlers)
    document = describe(routes, settings)
    app = FastAPI(
        title="Encorec",
        version=__version__,
        docs_url=None,
        openapi_url="/openapi.json" if settings.docs else None,
        redoc_url=None,
        lifespan=_lifespan(handlers, engine, clock),
        exception_handlers=error_handlers(),
    )
    app.openapi = lambda: document
    for route in routes:
        app.add_route(route.path, route.handler, methods=[route.method])
    if settings.docs:
        app.add_route("/docs", _always(docs_page(document)), methods=["GET"])
    return app


def _always(response: Response) -> Callable[[Request], Awaitable[Response]]:
    async def handler(_: Request) -> Response:
        return response

    return handler


def _lifespan(
    handlers: Handlers, engine: ServedEngine, clock: Clock
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        warm_up(engine, now=clock.first_open_second())
        handlers.ready = True
        yield
        handlers.ready = False

    return lifespan
