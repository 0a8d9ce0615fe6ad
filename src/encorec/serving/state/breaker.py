"""A circuit breaker: what does not answer is left alone for a while."""

import time
from collections.abc import Callable
from threading import Lock

__all__ = ["Breaker"]


class Breaker:
    """Lets calls through until ``failures`` in a row have failed; then one probe after every pause, until one succeeds.

    Closed: every call passes. Open: none does, at the cost of reading a clock. Half-open: the pause is over and one
    call passes as a probe; the others wait for another pause, so that a probe that never reports blocks nobody.
    Nygard, Release It (2018), chapter 5. May be used from several threads.

    Args:
        failures: failed calls in a row that open the breaker, at least 1.
        pause: seconds until a probe.
        clock: seconds that only rise.

    Example:
        >>> now = [0.0]
        >>> breaker = Breaker(failures=1, pause=5.0, clock=lambda: now[0])
        >>> breaker.failed()
        >>> breaker.admits()
        False
        >>> now[0] = 5.0
        >>> breaker.admits(), breaker.admits()
        (True, False)
        >>> breaker.succeeded()
        >>> breaker.admits()
        True
    """

    def __init__(self, *, failures: int, pause: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._pause, self._clock = failures, pause, clock
        self._failed, self._opens_at = 0, 0.0
        self._lock = Lock()

    @property
    def open(self) -> bool:
        """Whether calls are being refused, but for probes."""
        return self._failed >= self._most

    def admits(self) -> bool:
        """Whether a call may be made now; its end is to be told with ``succeeded`` or ``failed``."""
        if not self.open:
            return True
        with self._lock:
            now = self._clock()
            if now < self._opens_at:
                return False
            self._opens_at = now + self._pause
            return True

    def succeeded(self) -> None:
        """The other side answered, if only to refuse."""
        if self._failed:
            with self._lock:
                self._failed = 0

    def failed(self) -> None:
        """The other side did not answer."""
        with self._lock:
            self._failed += 1
            if self.open:
                self._opens_at = self._clock() + self._pause
