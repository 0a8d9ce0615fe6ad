"""A log that costs a request a copy: frames gather in memory, a thread of its own brings them to disk."""

import logging
import secrets
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path

import msgspec

from encorec.config import Config, bounded
from encorec.errors import ConfigError, EncorecError
from encorec.serving.logs.frames import LARGEST_FRAME, frame
from encorec.serving.logs.segments import Segment

__all__ = ["FrameLog", "LogCounts", "LogError", "SegmentConfig"]

_LOG = logging.getLogger(__name__)
_SECONDS_BETWEEN_COMPLAINTS = 60.0


class SegmentConfig(Config, frozen=True):
    """How a log is written.

    Args:
        fsync_ms: milliseconds within which a frame is on disk; frames of this span share one sync. A frame that
            somebody waits for is synced at once.
        segment_bytes: a segment that has reached this size is closed and another begun.
        segment_seconds: a segment of this age likewise.
        buffer_bytes: frames that may wait for a slow disk; what comes on top is dropped.

    Raises:
        ConfigError: a value outside its bounds.

    Example:
        >>> SegmentConfig().fsync_ms
        50.0
    """

    fsync_ms: float = 50.0
    segment_bytes: int = 64 * 2**20
    segment_seconds: float = 3600.0
    buffer_bytes: int = 32 * 2**20

    def __post_init__(self) -> None:
        bounded(
            self,
            fsync_ms=(1, 60_000),
            segment_bytes=(1, 2**40),
            segment_seconds=(0.01, 10 * 365 * 86_400),
            buffer_bytes=(1, 2**40),
        )


class LogError(EncorecError):
    """A frame that is not on disk, and will not be.

    Example:
        >>> str(LogError("disk full"))
        'disk full'
    """


class LogCounts(msgspec.Struct, frozen=True):
    """What a log has done since it was opened.

    Args:
        frames: on disk for good.
        bytes: of them.
        dropped: frames lost to a full disk, a slow one or their own size.
        syncs: times that the disk was made to keep what it had got.
        waiting: bytes in memory now.

    Example:
        >>> LogCounts(frames=2, bytes=60, dropped=0, syncs=1, waiting=0).frames
        2
    """

    frames: int
    bytes: int
    dropped: int
    syncs: int
    waiting: int


