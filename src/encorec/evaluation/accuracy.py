"""Did the lists hold what the users wanted? One value per user, from one matrix of hits.

Ranks start at 1. A list shorter than k is judged at k; an empty list scores 0.
"""

import numpy as np

from encorec.evaluation.lists import JudgedLists
from encorec.evaluation.options import MapDenominator, NdcgIdeal, RecallDenominator
from encorec.types import FloatVector, IntVector

__all__ = ["average_precision", "f1", "hit_rate", "ndcg", "precision", "recall", "reciprocal_rank"]


def precision(lists: JudgedLists, k: int) -> FloatVector:
    """(n,) share of the k places that are hits.

    Example:
        >>> from encorec.evaluation.lists import judge
        >>> from encorec.types import ItemLists
        >>> precision(judge(np.array([[4, 5, 6]]), ItemLists.of([[5, 6, 7]])), k=2).tolist()
        [0.5]
    """
    return lists.hits(k) / k  # manning2008


def recall(lists: JudgedLists, k: int, *, denominator: RecallDenominator) -> FloatVector:
    """(n,) share of the relevant items that are in the list, or of as many as k places can hold.

    Example:
        >>> from encorec.evaluation.lists import judge
        >>> from encorec.types import ItemLists
        >>> lists = judge(np.array([[4, 5]]), ItemLists.of([[5, 6, 7, 8]]))
        >>> recall(lists, k=2, denominator="all").tolist(), recall(lists, k=2, denominator="min").tolist()
        ([0.25], [0.5])
    """
    return lists.hits(k) / _wanted(lists, k, denominator)  # manning2008


def f1(lists: JudgedLists, k: int, *, denominator: RecallDenominator) -> FloatVector:
    """(n,) harmonic mean of precision and recall.

    Example:
        >>> from encorec.evaluation.lists import judge
        >>> from encorec.types import ItemLists
        >>> f1(judge(np.array([[4, 5]]), ItemLists.of([[5, 6, 7]])), k=2, denominator="all").tolist()
        [0.4]
    """
    return 2 * lists.hits(k) / (k + _wanted(lists, k, denominator))  # vanrijsbergen1979: 2PR / (P + R)


def hit_rate(lists: JudgedLists, k: int) -> FloatVector:
    """(n,) 1 where the list holds a relevant item, else 0.

    Example:
        >>> from encorec.evaluation.lists import judge
        >>> from encorec.types import ItemLists
        >>> hit_rate(judge(np.array([[4, 5], [4, 5]]), ItemLists.of([[5], [6]])), k=2).tolist()
        [1.0, 0.0]
    """
    return (lists.hits(k) > 0).astype(np.float64)  # deshpande2004


def reciprocal_rank(lists: JudgedLists, k: int) -> FloatVector:
    """(n,) 1 / rank of the first hit, 0 where there is none; its mean over users is MRR.

    Example:
        >>> from encorec.evaluation.lists import judge
        >>> from encorec.types import ItemLists
        >>> reciprocal_rank(judge(np.array([[4, 5, 6]]), ItemLists.of([[5, 6]])), k=3).tolist()
        [0.5]
    """
    missed = (lists.hits_so_far[:, : k + 1] == 0).sum(axis=1)  # places 0 .. before the first hit: its rank
    return np.where(lists.hits(k) > 0, 1 / missed, 0.0)  # voorhees1999


def average_precision(lists: JudgedLists, k: int, *, denominator: MapDenominator) -> FloatVector:
    """(n,) sum over hits of the precision at their rank, divided as told; its mean over users is MAP.

    Example:
        >>> from encorec.evaluation.lists import judge
        >>> from encorec.types import ItemLists
        >>> lists = judge(np.array([[4, 5]]), ItemLists.of([[4, 6, 7, 8]]))
        >>> [average_precision(lists, k=2, denominator=name).item() for name in ("all", "min", "k")]
        [0.25, 0.5, 0.5]
    """
    hit, ranks = lists.hit[:, :k], np.arange(1, min(k, lists.width) + 1)
    precisions = np.where(hit, lists.hits_so_far[:, 1 : k + 1] / ranks, 0.0)
    return precisions.sum(axis=1) / _wanted(lists, k, denominator)  # buckley2000


def ndcg(lists: JudgedLists, k: int, *, ideal: NdcgIdeal) -> FloatVector:
    """(n,) gain of the hits, discounted by the logarithm of their rank, as a share of the best list's.

    Example:
        >>> from encorec.evaluation.lists import judge
        >>> from encorec.types import ItemLists
        >>> lists = judge(np.array([[4, 5, 6]]), ItemLists.of([[4, 5]]))
        >>> ndcg(lists, k=3, ideal="achievable").item(), round(ndcg(lists, k=3, ideal="k").item(), 4)
        (1.0, 0.7654)
    """
    discounts = 1 / np.log2(np.arange(2, k + 2))  # jarvelin2002, with the discount of burges2005
    gained = np.zeros(len(lists))
    for place, discount in enumerate(discounts[: lists.width]):
        gained += lists.hit[:, place] * discount
    best_hits = np.minimum(lists.relevant, k) if ideal == "achievable" else k
    return gained / np.cumsum(discounts)[best_hits - 1]


def _wanted(lists: JudgedLists, k: int, denominator: MapDenominator) -> IntVector | int:
    """(n,) hits that a metric divides by: all relevant items, as many as fit into k, or k."""
    if denominator == "k":
        return k
    return lists.relevant if denominator == "all" else np.minimum(lists.relevant, k)
