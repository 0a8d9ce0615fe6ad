"""What time the service believes it is: the real time, or one chosen moment at which it stands (demos on old data)."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime

from encorec.errors import ConfigError

__all__ = ["Clock", "parse_time"]


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


@dataclass(frozen=True, slots=True)
class Clock:
    """The time of every question and of every event that brings none.

    A chosen clock stands, so that the same question has the same answer whenever and wherever it is asked: in a
    notebook, in a batch job, over HTTP. At a standing clock there is no future: whatever comes in with a later time
    is taken to happen at this very moment, in the order of arrival, and counts in the next answer. What an earlier
    service stored under a later clock stays in the future.

    Args:
        stands_at: the chosen moment, seconds since 1970; none = the real clock.

    Example:
        >>> clock = Clock.named("data-end", data_end=893286639)
        >>> clock.standing, clock.time(), clock.first_open_second()
        (True, 893286638.0, 893286639)
    """

    stands_at: float | None = None

    @classmethod
    def named(cls, setting: str, data_end: float) -> "Clock":
        """The clock that a setting names.

        Args:
            setting: ``now``; ``data-end`` stands in the second of the newest interaction, an ISO-8601 time at itself.
            data_end: the first second after the newest interaction, seconds since 1970.

        Raises:
            ConfigError: none of these.

        Example:
            >>> Clock.named("1998-04-23T01:10:38+02:00", data_end=0).time()
            893286638.0
        """
        if setting == "now":
            return cls()
        return cls(data_end - 1.0 if setting == "data-end" else parse_time(setting))

    @property
    def standing(self) -> bool:
        """Whether the time was chosen and does not pass."""
        return self.stands_at is not None

    def time(self) -> float:
        """Seconds since 1970.

        Example:
            >>> Clock(stands_at=100.7).time()
            100.7
        """
        return time.time() if self.stands_at is None else self.stands_at

    def first_open_second(self) -> int:
        """The ``now`` of a query: the first second not yet begun, so that an event of this very second counts.

        Example:
            >>> Clock(stands_at=100.7).first_open_second()
            101
        """
        return int(self.time()) + 1

    def heard(self, timestamp: float) -> float:
        """When something dated ``timestamp`` happens by this clock, both in seconds since 1970.

        The real clock changes nothing: what is dated later counts later. A standing clock never gets there, so it
        is now.

        Example:
            >>> clock = Clock(stands_at=100.7)
            >>> clock.heard(1_714_564_800.0), clock.heard(50.0), Clock().heard(4e9)
            (100.7, 50.0, 4000000000.0)
        """
        return timestamp if self.stands_at is None else min(timestamp, self.stands_at)
