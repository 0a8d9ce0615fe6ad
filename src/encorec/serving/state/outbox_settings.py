"""Where accepted events go on to."""

from typing import Annotated

from msgspec import Meta

from encorec.config import Config, bounded

__all__ = ["OutboxSettings"]


class OutboxSettings(Config, frozen=True):
    """The Redis Stream that accepted events are added to.

    Args:
        stream: its key.
        length: entries that it is cut to, about, oldest first; 0 = never cut. Who reads more slowly loses events.

    Raises:
        ConfigError: a value outside its bounds.

    Example:
        >>> OutboxSettings(length=-1)
        Traceback (most recent call last):
        ...
        encorec.errors.ConfigError: OutboxSettings.length is -1, allowed is 0 to 1e+12
    """

    stream: Annotated[str, Meta(min_length=1)] = "encorec-events"
    length: int = 1_000_000

    def __post_init__(self) -> None:
        bounded(self, length=(0, 10**12))
