"""Closed segments of the logs turned into Parquet, each one once, whatever interrupts the work.

Every segment becomes one file of the same name. It is written beside its place, synced and renamed; then the manifest
says that the segment is done. An interruption in between leaves a file that the next run writes again, to the byte.
"""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

from encorec.errors import DataError
from encorec.pipeline.artifact_files import write_bytes
from encorec.serving.logs.event_log import LoggedCall, Records
from encorec.serving.logs.impressions import Impression
from encorec.serving.logs.segments import alone, is_open, segments_of
from encorec.serving.logs.service_logs import EVENTS, IMPRESSIONS
from encorec.serving.logs.tables import event_table, impression_table

__all__ = ["Compacted", "CompactionReport", "compact"]

_MANIFEST, _FORMAT = "manifest.json", 1
_KINDS: dict[str, tuple[type[Any], Callable[[Sequence[Any]], pl.DataFrame]]] = {
    EVENTS: (LoggedCall, event_table),
    IMPRESSIONS: (Impression, impression_table),
}


class Compacted(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a segment.

    Args:
        rows: of its table: answers, or events whose name no table before had.
        bytes: of the segment.
        frames: sound ones.
        repeated: events left out because another of their name came before.
        corrupted: frames left out because they are damaged.
        unreadable: sound frames left out because they hold something else.
        torn_bytes: cut off at the end.

    Example:
        >>> Compacted(rows=2, bytes=80, frames=2, repeated=0, corrupted=0, unreadable=0, torn_bytes=0).rows
        2
    """

    rows: int
    bytes: int
    frames: int
    repeated: int
    corrupted: int
    unreadable: int
    torn_bytes: int


class _Manifest(msgspec.Struct, frozen=True):
    """Segments that are done, by stream and name."""

    format: int
    segments: dict[str, Compacted]


class CompactionReport(msgspec.Struct, frozen=True):
    """What one run did.

    Args:
        done: segments compacted by this run, by stream and name.
        before: how many had been compacted by earlier runs.
        open: segments that a service still writes to.
        refused: files that are no segments of this version, and why.
        removed: segments deleted because they are compacted.

    Example:
        >>> CompactionReport({}, 0, [], {}, 0).open
        []
    """

    done: dict[str, Compacted]
    before: int
    open: list[str]
    refused: dict[str, str]
    removed: int


def compact(logs: Path, out: Path, *, remove: bool = False) -> CompactionReport:
    """Turn every closed segment that has not been compacted into a Parquet file.

    Args:
        logs: folder that a service logs to.
        out: folder of the tables, made where there is none: ``events/*.parquet``, ``impressions/*.parquet``.
        remove: delete segments that are compacted, by this run or an earlier one.

    Raises:
        DataError: there are no logs, the tables cannot be written, another run is at work, or a segment is not what
            was compacted.
    """
    streams = [name for name in _KINDS if (logs / name).is_dir()]
    if not streams:
        raise DataError(f"{logs}: no logs here (no folder {EVENTS} or {IMPRESSIONS}); name what `serve --logs` names")
    try:
        out.mkdir(parents=True, exist_ok=True)
        with alone(out / ".lock") as free:
            if not free:
                raise DataError(f"{out}: another compaction is at work; let it end")
            return _Run(logs, out, remove).report(streams)
    except OSError as error:
        raise DataError(
            f"{error.filename or out}: {error.strerror or error}; what is done is done, run it again"
        ) from error


class _Run:
    """One run, alone in its folder."""

    def __init__(self, logs: Path, out: Path, remove: bool) -> None:
        self._logs, self._out, self._remove = logs, out, remove
        self._known = _read_manifest(out / _MANIFEST)
        self._done: dict[str, Compacted] = {}
        self._open: list[str] = []
        self._refused: dict[str, str] = {}
        self._removed = 0

    def report(self, streams: Sequence[str]) -> CompactionReport:
        before = len(self._known)
        for stream in streams:
            (self._out / stream).mkdir(exist_ok=True)
            for draft in (self._out / stream).glob(".*.draft"):
                draft.unlink()
            self._stream(stream)
        return CompactionReport(self._done, before, self._open, self._refused, self._removed)

    def _stream(self, stream: str) -> None:
        seen: pl.Series | None = None  # names of events that are in tables, read once there is something to do
        for path in segments_of(self._logs / stream):
            name = f"{stream}/{path.name}"
            if is_open(path):
                self._open.append(name)
                continue
            if name in self._known:
                _refuse_grown(path, self._known[name])
            else:
                if seen is None and stream == EVENTS:
                    seen = self._event_names()
                try:
                    seen = self._segment(stream, path, seen)
                except DataError as error:
                    self._refused[name] = str(error)
                    continue
            if self._remove:
                path.unlink()
                self._removed += 1

    def _segment(self, stream: str, path: Path, seen: pl.Series | None) -> pl.Series | None:
        """Compact one segment; returns the names of events that are in tables now."""
        kind, table = _KINDS[stream]
        records = Records(path, kind)
        found = list(records)
        frame = table(found)
        if seen is not None:
            frame = frame.filter(~pl.col("event_id").is_in(seen.implode()))
        logged = sum(len(call.events) for call in found) if stream == EVENTS else len(frame)
        if len(frame):
            _write(frame, self._out / stream / f"{path.stem}.parquet")
        segment = records.segment
        self._record(
            f"{stream}/{path.name}",
            Compacted(
                rows=len(frame),
                bytes=segment.bytes,
                frames=segment.frames,
                repeated=logged - len(frame),
                corrupted=segment.corrupted,
                unreadable=records.unreadable,
                torn_bytes=segment.torn_bytes,
            ),
        )
        return None if seen is None else seen.append(frame["event_id"])

    def _record(self, name: str, compacted: Compacted) -> None:
        self._done[name] = self._known[name] = compacted
        content = msgspec.json.encode(_Manifest(_FORMAT, self._known))
        write_bytes(self._out / _MANIFEST, msgspec.json.format(content, indent=1))

    def _event_names(self) -> pl.Series:
        """Of every table that the manifest vouches for; one that an interruption left behind is written again."""
        names = [Path(name).stem for name in self._known if name.startswith(f"{EVENTS}/")]
        there = [path for name in names if (path := self._out / EVENTS / f"{name}.parquet").is_file()]
        tables = [pl.read_parquet(path, columns=["event_id"])["event_id"] for path in there]
        return pl.concat(tables) if tables else pl.Series("event_id", [], pl.String)


def _read_manifest(path: Path) -> dict[str, Compacted]:
    if not path.exists():
        return {}
    try:
        manifest = msgspec.json.decode(path.read_bytes(), type=_Manifest)
    except msgspec.DecodeError as error:
        raise DataError(f"{path}: no manifest of a compaction ({error}); compact into another folder") from error
    if manifest.format != _FORMAT:
        raise DataError(f"{path}: is of format {manifest.format}, this version reads {_FORMAT}; use a newer one")
    return dict(manifest.segments)


def _refuse_grown(path: Path, before: Compacted) -> None:
    size = path.stat().st_size
    if size != before.bytes:
        raise DataError(
            f"{path}: has {size} bytes, {before.bytes} when it was compacted; closed segments never change, so look "
            "what wrote to it"
        )


def _write(frame: pl.DataFrame, path: Path) -> None:
    """A table, there whole or not at all."""
    draft = path.with_name(f".{path.name}.draft")
    frame.write_parquet(draft)
    with draft.open("rb+") as file:
        os.fsync(file.fileno())
    os.replace(draft, path)
