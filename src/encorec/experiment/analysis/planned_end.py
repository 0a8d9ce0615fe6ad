"""Whether the planned end of an experiment is reached, by the log or by a given moment."""

from dataclasses import dataclass
from typing import Any

from encorec.experiment.intake.event_sums import DAY_SECONDS
from encorec.experiment.intake.planned_window import planned_start
from encorec.experiment.spec import ExperimentSpec
from encorec.types import IntVector

__all__ = ["PlannedEnd", "planned_end"]


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
    log tells the time: the end is reached when its last first exposure lies on the last planned day or later. A plan
    without days has no end that anything could wait for: it is reached at every look, each of which stands alone.

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
        return None, True, "no end is planned (no 'days'): nothing is held back, and every look counts as the one look"
    start = planned_start(spec, first_seen)
    if start is None:
        return None, False, f"neither the specification ('start') nor the exposures say when it began: {_NOT_KNOWN}"
    if first_seen is None and now is None:
        return None, False, f"the exposures have no times: {_NOT_KNOWN}"
    moment = now if now is not None else int(first_seen.max())  # type: ignore[union-attr]
    last = start + (spec.days - (1 if now is None else 0)) * DAY_SECONDS
    day = max((moment - start) // DAY_SECONDS + (1 if now is None else 0), 0)
    elapsed = min(max(moment - start, 1) / (spec.days * DAY_SECONDS), 1.0)
    reached = moment >= last
    reason = f"day {day} of {spec.days} planned"
    return 1.0 if reached else elapsed, reached, f"{reason}: the planned end is {'' if reached else 'not '}reached"


_NOT_KNOWN = (
    "it is not known whether the planned end is reached; give --final where it is, or --now beside a specification "
    "with 'start'"
)
