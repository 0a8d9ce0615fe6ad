"""Whether the planned end of an experiment is reached, by the log or by a given moment."""

from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Any

from encorec.experiment.spec import ExperimentSpec
from encorec.types import IntVector

__all__ = ["PlannedEnd", "planned_end"]

_DAY = 86_400


@dataclass(frozen=True)
class PlannedEnd:
    """Where in its plan an experiment is.

    Args:
        reached: whether effects with a fixed horizon may be read.
        final: whether that was said by hand.
        elapsed: share of the planned days that have passed, above 0; none = the plan has no days or no time is known.
        reason: in words.

    Example:
        >>> PlannedEnd(True, False, 1.0, "day 14 of 14").reached
        True
    """

    reached: bool
    final: bool
    elapsed: float | None
    reason: str

    def as_dict(self) -> dict[str, Any]:
        """As for JSON."""
        return {name: getattr(self, name) for name in ("reached", "final", "elapsed", "reason")}


def planned_end(
    spec: ExperimentSpec, first_seen: IntVector | None, *, now: int | None = None, final: bool = False
) -> PlannedEnd:
    """Hold the time of the log against the plan.

    The plan ends ``days`` after ``start`` (none = the day of the first exposure), at midnight UTC. Without ``now`` the
    log tells the time: the end is reached when its last first exposure lies on the last planned day or later.

    Args:
        spec: of the experiment.
        first_seen: (n,) int64 seconds since 1970 of first exposures; none = not known.
        now: seconds since 1970; none = the last first exposure.
        final: say that the experiment is over whatever the plan says.

    Example:
        >>> from datetime import date
        >>> import numpy as np
        >>> from encorec.experiment.spec import MetricSpec
        >>> metric = (MetricSpec(name="m", value="m", role="primary"),)
        >>> spec = ExperimentSpec(
        ...     name="x", variants={"a": 0.5, "b": 0.5}, metric=metric, start=date(1970, 1, 1), days=2
        ... )
        >>> [planned_end(spec, np.array([0, moment])).reached for moment in (86_399, 86_400)]
        [False, True]
        >>> planned_end(spec, None, now=86_400).elapsed
        0.5
    """
    elapsed, reached, reason = _by_plan(spec, first_seen, now)
    if final and not reached:
        return PlannedEnd(True, True, elapsed, f"{reason}; taken as final by hand, which is one look and no more")
    return PlannedEnd(reached, final, elapsed, reason)


def _by_plan(spec: ExperimentSpec, first_seen: IntVector | None, now: int | None) -> tuple[float | None, bool, str]:
    if spec.days is None:
        return None, False, "the specification plans no days, so no end can be reached"
    if first_seen is None and now is None:
        return None, False, "the exposures have no times, so it is not known whether the planned end is reached"
    if first_seen is None and spec.start is None:
        return None, False, "neither the specification nor the exposures say when it began"
    start = _start(spec, first_seen)
    moment = now if now is not None else int(first_seen.max())  # type: ignore[union-attr]
    last = start + (spec.days - (1 if now is None else 0)) * _DAY
    day = max((moment - start) // _DAY + (1 if now is None else 0), 0)
    elapsed = min(max(moment - start, 1) / (spec.days * _DAY), 1.0)
    reached = moment >= last
    reason = f"day {day} of {spec.days} planned"
    return 1.0 if reached else elapsed, reached, f"{reason}: the planned end is {'' if reached else 'not '}reached"


def _start(spec: ExperimentSpec, first_seen: IntVector | None) -> int:
    if spec.start is not None:
        return int(datetime.combine(spec.start, time(), UTC).timestamp())
    return int(first_seen.min()) // _DAY * _DAY if first_seen is not None else 0
