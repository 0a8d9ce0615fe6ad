"""When a call is made again: after a while by chance, and never so often that the retries are the load."""

import random
from collections.abc import Iterator

from encorec.config import Config, bounded

__all__ = ["Retries", "RetryBudget"]


class Retries(Config, frozen=True):
    """How a client tries again.

    Args:
        attempts: of a call, the first included.
        first: most seconds before the second attempt; every further one may wait twice as long.
        longest: most seconds before any attempt, also if the service asks for more with ``Retry-After``.
        share: retries per call that a client may make in the long run.
        burst: retries that it may make at once.

    Raises:
        ConfigError: a value outside its bounds.

    Example:
        >>> Retries(attempts=1).attempts
        1
    """

    attempts: int = 3
    first: float = 0.05
    longest: float = 2.0
    share: float = 0.1
    burst: float = 10.0

    def __post_init__(self) -> None:
        bounded(self, attempts=(1, 100), first=(0, 60), longest=(0, 3600), share=(0, 1), burst=(0, 1e6))

    def waits(self, rng: random.Random) -> Iterator[float]:
        """Seconds to wait before each further attempt: full jitter [brooker2015].

        Args:
            rng: of the waiting.

        Example:
            >>> [0 <= one <= limit for one, limit in zip(Retries().waits(random.Random(3)), (0.05, 0.1), strict=True)]
            [True, True]
        """
        for retry in range(self.attempts - 1):
            yield rng.uniform(0, min(self.longest, self.first * 2**retry))  # brooker2015


class RetryBudget:
    """Counts calls and retries: a retry is paid with the share of those calls that have been made.

    Args:
        retries: share and burst.

    Example:
        >>> budget = RetryBudget(Retries(burst=1))
        >>> budget.spend(), budget.spend()
        (True, False)
    """

    def __init__(self, retries: Retries) -> None:
        self._share, self._most = retries.share, retries.burst
        self._left = retries.burst

    def earn(self) -> None:
        """A call is made for the first time."""
        self._left = min(self._most, self._left + self._share)

    def spend(self) -> bool:
        """Whether a call may be made once more."""
        if self._left < 1:
            return False
        self._left -= 1
        return True
