"""A proxy between a client and a service that does one thing wrong to each connection, in turn."""

import re
import socket
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Self

Fault = Callable[[socket.socket, "Proxy"], None]


class Proxy:
    """Listens on a free port; every connection gets the next fault, and after the last one goes straight through."""

    def __init__(self, target: tuple[str, int], faults: Iterable[Fault] = ()) -> None:
        self._target, self._faults = target, list(faults)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self.connections = 0
        self._thread = threading.Thread(target=self._accept, daemon=True)

    @property
    def url(self) -> str:
        host, port = self._listener.getsockname()
        return f"http://{host}:{port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for one in self._open:
            one.close()
        self._thread.join()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._open.append(client)
            self.connections += 1
            fault = self._faults.pop(0) if self._faults else through
            threading.Thread(target=_serve, args=(fault, client, self), daemon=True).start()

    def to_service(self) -> socket.socket:
        service = socket.create_connection(self._target)
        self._open.append(service)
        return service


def through(client: socket.socket, proxy: Proxy) -> None:
    service = proxy.to_service()
    threading.Thread(target=_copy, args=(service, client), daemon=True).start()
    _copy(client, service)


def resets(client: socket.socket, proxy: Proxy) -> None:
    client.recv(1)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    client.close()


def hangs_up(client: socket.socket, proxy: Proxy) -> None:
    client.recv(65536)
    client.close()


def stalls(client: socket.socket, proxy: Proxy) -> None:
    while client.recv(65536):
        pass


def tears(client: socket.socket, proxy: Proxy) -> None:
    """The answer ends in its middle; the service has done its work."""
    service = proxy.to_service()
    service.sendall(_request(client))
    client.sendall(service.recv(65536)[:-20])
    client.close()


def babbles(client: socket.socket, proxy: Proxy) -> None:
    client.recv(65536)
    client.sendall(b"220 mail.example ESMTP\r\n\r\n")
    client.close()


def says(status: str, *headers: str, body: bytes = b"") -> Fault:
    def fault(client: socket.socket, proxy: Proxy) -> None:
        client.recv(65536)
        head = "\r\n".join([f"HTTP/1.1 {status}", *headers, f"content-length: {len(body)}", "connection: close"])
        client.sendall(head.encode() + b"\r\n\r\n" + body)
        client.close()

    return fault


def _request(client: socket.socket) -> bytes:
    """A whole request, head and body."""
    given = b""
    while b"\r\n\r\n" not in given:
        given += client.recv(65536)
    head, _, body = given.partition(b"\r\n\r\n")
    declared = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
    while declared and len(body) < int(declared[1]):
        part = client.recv(65536)
        given, body = given + part, body + part
    return given


def _serve(fault: Fault, client: socket.socket, proxy: Proxy) -> None:
    with suppress(OSError):  # the other side may be gone, and the proxy closed
        fault(client, proxy)


def _copy(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        return
