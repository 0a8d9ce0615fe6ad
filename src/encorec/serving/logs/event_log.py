"""The log of accepted events: what training, analysis and replay read.

The state decides what counts: an event goes into the state first, and with that into the next answer. Then it goes
into this log, and only when it is on disk there is the call acknowledged. So every acknowledged event is in both.
A crash in between leaves an event that nobody was told of: the client sends it again, the state calls it a repetition,
and the log gets it all the same. Repetitions are therefore logged too; who reads the log takes the first of a name.
"""

import asyncio
import heapq
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

from encorec.serving.logs.frame_log import FrameLog
from encorec.serving.logs.frames import SegmentReader
from encorec.serving.logs.segments import began, segments_of
from encorec.serving.state.store import Event

__all__ = ["EventLog", "LoggedCall", "Records", "calls_of"]

T = TypeVar("T")

_SLACK = 60.0  # seconds by which a segment may begin after its first frame was made


class LoggedCall(msgspec.Struct, frozen=True, kw_only=True):
    """The events of one call, as the state took them.

    Args:
        received: when, by the real clock, seconds since 1970.
        now: the first second not yet begun by the service's clock.
        events: in order of arrival; repetitions too.

    Example:
        >>> event = Event(event_id="e1", user_id=17, item_id=242, time=50.0)
        >>> LoggedCall(received=50.2, now=51, events=(event,)).events[0].item_id
        242
    """

    received: float
    now: int
    events: tuple[Event, ...]


class EventLog:
    """Writes accepted events, and says when they are on disk.

    Args:
        frames: where they go.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> from encorec.serving.logs.frame_log import SegmentConfig
        >>> event = Event(event_id="e1", user_id=17, item_id=242, time=50.0)
        >>> with TemporaryDirectory() as folder:
        ...     frames = FrameLog(Path(folder), SegmentConfig())
        ...     asyncio.run(EventLog(frames).add([event], received=50.2, now=51))
        ...     frames.close()
        ...     [call.events[0].event_id for call in calls_of(Path(folder))]
        ['e1']
    """

    def __init__(self, frames: FrameLog) -> None:
        self._frames, self._encoder = frames, msgspec.msgpack.Encoder()

    async def add(self, events: Sequence[Event], *, received: float, now: int) -> None:
        """Log the events of one call; on disk when it returns. Calls that wait together share one sync.

        Args:
            events: in order of arrival.
            received: when, by the real clock, seconds since 1970.
            now: the ``now`` with which the state took them.

        Raises:
            LogError: the disk did not take them.
        """
        if not events:
            return
        call = LoggedCall(received=received, now=now, events=tuple(events))
        await asyncio.wrap_future(self._frames.commit(self._encoder.encode(call)))


class Records(Generic[T]):
    """What the frames of one segment say; a sound frame that says something else is counted and left out.

    Args:
        path: the segment.
        kind: of every record.

    Raises:
        DataError: no segment, or one of another version.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> from encorec.serving.logs.frames import HEADER, frame
        >>> with TemporaryDirectory() as folder:
        ...     path = Path(folder) / "one.frames"
        ...     _ = path.write_bytes(HEADER + frame(b"\\x07") + b"\\x07" + frame(b"?!") + b"?!")
        ...     records = Records(path, int)
        ...     list(records), records.unreadable
        ([7], 1)
    """

    def __init__(self, path: Path, kind: type[T]) -> None:
        self.segment = SegmentReader(path)
        self.unreadable = 0
        self._decoder = msgspec.msgpack.Decoder(kind)

    def __iter__(self) -> Iterator[T]:
        self.unreadable = 0
        for payload in self.segment:
            try:
                record = self._decoder.decode(payload)
            except (msgspec.DecodeError, UnicodeDecodeError):
                self.unreadable += 1
                continue
            yield record


def calls_of(folder: Path) -> Iterator[LoggedCall]:
    """Every call in the segments of a folder, those of all workers in the order in which they were received.

    Calls of one segment keep their order. Few segments are open at a time, however many there are.

    Args:
        folder: of the segments.

    Raises:
        DataError: a file that is no segment.
    """
    later = sorted((began(path), number, path) for number, path in enumerate(segments_of(folder)))
    later.reverse()
    heap: list[tuple[float, int, LoggedCall, Iterator[tuple[float, LoggedCall]]]] = []
    while heap or later:
        while later and (not heap or later[-1][0] - _SLACK <= heap[0][0]):
            _, number, path = later.pop()
            _push(heap, number, _in_order(path))
        if heap:
            _, number, call, rest = heapq.heappop(heap)
            yield call
            _push(heap, number, rest)


def _push(
    heap: list[tuple[float, int, LoggedCall, Iterator[tuple[float, LoggedCall]]]],
    number: int,
    calls: Iterator[tuple[float, LoggedCall]],
) -> None:
    for received, call in calls:
        heapq.heappush(heap, (received, number, call, calls))
        return


def _in_order(path: Path) -> Iterator[tuple[float, LoggedCall]]:
    """Calls of one segment with a time that does not fall, should the clock have been set back."""
    latest = 0.0
    for call in Records(path, LoggedCall):
        latest = max(latest, call.received)
        yield latest, call
