"""An application that reads the body and gives fixed bytes, on the server of the service: what HTTP alone costs.

python -m benchmarks.speed.null_service BYTES
"""

import sys

from starlette.types import Receive, Scope, Send

from encorec.serving.server import server_config
from encorec.serving.settings import Settings
from encorec.serving.workers.server import WorkerServer


class Null:
    """Every request has the same answer of ``size`` bytes."""

    def __init__(self, size: int) -> None:
        self._start = {
            "type": "http.response.start",
            "status": 200,
            "headers": [(b"content-type", b"application/json"), (b"content-length", str(size).encode())],
        }
        self._body = {"type": "http.response.body", "body": b" " * size}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read the request and answer it."""
        if scope["type"] != "http":
            await self._live(receive, send)
            return
        while (await receive()).get("more_body"):
            pass
        await send(self._start)
        await send(self._body)

    async def _live(self, receive: Receive, send: Send) -> None:
        for _ in range(2):
            message = await receive()
            await send({"type": f"{message['type']}.complete"})


if __name__ == "__main__":
    WorkerServer(server_config(Null(int(sys.argv[1])), Settings(port=0))).run()
