"""How the service deals with Redis."""

from encorec.config import Config, bounded

__all__ = ["RedisSettings"]


class RedisSettings(Config, frozen=True):
    """Patience, memory and names of user state in Redis or Valkey.

    Args:
        read_ms: milliseconds that a read waits for each answer of the server; more than that and the request is
            answered without state.
        write_ms: milliseconds that a write waits; requests for recommendations do not wait with it.
        event_id_days: days for which the name of an event is remembered; a repetition after that counts as a new
            event. A name takes about 150 bytes in Redis.
        failures: failed calls in a row after which the server is left alone.
        pause_ms: milliseconds until it is tried again, with one call.
        prefix: start of every key, so that several services can share a server.

    Raises:
        ConfigError: a value outside its bounds.

    Example:
        >>> RedisSettings(read_ms=0)
        Traceback (most recent call last):
        ...
        encorec.errors.ConfigError: RedisSettings.read_ms is 0, allowed is 0.1 to 60000
    """

    read_ms: float = 10.0
    write_ms: float = 1000.0
    event_id_days: float = 7.0
    failures: int = 3
    pause_ms: float = 1000.0
    prefix: str = "encorec"

    def __post_init__(self) -> None:
        bounded(
            self,
            read_ms=(0.1, 60_000),
            write_ms=(0.1, 60_000),
            event_id_days=(0.001, 3650),
            failures=(1, 1000),
            pause_ms=(1, 3_600_000),
        )