class FrameLog:
    """One stream of frames of one process. What it is given it writes in order; a failing disk never stops the caller.

    While the disk fails, frames are dropped: they are counted, one line a minute says so, and whoever waits for a frame
    gets a ``LogError``. Each flush tries anew, in a new segment, so the log goes on by itself when there is space.

    Args:
        folder: of the stream, made where there is none.
        config: how it is written.

    Raises:
        ConfigError: the folder cannot be made.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     log = FrameLog(Path(folder), SegmentConfig())
        ...     log.append(b"soon"), log.commit(b"now").result(), log.counts.frames
        ...     log.close()
        (True, None, 2)
    """

    def __init__(self, folder: Path, config: SegmentConfig) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"logs {str(folder)!r} cannot be made: {error.strerror}; name another folder") from error
        self._folder, self._config = folder, config
        self._writer, self._number = secrets.token_hex(4), 0
        self._segment: Segment | None = None
        self._changed = threading.Condition(threading.Lock())
        self._buffer, self._buffered = bytearray(), 0
        self._waiting: list[Future[None]] = []
        self._closing = False
        self._frames = self._bytes = self._dropped = self._syncs = 0
        self._complained, self._unsaid, self._reason = -_SECONDS_BETWEEN_COMPLAINTS, 0, ""
        self._thread = threading.Thread(target=self._run, name=f"log {folder.name}", daemon=True)
        self._thread.start()

    def append(self, payload: bytes) -> bool:
        """Take a frame that will be on disk soon; whether it was taken. Never waits and never raises.

        Args:
            payload: of the frame.
        """
        with self._changed:
            return self._take(payload)

    def commit(self, payload: bytes) -> "Future[None]":
        """Take a frame that is to be on disk at once; done when it is. Frames that wait together share one sync.

        The result raises ``LogError`` where the frame is not on disk.

        Args:
            payload: of the frame.
        """
        future: Future[None] = Future()
        with self._changed:
            if self._take(payload):
                self._waiting.append(future)
                self._changed.notify()
            else:
                future.set_exception(LogError(f"{self._folder}: closed, or too much waits for the disk"))
        return future

    @property
    def counts(self) -> LogCounts:
        """What has been done so far."""
        with self._changed:
            return LogCounts(self._frames, self._bytes, self._dropped, self._syncs, len(self._buffer))

    def close(self) -> None:
        """Bring everything to disk and end; frames that come later are dropped."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join()

    def _take(self, payload: bytes) -> bool:
        room = self._config.buffer_bytes - len(self._buffer)
        if self._closing or len(payload) > min(LARGEST_FRAME, room):
            self._drop(1, "closed" if self._closing else "more waits for the disk than fits into memory")
            return False
        if not self._buffer:
            self._changed.notify()
        self._buffer += frame(payload)
        self._buffer += payload
        self._buffered += 1
        return True

    def _drop(self, frames: int, reason: str) -> None:
        self._dropped, self._unsaid, self._reason = self._dropped + frames, self._unsaid + frames, reason

    def _run(self) -> None:
        ending = False
        while not ending:
            ending = self._await_work()
            with self._changed:
                content, self._buffer = self._buffer, bytearray()
                frames, self._buffered = self._buffered, 0
                waiting, self._waiting = self._waiting, []
            if content:
                self._flush(content, frames, [one for one in waiting if one.set_running_or_notify_cancel()])
            if self._segment is not None and (ending or self._full(self._segment)):
                self._end_segment()
            self._complain(at_once=ending)

    def _await_work(self) -> bool:
        """Sleep until frames are due, the segment is old, or the end has come; whether it has."""
        with self._changed:
            if not self._buffer and not self._closing:
                self._changed.wait(self._seconds_to_rotation())
            if self._buffer:
                due = self._config.fsync_ms / 1000
                self._changed.wait_for(lambda: self._closing or bool(self._waiting), due)
            return self._closing

    def _seconds_to_rotation(self) -> float | None:
        if self._segment is None:
            return None
        return max(0.0, self._segment.since + self._config.segment_seconds - time.monotonic())

    def _full(self, segment: Segment) -> bool:
        old = time.monotonic() - segment.since >= self._config.segment_seconds
        return old or segment.synced >= self._config.segment_bytes

    def _flush(self, content: bytearray, frames: int, waiting: "Sequence[Future[None]]") -> None:
        try:
            if self._segment is None:
                self._number += 1
                self._segment = Segment(self._folder, self._writer, self._number)
            self._segment.write(content)
        except Exception as error:  # whatever it is: without this thread nobody would be told anything any more
            self._fail(frames, waiting, f"{type(error).__name__}: {error}")
            return
        with self._changed:
            self._frames, self._bytes, self._syncs = self._frames + frames, self._bytes + len(content), self._syncs + 1
        for future in waiting:
            future.set_result(None)

    def _fail(self, frames: int, waiting: "Sequence[Future[None]]", reason: str) -> None:
        if self._segment is not None:
            self._segment.abandon()
            self._segment = None
        with self._changed:
            self._drop(frames, reason)
        for future in waiting:
            future.set_exception(LogError(f"{self._folder}: {reason}"))

    def _end_segment(self) -> None:
        segment, self._segment = self._segment, None
        if segment is not None:
            with suppress(OSError):
                segment.close()

    def _complain(self, *, at_once: bool) -> None:
        """Say how much was dropped, once a minute at most."""
        now = time.monotonic()
        with self._changed:
            unsaid = self._unsaid
            if not unsaid or (now - self._complained < _SECONDS_BETWEEN_COMPLAINTS and not at_once):
                return
            self._complained, self._unsaid = now, 0
        _LOG.error("log %s dropped %d frames (%s); the service goes on", self._folder, unsaid, self._reason)
