"""How one service process is set up."""

from encorec.config import Config, bounded
from encorec.serving.clock import Clock

__all__ = ["Settings"]


class Settings(Config, frozen=True):
    """Where the service listens, what it remembers where, and what it refuses.

    Args:
        host: address to listen on.
        port: port to listen on; 0 = any free one.
        clock: ``now``; at ``data-end`` or an ISO-8601 time the clock stands at that moment (demos on old data).
        state: file of the user state, made where there is none; ``:memory:`` forgets when the process ends.
        docs: whether ``/docs`` and ``/openapi.json`` are served.
        max_body_bytes: largest request body.
        max_ids: most ids in allow, deny and history together, over all requests of a call.
        max_k: most items in one answer.
        max_batch: most requests in one batch call.
        max_places: most items asked for by all requests of a batch call.

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
    docs: bool = True
    max_body_bytes: int = 2 * 2**20
    max_ids: int = 100_000
    max_k: int = 500
    max_batch: int = 256
    max_places: int = 10_000

    def __post_init__(self) -> None:
        bounded(
            self,
            port=(0, 65_535),
            max_body_bytes=(1, 2**30),
            max_ids=(1, 10_000_000),
            max_k=(1, 100_000),
            max_batch=(1, 100_000),
            max_places=(1, 10_000_000),
        )
        Clock.named(self.clock, data_end=0)
