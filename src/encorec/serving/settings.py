"""How one service process is set up."""

from typing import Literal

from encorec.config import Config, bounded
from encorec.serving.clock import Clock
from encorec.serving.experiments.placements import explored_placements
from encorec.serving.logs.frame_log import SegmentConfig
from encorec.serving.state.outbox_settings import OutboxSettings
from encorec.serving.state.redis_settings import RedisSettings

__all__ = ["Settings"]


class Settings(Config, frozen=True):
    """Where the service listens, what it remembers where, and what it refuses.

    Args:
        host: address to listen on.
        port: port to listen on; 0 = any free one.
        clock: ``now``; at ``data-end`` or an ISO-8601 time the clock stands at that moment (demos on old data).
        state: SQLite file of the user state, made where there is none, or ``redis://``, ``rediss://``, ``unix://``;
            ``:memory:`` forgets when the process ends. A password is best left to ENCOREC_STATE.
        redis_read_ms: milliseconds that a request waits for state in Redis, then it is answered without.
        redis_write_ms: milliseconds that events wait for Redis, then they are refused.
        event_id_days: days for which Redis remembers the name of an event; a later repetition is a new event.
        redis_prefix: start of every key, so that several services can share a server.
        outbox: Redis that accepted events also go to, as a stream; none = nowhere.
        outbox_stream: key of the stream.
        outbox_length: entries that the stream is cut to, about; 0 = never.
        docs: whether ``/docs`` and ``/openapi.json`` are served.
        max_body_bytes: largest request body.
        max_ids: most ids in allow, deny and history together, over all requests of a call.
        max_k: most items in one answer.
        max_batch: most requests in one batch call.
        max_places: most items asked for by all requests of a batch call.
        deadline_ms: milliseconds from its arrival within which a request that names no deadline is answered.
        max_deadline_ms: longest deadline that a request may name; a longer one counts as this.
        max_wait_ms: milliseconds that a request may wait for its turn; later it gets popular items.
        max_shed_ms: milliseconds that a request may wait even for these; later it is told to come again (503).
        max_waiting: requests that may wait at once in the process; further ones are told to come again (503).
        max_bulk: batches and explained requests that may wait at once; a further batch is told to come again, a
            further request is not explained.
        cors_origins: origins whose pages may ask from a browser, as ``https://shop.example``; ``*`` = all.
        log_requests: share of the answered requests that are logged; failed ones always are.
        log_format: ``text`` or ``json``.
        metrics: whether ``/metrics`` is served.
        metrics_folder: that all workers count in; none = each counts for itself.
        tracing: where OpenTelemetry spans go: ``off``, ``console`` or ``otlp``.
        watch: whether a snapshot that is published, or an artifact that is replaced, is served without being told.
        watch_seconds: seconds between two looks, a fifth more or less by chance.
        workers: processes that answer on one port.
        api_key_file: file of the key that the admin routes ask for in ``X-API-Key``, else the variable ENCOREC_API_KEY
            holds it; with neither there are no admin routes.
        protect: which routes ask for the key: ``admin``, or ``all`` but those of health.
        reload_seconds: seconds that all workers get to follow a reload or a rollback before the call is answered.
        experiments: specifications of experiments, or folders of them; ``NAME.variants.toml`` beside ``NAME.toml`` says
            what its variants change.
        explore: ``placement=temperature`` or ``placement=temperature:head``: how far slates are left to chance there.

        logs: folder of the logs of events and impressions, made where there is none; none = no logs.
        fsync_ms: milliseconds within which a logged impression is on disk; an event is when its call is answered.
        segment_bytes: a log file that has reached this size is closed and another begun.
        segment_seconds: a log file of this age likewise.

    Raises:
        ConfigError: a value outside its bounds, or a clock that is no time.

    Example:
        >>> Settings(port=80_000)
        Traceback (most recent call last):
        ...
        encorec.errors.ConfigError: Settings.port is 80000, allowed is 0 to 65535
    """

    host: str = "127.0.0.1"
    port: int = 8000
    clock: str = "now"
    state: str = "encorec-state.sqlite"
    redis_read_ms: float = RedisSettings().read_ms
    redis_write_ms: float = RedisSettings().write_ms
    event_id_days: float = RedisSettings().event_id_days
    redis_prefix: str = RedisSettings().prefix
    outbox: str | None = None
    outbox_stream: str = OutboxSettings().stream
    outbox_length: int = OutboxSettings().length
    docs: bool = True
    max_body_bytes: int = 2 * 2**20
    max_ids: int = 100_000
    max_k: int = 500
    max_batch: int = 256
    max_places: int = 10_000
    deadline_ms: float = 1_000.0
    max_deadline_ms: float = 10_000.0
    max_wait_ms: float = 200.0
    max_shed_ms: float = 500.0
    max_waiting: int = 500
    max_bulk: int = 8
    cors_origins: tuple[str, ...] = ()
    log_requests: float = 0.0
    log_format: Literal["text", "json"] = "text"
    metrics: bool = True
    metrics_folder: str | None = None
    tracing: Literal["off", "console", "otlp"] = "off"
    watch: bool = False
    watch_seconds: float = 1.0
    workers: int = 1
    api_key_file: str | None = None
    protect: Literal["admin", "all"] = "admin"
    reload_seconds: float = 60.0
    experiments: tuple[str, ...] = ()
    explore: tuple[str, ...] = ()
    logs: str | None = None
    fsync_ms: float = SegmentConfig().fsync_ms
    segment_bytes: int = SegmentConfig().segment_bytes
    segment_seconds: float = SegmentConfig().segment_seconds

    @property
    def segments(self) -> SegmentConfig:
        """How the logs are written."""
        return SegmentConfig(
            fsync_ms=self.fsync_ms, segment_bytes=self.segment_bytes, segment_seconds=self.segment_seconds
        )

    @property
    def redis(self) -> RedisSettings:
        """How the service deals with Redis."""
        return RedisSettings(
            read_ms=self.redis_read_ms,
            write_ms=self.redis_write_ms,
            event_id_days=self.event_id_days,
            prefix=self.redis_prefix,
        )

    @property
    def posting(self) -> OutboxSettings:
        """The stream of the outbox."""
        return OutboxSettings(stream=self.outbox_stream, length=self.outbox_length)

    def __post_init__(self) -> None:
        bounded(
            self,
            port=(0, 65_535),
            max_body_bytes=(1, 2**30),
            max_ids=(1, 10_000_000),
            max_k=(1, 100_000),
            max_batch=(1, 100_000),
            max_places=(1, 10_000_000),
            deadline_ms=(0.1, 600_000),
            max_deadline_ms=(0.1, 600_000),
            max_wait_ms=(0.1, 600_000),
            max_shed_ms=(0.1, 600_000),
            max_waiting=(1, 1_000_000),
            max_bulk=(1, 10_000),
            log_requests=(0, 1),
            watch_seconds=(0.05, 86_400),
            workers=(1, 256),
            reload_seconds=(0.1, 3600),
        )
        Clock.named(self.clock, data_end=0)
        _ = self.segments, self.redis, self.posting  # their bounds are their own
        explored_placements(self.explore)
