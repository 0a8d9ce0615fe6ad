"""Frames in an append-only file: what was written whole can be told from what was torn.

A segment is a header of 8 bytes (magic, version) and frames: length of the payload (4 bytes, little endian), CRC-32 of
length and payload (4 bytes), payload. The length is part of what is summed up, so that a tail of zeros, which some file
systems leave after a power cut, is no row of empty frames.
"""

import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO
from zlib import crc32

from encorec.errors import DataError

__all__ = ["HEADER", "LARGEST_FRAME", "SegmentReader", "frame"]

_MAGIC, _VERSION = b"ENCLOG", 1
HEADER = _MAGIC + struct.pack("<H", _VERSION)
"""First 8 bytes of every segment."""
LARGEST_FRAME = 2**26
"""Most bytes of a payload."""

_LENGTH = struct.Struct("<I")
_HEAD = struct.Struct("<II")


def frame(payload: bytes) -> bytes:
    """The bytes before a payload: its length and the check sum of both.

    Example:
        >>> len(frame(b"tea")), frame(b"tea") == frame(b"pea")
        (8, False)
    """
    length = len(payload)
    return _HEAD.pack(length, crc32(payload, crc32(_LENGTH.pack(length))))


class SegmentReader:
    """The payloads of one segment, in the order of writing; a torn tail is cut, a damaged frame is left out.

    A frame whose check sum is wrong is *corrupted* where a sound frame follows at the places that the lengths name,
    and the beginning of the *torn* rest of the file where none does. The counts hold once the iteration has ended.
    A file that grows meanwhile is read to where it ended at the start.

    Args:
        path: the file.

    Raises:
        DataError: no segment, or one of another version.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     path = Path(folder) / "one.frames"
        ...     _ = path.write_bytes(HEADER + frame(b"tea") + b"tea" + frame(b"milk") + b"mi")
        ...     reader = SegmentReader(path)
        ...     list(reader), reader.torn_bytes, reader.corrupted
        ([b'tea'], 10, 0)
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.frames = self.corrupted = self.torn_bytes = self.bytes = 0

    def __iter__(self) -> Iterator[bytes]:
        self.frames = self.corrupted = self.torn_bytes = 0
        with self._path.open("rb") as file:
            self.bytes = size = os.fstat(file.fileno()).st_size
            place = len(HEADER)
            if not self._begun(file.read(place)):
                self.torn_bytes = size
                return
            while place < size:
                payload = _payload(file, place, size)
                if payload is None:
                    following, passed = _next_sound(file, place, size)
                    if following is None:
                        self.torn_bytes = size - place
                        return
                    self.corrupted += passed
                    place = following
                    continue
                self.frames += 1
                place += _HEAD.size + len(payload)
                yield payload

    def _begun(self, found: bytes) -> bool:
        """Whether the header is whole; one that breaks off is a torn tail as any other."""
        if found == HEADER:
            return True
        if HEADER.startswith(found):
            return False
        if found.startswith(_MAGIC):
            version = int.from_bytes(found[len(_MAGIC) :], "little")
            raise DataError(f"{self._path}: a log of version {version}, this program reads {_VERSION}; use a newer one")
        raise DataError(f"{self._path}: no segment of a log (it begins with {found!r}); move it elsewhere")


def _payload(file: BinaryIO, place: int, size: int) -> bytes | None:
    """The payload of the frame at ``place``; none where there is no sound frame."""
    file.seek(place)
    head = file.read(_HEAD.size)
    if len(head) < _HEAD.size:
        return None
    length, expected = _HEAD.unpack(head)
    if length > min(LARGEST_FRAME, size - place - _HEAD.size):
        return None
    payload = file.read(length)
    sound = len(payload) == length and crc32(payload, crc32(head[: _LENGTH.size])) == expected
    return payload if sound else None


def _next_sound(file: BinaryIO, place: int, size: int) -> tuple[int | None, int]:
    """Where the next sound frame begins by the lengths in between, and how many frames lie before it."""
    passed = 0
    while place + _HEAD.size <= size:
        file.seek(place)
        length, _ = _HEAD.unpack(file.read(_HEAD.size))
        place, passed = place + _HEAD.size + length, passed + 1
        if _payload(file, place, size) is not None:
            return place, passed
    return None, passed
