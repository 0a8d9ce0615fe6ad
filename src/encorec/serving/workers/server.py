"""A server that shares its socket with others: whoever has fewer connections open takes the next one."""

import asyncio
import contextlib
import socket

import uvicorn

__all__ = ["WorkerServer"]

_REST = 1e-4  # seconds that a server leaves a new connection to the others for each one that it has open
_LONGEST_REST = 5e-3


class WorkerServer(uvicorn.Server):
    """uvicorn on a socket that several processes accept from.

    The kernel wakes whoever is there, and one process may take all connections of a burst; clients that keep them
    open then keep that process busy and the others idle. So each waits before it accepts, the longer the more
    connections it has: the least busy one is first.

    Args:
        config: of uvicorn.
        listener: that others accept from, too.

    Example:
        >>> with socket.socket() as listener:
        ...     WorkerServer(uvicorn.Config("app"), listener).started
        False
    """

    def __init__(self, config: uvicorn.Config, listener: socket.socket) -> None:
        super().__init__(config)
        self._listener = listener
        self._accepting: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start the application, and then to accept."""
        await super().startup(sockets=[])
        self._accepting = asyncio.create_task(self._accept())

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept no more, and let those end that are under way."""
        if self._accepting is not None:
            self._accepting.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._accepting
        await super().shutdown(sockets=[])

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        self._listener.setblocking(False)
        while True:
            await self._somebody(loop)
            if held := len(self.server_state.connections):
                await asyncio.sleep(min(held * _REST, _LONGEST_REST))
            try:
                connection, _ = self._listener.accept()
            except (BlockingIOError, ConnectionAbortedError, InterruptedError):
                continue  # another process took it, or the client went away
            except OSError:
                await asyncio.sleep(1.0)  # no file handle left; those who have one end some time
                continue
            connection.setblocking(False)
            with contextlib.suppress(OSError):  # the client went away
                await loop.connect_accepted_socket(self._protocol, connection)

    async def _somebody(self, loop: asyncio.AbstractEventLoop) -> None:
        """Wait until there is a connection to accept."""
        there = asyncio.Event()
        loop.add_reader(self._listener, there.set)
        try:
            await there.wait()
        finally:
            loop.remove_reader(self._listener)

    def _protocol(self) -> asyncio.Protocol:
        protocol = self.config.http_protocol_class
        return protocol(config=self.config, server_state=self.server_state, app_state=self.lifespan.state)  # pyright: ignore
