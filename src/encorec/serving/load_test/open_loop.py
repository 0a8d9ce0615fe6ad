"""Load on a service in an open loop: requests are sent when they are due, however slow the answers are.

Users do not wait for each other, so neither do these requests. Latency counts from the time at which a request was
due: one that has to wait because the service has stalled is slow, not unsent (``tene2015``, coordinated omission).
"""

import asyncio
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence

import msgspec
import numpy as np

from encorec.config import Config, bounded
from encorec.errors import ConfigError
from encorec.pipeline.requests import ItemId
from encorec.serving.client.connections import Address, address_of, head_of
from encorec.serving.load_test.connection import LoadConnection
from encorec.serving.load_test.report import LoadReport
from encorec.types import FloatVector

__all__ = ["Load", "load_test", "questions", "send_times"]


class Load(Config, frozen=True):
    """The load.

    Args:
        rate: requests per second.
        seconds: that requests are sent.
        warm_up: seconds before them at the same rate that are not counted.
        connections: most requests under way.
        timeout: seconds after which an answer is of no use.
        poisson: whether the times of requests are left to chance, at this mean rate; else they are evenly spaced.
        k: places asked for.
        path: of the route.
        seed: of the times and of the order of users.

    Raises:
        ConfigError: a value outside its bounds.

    Example:
        >>> Load(rate=100).connections
        64
    """

    rate: float = 100.0
    seconds: float = 10.0
    warm_up: float = 1.0
    connections: int = 64
    timeout: float = 5.0
    poisson: bool = False
    k: int = 10
    path: str = "/v1/recommend"
    seed: int = 0

    def __post_init__(self) -> None:
        bounded(
            self,
            rate=(0.01, 1e6),
            seconds=(0.05, 86_400),
            warm_up=(0, 3600),
            connections=(1, 10_000),
            timeout=(0.001, 600),
            k=(1, 100_000),
        )


def send_times(load: Load, rng: np.random.Generator) -> FloatVector:
    """(n,) float64 seconds from the start at which requests are due, increasing; the warm-up comes first.

    Args:
        load: rate, seconds, and whether they are left to chance.
        rng: of chance.

    Example:
        >>> send_times(Load(rate=4, seconds=0.5, warm_up=0.25), np.random.default_rng(0)).tolist()
        [0.0, 0.25, 0.5]
    """
    whole = load.warm_up + load.seconds
    if not load.poisson:
        return np.arange(max(round(load.rate * whole), 1)) / load.rate
    count = int(load.rate * whole + 6 * np.sqrt(load.rate * whole) + 10)
    times = np.cumsum(rng.exponential(1 / load.rate, count))
    return times[times < whole]


def questions(address: Address, load: Load, users: Sequence[ItemId], rng: np.random.Generator) -> Iterator[bytes]:
    """Requests as bytes, without end: users in an order by chance, every user once in a round.

    Args:
        address: of the service.
        load: route and k.
        users: ids, at least one.
        rng: of the order.
    """
    while True:
        for place in rng.permutation(len(users)).tolist():
            body = msgspec.json.encode({"user_id": users[place], "k": load.k})
            headers = {"content-type": "application/json", "content-length": str(len(body))}
            yield head_of(address, "POST", load.path, headers) + body


def load_test(url: str, load: Load, users: Sequence[ItemId]) -> LoadReport:
    """Ask a service at a rate and measure.

    Args:
        url: ``http://host:port``.
        load: how much, how long.
        users: asked for.

    Raises:
        ConfigError: not such a URL, nobody answers there, or there are no users.
    """
    address = address_of(url)
    if not users:
        raise ConfigError("no users to ask for: the list is empty")
    if address.tls:
        raise ConfigError(f"{url}: the load generator speaks plain HTTP; point it at the service behind the proxy")
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(_Generator(address, load, users).run())


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    if sys.platform == "win32":
        return None
    import uvloop

    return uvloop.new_event_loop


