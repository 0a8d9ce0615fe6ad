"""What an event of a history is worth when the question is asked: faded by its age in days."""

import numpy as np

from encorec.types import FloatVector, Histories, IntVector, Queries

__all__ = ["faded_history", "half_life"]

DAY = 86_400


def faded_history(queries: Queries, last: int | None, half_life_days: float | None) -> Histories:
    """The newest events of n histories, compact, each worth half after a half-life before its query's ``now``.

    Args:
        queries: n queries.
        last: newest events of a history that are used; none = all.
        half_life_days: in days; none = nothing fades.

    Example:
        >>> from encorec.types import Eligibility
        >>> history = Histories.of([([3, 4, 5], [0, 86_400, 172_800])])
        >>> queries = Queries(history, np.array([172_800]), Eligibility(np.ones(6, bool)))
        >>> faded_history(queries, 2, 1.0).weight.tolist()
        [0.5, 1.0]
    """
    history = queries.history.compact() if last is None else queries.history.tail(last)
    if half_life_days is None:
        return history
    weight = history.weight * half_life(queries.now[history.owner] - history.time, half_life_days)
    return Histories(history.indptr, history.item, history.time, weight)


def half_life(age: IntVector, half_life_days: float) -> FloatVector:
    """(m,) float32 factors in [0, 1] for (m,) ages in seconds; what lies ahead counts as now.

    Example:
        >>> half_life(np.array([0, 86_400, -5]), 1.0).tolist()
        [1.0, 0.5, 1.0]
    """
    return (0.5 ** (np.maximum(age, 0) / (half_life_days * DAY))).astype(np.float32)
