"""Which store remembers users, by its address; and what goes with it."""

from collections.abc import Generator
from contextlib import closing, contextmanager

from encorec.errors import ConfigError
from encorec.serving.settings import Settings
from encorec.serving.state.sqlite_state import SqliteState
from encorec.serving.state.store import UserStateStore

__all__ = ["in_redis", "open_state"]

_REDIS = ("redis://", "rediss://", "unix://")


def in_redis(state: str) -> bool:
    """Whether the address of a state is one of Redis; else it is a file of SQLite.

    Raises:
        ConfigError: an address of something else.

    Example:
        >>> in_redis("rediss://:secret@cache.local:6380/0"), in_redis("encorec-state.sqlite")
        (True, False)
    """
    if state.startswith(_REDIS):
        return True
    scheme, mark, _ = state.partition("://")
    if mark:
        raise ConfigError(f"state of kind {scheme!r} is not known; name a file, or redis://, rediss:// or unix://")
    return False


@contextmanager
def open_state(settings: Settings) -> Generator[UserStateStore]:
    """The state that the settings name, with its outbox at work; closed at the end.

    Args:
        settings: ``state`` and ``outbox``, and how patient to be with Redis.

    Raises:
        ConfigError: the state cannot be opened, or its outbox cannot go where it shall.
        MissingExtra: the package ``redis`` is needed and not installed.

    Example:
        >>> with open_state(Settings(state=":memory:")) as state:
        ...     state.read(17, before=60).seen
        ()
    """
    if in_redis(settings.state):
        with _redis_state(settings) as state:
            yield state
    elif settings.outbox is None:
        with closing(SqliteState(settings.state)) as state:
            yield state
    else:
        with _posting_state(settings.state, settings.outbox, settings) as state:
            yield state


@contextmanager
def _redis_state(settings: Settings) -> Generator[UserStateStore]:
    from encorec.serving.state.redis_client import redacted
    from encorec.serving.state.redis_state import RedisState

    if settings.outbox is not None and redacted(settings.outbox) != redacted(settings.state):
        raise ConfigError(
            f"outbox {redacted(settings.outbox)!r} is not where the state is, {redacted(settings.state)!r}; "
            "with state in Redis the stream is written in the same step, so name the same server and database"
        )
    stream = None if settings.outbox is None else settings.outbox_stream
    with closing(
        RedisState(settings.state, settings.redis, stream=stream, stream_length=settings.outbox_length)
    ) as state:
        yield state


@contextmanager
def _posting_state(path: str, outbox: str, settings: Settings) -> Generator[UserStateStore]:
    from encorec.serving.state.outbox import Outbox

    if path == ":memory:":
        raise ConfigError("an outbox needs a state that outlives the process; name a file instead of ':memory:'")
    with closing(SqliteState(path, outbox=True)) as state, Outbox(path, outbox, settings.posting):
        yield state
