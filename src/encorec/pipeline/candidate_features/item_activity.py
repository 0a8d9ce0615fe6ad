"""How an item fared up to the moment of asking: popularity windows, trend, age. Point-in-time by construction."""

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from encorec.data.dataset import Dataset
from encorec.pipeline.candidate_features.context import DAY, Context, LearntGroup
from encorec.pipeline.candidate_features.kernels import count_events
from encorec.types import FloatMatrix, IntVector

__all__ = ["ItemActivity"]

WINDOWS = (1, 7, 30, 90)
WINDOW_STARTS = DAY * np.array((0, *WINDOWS))
LARGEST_TABLE = 50_000_000


class ItemActivity(LearntGroup):
    """Events of an item before ``now``, in all and in windows of days, relative to the average item.

    Events are counted in whole buckets (a day; longer where the table would not fit) that end at or before ``now``,
    so that nothing later can leak in; an item is idle since the end of its newest bucket. After the data's end, windows
    stay at the end: the newest that is known.

    Args:
        arrays: ``events`` (buckets + 1, items) events before each bucket, ``totals`` the same over all items,
            ``first`` (items,) seconds, ``newest`` (items,) buckets up to that of the last event, ``clock`` (start,
            bucket length).
    """

    group = "items"
    NAMES = (
        "item_events",
        *(f"item_events_{days}d" for days in WINDOWS),
        "item_recent_share",
        "item_trend",
        "item_age_days",
        "item_idle_days",
    )

    def __init__(self, names: tuple[str, ...], arrays: Mapping[str, NDArray[Any]]) -> None:
        super().__init__(names, arrays)
        self._start, self._step = (int(value) for value in arrays["clock"])

    @classmethod
    def fit(cls, data: Dataset) -> Self:
        """Count the events of every item before every bucket.

        Example:
            >>> from encorec.data.interactions import Interactions
            >>> data = Dataset.of(Interactions.of([0, 1], [0, 0], [0, 86400]))
            >>> ItemActivity.fit(data).arrays()["events"].tolist()
            [[0], [1], [2]]
        """
        table = data.interactions
        start = int(table.time.min(initial=table.end)) // DAY * DAY
        span = max(table.end - start, 1)
        days = max(1, -(-span * table.items // (LARGEST_TABLE * DAY)))
        step = days * DAY
        buckets = -(-span // step)
        cells = (table.time - start) // step * table.items + table.item
        counts = np.bincount(cells, minlength=buckets * table.items).reshape(buckets, table.items)
        events = np.zeros((buckets + 1, table.items), np.int32)
        np.cumsum(counts, axis=0, out=events[1:])
        first = np.full(table.items, np.iinfo(np.int64).max)
        np.minimum.at(first, table.item, table.time)
        newest = np.zeros(table.items, np.int64)
        np.maximum.at(newest, table.item, (table.time - start) // step + 1)
        totals = events.sum(axis=1, dtype=np.int64)
        return cls(cls.NAMES, {
            "events": events, "totals": totals, "first": first, "newest": newest, "clock": np.array([start, step])
        })  # fmt: skip

    def compute(self, context: Context, out: FloatMatrix) -> None:
        """Write (m, 9) float32."""
        learnt, now = self._arrays, context.queries.now
        moments = self._known(now) - WINDOW_STARTS[:, None]
        moments[0] = now
        buckets = self._bucket(moments)
        counts = np.empty((len(WINDOWS) + 3, len(out)), np.float32)
        count_events(
            context.candidates.query, context.candidates.item, now, learnt["events"], learnt["totals"],
            learnt["first"], learnt["newest"], learnt["clock"], buckets, counts,
        )  # fmt: skip
        out[:, :5] = counts[:5].T
        out[:, 5] = counts[3] / np.maximum(counts[0], 1e-6)
        out[:, 6] = counts[2] / (counts[3] + 0.1)
        out[:, 7:] = counts[5:].T

    def _known(self, now: IntVector) -> IntVector:
        """(n,) ``now``, or the end of the data where that is earlier."""
        return np.minimum(now, self._start + self._step * (len(self._arrays["events"]) - 1))

    def _bucket(self, time: IntVector) -> IntVector:
        """Number of whole buckets before each time (any shape)."""
        passed = (time - self._start) // self._step
        return np.minimum(np.maximum(passed, 0), len(self._arrays["events"]) - 1)
