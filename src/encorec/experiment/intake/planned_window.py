"""From when to when an experiment is planned to run, in seconds."""

from datetime import UTC, datetime, time

from encorec.experiment.intake.event_sums import DAY_SECONDS
from encorec.experiment.spec import ExperimentSpec
from encorec.types import IntVector

__all__ = ["planned_finish", "planned_start"]


def planned_start(spec: ExperimentSpec, first_seen: IntVector | None) -> int | None:
    """Seconds since 1970 of midnight (UTC) of the first day: that of the specification, else of the first exposure.

    Args:
        spec: of the experiment.
        first_seen: (n,) int64 seconds since 1970 of first exposures; none = not known.

    Returns:
        None where neither says it.

    Example:
        >>> import numpy as np
        >>> from encorec.experiment.spec import MetricSpec
        >>> metric = (MetricSpec(name="m", value="m", role="primary"),)
        >>> spec = ExperimentSpec(name="x", variants={"a": 0.5, "b": 0.5}, metric=metric, days=2)
        >>> planned_start(spec, np.array([90_000, 100_000])), planned_start(spec, None) is None
        (86400, True)
    """
    if spec.start is not None:
        return int(datetime.combine(spec.start, time(), UTC).timestamp())
    if first_seen is None or not len(first_seen):
        return None
    return int(first_seen.min()) // DAY_SECONDS * DAY_SECONDS


def planned_finish(spec: ExperimentSpec, first_seen: IntVector | None) -> int | None:
    """Seconds since 1970 from which on nothing counts any more; none = no end is planned, or nobody knows the start.

    Args:
        spec: of the experiment.
        first_seen: (n,) int64 seconds since 1970 of first exposures; none = not known.

    Example:
        >>> import numpy as np
        >>> from encorec.experiment.spec import MetricSpec
        >>> metric = (MetricSpec(name="m", value="m", role="primary"),)
        >>> spec = ExperimentSpec(name="x", variants={"a": 0.5, "b": 0.5}, metric=metric, days=2)
        >>> planned_finish(spec, np.array([90_000, 100_000]))
        259200
    """
    start = planned_start(spec, first_seen)
    return None if start is None or spec.days is None else start + spec.days * DAY_SECONDS
