"""Accepted events on their way from the state file to a Redis Stream."""

import logging
import sqlite3
from threading import Event as Signal
from threading import Thread
from typing import Any, Self

import msgspec

from encorec.serving.state.outbox_settings import OutboxSettings
from encorec.serving.state.redis_client import RedisError, connect, redacted
from encorec.serving.state.sqlite_file import open_file
from encorec.serving.state.store import Event

__all__ = ["Outbox"]

_MOST = 500  # events sent in one round trip
_PAUSE = 0.1  # seconds between two looks at an empty outbox
_PATIENCE = 1.0  # seconds for an answer of Redis, and between two tries
_TURN = 10.0  # seconds for the lock of the file, which those who store events take in turns
_EVENT = msgspec.json.Decoder(Event)
_LOG = logging.getLogger(__name__)


class Outbox:
    """Moves events from the outbox of a state file to a stream, in order of acceptance, in a thread of its own.

    At least once: an event leaves the outbox only after the stream has taken it, so after a crash in between it is
    sent again. An entry has the fields ``event_id``, by which readers drop repetitions, and ``event``, JSON. When the
    stream is away the events wait in the file. Of the workers that share a file one sends; when it ends another
    takes over.

    Args:
        path: the state file, written by a ``SqliteState`` with ``outbox=True``.
        url: of Redis.
        settings: of the stream.

    Raises:
        ConfigError: the file cannot be opened or the address not be read. A server that is away is no error.

    Example:
        >>> from pathlib import Path
        >>> from tempfile import TemporaryDirectory
        >>> from encorec.serving.state.sqlite_state import SqliteState
        >>> with TemporaryDirectory() as folder:
        ...     path = str(Path(folder) / "state.sqlite")
        ...     state = SqliteState(path, outbox=True)
        ...     _ = state.append([Event(event_id="e1", user_id=17, item_id=242, time=50.0)], now=60)
        ...     outbox = Outbox(path, "redis://127.0.0.1:1")
        ...     print(outbox.waiting())
        ...     outbox.close()
        ...     state.close()
        1
    """

    def __init__(self, path: str, url: str, settings: OutboxSettings | None = None) -> None:
        self._settings, self._name = settings or OutboxSettings(), redacted(url)
        self._redis = connect(url, timeout=_PATIENCE)
        self._file = open_file(path, _TURN)
        # An event sent twice because a power cut brought it back is allowed for, so nothing is synced here.
        self._file.execute("PRAGMA synchronous = NORMAL")
        self._turn = sqlite3.connect(f"{path}-outbox", timeout=0, isolation_level=None, check_same_thread=False)
        self._leading = self._failing = False
        self._ending = Signal()
        self._thread = Thread(target=self._run, name="encorec-outbox", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """End after one more round; what is still waiting is sent by the next process."""
        self._ending.set()
        if self._thread.is_alive():
            self._thread.join()
        for one in (self._file, self._turn, self._redis):
            one.close()

    def waiting(self) -> int:
        """How many events have not been sent yet."""
        return self._file.execute("SELECT count(*) FROM outbox").fetchone()[0]

    def send(self) -> int:
        """Send the oldest events and take them out of the outbox; how many, 0 where another process sends.

        Raises:
            RedisError: the stream took none or some of them; all are kept.
            sqlite3.Error: the file is locked for too long or damaged; what was sent may be sent again.
        """
        if not self._lead():
            return 0
        rows = self._file.execute(f"SELECT arrival, event FROM outbox ORDER BY arrival LIMIT {_MOST}").fetchall()
        if not rows:
            return 0
        pipeline: Any = self._redis.pipeline(transaction=False)  # pyright: ignore[reportUnknownMemberType]
        for _, event in rows:
            entry = {"event_id": _EVENT.decode(event).event_id, "event": event}
            pipeline.xadd(self._settings.stream, entry, maxlen=self._settings.length or None, approximate=True)
        pipeline.execute()
        self._file.execute("DELETE FROM outbox WHERE arrival <= ?", (rows[-1][0],))
        return len(rows)

    def _lead(self) -> bool:
        """Whether this process is the one that sends; the system ends the lock of a process that ends."""
        if not self._leading:
            try:
                self._turn.execute("BEGIN EXCLUSIVE")
            except sqlite3.OperationalError:
                return False
            self._leading = True
        return True

    def _run(self) -> None:
        while not self._ending.is_set():
            pause = self._round()
            if pause:
                self._ending.wait(pause)
        self._round()

    def _round(self) -> float:
        """Seconds to wait before the next one."""
        try:
            sent = self.send()
        except (RedisError, sqlite3.Error) as error:
            if not self._failing:
                _LOG.error("outbox: events wait for %s: %s", self._name, error)
            self._failing = True
            return _PATIENCE
        if self._failing and sent:
            _LOG.warning("outbox: events go to %s again", self._name)
            self._failing = False
        return 0.0 if sent == _MOST else _PAUSE
