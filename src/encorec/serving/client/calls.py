"""A typed client of the service, for threads and for asyncio; the standard library carries the bytes."""

import asyncio
import http.client
import random
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Generic, Self, TypeVar, Unpack

from encorec.pipeline.requests import ItemId
from encorec.serving.client.connections import Address, AsyncConnections, Connections, Reply, address_of
from encorec.serving.client.questions import (
    Call,
    EventFields,
    Question,
    RequestRefused,
    ServiceError,
    ServiceUnavailable,
    events_call,
    health_call,
    item_call,
    metrics_call,
    popular_call,
    recommend_batch_call,
    recommend_call,
    similar_call,
    user_call,
)
from encorec.serving.client.retries import Retries, RetryBudget
from encorec.serving.http.answers import (
    EventsAnswer,
    HealthAnswer,
    ItemAnswer,
    PopularAnswer,
    RecommendAnswer,
    SimilarAnswer,
    UserAnswer,
)

__all__ = ["AsyncClient", "Client", "Question", "RequestRefused", "ServiceError", "ServiceUnavailable"]

T = TypeVar("T")
C = TypeVar("C", Connections, AsyncConnections)

_ONCE_MORE = (429, 502, 503, 504)


class _Attempts:
    """The attempts at one call: what each came to, and how long to wait before the next."""

    def __init__(self, call: Call[Any], retries: Retries, budget: RetryBudget, rng: random.Random) -> None:
        budget.earn()
        self._call, self._longest, self._budget = call, retries.longest, budget
        self._waits = retries.waits(rng)

    def after(self, error: Exception) -> float:
        """Seconds to wait before the next attempt, or the error of the call where there is none."""
        if not isinstance(error, ServiceError):
            told = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
            failure: ServiceError = ServiceUnavailable(f"{self._call.method} {self._call.path}: {told}")
        else:
            failure = error
        worth = failure.status is None or failure.status in _ONCE_MORE
        wait = next(self._waits, None) if worth else None
        asked = failure.retry_after or 0.0
        if wait is None or asked > self._longest or not self._budget.spend():
            raise failure from (error if failure is not error else None)
        return asked + wait


class _Caller(ABC, Generic[C]):
    """What both clients are made of; their own documentation says what is given."""

    def __init__(
        self,
        url: str,
        *,
        timeout: float = 2.0,
        retries: Retries | None = None,
        headers: Mapping[str, str] | None = None,
        rng: random.Random | None = None,
    ) -> None:
        self._connections = self._connect(address_of(url), timeout)
        self._retries = retries or Retries()
        self._budget = RetryBudget(self._retries)
        self._headers = {"content-type": "application/json", **(headers or {})}
        self._rng = rng or random.Random()

    @abstractmethod
    def _connect(self, address: Address, timeout: float) -> C: ...

    def _attempts(self, call: Call[Any]) -> _Attempts:
        return _Attempts(call, self._retries, self._budget, self._rng)


