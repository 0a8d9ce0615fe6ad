"""When a request arrived, and how many were waiting then: noted where its bytes come in, before anything waits."""

import asyncio
import socket
import sys
import time
from collections.abc import Mapping
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

__all__ = ["StampingProtocol", "arrived_at", "waiting_before"]

_ARRIVED, _WAITING = "encorec.arrived", "encorec.waiting"
_LAST_DATA = slice(52, 56)  # tcpi_last_data_recv of Linux: milliseconds since the kernel received the last data
_TCP_INFO: int | None = getattr(socket, "TCP_INFO", None)


def arrived_at(scope: Mapping[str, Any]) -> float:
    """When the last byte of a request came in, in monotonic seconds; now, for one that bears no stamp.

    Args:
        scope: of the request.

    Example:
        >>> arrived_at({}) <= time.monotonic()
        True
    """
    found = scope.get(_ARRIVED)
    return time.monotonic() if found is None else found


def waiting_before(scope: Mapping[str, Any]) -> int:
    """How many requests of this process had begun and not ended when this one came in.

    Args:
        scope: of the request.

    Example:
        >>> waiting_before({})
        0
    """
    return scope.get(_WAITING, 0)


class StampingProtocol(HttpToolsProtocol):
    """uvicorn's protocol, which stamps every request.

    A request waits from the moment at which its last byte reached the machine: a process with too much to do reads
    late, and the longest queue is the one that it has not looked at. Where the system does not tell that moment (not
    Linux, no TCP), it is that of reading. The time that a slow client takes to send is not waiting.

    Example:
        >>> issubclass(StampingProtocol, HttpToolsProtocol)
        True
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Take note of the socket."""
        super().connection_made(transport)
        found = transport.get_extra_info("socket")
        tells = found is not None and found.family in (socket.AF_INET, socket.AF_INET6)
        self._socket: Any = found if tells and _TCP_INFO is not None else None

    def on_headers_complete(self) -> None:
        """Count who is before this request, then let it in."""
        cast(dict[str, Any], self.scope)[_WAITING] = len(self.tasks)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Note that the request is whole, and since when."""
        cast(dict[str, Any], self.scope)[_ARRIVED] = time.monotonic() - self._unread_for()
        super().on_message_complete()

    def _unread_for(self) -> float:
        """Seconds that the last data lay in the kernel."""
        if self._socket is None:
            return 0.0
        try:
            told = self._socket.getsockopt(socket.IPPROTO_TCP, _TCP_INFO, _LAST_DATA.stop)
        except OSError:
            return 0.0
        return int.from_bytes(told[_LAST_DATA], sys.byteorder) / 1000
