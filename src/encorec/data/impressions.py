"""What users were shown, whether they took it or not: cut by the same moments as what they did."""

from dataclasses import replace

import numpy as np

from encorec.data.fold import Fold
from encorec.data.interactions import Interactions, distinct
from encorec.types import IntVector, ItemLists

__all__ = ["with_impressions"]


def with_impressions(fold: Fold, log: Interactions | None, start: IntVector, until: int | None = None) -> Fold:
    """The fold with what its users were shown during the exam; its past holds what everybody was shown before.

    Args:
        fold: an exam, cut without a look at impressions.
        log: all impressions; none = the fold comes back as it is.
        start: (users,) int64 second at which the exam of each user begins.
        until: second at which it ends; none = with the log.

    Example:
        >>> from encorec.data.dataset import Dataset
        >>> from encorec.data.splits import LastN
        >>> taken, shown = Interactions.of([0, 0], [0, 1], [5, 9]), Interactions.of([0] * 3, [0, 1, 2], [4, 8, 8])
        >>> shown = Interactions.of(shown.user, shown.item, shown.time, items=3)
        >>> data = Dataset.of(Interactions.of(taken.user, taken.item, taken.time, items=3))
        >>> fold = LastN().folds(data)[0]
        >>> cut = with_impressions(fold, shown, np.array([6]))
        >>> cut.shown.row(0).tolist(), len(cut.past.impressions)
        ([1, 2], 1)
    """
    if log is None:
        return fold
    begun = log.time >= start[log.user]
    during = begun if until is None else begun & (log.time < until)
    pairs = distinct(log.user[during].astype(np.int64) * log.items + log.item[during])
    owner = pairs // log.items
    starts, ends = (np.searchsorted(owner, fold.user, side) for side in ("left", "right"))
    every = ItemLists(np.append(0, np.cumsum(ends - starts)), _slices(pairs % log.items, starts, ends))
    return replace(fold, shown=every, past=replace(fold.past, impressions=log.take(~begun)))


def _slices(item: IntVector, starts: IntVector, ends: IntVector) -> IntVector:
    """The items of each slice, one after the other; users ascend, so the slices do."""
    kept = np.zeros(len(item) + 1, np.int64)
    np.add.at(kept, starts, 1)
    np.subtract.at(kept, ends, 1)
    return item[np.cumsum(kept[:-1]) > 0].astype(np.int32)
