"""Work that takes long, in a thread of its own, so that the short requests go on meanwhile."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from threadpoolctl import threadpool_limits  # pyright: ignore[reportMissingTypeStubs]

from encorec.serving.http.request_error import RequestError

__all__ = ["Bulk"]

T = TypeVar("T")


class Bulk:
    """One thread, and few who may wait for it.

    Args:
        most: pieces of work that may be under way or waiting.

    Example:
        >>> bulk = Bulk(2)
        >>> asyncio.run(bulk.run(lambda: 6 * 7)), bulk.full
        (42, False)
        >>> bulk.close()
    """

    def __init__(self, most: int) -> None:
        self._most, self._under_way = most, 0
        # OpenMP counts its threads per thread that asks.
        self._thread = ThreadPoolExecutor(1, "bulk", initializer=threadpool_limits, initargs=(1,))

    @property
    def full(self) -> bool:
        """Whether further work would be refused."""
        return self._under_way >= self._most

    async def run(self, work: Callable[[], T]) -> T:
        """What ``work`` gives; to be called from the thread of the event loop.

        Raises:
            RequestError: 503, there is no room.
        """
        if self.full:
            raise RequestError(503, f"{self._under_way} bulk requests are waiting, allowed are {self._most}", "$")
        self._under_way += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        finally:
            self._under_way -= 1

    def close(self) -> None:
        """Wait for what is under way, and take no more."""
        self._thread.shutdown()
