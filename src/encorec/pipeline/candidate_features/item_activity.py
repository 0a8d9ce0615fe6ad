"""How an item fared up to the moment of asking: popularity windows, trend, age. Point-in-time by construction."""

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from encorec.data.dataset import Dataset
from encorec.pipeline.candidate_features.context import DAY, Context
from encorec.protocols import Arrays
from encorec.types import FloatMatrix, IntVector

__all__ = ["ItemActivity"]

WINDOWS = (1, 7, 30, 90)
LARGEST_TABLE = 50_000_000


class ItemActivity:
    """Events of an item before ``now``, in all and in windows of days, relative to the average item.

    Events are counted in whole buckets (a day; longer where the table would not fit) that end at or before ``now``,
    so that nothing later can leak in. After the data's end, windows stay at the end: the newest that is known.

    Args:
        arrays: ``events`` (buckets + 1, items) events before each bucket, ``totals`` the same over all items,
            ``first`` and ``last`` (items,) seconds, ``clock`` (start, bucket length).
    """

    group = "items"
    names = (
        "item_events",
        *(f"item_events_{days}d" for days in WINDOWS),
        "item_recent_share",
        "item_trend",
        "item_age_days",
        "item_idle_days",
    )

    def __init__(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        self._arrays = dict(arrays)
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
        start = int(table.time.min(initial=0)) // DAY * DAY
        span = max(table.end - start, 1)
        days = max(1, -(-span * table.items // (LARGEST_TABLE * DAY)))
        step = days * DAY
        buckets = -(-span // step)
        cells = (table.time - start) // step * table.items + table.item
        counts = np.bincount(cells, minlength=buckets * table.items).reshape(buckets, table.items)
        events = np.zeros((buckets + 1, table.items), np.int32)
        np.cumsum(counts, axis=0, out=events[1:])
        first = np.full(table.items, table.end, np.int64)
        last = np.full(table.items, start, np.int64)
        np.minimum.at(first, table.item, table.time)
        np.maximum.at(last, table.item, table.time)
        totals = events.sum(axis=1, dtype=np.int64)
        return cls({
            "events": events, "totals": totals, "first": first, "last": last, "clock": np.array([start, step])
        })  # fmt: skip

    def arrays(self) -> Arrays:
        """Everything learnt, by name."""
        return self._arrays

    @classmethod
    def from_arrays(cls, names: tuple[str, ...], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The group that these arrays were taken from."""
        return cls(arrays)

    def compute(self, context: Context, out: FloatMatrix) -> None:
        """Write (m, 9) float32."""
        query, item, now = context.candidates.query, context.candidates.item, context.queries.now
        bucket = self._bucket(now)
        so_far = self._counts(bucket, query, item)
        total = self._arrays["totals"][bucket]
        scale = len(self._arrays["first"])
        out[:, 0] = so_far * (scale / np.maximum(total, 1))[query]
        for column, days in enumerate(WINDOWS, 1):
            before = self._bucket(self._known(now) - days * DAY)
            inside = so_far - self._counts(before, query, item)
            out[:, column] = inside * (scale / np.maximum(total - self._arrays["totals"][before], 1))[query]
            if days == 30:
                out[:, 5] = inside / np.maximum(so_far, 1)
        out[:, 6] = out[:, 2] / (out[:, 3] + 1)
        seconds = now[query]
        out[:, 7] = np.maximum(seconds - self._arrays["first"][item], 0) / DAY
        out[:, 8] = np.maximum(seconds - self._arrays["last"][item], 0) / DAY

    def _known(self, now: IntVector) -> IntVector:
        """(n,) ``now``, or the end of the data where that is earlier."""
        return np.minimum(now, self._start + self._step * (len(self._arrays["events"]) - 1))

    def _bucket(self, time: IntVector) -> IntVector:
        """(n,) number of whole buckets before each time."""
        return np.clip((time - self._start) // self._step, 0, len(self._arrays["events"]) - 1)

    def _counts(self, bucket: IntVector, query: IntVector, item: IntVector) -> IntVector:
        """(m,) events of each candidate before its query's bucket."""
        events = self._arrays["events"]
        return events[bucket[0], item] if len(bucket) == 1 else events[bucket[query], item]
