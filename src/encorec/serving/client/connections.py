"""HTTP/1.1 to one service over connections that stay open: blocking, and for asyncio."""

import asyncio
import http.client
import ssl
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import NamedTuple
from urllib.parse import urlsplit

from encorec.errors import ConfigError

__all__ = ["Address", "AsyncConnections", "Connections", "Reply", "address_of", "head_of"]

_LARGEST_HEAD = 2**16


class Reply(NamedTuple):
    """What came back: status, headers with names in lower case, and the body."""

    status: int
    headers: Mapping[str, str]
    content: bytes


class Address(NamedTuple):
    """Where a service is."""

    host: str
    port: int
    tls: bool
    prefix: str


def address_of(url: str) -> Address:
    """The address in a URL.

    Args:
        url: ``http://host:port``, or https, with or without a path that all routes stand under.

    Raises:
        ConfigError: not such a URL.

    Example:
        >>> address_of("http://shop:8000/recommender/")
        Address(host='shop', port=8000, tls=False, prefix='/recommender')
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ConfigError(f"URL {url!r} cannot be read ({error}); write it as http://host:8000") from error
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ConfigError(f"URL {url!r} is none of a service; write it as http://host:8000")
    tls = parts.scheme == "https"
    return Address(parts.hostname, port or (443 if tls else 80), tls, parts.path.rstrip("/"))


def head_of(address: Address, method: str, path: str, headers: Mapping[str, str]) -> bytes:
    r"""The head of a request on the wire.

    Args:
        address: of the service.
        method: of HTTP.
        path: with the query string.
        headers: besides ``Host``.

    Example:
        >>> head_of(Address("shop", 80, False, ""), "GET", "/metrics", {})
        b'GET /metrics HTTP/1.1\r\nhost: shop:80\r\n\r\n'
    """
    host = f"[{address.host}]" if ":" in address.host else address.host
    lines = [f"{method} {address.prefix}{path} HTTP/1.1", f"host: {host}:{address.port}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


class Connections:
    """Blocking connections, to be used from any thread.

    Args:
        address: of the service.
        timeout: seconds that a call may take.
    """

    def __init__(self, address: Address, timeout: float) -> None:
        self._address, self._timeout = address, timeout
        self._idle: list[http.client.HTTPConnection] = []
        self._lock = threading.Lock()

    def ask(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> Reply:
        """One call; a connection that the service has closed meanwhile is replaced by a new one.

        Raises:
            OSError: no connection, or no answer in time.
            HTTPException: what came is not HTTP.
        """
        with self._lock:
            connection = self._idle.pop() if self._idle else None
        if connection is not None:
            try:
                return self._asked(connection, method, path, headers, body)
            except (ConnectionError, http.client.BadStatusLine):
                connection.close()
        return self._asked(self._opened(), method, path, headers, body)

    def close(self) -> None:
        """Close all connections."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _opened(self) -> http.client.HTTPConnection:
        host, port, tls, _ = self._address
        kind = http.client.HTTPSConnection if tls else http.client.HTTPConnection
        return kind(host, port, timeout=self._timeout)

    def _asked(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes | None,
    ) -> Reply:
        ends = time.monotonic() + self._timeout
        try:
            connection.request(method, self._address.prefix + path, body, dict(headers))
            answer = connection.getresponse()
            content = bytearray()
            while chunk := answer.read(2**16):
                content += chunk
                if time.monotonic() > ends:
                    raise TimeoutError(f"no whole answer within {self._timeout} s")
            if answer.length:
                raise ConnectionError(f"the answer ends {answer.length} bytes too early")
        except BaseException:
            connection.close()
            raise
        if not answer.will_close:
            with self._lock:
                self._idle.append(connection)
        return Reply(answer.status, {name.lower(): value for name, value in answer.getheaders()}, bytes(content))


class AsyncConnections:
    """Connections of one event loop.

    Args:
        address: of the service.
        timeout: seconds that a call may take.
    """

    def __init__(self, address: Address, timeout: float) -> None:
        self._address, self._timeout = address, timeout
        self._tls = ssl.create_default_context() if address.tls else None
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def ask(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> Reply:
        """One call; a connection that the service has closed meanwhile is replaced by a new one.

        Raises:
            OSError: no connection, no answer in time, or what came is not HTTP.
        """
        length = {} if body is None else {"content-length": str(len(body))}
        sent = head_of(self._address, method, path, {**headers, **length}) + (body or b"")
        async with asyncio.timeout(self._timeout):
            if self._idle:
                try:
                    return await self._asked(*self._idle.pop(), sent)
                except (ConnectionError, asyncio.IncompleteReadError):
                    pass
            try:
                return await self._asked(*await self._opened(), sent)
            except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError) as error:
                raise ConnectionError(f"what came is not the whole of an HTTP answer: {error}") from error

    async def close(self) -> None:
        """Close all connections."""
        idle, self._idle = self._idle, []
        for _, writer in idle:
            await _shut(writer)

    async def _opened(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        host, port, *_ = self._address
        return await asyncio.open_connection(host, port, ssl=self._tls, limit=_LARGEST_HEAD)

    async def _asked(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, sent: bytes) -> Reply:
        try:
            writer.write(sent)
            status, headers = _head(await reader.readuntil(b"\r\n\r\n"))
            content = await _content(reader, headers)
        except BaseException:
            await _shut(writer)
            raise
        if headers.get("connection", "").lower() == "close" or "content-length" not in headers:
            await _shut(writer)
        else:
            self._idle.append((reader, writer))
        return Reply(status, headers, content)


async def _shut(writer: asyncio.StreamWriter) -> None:
    """Close a connection for good: what is left of it would outlive its event loop."""
    writer.transport.abort()
    with suppress(OSError):
        await writer.wait_closed()


def _head(block: bytes) -> tuple[int, dict[str, str]]:
    first, *lines = block[:-4].decode("latin-1").split("\r\n")
    version, _, rest = first.partition(" ")
    if not version.startswith("HTTP/1."):
        raise ValueError(f"it begins with {first[:40]!r}")
    pairs = (line.partition(":") for line in lines)
    return int(rest[:3]), {name.strip().lower(): value.strip() for name, _, value in pairs}


async def _content(reader: asyncio.StreamReader, headers: Mapping[str, str]) -> bytes:
    if "content-length" in headers:
        return await reader.readexactly(int(headers["content-length"]))
    if headers.get("transfer-encoding", "").lower() != "chunked":
        return await reader.read()
    content = bytearray()
    while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
        content += (await reader.readexactly(size + 2))[:-2]
    await reader.readuntil(b"\r\n")
    return bytes(content)
