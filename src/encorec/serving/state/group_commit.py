"""Calls that wait at the same time share one transaction, and nobody else waits with them."""

import asyncio
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Self

import msgspec

from encorec.serving.state.store import AppendResult, Event, StateError, UserStateStore

__all__ = ["GroupCommit"]

_MOST = 1000  # events after which no further call joins a transaction


class _Call(msgspec.Struct, frozen=True):
    events: Sequence[Event]
    now: int
    result: asyncio.Future[AppendResult]


class GroupCommit:
    """Writes to a state in a thread of its own, one transaction at a time.

    While one transaction is being synced to disk the event loop answers other requests, and the calls that come in
    meanwhile form the next transaction: the busier the service, the more events share a sync.

    Args:
        state: where the events go.

    Example:
        >>> from encorec.serving.state.sqlite_state import SqliteState
        >>> async def two_calls(commits: GroupCommit) -> list[AppendResult]:
        ...     events = [Event(event_id=name, user_id=17, item_id=242, time=50.0) for name in ("a", "b")]
        ...     return await asyncio.gather(commits.append(events, now=60), commits.append(events[:1], now=60))
        >>> state = SqliteState(":memory:")
        >>> with GroupCommit(state) as commits:
        ...     asyncio.run(two_calls(commits))
        [AppendResult(accepted=2, duplicates=0), AppendResult(accepted=0, duplicates=1)]
        >>> state.close()
    """

    def __init__(self, state: UserStateStore) -> None:
        self._state = state
        self._waiting: deque[_Call] = deque()
        self._work: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="encorec-events")

    async def append(self, events: Sequence[Event], *, now: int) -> AppendResult:
        """Store all events or none; durable when it returns.

        Args:
            events: in order of arrival.
            now: the first second not yet begun.

        Raises:
            StateError: the store is away, full or damaged.
        """
        loop = asyncio.get_running_loop()
        call = _Call(events, now, loop.create_future())
        self._waiting.append(call)
        if self._work is None or self._work.done():
            self._work = loop.create_task(self._commit_all())
        return await call.result

    def close(self) -> None:
        """End the thread; what has been taken on is stored first."""
        self._thread.shutdown()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    async def _commit_all(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            group = self._next_group()
            results = await loop.run_in_executor(self._thread, self._store, group)
            for call, result in zip(group, results, strict=True):
                if call.result.done():  # given up by its caller
                    continue
                if isinstance(result, AppendResult):
                    call.result.set_result(result)
                else:
                    call.result.set_exception(result)

    def _next_group(self) -> list[_Call]:
        group, size = [self._waiting.popleft()], 0
        while self._waiting and (size := size + len(group[-1].events)) < _MOST:
            group.append(self._waiting.popleft())
        return group

    def _store(self, group: Sequence[_Call]) -> Sequence[AppendResult | Exception]:
        """What became of each call; one that no store can take fails alone."""
        try:
            return self._state.append_calls([call.events for call in group], now=max(call.now for call in group))
        except StateError as error:
            return [error] * len(group)
        except Exception as error:  # told to the caller whose call it is
            return [error] if len(group) == 1 else [self._store([call])[0] for call in group]
