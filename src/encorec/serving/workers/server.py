"""A server that takes in connections itself: at once where it is alone, in turns where others share its socket."""

import asyncio
import contextlib
import os
import socket
from functools import partial

import uvicorn

__all__ = ["WorkerServer"]

_REST = 1e-4  # seconds that a server leaves a new connection to the others for each one that it has open
_LONGEST_REST = 5e-3
_TURN = 1e-3  # seconds that one comes too late for each further connection that it takes in then
_AT_ONCE = 256  # connections


class WorkerServer(uvicorn.Server):
    """uvicorn that accepts connections as many as there are, or its share of them.

    The event loop accepts one connection per round, and a round is as long as all the answers in it: where every
    request comes on a connection of its own, the queue before the socket would grow without anybody being told.

    Of a socket that several processes accept from, the kernel wakes whoever is there, and one process may take all
    connections of a burst; clients that keep them open then keep that process busy and the others idle. So each waits
    before it accepts, the longer the more connections it has: the least busy one is first. Whoever is too busy to
    come back in time takes the more in, for the others are busy, too.

    Args:
        config: of uvicorn.
        listener: that others accept from, too; none = the server opens one for itself.

    Example:
        >>> with socket.socket() as listener:
        ...     WorkerServer(uvicorn.Config("app"), listener).started
        False
    """

    def __init__(self, config: uvicorn.Config, listener: socket.socket | None = None) -> None:
        super().__init__(config)
        self._shared = listener
        self._listeners: list[socket.socket] = []
        self._waits: dict[socket.socket, asyncio.TimerHandle] = {}
        self._beginning: set[asyncio.Task[None]] = set()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start the application, and then to accept."""
        await super().startup(sockets=None if self._shared is None else [])
        if not self.started or (self._shared is None and os.name == "nt"):
            return  # without a loop that tells when a socket is ready, uvicorn accepts
        self._listeners = self._own() if self._shared is None else [self._shared]
        for listener in self._listeners:
            listener.setblocking(False)
            self._listen(listener)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept no more, and let those end that are under way."""
        for listener in self._listeners:
            if (wait := self._waits.pop(listener, None)) is not None:
                wait.cancel()
            asyncio.get_running_loop().remove_reader(listener)
            if listener is not self._shared:
                listener.close()
        self._listeners = []
        await asyncio.gather(*self._beginning)
        await super().shutdown(sockets=[])

    def _own(self) -> list[socket.socket]:
        """The sockets that uvicorn opened, taken from its hands."""
        listeners = [socket.socket(fileno=os.dup(one.fileno())) for server in self.servers for one in server.sockets]
        for server in self.servers:
            server.close()
        self.servers = []
        return listeners

    def _listen(self, listener: socket.socket) -> None:
        self._waits.pop(listener, None)
        asyncio.get_running_loop().add_reader(listener, self._ready, listener)

    def _ready(self, listener: socket.socket) -> None:
        """Somebody is there."""
        loop = asyncio.get_running_loop()
        if self._shared is None:
            self._accept(listener, _AT_ONCE)
            return
        loop.remove_reader(listener)
        due = loop.time() + min(len(self.server_state.connections) * _REST, _LONGEST_REST)
        self._waits[listener] = loop.call_at(due, self._take_share, listener, due)

    def _take_share(self, listener: socket.socket, due: float) -> None:
        late = asyncio.get_running_loop().time() - due
        if self._accept(listener, 1 + min(int(late / _TURN), _AT_ONCE)):
            self._listen(listener)

    def _accept(self, listener: socket.socket, most: int) -> bool:
        """Take in what is there; whether it is worth listening on at once."""
        loop = asyncio.get_running_loop()
        for _ in range(most):
            try:
                connection, _ = listener.accept()
            except (BlockingIOError, ConnectionAbortedError, InterruptedError):
                break  # another process took it, or the client went away
            except OSError:  # no file handle left; those who have one end some time
                loop.remove_reader(listener)
                self._waits[listener] = loop.call_later(1.0, self._listen, listener)
                return False
            connection.setblocking(False)
            task = loop.create_task(self._begin(connection))
            self._beginning.add(task)
            task.add_done_callback(self._beginning.discard)
        return True

    async def _begin(self, connection: socket.socket) -> None:
        protocol = partial(
            self.config.http_protocol_class,
            config=self.config,
            server_state=self.server_state,
            app_state=self.lifespan.state,
        )
        with contextlib.suppress(OSError):  # the client went away
            await asyncio.get_running_loop().connect_accepted_socket(protocol, connection)  # pyright: ignore
