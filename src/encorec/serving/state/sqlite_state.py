"""User state in one SQLite file that all worker processes of a machine share."""

import math
import sqlite3
from collections.abc import Sequence
from itertools import starmap

import msgspec

from encorec.pipeline.requests import ItemId, PastEvent, UserState
from encorec.serving.state.history_cache import HistoryCache, HistoryCacheConfig, KeptState
from encorec.serving.state.sqlite_file import open_file
from encorec.serving.state.store import HISTORY_LENGTH, AppendResult, Event, StateError

__all__ = ["SqliteState"]

_MEMORY = ":memory:"

_RECEIVE = "INSERT OR IGNORE INTO received (event_id) VALUES (?)"
_REMEMBER = "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?)"
_SEE = "INSERT INTO seen VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET time = min(time, excluded.time)"
# Events of the future take no place among the last ones: they are counted only when their time has come.
_FORGET = """
DELETE FROM events WHERE user = :user AND (time, arrival) < (
    SELECT time, arrival FROM events WHERE user = :user AND time < :now
    ORDER BY time DESC, arrival DESC LIMIT 1 OFFSET :kept - 1
)
"""
_LAST = "SELECT item, time, weight FROM events WHERE user = ? AND time < ? ORDER BY time DESC, arrival DESC LIMIT ?"
_POST = "INSERT INTO outbox VALUES (?, ?)"
_SEEN = "SELECT item FROM seen WHERE user = ? AND time < ?"
_NEXT = "SELECT min(time) FROM events WHERE user = ? AND time >= ?"
_VERSION = "SELECT version FROM versions WHERE user = ?"
_CHANGE = "INSERT INTO versions VALUES (?, 1) ON CONFLICT DO UPDATE SET version = version + 1"


_NOTHING = UserState()


class SqliteState:
    """The embedded store: write-ahead log, one transaction per call, synced to disk before the call returns.

    Any process that has the file open sees an event at its next read. Reading never waits for writing; writers
    wait for each other, up to ``patience`` seconds. ``synchronous=FULL``: with ``NORMAL`` a power cut could take
    back events that had been acknowledged.

    Args:
        path: the file, made where there is none; ``:memory:`` for a store that ends with the process.
        kept: events per user that a state holds.
        patience: seconds that a write waits for another process.
        outbox: also put every accepted event into the outbox, in the same transaction.
        cache: states that are kept in memory, each as long as nothing more is stored of its user, by whatever process.

    Raises:
        ConfigError: the file cannot be opened, is no state, or is of another format.

    Example:
        >>> state = SqliteState(":memory:")
        >>> event = Event(event_id="e1", user_id=17, item_id=242, time=50.0)
        >>> state.append([event, event], now=60)
        AppendResult(accepted=1, duplicates=1)
        >>> state.read("17", before=60).seen
        (242,)
        >>> state.close()
    """

    def __init__(
        self,
        path: str,
        *,
        kept: int = HISTORY_LENGTH,
        patience: float = 1.0,
        outbox: bool = False,
        cache: HistoryCacheConfig | None = None,
    ) -> None:
        self._path, self._kept, self._outbox = path, kept, outbox
        # One connection for both reads what is not committed yet and may be taken back: none of that is to be kept.
        self._cache = HistoryCache(HistoryCacheConfig(entries=0) if path == _MEMORY else cache)
        self._writer = open_file(path, patience)
        # A connection in the middle of a sync to disk does not answer, so reads have one of their own.
        self._reader = self._writer if path == _MEMORY else open_file(path, patience)

    def append(self, events: Sequence[Event], *, now: int) -> AppendResult:
        """Store all events or none; durable when it returns.

        Args:
            events: in order of arrival.
            now: the first second not yet begun; events from then on are kept besides the history.

        Raises:
            StateError: the file is locked for too long, full or damaged; nothing was stored.
        """
        return self.append_calls([events], now=now)[0]

    def append_calls(self, calls: Sequence[Sequence[Event]], *, now: int) -> list[AppendResult]:
        """Store the events of several calls with one sync to disk, all or none; what became of each call.

        Raises:
            StateError: the file is locked for too long, full or damaged; nothing was stored.
        """
        try:
            with self._writer as connection:
                connection.execute("BEGIN IMMEDIATE")
                accepted = [sum(self._insert(event) for event in call) for call in calls]
                for user in {str(event.user_id) for call in calls for event in call}:
                    connection.execute(_FORGET, {"user": user, "now": now, "kept": self._kept})
                    connection.execute(_CHANGE, (user,))
        except sqlite3.Error as error:
            raise self._error("written", error) from error
        return [AppendResult(new, len(call) - new) for new, call in zip(accepted, calls, strict=True)]

    def _insert(self, event: Event) -> bool:
        """Whether the event was new."""
        execute = self._writer.execute
        received = execute(_RECEIVE, (event.event_id,))
        if not received.rowcount:
            return False
        user, item, weight = str(event.user_id), event.item_id, event.weight
        execute(_REMEMBER, (user, event.time, received.lastrowid, item, weight, event.type, event.request_id))
        execute(_SEE, (user, item, event.time))
        if self._outbox:
            execute(_POST, (received.lastrowid, msgspec.json.encode(event)))
        return True

    def read(self, user_id: ItemId, *, before: int) -> UserState:
        """What is known of a user from events strictly before ``before`` (seconds since 1970).

        Raises:
            StateError: the file is damaged or was closed.
        """
        user = str(user_id)
        try:
            version = self._reader.execute(_VERSION, (user,)).fetchone()
            if version is None:
                return _NOTHING
            known = self._cache.get(user, version[0], before)
            return self._read(user, version[0], before) if known is None else known
        except sqlite3.Error as error:
            raise self._error("read", error) from error

    def _read(self, user: str, version: int, before: int) -> UserState:
        """From the file. What is stored meanwhile has a later version, so that nothing old is kept for new."""
        execute = self._reader.execute
        last = execute(_LAST, (user, before, self._kept)).fetchall()
        seen = execute(_SEEN, (user, before)).fetchall()
        coming = execute(_NEXT, (user, before)).fetchone()[0]
        state = UserState(tuple(starmap(PastEvent, reversed(last))), tuple([item for (item,) in seen]))
        self._cache.put(user, KeptState(state, version, before, math.inf if coming is None else coming))
        return state

    def read_users(self, user_ids: Sequence[ItemId], *, before: int) -> list[UserState]:
        """What is known of each of these users.

        Raises:
            StateError: the file is damaged or was closed.
        """
        return [self.read(user, before=before) for user in user_ids]

    def close(self) -> None:
        """Let go of the file; reading or writing is a ``StateError`` from here on."""
        self._reader.close()
        self._writer.close()

    def _error(self, done: str, error: sqlite3.Error) -> StateError:
        return StateError(f"state {self._path!r} cannot be {done}: {error}")
