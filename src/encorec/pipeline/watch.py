"""What watches over one answer: is there time for the next stage, and what is done where a stage fails."""

import time
from collections import deque
from collections.abc import Callable
from typing import TypeVar

from encorec.errors import EncorecError

__all__ = ["NothingRetrieved", "StageCosts", "Watch", "source_stage"]

T = TypeVar("T")

_WINDOW = 64  # costs of a stage that its estimate comes from
_RETRY = 200  # requests that a stage is skipped for before its cost is measured anew


class NothingRetrieved(EncorecError):
    """No source proposed anything, be it for want of time or because all of them failed.

    Example:
        >>> isinstance(NothingRetrieved("als: killed"), EncorecError)
        True
    """


def source_stage(name: str) -> str:
    """The stage in which the source ``name`` proposes items.

    Example:
        >>> source_stage("als")
        'source:als'
    """
    return f"source:{name}"


class StageCosts:
    """How long each stage may well take: the 95th percentile of its last runs, in seconds.

    A stage that is always skipped would never be measured again, so after every ``retry`` times it is let through,
    and what it costs then is all that counts: a stage that has recovered is back at once, and one that has not makes
    no more than one answer in ``retry`` late.

    Args:
        window: runs of a stage that are looked back on.
        retry: times that a stage is skipped before it is tried again.

    Example:
        >>> costs = StageCosts()
        >>> for seconds in (0.01, 0.02, 0.01):
        ...     costs.add("ranker", seconds)
        >>> costs.fits("ranker", 0.05), costs.fits("ranker", 0.015)
        (True, False)
    """

    def __init__(self, window: int = _WINDOW, retry: int = _RETRY) -> None:
        self._window, self._retry = window, retry
        self._runs: dict[str, deque[float]] = {}
        self._expected: dict[str, float] = {}
        self._skipped: dict[str, int] = {}

    def expected(self, stage: str) -> float:
        """Seconds that ``stage`` may well take; 0 for one that never ran.

        Example:
            >>> StageCosts().expected("ranker")
            0.0
        """
        return self._expected.get(stage, 0.0)

    def add(self, stage: str, seconds: float) -> None:
        """Take in one run of ``stage``."""
        runs = self._runs.get(stage)
        if runs is None:
            runs = self._runs[stage] = deque(maxlen=self._window)
        highest_leaves = len(runs) == self._window and runs[0] >= self._expected[stage]
        runs.append(seconds)
        # Sorting is for the few runs that can raise or lower the estimate; the others lie below it and stay there.
        if highest_leaves or len(runs) < self._window or seconds > self._expected[stage]:
            self._expected[stage] = sorted(runs)[int(0.95 * (len(runs) - 1) + 0.5)]

    def fits(self, stage: str, seconds: float) -> bool:
        """Whether ``stage`` may run although only ``seconds`` are left; to be asked once before every run.

        Example:
            >>> costs = StageCosts(retry=2)
            >>> costs.add("ranker", 0.2)
            >>> [costs.fits("ranker", 0.05) for _ in range(4)]
            [False, False, True, False]
        """
        if seconds > self._expected.get(stage, 0.0):
            return True
        skipped = self._skipped.get(stage, 0)
        if skipped < self._retry or seconds <= 0:
            self._skipped[stage] = skipped + 1
            return False
        self._skipped[stage] = 0
        self._runs[stage].clear()
        return True


class Watch:
    """Lets the stages of one answer run while there is time for them, and takes the blow where one fails.

    ``late`` and ``failed`` (what each raised) hold the stages that were skipped, ``left_out`` those that had nothing
    to go by any more; ``reordered`` says that candidates stand in another order than that of healthy days,
    ``replaced`` that there were none and the popular items answer.

    Args:
        deadline: when the answer is of no more use, in seconds of ``clock``; none = never.
        costs: what stages have cost so far, kept by whoever keeps the engine; none = a stage may begin until the
            deadline itself, and is not measured.
        clock: seconds that never run backwards.

    Example:
        >>> watch = Watch()
        >>> watch.attempt("ranker", lambda: 1 / 0), watch.attempt("source:als", lambda: 7)
        (None, 7)
        >>> watch.degraded, watch.failed["ranker"]
        (['ranker'], ZeroDivisionError('division by zero'))
    """

    def __init__(
        self,
        deadline: float | None = None,
        costs: StageCosts | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._deadline, self._costs, self._clock = deadline, costs, clock
        self.late: list[str] = []
        self.left_out: list[str] = []
        self.failed: dict[str, Exception] = {}
        self.stages: list[tuple[str, float, float]] = []
        self.proposed: dict[str, int] = {}
        self.reordered = self.replaced = False

    def attempt(self, stage: str, work: Callable[[], T]) -> T | None:
        """What ``work`` gives; none where there was no time for it, or it raised."""
        began = self._clock()
        if not self._fits(stage, began):
            self.late.append(stage)
            return None
        try:
            return work()
        except Exception as error:
            self.failed[stage] = error
            return None
        finally:
            ended = self._clock()
            self.stages.append((stage, began, ended))
            if self._costs is not None:
                self._costs.add(stage, ended - began)

    def spare(self, stage: str, work: Callable[[], T]) -> T | None:
        """What ``work`` gives; none where it raised. For what belongs to a stage that has begun already."""
        try:
            return work()
        except Exception as error:
            self.failed[stage] = error
            return None

    def skipped(self, stage: str) -> bool:
        """Whether ``stage`` did not give what it should have."""
        return stage in self.failed or stage in self.late

    @property
    def whole(self) -> bool:
        """Whether nothing was skipped."""
        return not (self.failed or self.late or self.left_out or self.replaced)

    @property
    def degraded(self) -> list[str]:
        """Every stage that was skipped, each once; ``deadline`` first where it was for want of time.

        ``retrieval``: no source proposed anything, so the popular items are the answer, and nothing else matters
        but which sources failed.
        """
        names = ["deadline"] if self.late else []
        names += ["retrieval"] if self.replaced else dict.fromkeys(self.late)
        return [*names, *(stage for stage in (*self.failed, *self.left_out) if stage not in names)]

    def apart(self) -> "Watch":
        """A watch over another answer of the same call, with the same deadline and nothing noted yet."""
        return Watch(self._deadline, self._costs, self._clock)

    def take_in(self, other: "Watch") -> None:
        """Note what ``other`` has noted."""
        self.late += other.late
        self.left_out += other.left_out
        self.failed |= other.failed
        self.reordered |= other.reordered
        self.replaced |= other.replaced

    def _fits(self, stage: str, now: float) -> bool:
        if self._deadline is None:
            return True
        left = self._deadline - now
        return left > 0 if self._costs is None else self._costs.fits(stage, left)
