"""When the user asks: the hour, the day of the week, and which items are taken at such times."""

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from encorec.compiled import FLOAT32, INT32, INT64, compiled, read, write
from encorec.data.dataset import Dataset
from encorec.errors import ArtifactError
from encorec.pipeline.candidate_features.context import DAY, Context, LearntGroup
from encorec.types import FloatMatrix, IntVector

__all__ = ["TimeOfAsking"]

PARTS = 4
THURSDAY, SATURDAY = 3, 5
SMOOTHING = 20.0


class TimeOfAsking(LearntGroup):
    """The hour of ``now`` on a circle, its weekday (0 = Monday), and how much the item belongs to them, all in UTC.

    Of k events of an item, j fell into the part of the day (six hours) that ``now`` is in, as a share p of all events
    did: its lift is log((j + a p) / (k + a)) - log(p), a = 20. The same for weekdays and weekends. NaN where the item
    or the part has no event. Lifts are learnt from the whole table; they say nothing of single days.

    Args:
        names: of the features.
        arrays: ``lift`` (items, 6) float32: four parts of the day, weekdays, weekends.

    Raises:
        ArtifactError: the array has another shape.
    """

    group = "time"
    NAMES = ("now_hour_sin", "now_hour_cos", "now_weekday", "item_day_part_lift", "item_weekend_lift")

    def __init__(self, names: tuple[str, ...], arrays: Mapping[str, NDArray[Any]]) -> None:
        super().__init__(names, arrays)
        if arrays["lift"].shape[1:] != (PARTS + 2,):
            raise ArtifactError(f"features/time.lift has the shape {arrays['lift'].shape}; train again")

    @classmethod
    def fit(cls, data: Dataset) -> Self:
        """Count the events of every item in every part of day and week.

        Example:
            >>> from encorec.data.interactions import Interactions
            >>> data = Dataset.of(Interactions.of([0, 0], [0, 1], [0, 43_200]))
            >>> TimeOfAsking.fit(data).arrays()["lift"][0].astype(float).round(3).tolist()
            [0.047, nan, -0.049, nan, 0.0, nan]
        """
        table = data.interactions
        part = table.time % DAY * PARTS // DAY
        weekend = (_weekday(table.time) >= SATURDAY).astype(np.int64)
        lifts = [_lift(one, table.item, table.items, kinds) for one, kinds in ((part, PARTS), (weekend, 2))]
        return cls(cls.NAMES, {"lift": np.concatenate(lifts, axis=1)})

    def compute(self, context: Context, out: FloatMatrix) -> None:
        """Write (m, 5) float32.

        Raises:
            ArtifactError: learnt of another number of items.
        """
        lift, items = self._arrays["lift"], context.queries.items
        if len(lift) != items:
            raise ArtifactError(f"features/time.lift has {len(lift)} rows for {items} items; train again")
        tell_time(context.indptr, context.candidates.item, context.queries.now, lift, out.T)


def _weekday(time: IntVector) -> IntVector:
    """0 = Monday; 1970 began on a Thursday."""
    return (time // DAY + THURSDAY) % 7


def _lift(part: IntVector, item: IntVector, items: int, parts: int) -> FloatMatrix:
    """(items, parts) float32 smoothed log-lift of each part of the time among the events of each item."""
    counts = np.bincount(item * np.int64(parts) + part, minlength=items * parts).reshape(items, parts).astype(float)
    total = counts.sum(axis=1, keepdims=True)
    share = counts.sum(axis=0) / max(total.sum(), 1)
    known = (total > 0) & (share > 0)
    lift = np.full((items, parts), np.nan, np.float32)
    np.log(
        (counts + SMOOTHING * share) / (total + SMOOTHING) / np.where(share > 0, share, 1), out=lift, where=known
    )  # micci2001
    return lift


@compiled(read(INT64), read(INT32), read(INT64), read(FLOAT32, 2), write(FLOAT32, 2))
def tell_time(indptr: IntVector, item: IntVector, now: IntVector, lift: FloatMatrix, out: FloatMatrix) -> None:
    """The time of each query, and the lift of each candidate at it.

    Args:
        indptr: (n + 1,) int64 offsets of the candidates of each query.
        item: (m,) int32.
        now: (n,) int64.
        lift: (items, 6) float32.
        out: (5, m) float32, written.
    """
    for query in range(len(now)):
        second = now[query] % DAY
        sine, cosine = np.sin(2 * np.pi * second / DAY), np.cos(2 * np.pi * second / DAY)
        weekday = (now[query] // DAY + THURSDAY) % 7
        part, kind = second * PARTS // DAY, PARTS + (1 if weekday >= SATURDAY else 0)
        for row in range(indptr[query], indptr[query + 1]):
            out[0, row], out[1, row], out[2, row] = sine, cosine, weekday
            out[3, row], out[4, row] = lift[item[row], part], lift[item[row], kind]
