"""What failed on the way to an answer that was given all the same: told to the log, once, not a thousand times."""

import logging
import time
from collections.abc import Callable

__all__ = ["Failures"]

_LOG = logging.getLogger(__name__)


class Failures:
    """Writes the first failure of every stage, and then no more than one in ``pause`` seconds.

    Args:
        pause: seconds.
        clock: seconds that never run backwards.

    Example:
        >>> failures = Failures()
        >>> failures.report("ranker", ValueError("torn"))
        True
        >>> failures.report("ranker", ValueError("torn")), failures.count
        (False, 2)
    """

    def __init__(self, pause: float = 10.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._pause, self._clock = pause, clock
        self._told: dict[str, float] = {}
        self._kept: dict[str, int] = {}
        self.count = 0

    def report(self, stage: str, error: Exception, *, traceback: bool = True) -> bool:
        """Take note of a failure; whether it was written.

        Args:
            stage: that failed, of a handful of names.
            error: what it raised.
            traceback: whether it is told where; not needed for what is expected to fail.
        """
        self.count += 1
        now, last = self._clock(), self._told.get(stage)
        if last is not None and now - last < self._pause:
            self._kept[stage] = self._kept.get(stage, 0) + 1
            return False
        self._told[stage] = now
        more = self._kept.pop(stage, 0)
        told = f"; {more} more since the last word on it" if more else ""
        cause = error if traceback else None
        _LOG.error("answered without %s: %s%s", stage, str(error) or type(error).__name__, told, exc_info=cause)
        return True
