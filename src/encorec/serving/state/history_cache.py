"""States of users that were read lately: reading two hundred events anew costs more than all else of a request."""

import math
import threading
from typing import NamedTuple

from encorec.config import Config, bounded
from encorec.pipeline.requests import UserState

__all__ = ["HistoryCache", "HistoryCacheConfig", "KeptState"]

_OVERHEAD = 8  # entries that a state counts for besides those in it


class HistoryCacheConfig(Config, frozen=True):
    """How much is kept.

    Args:
        entries: events and seen items of all kept states together; 100,000 take about 16 MB.

    Raises:
        ConfigError: a value outside its bounds.

    Example:
        >>> HistoryCacheConfig().entries
        100000
    """

    entries: int = 100_000

    def __post_init__(self) -> None:
        bounded(self, entries=(0, 100_000_000))


class KeptState(NamedTuple):
    """A state, and when it is right.

    Args:
        state: as it was read.
        version: of what is stored of the user, counted with every change.
        since: ``before`` of the read, seconds since 1970.
        until: time of the next event that is stored but has not happened; infinity = there is none.
    """

    state: UserState
    version: int
    since: float
    until: float = math.inf

    @property
    def size(self) -> int:
        """Entries that it counts for."""
        return _OVERHEAD + len(self.state.events) + len(self.state.seen)


class HistoryCache:
    """States by user, those that were not asked for the longest let go first. For several threads.

    Args:
        config: how much is kept.

    Example:
        >>> cache = HistoryCache()
        >>> cache.put("17", KeptState(UserState(seen=(242,)), version=3, since=60, until=90.5))
        >>> [cache.get("17", version, before) is not None for version, before in ((3, 90), (4, 90), (3, 91), (3, 59))]
        [True, False, False, False]
    """

    def __init__(self, config: HistoryCacheConfig | None = None) -> None:
        self._most, self._size = (config or HistoryCacheConfig()).entries, 0
        self._kept: dict[str, KeptState] = {}
        self._lock = threading.Lock()

    def get(self, user: str, version: int, before: int) -> UserState | None:
        """The state of a user; none where it is not kept, or not right.

        Args:
            user: id as text.
            version: of what is stored now.
            before: seconds since 1970.
        """
        with self._lock:
            kept = self._kept.pop(user, None)
            if kept is None:
                return None
            if kept.version == version and kept.since <= before <= kept.until:
                self._kept[user] = kept
                return kept.state
            self._size -= kept.size
            return None

    def put(self, user: str, kept: KeptState) -> None:
        """Keep the state of a user, if there is room for it at all.

        Args:
            user: id as text.
            kept: the state.
        """
        if kept.size > self._most:
            return
        with self._lock:
            old = self._kept.pop(user, None)
            self._size += kept.size - (0 if old is None else old.size)
            self._kept[user] = kept
            while self._size > self._most:
                self._size -= self._kept.pop(next(iter(self._kept))).size

    @property
    def size(self) -> int:
        """Entries that are kept."""
        return self._size
