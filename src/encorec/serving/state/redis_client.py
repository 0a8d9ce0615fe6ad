"""Connections to Redis or Valkey that give up in time and never retry by themselves."""

from urllib.parse import urlsplit

from encorec.errors import ConfigError, MissingExtra

try:
    from redis import Redis
    from redis.backoff import NoBackoff
    from redis.exceptions import ConnectionError as RedisAway
    from redis.exceptions import NoScriptError, RedisError
    from redis.exceptions import TimeoutError as RedisLate
    from redis.retry import Retry
except ModuleNotFoundError as error:
    raise MissingExtra("redis", "redis") from error

__all__ = ["NoScriptError", "Redis", "RedisAway", "RedisError", "RedisLate", "connect", "redacted"]


def connect(url: str, *, timeout: float) -> Redis:
    """A client with a pool of connections; the first call connects, a stale connection is renewed before its use.

    Args:
        url: ``redis://``, ``rediss://`` or ``unix://``.
        timeout: seconds for connecting and for every answer.

    Raises:
        ConfigError: the address cannot be read.

    Example:
        >>> connect("redis://:secret@localhost:6379/many", timeout=1.0)
        Traceback (most recent call last):
        ...
        encorec.errors.ConfigError: state 'redis://localhost:6379/many' is no address of Redis;
        write it as redis://user:password@host:6379/0
    """
    try:
        port, database = urlsplit(url).port, urlsplit(url).path.lstrip("/")
        if not url.startswith("unix:") and (port == 0 or (database and not database.isdecimal())):
            raise ValueError
        return Redis.from_url(  # pyright: ignore[reportUnknownMemberType]
            url,
            socket_timeout=timeout,
            socket_connect_timeout=timeout,
            retry=Retry(NoBackoff(), 0),
            protocol=2,
        )
    except (ValueError, TypeError):
        problem = f"state {redacted(url)!r} is no address of Redis; write it as redis://user:password@host:6379/0"
    raise ConfigError(problem)  # outside, so that no cause with the password in its text is shown


def redacted(url: str) -> str:
    """An address without user, password and options, for people to read.

    Example:
        >>> redacted("redis://reader:secret@cache.local:6380/2?password=also")
        'redis://cache.local:6380/2'
    """
    scheme, _, rest = url.partition("://")
    place = rest.split("?")[0].split("#")[0]
    return f"{scheme}://{place.rpartition('@')[2]}"
