"""How far does a list depart from another: from what is popular, or from another system's list?"""

import numpy as np

from encorec.data.interactions import Interactions
from encorec.evaluation.metrics.list_loops import count_common
from encorec.evaluation.metrics.lists import JudgedLists
from encorec.types import BoolVector, FloatVector, IntMatrix, IntVector

__all__ = ["intersection", "most_popular", "unexpectedness", "unpopularity"]


def intersection(lists: JudgedLists, reference: IntMatrix, k: int, *, reference_k: int | None = None) -> FloatVector:
    """(n,) share of the list that is in the reference list of the same user; an empty list shares nothing.

    Args:
        lists: of n users.
        reference: (n, width') int32 item numbers, -1 = empty, or (1, width') for all users.
        k: cut-off.
        reference_k: cut-off of the reference; none = k.

    Example:
        >>> from encorec.evaluation.metrics.lists import judge
        >>> from encorec.types import ItemLists
        >>> lists = judge(np.array([[4, 5, 6, 7]]), ItemLists.of([[5]]))
        >>> intersection(lists, np.array([[6, 9, 4]], np.int32), k=4, reference_k=2).tolist()
        [0.25]
    """
    cut = k if reference_k is None else reference_k
    common = np.empty(len(lists), np.int32)
    count_common(np.ascontiguousarray(lists.item[:, :k]), np.ascontiguousarray(reference[:, :cut]), common)
    return common / np.maximum(_shown(lists, k), 1)


def unexpectedness(lists: JudgedLists, reference: IntMatrix, k: int) -> FloatVector:
    """(n,) share of the list that is not in the first k places of the reference list; 0 for an empty list.

    Args:
        lists: of n users.
        reference: (n, width') int32 item numbers, -1 = empty, or (1, width') for all users.
        k: cut-off of both.

    Example:
        >>> from encorec.evaluation.metrics.lists import judge
        >>> from encorec.types import ItemLists
        >>> lists = judge(np.array([[4, 5, 6, 7]]), ItemLists.of([[5]]))
        >>> unexpectedness(lists, np.array([[6, 9, 4]], np.int32), k=4).tolist()
        [0.5]
    """
    return np.where(_shown(lists, k) > 0, 1 - intersection(lists, reference, k), 0.0)  # murakami2008


def unpopularity(lists: JudgedLists, train: Interactions, k: int) -> FloatVector:
    """(n,) unexpectedness where the reference are the k most popular items: share of the list that is none of them.

    Example:
        >>> from encorec.evaluation.metrics.lists import judge
        >>> from encorec.types import ItemLists
        >>> train = Interactions.of(user=[0, 1, 1], item=[0, 0, 1], time=[1, 2, 3])
        >>> unpopularity(judge(np.array([[0], [1]]), ItemLists.of([[0], [1]])), train, k=1).tolist()
        [0.0, 1.0]
    """
    popular = most_popular(train, k)
    unexpected = np.zeros(len(lists), np.int32)
    for place in range(min(k, lists.width)):
        shown = lists.item[:, place]
        unexpected += (shown >= 0) & ~popular[shown]
    return unexpected / np.maximum(_shown(lists, k), 1)  # murakami2008


def most_popular(train: Interactions, k: int) -> BoolVector:
    """(items,) true for the items with the k largest numbers of users, and for all that are as popular as the last.

    Example:
        >>> most_popular(Interactions.of(user=[0, 1, 1, 1], item=[0, 0, 1, 2], time=[1, 2, 3, 4]), k=2).tolist()
        [True, True, True]
    """
    had_by = train.item_users
    least = np.sort(had_by)[-min(k, len(had_by))]
    return had_by >= max(int(least), 1)


def _shown(lists: JudgedLists, k: int) -> IntVector:
    """(n,) items in the first k places."""
    return (lists.item[:, :k] >= 0).sum(axis=1)
