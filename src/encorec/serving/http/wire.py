"""JSON in and out of HTTP: bounded, typed, and precise about what is wrong."""

import re
from typing import Any, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from encorec.serving.http.request_error import RequestError

__all__ = ["JsonResponse", "convert", "decode", "read_body", "respond"]

T = TypeVar("T")


async def read_body(request: Request, most: int) -> bytes:
    """The body of a request, given up as soon as it is longer than ``most`` bytes.

    Raises:
        RequestError: too long, or the client went away.
    """
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > most:
        raise _too_large(most)
    body, more = bytearray(), True
    while more:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise RequestError(400, "the connection closed before the body had arrived")
        body += message.get("body", b"")
        if len(body) > most:
            raise _too_large(most)
        more = message.get("more_body", False)
    return bytes(body)


def _too_large(most: int) -> RequestError:
    return RequestError(413, f"the body is larger than {most} bytes; send it in parts")


def decode(decoder: msgspec.json.Decoder[T], body: bytes | msgspec.Raw) -> T:
    """JSON as the type of the decoder.

    Raises:
        RequestError: 400 for what is not JSON, 422 for JSON of another form.

    Example:
        >>> decode(msgspec.json.Decoder(dict[str, int]), b'{"k": 3}')
        {'k': 3}
    """
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        raise _misfit(error, "$") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RequestError(400, f"not JSON: {error}") from error
    except RecursionError as error:
        raise RequestError(400, "not JSON to be read: nested too deeply") from error


def convert(text: str, kind: Any, name: str) -> Any:
    """A parameter of the path or the query string as ``kind``.

    Raises:
        RequestError: 422, at the name of the parameter.

    Example:
        >>> convert("12", int, "k")
        12
    """
    try:
        return msgspec.convert(text, kind, strict=False)
    except msgspec.ValidationError as error:
        raise _misfit(error, name) from error


def _misfit(error: msgspec.ValidationError, default: str) -> RequestError:
    found = re.fullmatch(r"(.*) - at `(?:key in )?(\$.*)`", str(error), re.DOTALL)
    return RequestError(422, found[1], found[2]) if found else RequestError(422, str(error), default)


class JsonResponse(Response):
    """JSON that is already bytes, with the two headers that it needs.

    Args:
        content: the body.
        status: of HTTP.

    Example:
        >>> JsonResponse(b"{}").headers["content-length"]
        '2'
    """

    media_type = "application/json"

    def __init__(self, content: bytes, status: int = 200) -> None:
        # The base class builds its headers in steps that are wanted for none of these answers.
        self.status_code, self.body, self.background = status, content, None
        self.raw_headers = [(b"content-length", b"%d" % len(content)), (b"content-type", b"application/json")]


def respond(answer: msgspec.Struct, status: int = 200) -> Response:
    """An answer as JSON.

    Example:
        >>> class Tea(msgspec.Struct):
        ...     minutes: int
        >>> respond(Tea(3)).body
        b'{"minutes":3}'
    """
    return JsonResponse(msgspec.json.encode(answer), status)
