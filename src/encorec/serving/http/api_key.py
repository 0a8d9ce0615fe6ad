"""The key that opens the admin routes, or all of them: compared in constant time, and nowhere to be read again."""

import hashlib
import hmac
from collections.abc import Mapping
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from encorec.errors import ConfigError
from encorec.serving.http.request_error import RequestError, refusal
from encorec.serving.settings import Settings

__all__ = ["HEADER", "OPEN", "VARIABLE", "ApiKey", "KeyGate", "guard", "read_api_key"]

HEADER = "X-API-Key"
"""Header that a request brings the key in."""

VARIABLE = "ENCOREC_API_KEY"
"""Variable of the environment that may hold the key."""

OPEN = ("/health/live", "/health/ready")
"""Paths that never ask for the key: whoever starts and stops processes has none."""


class ApiKey:
    """A secret that requests must bring; only its hash is kept.

    Args:
        secret: not empty.

    Example:
        >>> key = ApiKey("open sesame")
        >>> key.opens(b"open sesame"), key.opens(b"open barley"), key.opens(None)
        (True, False, False)
    """

    def __init__(self, secret: str) -> None:
        self._hash = hashlib.sha256(secret.encode()).digest()

    def opens(self, given: bytes | None) -> bool:
        """Whether this is the key; how long the answer takes does not tell how much of it is right."""
        return hmac.compare_digest(hashlib.sha256(given or b"").digest(), self._hash)

    def check(self, request: Request) -> None:
        """Refuse a request that does not bring the key.

        Raises:
            RequestError: 401.
        """
        given = request.headers.get(HEADER)
        if not self.opens(None if given is None else given.encode("latin-1")):
            raise RequestError(401, f"give the key of this service in the header {HEADER}", HEADER)


def read_api_key(environment: Mapping[str, str], file: str | None = None) -> ApiKey | None:
    """The key of the file, else that of the environment; none where there is neither.

    Args:
        environment: variables, of which ``ENCOREC_API_KEY`` may hold the key.
        file: that holds the key and nothing else.

    Raises:
        ConfigError: the file cannot be read, or a key is empty.

    Example:
        >>> read_api_key({}) is None, read_api_key({"ENCOREC_API_KEY": "open sesame"}) is None
        (True, False)
    """
    if file is None and VARIABLE not in environment:
        return None
    try:
        secret = environment.get(VARIABLE, "") if file is None else Path(file).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"API key file {file!r} cannot be read ({error})") from error
    if not secret.strip():
        raise ConfigError(f"the API key in {VARIABLE if file is None else file} is empty; write one or leave it out")
    return ApiKey(secret.strip())


def guard(app: Starlette, settings: Settings, key: ApiKey | None) -> None:
    """Let all routes of ``app`` ask for the key where the settings say so.

    Args:
        app: not started yet.
        settings: what is protected.
        key: that opens it.

    Raises:
        ConfigError: all shall be protected, and there is no key.

    Example:
        >>> guard(Starlette(), Settings(), None)
    """
    if settings.protect == "admin":
        return
    if key is None:
        raise ConfigError(f"protect is 'all' without a key; set {VARIABLE}, or api_key_file to a file that holds one")
    app.add_middleware(KeyGate, key=key)


class KeyGate:
    """Lets requests through that bring the key, and those that ask for the health of the process.

    Args:
        app: behind the gate.
        key: that opens it.
    """

    def __init__(self, app: ASGIApp, key: ApiKey) -> None:
        self._app, self._key = app, key

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let through, or answer 401."""
        app = self._app
        if scope["type"] == "http" and scope["path"] not in OPEN:
            try:
                self._key.check(Request(scope))
            except RequestError as error:
                app = refusal(error.status, str(error), error.path)
        await app(scope, receive, send)
