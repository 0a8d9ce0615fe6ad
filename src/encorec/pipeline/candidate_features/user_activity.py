"""What kind of user asks: how much, how recent, how mainstream, how varied the history is."""

from typing import Self

import numpy as np

from encorec.data.dataset import Dataset
from encorec.pipeline.candidate_features.context import DAY, Context, LearntGroup
from encorec.pipeline.candidate_features.kernels import mean_numbers
from encorec.types import FloatMatrix, FloatVector, Histories

__all__ = ["UserActivity"]

RECENT = 5


class UserActivity(LearntGroup):
    """Size and recency of the history, and the popularity of what is in it beside that of the candidate.

    Args:
        arrays: ``popularity`` (items,) float32 log of the users of each item, relative to the average item.
    """

    group = "users"
    NAMES = (
        "user_events",
        "user_events_30d",
        "user_span_days",
        "user_idle_days",
        "user_step_hours",
        "user_mainstream",
        "popularity_gap",
        "popularity_gap_last5",
    )

    @classmethod
    def fit(cls, data: Dataset) -> Self:
        """Learn how popular items are.

        Example:
            >>> from encorec.data.interactions import Interactions
            >>> UserActivity.fit(Dataset.of(Interactions.of([0], [0], [5]))).arrays()["popularity"].shape
            (1,)
        """
        users = data.interactions.item_users
        average = max(users[users > 0].mean() if users.any() else 1.0, 1e-12)
        return cls(cls.NAMES, {"popularity": np.log2(0.01 + users / average).astype(np.float32)})

    def compute(self, context: Context, out: FloatMatrix) -> None:
        """Write (m, 8) float32; NaN where the history is empty."""
        history, now = context.history, context.queries.now
        values = np.full((len(now), 7), np.nan, np.float32)
        lengths = history.lengths
        values[:, 0] = lengths
        values[:, 1] = lengths - context.queries.history.before(now - 30 * DAY).lengths
        some = lengths > 0
        first, last = history.time[history.starts[some]], history.time[history.stops[some] - 1]
        values[some, 2] = (last - first) / DAY
        values[some, 3] = np.maximum(now[some] - last, 0) / DAY
        values[some, 4] = (last - first) / np.maximum(lengths[some] - 1, 1) / 3600
        values[:, 5] = self._mainstream(history)
        values[:, 6] = self._mainstream(context.tail(RECENT))
        spread = context.per_query(values)
        out[:, :6] = spread[:, :6]
        own = self._arrays["popularity"][context.candidates.item]
        out[:, 6] = own - spread[:, 5]
        out[:, 7] = own - spread[:, 6]

    def _mainstream(self, history: Histories) -> FloatVector:
        """(n,) float64 mean popularity of the items of each compact history; NaN where it is empty."""
        mean = np.empty((len(history), 1))
        mean_numbers(history.indptr, history.item, self._arrays["popularity"][:, None], mean)
        return mean[:, 0]
