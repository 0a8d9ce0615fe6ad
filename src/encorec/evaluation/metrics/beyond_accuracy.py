"""How novel, how surprising, how widely spread were the lists? Read with the training interactions.

The popularity of an item is the number of *users* who had it in train. The catalogue is the whole item
vocabulary. A list is what was shown: its empty places count for nothing, and an empty list scores 0.
"""

import numpy as np

from encorec.data.interactions import Interactions
from encorec.errors import DataError
from encorec.evaluation.metrics.lists import JudgedLists
from encorec.evaluation.options import MiufUnseen
from encorec.types import BoolMatrix, FloatVector, IntVector, ItemLists

__all__ = [
    "average_popularity",
    "coverage",
    "entropy",
    "exposure",
    "gini",
    "miuf",
    "popularity_lift",
    "serendipity",
]


def miuf(lists: JudgedLists, train: Interactions, k: int, *, unseen: MiufUnseen) -> FloatVector:
    """(n,) mean inverse user frequency: bits of surprise at seeing each item of the list, averaged.

    Args:
        lists: of n users.
        train: only users with an interaction count.
        k: cut-off.
        unseen: an item without users counts as had by ``one_user``, ``skip`` leaves it out, ``error`` refuses it.

    Raises:
        DataError: an unseen item under ``error``.

    Example:
        >>> from encorec.evaluation.metrics.lists import judge
        >>> from encorec.types import ItemLists
        >>> train = Interactions.of(user=[0, 1, 2, 3], item=[0, 0, 0, 1], time=[1, 2, 3, 4])
        >>> miuf(judge(np.array([[1, -1]]), ItemLists.of([[0]])), train, k=2, unseen="one_user").tolist()
        [2.0]
    """
    had_by, users = train.item_users, np.count_nonzero(train.user_counts)
    shown = lists.item[:, :k]
    counted = shown >= 0
    if unseen != "one_user":
        unheard = counted & (had_by[shown] == 0)
        if unseen == "error" and unheard.any():
            _refuse_unseen(lists, unheard)
        counted &= ~unheard
    bits = np.log2(users / np.maximum(had_by, 1))  # zhou2010: self-information
    return _mean_over_list(bits, lists, counted)


def _refuse_unseen(lists: JudgedLists, unheard: BoolMatrix) -> None:
    row, place = np.argwhere(unheard)[0]
    raise DataError(
        f"miuf: {unheard.sum()} recommended items have no users in train (first: row {row}, "
        f'item {lists.item[row, place]}); choose miuf_unseen="one_user" or "skip" to allow them'
    )


def average_popularity(lists: JudgedLists, train: Interactions, k: int) -> FloatVector:
    """(n,) mean number of train users of the items in the list.

    Example:
        >>> from encorec.evaluation.metrics.lists import judge
        >>> from encorec.types import ItemLists
        >>> train = Interactions.of(user=[0, 1, 2, 2], item=[0, 0, 0, 1], time=[1, 2, 3, 4])
        >>> average_popularity(judge(np.array([[1, 0]]), ItemLists.of([[0]])), train, k=2).tolist()
        [2.0]
    """
    return _mean_over_list(train.item_users, lists, lists.item[:, :k] >= 0)  # yin2012


def _mean_over_list(value: FloatVector | IntVector, lists: JudgedLists, counted: BoolMatrix) -> FloatVector:
    """(n,) mean of ``value`` (items,) over the places that are ``counted`` (n, places), 0 where none is."""
    total, places = np.zeros(len(lists)), np.zeros(len(lists), np.int32)
    for place in range(counted.shape[1]):
        total += np.where(counted[:, place], value[lists.item[:, place]], 0.0)
        places += counted[:, place]
    return total / np.maximum(places, 1)


def popularity_lift(lists: JudgedLists, train: Interactions, history: ItemLists, k: int) -> FloatVector:
    """(n,) how much more popular the list is than what the user had: mean over the list / mean over the history - 1.

    A user without a history or without a list has no lift: 0.

    Args:
        lists: of n users.
        train: what popularity is counted in.
        history: n lists of the distinct items that each user had in train.
        k: cut-off.

    Example:
        >>> from encorec.evaluation.metrics.lists import judge
        >>> train = Interactions.of(user=[0, 1, 2, 2], item=[0, 0, 0, 1], time=[1, 2, 3, 4])
        >>> lists = judge(np.array([[0], [1]]), ItemLists.of([[0], [0]]))
        >>> popularity_lift(lists, train, ItemLists.of([[0, 1], [0]]), k=1).round(3).tolist()
        [0.5, -0.667]
    """
    had = np.bincount(history.owner, weights=train.item_users[history.item], minlength=len(lists))
    usual = had / np.maximum(history.lengths, 1)
    shown = average_popularity(lists, train, k)
    told = (usual > 0) & (lists.item[:, :k] >= 0).any(axis=1)
    return np.where(told, shown / np.where(told, usual, 1) - 1, 0.0)  # abdollahpouri2020


