"""User state in one SQLite file that all worker processes of a machine share."""

import sqlite3
import time
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager

from encorec.errors import ConfigError
from encorec.pipeline.requests import ItemId, PastEvent, UserState
from encorec.serving.state import HISTORY_LENGTH, AppendResult, Event, StateError

__all__ = ["SqliteState"]

_FORMAT = 1

# Columns without a type keep integers and text apart: an item id comes back in the type of the data.
_TABLES = """
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS received (arrival INTEGER PRIMARY KEY, event_id TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS events (
    user TEXT NOT NULL, time REAL NOT NULL, arrival INTEGER NOT NULL, item NOT NULL, weight REAL NOT NULL,
    type TEXT NOT NULL, request_id TEXT, PRIMARY KEY (user, time, arrival)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS seen (
    user TEXT NOT NULL, item NOT NULL, time REAL NOT NULL, PRIMARY KEY (user, item)
) WITHOUT ROWID;
PRAGMA user_version = 1;
COMMIT;
"""

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
_SEEN = "SELECT item FROM seen WHERE user = ? AND time < ?"


class SqliteState:
    """The embedded store: write-ahead log, one transaction per call, synced to disk before the call returns.

    Any process that has the file open sees an event at its next read. Reading never waits for writing; writers
    wait for each other, up to ``patience`` seconds. ``synchronous=FULL``: with ``NORMAL`` a power cut could take
    back events that had been acknowledged.

    Args:
        path: the file, made where there is none; ``:memory:`` for a store that ends with the process.
        kept: events per user that a state holds.
        patience: seconds that a write waits for another process.

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

    def __init__(self, path: str, *, kept: int = HISTORY_LENGTH, patience: float = 1.0) -> None:
        self._path, self._kept = path, kept
        self._connection = _open(path, patience)

    def append(self, events: Sequence[Event], *, now: int) -> AppendResult:
        """Store all events or none; durable when it returns.

        Args:
            events: in order of arrival.
            now: the first second not yet begun; events from then on are kept besides the history.

        Raises:
            StateError: the file is locked for too long, full or damaged; nothing was stored.
        """
        with self._reported("written"), self._connection as connection:
            connection.execute("BEGIN IMMEDIATE")
            accepted = sum(self._insert(event) for event in events)
            for user in {str(event.user_id) for event in events}:
                connection.execute(_FORGET, {"user": user, "now": now, "kept": self._kept})
        return AppendResult(accepted, len(events) - accepted)

    def _insert(self, event: Event) -> bool:
        """Whether the event was new."""
        execute = self._connection.execute
        received = execute(_RECEIVE, (event.event_id,))
        if not received.rowcount:
            return False
        user, item, weight = str(event.user_id), event.item_id, event.weight
        execute(_REMEMBER, (user, event.time, received.lastrowid, item, weight, event.type, event.request_id))
        execute(_SEE, (user, item, event.time))
        return True

    def read(self, user_id: ItemId, *, before: int) -> UserState:
        """What is known of a user from events strictly before ``before`` (seconds since 1970).

        Raises:
            StateError: the file is damaged or was closed.
        """
        user = str(user_id)
        with self._reported("read"):
            last = self._connection.execute(_LAST, (user, before, self._kept)).fetchall()
            seen = self._connection.execute(_SEEN, (user, before)).fetchall()
        return UserState(tuple(PastEvent(*row) for row in reversed(last)), tuple(item for (item,) in seen))

    def close(self) -> None:
        """Let go of the file; reading or writing is a ``StateError`` from here on."""
        self._connection.close()

    @contextmanager
    def _reported(self, done: str) -> Generator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise StateError(f"state {self._path!r} cannot be {done}: {error}") from error


def _open(path: str, patience: float) -> sqlite3.Connection:
    try:
        with ExitStack() as on_failure:
            # Used by one thread at a time, which need not be the one that opened it.
            connection = sqlite3.connect(path, timeout=patience, isolation_level=None, check_same_thread=False)
            on_failure.callback(connection.close)
            _prepare(connection, path, patience)
            on_failure.pop_all()
            return connection
    except sqlite3.Error as error:
        raise ConfigError(f"state {path!r} cannot be opened: {error}; name a writable file or remove it") from error


def _prepare(connection: sqlite3.Connection, path: str, patience: float) -> None:
    found = connection.execute("PRAGMA user_version").fetchone()[0]
    if found not in (0, _FORMAT):
        raise ConfigError(f"state {path!r} has format {found}, this version reads {_FORMAT}; name another file")
    _write_ahead(connection, patience)
    connection.execute("PRAGMA synchronous = FULL")
    if found == 0:
        connection.executescript(_TABLES)


def _write_ahead(connection: sqlite3.Connection, patience: float) -> None:
    """Turn the file to write-ahead; of processes that do so at once SQLite refuses some instead of making them wait."""
    end = time.monotonic() + patience
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError:
            if time.monotonic() > end:
                raise
            time.sleep(0.005)
