"""The file of user state: its tables, its format, and how it is opened."""

import sqlite3
import time
from contextlib import ExitStack

from encorec.errors import ConfigError

__all__ = ["open_file"]

_FORMAT = 2

# The version of a user changes with everything that is stored of the user; who has no version has no events.
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
CREATE TABLE IF NOT EXISTS versions (user TEXT PRIMARY KEY, version INTEGER NOT NULL) WITHOUT ROWID;
INSERT OR IGNORE INTO versions SELECT DISTINCT user, 1 FROM events;
PRAGMA user_version = 2;
COMMIT;
"""
_OUTBOX = "CREATE TABLE IF NOT EXISTS outbox (arrival INTEGER PRIMARY KEY, event BLOB NOT NULL)"


def open_file(path: str, patience: float) -> sqlite3.Connection:
    """A connection to a state file, which is made where there is none; used by one thread at a time.

    Args:
        path: the file, or ``:memory:``.
        patience: seconds that a write waits for another process.

    Raises:
        ConfigError: the file cannot be opened, is no state, or is of another format.

    Example:
        >>> connection = open_file(":memory:", patience=1.0)
        >>> connection.execute("SELECT count(*) FROM events").fetchone()
        (0,)
        >>> connection.close()
    """
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
    if not 0 <= found <= _FORMAT:
        raise ConfigError(f"state {path!r} has format {found}, this version reads {_FORMAT}; name another file")
    _write_ahead(connection, patience)
    connection.execute("PRAGMA synchronous = FULL")
    if found != _FORMAT:  # a new file, or one of format 1, which had no versions
        connection.executescript(_TABLES)
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'outbox'").fetchone():
        connection.execute(_OUTBOX)


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