class Client(_Caller[Connections]):
    """Asks a service; to be used from any thread, and closed at the end (or in a ``with`` block).

    What the service did not answer (no connection, no answer in time, 429, 502, 503, 504) is asked again, up to the
    limits of ``retries``. That is safe for every call: questions change nothing, and events are told by name.

    Args:
        url: ``http://host:port``.
        timeout: seconds that one attempt may take.
        retries: how often and when a call is made again.
        headers: sent with every call, as an ``X-Request-Id``.
        rng: of the waiting between attempts.

    Raises:
        ConfigError: not the URL of a service.

    Example:
        >>> Client("shop:8000")
        Traceback (most recent call last):
        ...
        encorec.errors.ConfigError: URL 'shop:8000' is none of a service; write it as http://host:8000
    """

    def _connect(self, address: Address, timeout: float) -> Connections:
        return Connections(address, timeout)

    def recommend(self, user_id: ItemId | None = None, k: int = 10, **more: Unpack[Question]) -> RecommendAnswer:
        """Items for one user.

        Args:
            user_id: none or unknown = a guest.
            k: places to fill.
            more: other fields of ``RecommendBody``.

        Raises:
            RequestRefused: something in the request is not allowed; ``path`` says where.
            ServiceUnavailable: no answer could be had.
        """
        return self._ask(recommend_call(user_id, k, more))

    def recommend_batch(self, requests: Sequence[Mapping[str, Any]]) -> list[RecommendAnswer]:
        """Items for many users, each request as the body of ``/v1/recommend``; raises as ``recommend``."""
        return self._ask(recommend_batch_call(requests)).answers

    def similar(
        self, item_id: ItemId, k: int = 10, *, allow: Sequence[ItemId] | None = None, deny: Sequence[ItemId] = ()
    ) -> SimilarAnswer:
        """Items like one item; raises as ``recommend``."""
        return self._ask(similar_call(item_id, k, allow, deny))

    def events(self, events: Sequence[EventFields]) -> EventsAnswer:
        """Tell what users did; what is accepted is on disk. Raises as ``recommend``."""
        return self._ask(events_call(events))

    def popular(self, k: int = 10) -> PopularAnswer:
        """The most popular items; raises as ``recommend``."""
        return self._ask(popular_call(k))

    def item(self, item_id: ItemId) -> ItemAnswer:
        """What is known of an item; raises as ``recommend``."""
        return self._ask(item_call(item_id))

    def user(self, user_id: ItemId) -> UserAnswer:
        """What is known of a user; raises as ``recommend``."""
        return self._ask(user_call(user_id))

    def health(self, what: str = "ready") -> HealthAnswer:
        """How the process is; ``live`` or ``ready``. Raises as ``recommend``."""
        return self._ask(health_call(what))

    def metrics(self) -> str:
        """What the service counts, in the form that Prometheus reads; raises as ``recommend``."""
        return self._ask(metrics_call())

    def close(self) -> None:
        """Close the connections."""
        self._connections.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _ask(self, call: Call[T]) -> T:
        attempts = self._attempts(call)
        while True:
            try:
                reply = self._connections.ask(call.method, call.path, self._headers, call.body)
                return call.read(*reply)
            except (OSError, http.client.HTTPException, ServiceError) as error:
                wait = attempts.after(error)
            time.sleep(wait)


class AsyncClient(_Caller[AsyncConnections]):
    """The same for asyncio: every call is awaited, and any number may be under way; of one event loop.

    Args:
        url: ``http://host:port``.
        timeout: seconds that one attempt may take.
        retries: how often and when a call is made again.
        headers: sent with every call.
        rng: of the waiting between attempts.

    Raises:
        ConfigError: not the URL of a service.

    Example:
        >>> client = AsyncClient("http://shop:8000", timeout=0.2)
    """

    def _connect(self, address: Address, timeout: float) -> AsyncConnections:
        return AsyncConnections(address, timeout)

    async def recommend(self, user_id: ItemId | None = None, k: int = 10, **more: Unpack[Question]) -> RecommendAnswer:
        """As ``Client.recommend``."""
        return await self._ask(recommend_call(user_id, k, more))

    async def recommend_batch(self, requests: Sequence[Mapping[str, Any]]) -> list[RecommendAnswer]:
        """As ``Client.recommend_batch``."""
        return (await self._ask(recommend_batch_call(requests))).answers

    async def similar(
        self, item_id: ItemId, k: int = 10, *, allow: Sequence[ItemId] | None = None, deny: Sequence[ItemId] = ()
    ) -> SimilarAnswer:
        """As ``Client.similar``."""
        return await self._ask(similar_call(item_id, k, allow, deny))

    async def events(self, events: Sequence[EventFields]) -> EventsAnswer:
        """As ``Client.events``."""
        return await self._ask(events_call(events))

    async def popular(self, k: int = 10) -> PopularAnswer:
        """As ``Client.popular``."""
        return await self._ask(popular_call(k))

    async def item(self, item_id: ItemId) -> ItemAnswer:
        """As ``Client.item``."""
        return await self._ask(item_call(item_id))

    async def user(self, user_id: ItemId) -> UserAnswer:
        """As ``Client.user``."""
        return await self._ask(user_call(user_id))

    async def health(self, what: str = "ready") -> HealthAnswer:
        """As ``Client.health``."""
        return await self._ask(health_call(what))

    async def metrics(self) -> str:
        """As ``Client.metrics``."""
        return await self._ask(metrics_call())

    async def close(self) -> None:
        """Close the connections."""
        await self._connections.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.close()

    async def _ask(self, call: Call[T]) -> T:
        attempts = self._attempts(call)
        while True:
            try:
                reply: Reply = await self._connections.ask(call.method, call.path, self._headers, call.body)
                return call.read(*reply)
            except (OSError, ServiceError) as error:
                wait = attempts.after(error)
            await asyncio.sleep(wait)
