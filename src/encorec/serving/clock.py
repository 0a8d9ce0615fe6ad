"""What time the service believes it is: real, or real from a chosen start on for demos on old data."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeAlias

from encorec.errors import ConfigError

__all__ = ["Clock", "first_open_second", "parse_time", "service_clock"]

Clock: TypeAlias = Callable[[], float]


def parse_time(text: str) -> float:
    """Seconds since 1970 of an ISO-8601 time; without an offset it is UTC.

    Raises:
        ConfigError: not an ISO-8601 time.

    Example:
        >>> parse_time("1998-04-23T01:10:38+02:00")
        893286638.0
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ConfigError(f"time {text!r} cannot be read; write it as 2024-05-01T12:00:00Z") from error
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def service_clock(setting: str, data_end: float) -> Clock:
    """The clock that a setting names; a chosen start runs on from there at the pace of real time.

    So an event posted without a timestamp lies behind the event before it, and counts in the next answer,
    whatever century the data is from.

    Args:
        setting: ``now``, ``data-end``, or an ISO-8601 time.
        data_end: where ``data-end`` starts, in seconds since 1970.

    Raises:
        ConfigError: none of these.

    Example:
        >>> clock = service_clock("data-end", data_end=893286638)
        >>> 893286638 <= clock() < 893286698
        True
    """
    if setting == "now":
        return time.time
    start = data_end if setting == "data-end" else parse_time(setting)
    began = time.monotonic()
    return lambda: start + (time.monotonic() - began)


def first_open_second(clock: Clock) -> int:
    """The ``now`` of a query: the first second not yet begun, so that an event of this very second counts.

    Example:
        >>> first_open_second(lambda: 100.7)
        101
    """
    return int(clock()) + 1
