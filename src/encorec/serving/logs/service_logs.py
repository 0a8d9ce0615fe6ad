"""Both logs of a service process, open as long as it runs; or none, for a service that keeps no logs."""

from collections.abc import Sequence
from pathlib import Path
from typing import Self

from encorec.serving.http.answers import RecommendAnswer, SimilarAnswer
from encorec.serving.logs.event_log import EventLog
from encorec.serving.logs.frame_log import FrameLog, LogCounts, SegmentConfig
from encorec.serving.logs.impressions import ImpressionLog
from encorec.serving.state.store import Event

__all__ = ["EVENTS", "IMPRESSIONS", "ServiceLogs"]

EVENTS, IMPRESSIONS = "events", "impressions"
"""Folders of the two streams inside the folder of logs."""


class ServiceLogs:
    """Events and impressions of one process in ``events/`` and ``impressions/`` of a folder that workers share.

    Args:
        folder: of the logs; none = nothing is logged.
        config: how they are written.

    Raises:
        ConfigError: the folder cannot be made.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder, ServiceLogs(folder, SegmentConfig()) as logs:
        ...     answer = RecommendAnswer(request_id="r", user_id=1, items=[], model="m", degraded=[], unknown_ids=0)
        ...     logs.shown(answer, time=50.0, placement="main")
        ...     sorted(logs.counts)
        ['events', 'impressions']
        >>> ServiceLogs.none().counts
        {}
    """

    def __init__(self, folder: str | None, config: SegmentConfig) -> None:
        self._frames: dict[str, FrameLog] = {}
        if folder is not None:
            for name in (EVENTS, IMPRESSIONS):
                self._frames[name] = FrameLog(Path(folder) / name, config)
        self._events = EventLog(self._frames[EVENTS]) if self._frames else None
        self._impressions = ImpressionLog(self._frames[IMPRESSIONS]) if self._frames else None

    @classmethod
    def none(cls) -> "ServiceLogs":
        """Keeps nothing."""
        return cls(None, SegmentConfig())

    async def heard(self, events: Sequence[Event], *, received: float, now: int) -> None:
        """Log what the state took; on disk when it returns.

        Args:
            events: of one call, in order of arrival.
            received: when, by the real clock, seconds since 1970.
            now: the ``now`` with which the state took them.

        Raises:
            LogError: the disk did not take them.
        """
        if self._events is not None:
            await self._events.add(events, received=received, now=now)

    def shown(self, answer: RecommendAnswer, *, time: float, placement: str, session_id: str | None = None) -> None:
        """Log an answer, soon.

        Args:
            answer: as it goes out.
            time: by the service's clock, seconds since 1970.
            placement: where it will be shown.
            session_id: of the request.
        """
        if self._impressions is not None:
            self._impressions.add(answer, time=time, placement=placement, session_id=session_id)

    def shown_similar(self, answer: SimilarAnswer, *, time: float) -> None:
        """Log items like an item, soon.

        Args:
            answer: as it goes out.
            time: by the service's clock, seconds since 1970.
        """
        if self._impressions is not None:
            self._impressions.add_similar(answer, time=time)

    @property
    def counts(self) -> dict[str, LogCounts]:
        """What each log has done so far, by stream; empty where nothing is logged."""
        return {name: frames.counts for name, frames in self._frames.items()}

    def close(self) -> None:
        """Bring everything to disk."""
        for frames in self._frames.values():
            frames.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
