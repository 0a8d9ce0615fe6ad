"""Are the lists what was asked for: one for every user, filled, without repeats?

These are the metrics that read lists with repeats too. A user without recommendations counts as 0 in all of them.
"""

import numpy as np

from encorec.evaluation.metrics.list_loops import mark_repeats
from encorec.evaluation.metrics.lists import JudgedLists
from encorec.evaluation.options import QualityUnit
from encorec.types import FloatVector

__all__ = ["covered_users", "sufficient", "unrepeated"]


def covered_users(lists: JudgedLists) -> FloatVector:
    """(n,) 1 where the user was recommended anything, else 0.

    Example:
        >>> from encorec.evaluation.metrics.lists import judge
        >>> from encorec.types import ItemLists
        >>> covered_users(judge(np.array([[4, -1], [-1, -1]]), ItemLists.of([[5], [6]]))).tolist()
        [1.0, 0.0]
    """
    return lists.covered.astype(np.float64)


def sufficient(lists: JudgedLists, k: int, *, unit: QualityUnit) -> FloatVector:
    """(n,) 1 where all k places of the ``list`` are filled and else 0, or the share of every ``place`` that is.

    Example:
        >>> from encorec.evaluation.metrics.lists import judge
        >>> from encorec.types import ItemLists
        >>> lists = judge(np.array([[4, 5], [6, -1]]), ItemLists.of([[5], [6]]))
        >>> sufficient(lists, k=2, unit="list").tolist(), sufficient(lists, k=2, unit="place").tolist()
        ([1.0, 0.0], [1.0, 0.5])
    """
    filled = (lists.item[:, :k] >= 0).sum(axis=1)
    return filled / k if unit == "place" else (filled == k).astype(np.float64)


def unrepeated(lists: JudgedLists, k: int, *, unit: QualityUnit) -> FloatVector:
    """(n,) 1 where no item of the ``list`` stands in it twice and else 0, or the share of every ``place`` that repeats
    no earlier one; of the places that are filled.

    Example:
        >>> from encorec.evaluation.metrics.lists import judge
        >>> from encorec.types import ItemLists
        >>> lists = judge(np.array([[4, 5, 4]]), ItemLists.of([[5]]), repeats=True)
        >>> [unrepeated(lists, k=3, unit=unit).round(3).item() for unit in ("list", "place")]
        [0.0, 0.667]
    """
    shown = np.ascontiguousarray(lists.item[:, :k])
    repeated = np.empty(shown.shape, bool)
    mark_repeats(shown, repeated)
    filled, repeats = (shown >= 0).sum(axis=1), repeated.sum(axis=1)
    if unit == "place":
        return (filled - repeats) / np.maximum(filled, 1)
    return ((filled > 0) & (repeats == 0)).astype(np.float64)
