"""The visit that the user is in: how much was done in it, for how long, and how long ago."""

import numpy as np

from encorec.compiled import FLOAT32, INT64, compiled, read, write
from encorec.pipeline.candidate_features.context import Context
from encorec.types import FloatMatrix, IntVector

__all__ = ["Session"]


class Session:
    """Events of the current session, minutes from its first to its newest event, minutes since that.

    A session goes on while no two events, nor the newest event and ``now``, are further apart than the gap. Where none
    is on there are 0 events and the minutes are NaN; how long ago the last one was is told in days by ``users``.

    Args:
        gap: longest pause within a session, in minutes.

    Example:
        >>> Session(30).names
        ('session_events', 'session_minutes', 'session_idle_minutes')
    """

    group = "session"
    names = ("session_events", "session_minutes", "session_idle_minutes")

    def __init__(self, gap: float) -> None:
        self._gap = int(gap * 60)

    def compute(self, context: Context, out: FloatMatrix) -> None:
        """Write (m, 3) float32."""
        history = context.history
        measure_sessions(history.indptr, history.time, context.queries.now, self._gap, context.indptr, out.T)


@compiled(read(INT64), read(INT64), read(INT64), INT64, read(INT64), write(FLOAT32, 2))
def measure_sessions(
    indptr: IntVector, time: IntVector, now: IntVector, gap: int, candidate_indptr: IntVector, out: FloatMatrix
) -> None:
    """The current session of each query, for each of its candidates.

    Args:
        indptr: (n + 1,) int64 offsets of the histories, with time (e,) int64.
        now: (n,) int64.
        gap: seconds.
        candidate_indptr: (n + 1,) int64 offsets of the candidates.
        out: (3, m) float32, written.

    Example:
        >>> out, times = np.empty((3, 1), np.float32), np.array([0, 600, 660])
        >>> measure_sessions(np.array([0, 3]), times, np.array([690]), 60, np.array([0, 1]), out)
        >>> out.ravel().tolist()
        [2.0, 1.0, 0.5]
    """
    for query in range(len(now)):
        place, later = indptr[query + 1], now[query]
        while place > indptr[query] and later - time[place - 1] <= gap:
            place -= 1
            later = time[place]
        events = indptr[query + 1] - place
        newest = time[indptr[query + 1] - 1] if events else now[query]
        length = (newest - later) / 60 if events else np.nan
        idle = max(now[query] - newest, 0) / 60 if events else np.nan
        for row in range(candidate_indptr[query], candidate_indptr[query + 1]):
            out[0, row], out[1, row], out[2, row] = events, length, idle
