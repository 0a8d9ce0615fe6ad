"""A line per request, and every line as JSON where that is wanted."""

import logging
import time
from typing import Any

import msgspec

from encorec.serving.http.exchange import Exchange

__all__ = ["JsonFormatter", "RequestLog", "log_config"]

_LOG = logging.getLogger("encorec.requests")


class RequestLog:
    """Writes failed requests always, and of the others the share that is asked for.

    A line tells the request_id, method, route, status, milliseconds, and of slates k, snapshot and what was left out:
    nothing of the user, of items or of keys.

    Args:
        share: of the requests answered with a status below 400 that are written, evenly spaced.

    Example:
        >>> RequestLog(0.5).wanted(200), RequestLog(0.0).wanted(200), RequestLog(0.0).wanted(404)
        (False, False, True)
    """

    def __init__(self, share: float) -> None:
        self._share, self._owed = share, 0.0

    def wanted(self, status: int) -> bool:
        """Whether a request with this status is written; every call counts as a request."""
        if status >= 400:
            return True
        self._owed += self._share
        if self._owed < 1:
            return False
        self._owed -= 1
        return True

    def ended(self, exchange: Exchange, seconds: float) -> None:
        """A request has been answered.

        Args:
            exchange: the request.
            seconds: that it took.
        """
        if not self.wanted(exchange.status):
            return
        level = logging.INFO if exchange.status < 400 else logging.WARNING if exchange.status < 500 else logging.ERROR
        fields = _fields(exchange, seconds)
        text = " ".join(f"{name}={value}" for name, value in fields.items() if name not in ("method", "route"))
        _LOG.log(level, "%s %s %s", exchange.method, exchange.route, text, extra={"fields": fields})


def _fields(exchange: Exchange, seconds: float) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "request_id": exchange.request_id,
        "method": exchange.method,
        "route": exchange.route,
        "status": exchange.status,
        "ms": round(1000 * seconds, 3),
    }
    if exchange.k is not None:
        fields |= {"k": exchange.k, "snapshot": exchange.snapshot, "degraded": exchange.degraded}
    return fields


class JsonFormatter(logging.Formatter):
    """A record as one line of JSON: time, level, logger, message, its fields, and the traceback if there is one.

    Example:
        >>> record = logging.LogRecord("tea", logging.INFO, "", 0, "%s cups", (3,), None)
        >>> msgspec.json.decode(JsonFormatter().format(record))["message"]
        '3 cups'
    """

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        line: dict[str, Any] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= getattr(record, "fields", {})
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return msgspec.json.encode(line, enc_hook=str).decode()


def log_config(form: str) -> dict[str, Any]:
    """What ``logging.config.dictConfig`` takes: our lines and uvicorn's on the error stream, in one form.

    Args:
        form: ``text`` or ``json``.

    Example:
        >>> sorted(log_config("json")["loggers"])
        ['encorec', 'uvicorn']
    """
    text = {"()": "uvicorn.logging.DefaultFormatter", "fmt": "%(levelprefix)s %(message)s", "use_colors": None}
    chosen = {"()": f"{__name__}.JsonFormatter"} if form == "json" else text
    logger = {"handlers": ["stderr"], "level": "INFO", "propagate": False}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"chosen": chosen},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "chosen"}},
        "loggers": {"uvicorn": logger, "encorec": logger},
    }
