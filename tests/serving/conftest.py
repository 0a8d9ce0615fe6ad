import asyncio
import logging
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from tests.redis_server import RedisServer
from tests.serving.toy_engine import ToyEngine

from encorec.serving.app import create_app
from encorec.serving.settings import Settings
from encorec.serving.snapshots.holder import ServedEngine
from encorec.serving.state.sqlite_state import SqliteState
from encorec.serving.state.store import UserStateStore


class Service:
    """The whole application in this process, asked through its ASGI interface."""

    def __init__(self, engine: ServedEngine, settings: Settings, state: UserStateStore) -> None:
        self.state = state
        self.app = create_app(engine, settings, state)
        self._runner = asyncio.Runner()
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        self._client = httpx.AsyncClient(transport=transport, base_url="http://service")
        self._lifespan = self.app.router.lifespan_context(self.app)

    def start(self) -> None:
        self._runner.run(self._lifespan.__aenter__())

    def stop(self) -> None:
        self._runner.run(self._lifespan.__aexit__(None, None, None))

    def get(self, path: str, **given: Any) -> httpx.Response:
        return self._runner.run(self._client.get(path, **given))

    def post(self, path: str, body: Any = None, **given: Any) -> httpx.Response:
        content: dict[str, Any] = {"content": body} if isinstance(body, bytes) else {"json": body}
        return self._runner.run(self._client.post(path, **(given or content)))

    def items(self, **request: Any) -> list[Any]:
        answer = self.post("/v1/recommend", request)
        assert answer.status_code == 200, answer.text
        return [item["item_id"] for item in answer.json()["items"]]

    def close(self) -> None:
        self._runner.run(self._client.aclose())
        self._runner.close()
        self.state.close()


@pytest.fixture(autouse=True)
def _logs_are_heard() -> None:
    """A server that ran in this process has set up its logs; pytest is to hear ours again."""
    logger = logging.getLogger("encorec")
    logger.propagate, logger.handlers = True, []
    logger.setLevel(logging.NOTSET)


@pytest.fixture
def start_service() -> Iterator[Callable[..., Service]]:
    """A function that starts a service; all of them end with the test."""
    started: list[Service] = []

    def start(engine: ServedEngine | None = None, state: UserStateStore | None = None, **settings: Any) -> Service:
        service = Service(engine or ToyEngine(), Settings(**settings), state or SqliteState(":memory:"))
        started.append(service)
        service.start()
        return service

    yield start
    for service in started:
        service.close()


@pytest.fixture
def service(start_service: Callable[..., Service]) -> Service:
    return start_service()


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """A server that no test stops; whoever needs one to stop starts another."""
    server = RedisServer()
    server.start()
    yield server
    server.kill()