class _Generator:
    """Sends what is due, one event loop, as many connections as are allowed."""

    def __init__(self, address: Address, load: Load, users: Sequence[ItemId]) -> None:
        rng = np.random.default_rng(load.seed)
        self._address, self._load = address, load
        self._due = send_times(load, rng)
        self._questions = questions(address, load, users, rng)
        self._counted_from = load.warm_up
        self._latency: list[float] = []
        self._service: list[float] = []
        self._lateness: list[float] = []
        self._errors: dict[str, int] = {}
        self._degraded = self._waited = self._open = 0
        self._free: deque[LoadConnection] = deque()
        self._all: set[LoadConnection] = set()
        self._waiting: deque[tuple[float, bytes]] = deque()
        self._began = self._ended_at = 0.0
        self._left = len(self._due)

    async def run(self) -> LoadReport:
        await self._connect_all()
        loop = asyncio.get_running_loop()
        self._done: asyncio.Future[None] = loop.create_future()
        self._began = time.perf_counter() + 0.01
        sweep = loop.create_task(self._give_up())
        repair = loop.create_task(self._reconnect())
        for place, due in enumerate((self._due + self._began).tolist()):
            wait = due - time.perf_counter()
            if wait > 0:
                await asyncio.sleep(wait)
            elif place % 64 == 0:
                await asyncio.sleep(0)  # so that answers are read even when sending falls behind
            self._send(due, next(self._questions))
        await self._done
        sweep.cancel()
        repair.cancel()
        for connection in list(self._all):
            connection.abort()
        return self._report()

    async def _connect_all(self) -> None:
        for _ in range(min(self._load.connections, max(4, round(self._load.rate)))):
            try:
                await self._connect()
            except OSError as error:
                if not self._all:
                    where = f"{self._address.host}:{self._address.port}"
                    raise ConfigError(f"{where}: nobody answers ({error}); is the service up?") from error
                return

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        host, port, *_ = self._address
        _, connection = await loop.create_connection(lambda: LoadConnection(self._ended, self._lost), host, port)
        self._all.add(connection)
        self._freed(connection)

    def _send(self, due: float, question: bytes) -> None:
        now = time.perf_counter()
        if due >= self._began + self._counted_from:
            self._lateness.append(now - due)
        while self._free:
            connection = self._free.pop()
            if connection.usable:
                connection.ask(question, due, now)
                return
        self._waited += due >= self._began + self._counted_from
        self._waiting.append((due, question))

    def _freed(self, connection: LoadConnection) -> None:
        if not connection.usable:
            return
        if self._waiting:
            due, question = self._waiting.popleft()
            connection.ask(question, due, time.perf_counter())
        else:
            self._free.append(connection)

    def _ended(self, connection: LoadConnection, kind: str, degraded: bool) -> None:
        self._note(connection.due, connection.sent, kind, degraded)
        self._freed(connection)

    def _note(self, due: float, sent: float, kind: str, degraded: bool) -> None:
        now = time.perf_counter()
        self._left -= 1
        if due >= self._began + self._counted_from:
            good = kind == "200"
            self._latency.append(now - due if good else np.nan)
            self._service.append(now - sent if good else np.nan)
            self._degraded += good and degraded
            self._ended_at = now
            if not good:
                self._errors[kind] = self._errors.get(kind, 0) + 1
        if not self._left and not self._done.done():
            self._done.set_result(None)

    def _lost(self, connection: LoadConnection) -> None:
        self._all.discard(connection)

    async def _give_up(self) -> None:
        """What has waited longer than the timeout is an error, be it under way or not yet sent."""
        while True:
            await asyncio.sleep(min(self._load.timeout / 4, 0.1))
            late = time.perf_counter() - self._load.timeout
            for connection in [one for one in self._all if one.busy and one.due < late]:
                connection.give_up("timeout")
            while self._waiting and self._waiting[0][0] < late:
                due, _ = self._waiting.popleft()
                self._note(due, due, "timeout", degraded=False)

    async def _reconnect(self) -> None:
        """Connections that were lost are opened again, and more where requests wait."""
        while True:
            await asyncio.sleep(0.005)
            while len(self._all) < self._load.connections and (self._waiting or len(self._all) < 4):
                try:
                    await self._connect()
                except OSError:
                    await asyncio.sleep(0.05)
                    break

    def _report(self) -> LoadReport:
        return LoadReport.of(
            np.array(self._latency),
            np.array(self._service),
            np.array(self._lateness),
            rate=self._load.rate,
            seconds=max(self._load.seconds, self._ended_at - self._began - self._counted_from),
            errors=self._errors,
            degraded=self._degraded,
            waited=self._waited,
        )