def serendipity(lists: JudgedLists, train: Interactions, k: int, *, items: int | None = None) -> FloatVector:
    """(n,) how much better than popularity the hits were ranked, summed and divided by k.

    Rank r of the list means probability (items + 1 - r) / items, and so does rank r by popularity; equally
    popular items share a rank, ranks have no gaps, and an item that nobody had in train has probability 0.

    Args:
        lists: of n users.
        train: what popularity is counted in.
        k: cut-off.
        items: size of the catalogue; none = of the item vocabulary of train.

    Example:
        >>> from encorec.evaluation.metrics.lists import judge
        >>> from encorec.types import ItemLists
        >>> train = Interactions.of(user=[0, 1, 1], item=[0, 0, 1], time=[1, 2, 3], items=4)
        >>> serendipity(judge(np.array([[1, 3]]), ItemLists.of([[1, 3]])), train, k=2).tolist()
        [0.5]
    """
    size = train.items if items is None else items
    expected = _popularity_probability(train, size)
    total = np.zeros(len(lists))
    for place in range(min(k, lists.width)):
        surprise = (size - place) / size - expected[lists.item[:, place]]  # murakami2008
        total += np.where(lists.hit[:, place], np.maximum(surprise, 0.0), 0.0)
    return total / k


def _popularity_probability(train: Interactions, size: int) -> FloatVector:
    """(items,) probability by dense popularity rank in a catalogue of ``size``, 0 for an item without users."""
    had_by = train.item_users
    levels = np.unique(had_by[had_by > 0])
    rank = len(levels) - np.searchsorted(levels, had_by)
    return np.where(had_by > 0, (size + 1 - rank) / size, 0.0)


def exposure(lists: JudgedLists, k: int, items: int) -> IntVector:
    """(items,) in how many lists each item of the catalogue stands; read by ``coverage``, ``gini`` and ``entropy``.

    Example:
        >>> from encorec.evaluation.metrics.lists import judge
        >>> from encorec.types import ItemLists
        >>> exposure(judge(np.array([[1, 0], [1, -1]]), ItemLists.of([[0], [0]])), k=2, items=3).tolist()
        [1, 2, 0]
    """
    return np.bincount(lists.item[:, :k].ravel() + 1, minlength=items + 1)[1:]  # -1, an empty place, falls out


def coverage(exposed: IntVector, *, absolute: bool = False) -> float:
    """Share of the catalogue that was shown to anybody, or the number of its items that were.

    Args:
        exposed: (items,) from ``exposure``.
        absolute: the number in place of the share.

    Example:
        >>> coverage(np.array([5, 0, 1, 0])), coverage(np.array([5, 0, 1, 0]), absolute=True)
        (0.5, 2.0)
    """
    shown = np.count_nonzero(exposed)
    return float(shown if absolute else shown / len(exposed))  # ge2010


def gini(exposed: IntVector) -> float:
    """How unequally the catalogue was shown: 0 = each item as often as the others, towards 1 = one item only.

    Args:
        exposed: (items,) from ``exposure``.

    Example:
        >>> gini(np.array([3, 3, 3, 3])), gini(np.array([0, 0, 0, 8]))
        (0.0, 0.75)
    """
    ordered = np.sort(exposed)
    total, items = int(ordered.sum()), len(ordered)
    if total == 0:
        return 0.0
    return float((2 * np.arange(1, items + 1) - items - 1) @ ordered) / (items * total)  # gini1912


def entropy(exposed: IntVector) -> float:
    """How evenly the catalogue was shown, in bits: 0 = one item only, log2(items) = each as often as the others.

    Args:
        exposed: (items,) from ``exposure``.

    Example:
        >>> entropy(np.array([3, 3, 3, 3])), entropy(np.array([0, 0, 0, 8]))
        (2.0, 0.0)
    """
    shown = np.sort(exposed[exposed > 0])
    share = shown / max(int(shown.sum()), 1)
    return float(share @ np.log2(1 / share))  # shannon1948
