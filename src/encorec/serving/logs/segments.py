"""Segments of a log as files: one writer each, locked while it writes, named in the order of their beginning."""

import os
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from encorec.serving.logs.frames import HEADER

__all__ = ["Segment", "alone", "began", "is_open", "segments_of"]

_SUFFIX = ".frames"
_TIME = "%Y%m%dT%H%M%S.%fZ"


class Segment:
    """The file that a log writes to. While it is open the system holds a lock on it, which ends with the process.

    The file gets its name when it has its header and its lock, so that nobody ever takes it for a closed one.

    Args:
        folder: where the segment goes.
        writer: name of who writes, unique among all writers.
        number: of the segment among those of its writer.

    Raises:
        OSError: the folder cannot be written.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     segment = Segment(Path(folder), "w1", 1)
        ...     segment.write(b"bytes of a frame")
        ...     found = is_open(segment.path)
        ...     segment.close()
        ...     found, is_open(segment.path), len(list(segments_of(Path(folder))))
        (True, False, 1)
    """

    def __init__(self, folder: Path, writer: str, number: int) -> None:
        moment = datetime.fromtimestamp(time.time(), UTC).strftime(_TIME)
        self.path = folder / f"{moment}-{writer}-{number:06d}{_SUFFIX}"
        self.since = time.monotonic()
        self.synced = len(HEADER)  # bytes that are on disk for good
        draft = folder / f".{self.path.name}.draft"
        self._file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        try:
            _lock(self._file)
            _write_all(self._file, HEADER)
            _sync(self._file)
            os.rename(draft, self.path)
            _sync_folder(folder)
        except OSError:
            os.close(self._file)
            for path in (draft, self.path):
                path.unlink(missing_ok=True)
            raise

    def write(self, content: bytes | bytearray) -> None:
        """Append whole frames; on disk for good when it returns.

        Raises:
            OSError: nothing of it counts; the segment is to be abandoned.
        """
        _write_all(self._file, content)
        _sync(self._file)
        self.synced += len(content)

    def close(self) -> None:
        """No more frames; readers may take the segment for complete."""
        os.close(self._file)

    def abandon(self) -> None:
        """Close after a failure: what is not on disk for good is cut off, a segment without frames is removed."""
        with suppress(OSError):
            os.ftruncate(self._file, self.synced)
            if self.synced == len(HEADER):
                self.path.unlink()
        with suppress(OSError):
            os.close(self._file)


def segments_of(folder: Path) -> list[Path]:
    """Every segment in a folder, in the order of their beginning; none where there is no folder.

    Example:
        >>> segments_of(Path("/no/such/folder"))
        []
    """
    return sorted(folder.glob(f"[!.]*{_SUFFIX}"))


def began(segment: Path) -> float:
    """When a segment began, seconds since 1970; 0 for a file that somebody renamed.

    Example:
        >>> began(Path("20260102T030405.500000Z-w1-000001.frames"))
        1767323045.5
    """
    try:
        return datetime.strptime(segment.name.split("-")[0], _TIME).replace(tzinfo=UTC).timestamp()
    except ValueError:
        return 0.0


def is_open(segment: Path) -> bool:
    """Whether a running process still writes to a segment.

    Raises:
        OSError: there is no such file.
    """
    with segment.open("rb") as file:
        return not _locked(file.fileno(), shared=True)


@contextmanager
def alone(path: Path) -> Generator[bool]:
    """Whether this process is the only one that is in such a block, by a lock on ``path``.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder, alone(Path(folder, "a")) as one, alone(Path(folder, "a")) as two:
        ...     one, two
        (True, False)
    """
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        yield _locked(file)
    finally:
        os.close(file)


def _locked(file: int, *, shared: bool = False) -> bool:
    try:
        _lock(file, shared=shared)
    except BlockingIOError:
        return False
    return True


if sys.platform == "win32":
    import msvcrt

    def _lock(file: int, *, shared: bool = False) -> None:  # noqa: ARG001 - Windows knows no shared ones
        """Far behind the end of the file: Windows keeps others from reading what is locked."""
        os.lseek(file, 2**40, os.SEEK_SET)
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        except OSError as error:
            raise BlockingIOError(*error.args) from error
        os.lseek(file, 0, os.SEEK_SET)
else:
    import fcntl

    def _lock(file: int, *, shared: bool = False) -> None:
        """Until the file is closed or the process ends; a shared lock keeps out only those who want one for themselves.

        Raises:
            BlockingIOError: somebody else has it.
        """
        fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)


def _write_all(file: int, content: bytes | bytearray) -> None:
    with memoryview(content) as left:
        done = 0
        while done < len(left):
            done += os.write(file, left[done:])


def _sync(file: int) -> None:
    getattr(os, "fdatasync", os.fsync)(file)


def _sync_folder(folder: Path) -> None:
    if sys.platform == "win32":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
