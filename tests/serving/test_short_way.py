"""The way past FastAPI gives what FastAPI gives."""

import asyncio
import json

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import Response
from tests.serving.toy_engine import ToyEngine

from encorec.errors import QueryError
from encorec.serving.http.request_error import RequestError, error_handlers
from encorec.serving.http.short_way import ShortWayApp

RAISED = {
    "refused": RequestError(413, "too large", "$"),
    "asked": QueryError("item 7 is unknown"),
    "surprise": ZeroDivisionError("the secret of user 4711"),
}


async def answer(request: Request) -> Response:
    body = await request.body()
    if body.decode() in RAISED:
        raise RAISED[body.decode()]
    return Response(body + request.method.encode(), media_type="text/plain")


def app(fixed: bool) -> ShortWayApp:
    made = ShortWayApp(fixed={("POST", "/echo"): answer} if fixed else {}, exception_handlers=error_handlers())
    made.add_route("/echo", answer, methods=["POST"])
    return made


def asked(made: ShortWayApp, method: str, path: str, body: bytes = b"") -> tuple[int, bytes, dict[str, str]]:
    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(made, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
            return await client.request(method, path, content=body)

    found = asyncio.run(ask())
    return (
        found.status_code,
        found.content,
        {name: one for name, one in found.headers.items() if name != "x-request-id"},
    )


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/echo", b"hello", 200),
        ("POST", "/echo", b"refused", 413),
        ("POST", "/echo", b"asked", 422),
        ("POST", "/echo", b"surprise", 500),
        ("GET", "/echo", b"", 405),
        ("POST", "/echo/", b"", 307),
        ("POST", "/elsewhere", b"", 404),
    ],
)
def test_both_ways_answer_alike(method: str, path: str, body: bytes, status: int) -> None:
    short = asked(app(True), method, path, body)
    assert short == asked(app(False), method, path, body)
    assert short[0] == status
    assert b"4711" not in short[1]


def test_what_nobody_foresaw_is_answered_and_raised_for_the_log_of_the_server() -> None:
    async def ask() -> None:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app(True)), base_url="http://service") as client:
            await client.post("/echo", content=b"surprise")

    with pytest.raises(ZeroDivisionError):
        asyncio.run(ask())


def test_middleware_that_is_added_lies_around_both_ways() -> None:
    class Marked:
        def __init__(self, app, mark):
            self.app, self.mark = app, mark

        async def __call__(self, scope, receive, send):
            async def marked(message):
                if message["type"] == "http.response.start":
                    message["headers"] = [*message["headers"], (b"x-mark", self.mark)]
                await send(message)

            await self.app(scope, receive, marked)

    marks = []
    for fixed in (True, False):
        made = app(fixed)
        made.add_middleware(Marked, mark=b"inner")
        made.add_middleware(Marked, mark=b"outer")
        marks.append(asked(made, "POST", "/echo")[2]["x-mark"])
    assert marks == ["inner, outer"] * 2


def test_an_answer_that_breaks_off_is_not_answered_a_second_time() -> None:
    sent = []

    async def receive():
        return {"type": "http.request", "body": b"hello", "more_body": False}

    async def send(message):
        sent.append(message["type"])
        if message["type"] == "http.response.body":
            raise ConnectionResetError

    scope = {"type": "http", "method": "POST", "path": "/echo", "headers": [], "query_string": b""}
    with pytest.raises(ConnectionResetError):
        asyncio.run(app(True)(scope, receive, send))
    assert sent == ["http.response.start", "http.response.body"]


def test_a_body_in_pieces_is_read_whole_and_one_that_ends_early_is_refused(start_service) -> None:
    service = start_service(ToyEngine(), max_body_bytes=40)

    def told(*messages):
        sent, left = [], list(messages)

        async def receive():
            return left.pop(0)

        async def send(message):
            sent.append(message)

        scope = {"type": "http", "method": "POST", "path": "/v1/recommend", "headers": [], "query_string": b""}
        service._runner.run(service.app(scope, receive, send))
        return sent[0]["status"], json.loads(sent[1]["body"])

    def piece(body, more=True):
        return {"type": "http.request", "body": body, "more_body": more}

    status, found = told(piece(b'{"user_'), piece(b""), piece(b'id": 17, "k"'), piece(b": 3}", more=False))
    assert (status, found["user_id"], len(found["items"])) == (200, 17, 3)
    assert told(piece(b'{"user_'), {"type": "http.disconnect"})[0] == 400
    assert told(piece(b"x" * 30), piece(b"x" * 11), piece(b"", more=False))[0] == 413
    assert told(piece(b'{"user_id": "' + b"x" * 25), piece(b'"}', more=False))[0] == 200
