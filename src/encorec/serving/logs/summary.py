"""What a folder of logs holds, stream by stream, read to the last frame."""

from pathlib import Path

import msgspec

from encorec.errors import DataError
from encorec.serving.logs.frames import SegmentReader
from encorec.serving.logs.segments import began, is_open, segments_of
from encorec.serving.logs.service_logs import EVENTS, IMPRESSIONS

__all__ = ["StreamSummary", "describe_logs"]


class StreamSummary(msgspec.Struct, frozen=True, kw_only=True):
    """The segments of one stream.

    Args:
        segments: files.
        open: of them, those that a service still writes to.
        bytes: of all.
        frames: sound ones.
        corrupted: damaged ones.
        torn_bytes: at the ends of files.
        began: when the first segment began, seconds since 1970; none = there is none.
        refused: files that are no segments of this version.

    Example:
        >>> described = {"bytes": 0, "frames": 0, "corrupted": 0, "torn_bytes": 0, "began": None, "refused": 0}
        >>> StreamSummary(segments=0, open=0, **described).frames
        0
    """

    segments: int
    open: int
    bytes: int
    frames: int
    corrupted: int
    torn_bytes: int
    began: float | None
    refused: int


def describe_logs(logs: Path) -> dict[str, StreamSummary]:
    """Every stream of a folder of logs.

    Args:
        logs: the folder that a service logs to.

    Raises:
        DataError: there are no logs.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     Path(folder, "events").mkdir()
        ...     describe_logs(Path(folder))["events"].segments
        0
    """
    streams = [name for name in (EVENTS, IMPRESSIONS) if (logs / name).is_dir()]
    if not streams:
        raise DataError(f"{logs}: no logs here (no folder {EVENTS} or {IMPRESSIONS}); name what `serve --logs` names")
    return {name: _summary(segments_of(logs / name)) for name in streams}


def _summary(paths: list[Path]) -> StreamSummary:
    readers = [SegmentReader(path) for path in paths]
    return StreamSummary(
        segments=len(paths),
        open=sum(map(is_open, paths)),
        refused=sum(not _sound(reader) for reader in readers),
        bytes=sum(reader.bytes for reader in readers),
        frames=sum(reader.frames for reader in readers),
        corrupted=sum(reader.corrupted for reader in readers),
        torn_bytes=sum(reader.torn_bytes for reader in readers),
        began=began(paths[0]) if paths else None,
    )


def _sound(reader: SegmentReader) -> bool:
    """Read a segment to its end; whether it is one."""
    try:
        for _ in reader:
            pass
    except DataError:
        return False
    return True
