"""Did the lists hold what the users wanted? One value per user, from one matrix of hits.

Ranks start at 1. A list shorter than k is judged at k; an empty list scores 0. Where the truth is weighted, recall
and average precision are shares of the user's weight in place of shares of the user's items.
"""

import numpy as np

from encorec.errors import DataError
from encorec.evaluation.metrics.lists import JudgedLists
from encorec.evaluation.options import MapDenominator, NdcgGain, NdcgIdeal, RecallDenominator
from encorec.types import FloatVector, IntVector

__all__ = ["average_precision", "f1", "hit_rate", "ndcg", "precision", "r_precision", "recall", "reciprocal_rank"]

_STEEPEST = 500


def precision(lists: JudgedLists, k: int) -> FloatVector:
    """(n,) share of the k places that are hits.

    Example:
        >>> from encorec.evaluation.metrics.lists import judge
        >>> from encorec.types import ItemLists
        >>> precision(judge(np.array([[4, 5, 6]]), ItemLists.of([[5, 6, 7]])), k=2).tolist()
        [0.5]
    """
    return lists.hits(k) / k  # manning2008


def recall(lists: JudgedLists, k: int, *, denominator: RecallDenominator) -> FloatVector:
    """(n,) share of the relevant items that are in the list, or of as many as k places can hold.

    Example:
        >>> from encorec.evaluation.metrics.lists import judge
        >>> from encorec.types import ItemLists
        >>> lists = judge(np.array([[4, 5]]), ItemLists.of([[5, 6, 7, 8]]))
        >>> recall(lists, k=2, denominator="all").tolist(), recall(lists, k=2, denominator="min").tolist()
        ([0.25], [0.5])
    """
    found = lists.hits(k) if lists.weight is None else lists.at_hits(lists.weight, k).sum(axis=1)  # yang2018
    return found / _wanted(lists, k, denominator)  # manning2008


def r_precision(lists: JudgedLists) -> FloatVector:
    """(n,) share of hits among as many places as the user has relevant items; a shorter list is judged at that many.

    Example:
        >>> from encorec.evaluation.metrics.lists import judge
        >>> from encorec.types import ItemLists
        >>> r_precision(judge(np.array([[4, 5, 6], [7, -1, -1]]), ItemLists.of([[5, 6], [7, 8]]))).tolist()
        [0.5, 0.5]
    """
    places = np.minimum(lists.relevant, lists.width)
    return lists.hits_so_far[np.arange(len(lists)), places] / lists.relevant  # buckley2000


def f1(lists: JudgedLists, k: int, *, denominator: RecallDenominator) -> FloatVector:
    """(n,) harmonic mean of precision and recall.

    Example:
        >>> from encorec.evaluation.metrics.lists import judge
        >>> from encorec.types import ItemLists
        >>> f1(judge(np.array([[4, 5]]), ItemLists.of([[5, 6, 7]])), k=2, denominator="all").tolist()
        [0.4]
    """
    return 2 * lists.hits(k) / (k + _wanted(lists, k, denominator))  # vanrijsbergen1979: 2PR / (P + R)


def hit_rate(lists: JudgedLists, k: int) -> FloatVector:
    """(n,) 1 where the list holds a relevant item, else 0.

    Example:
        >>> from encorec.evaluation.metrics.lists import judge
        >>> from encorec.types import ItemLists
        >>> hit_rate(judge(np.array([[4, 5], [4, 5]]), ItemLists.of([[5], [6]])), k=2).tolist()
        [1.0, 0.0]
    """
    return (lists.hits(k) > 0).astype(np.float64)  # deshpande2004


def reciprocal_rank(lists: JudgedLists, k: int) -> FloatVector:
    """(n,) 1 / rank of the first hit, 0 where there is none; its mean over users is MRR.

    Example:
        >>> from encorec.evaluation.metrics.lists import judge
        >>> from encorec.types import ItemLists
        >>> reciprocal_rank(judge(np.array([[4, 5, 6]]), ItemLists.of([[5, 6]])), k=3).tolist()
        [0.5]
    """
    missed = (lists.hits_so_far[:, : k + 1] == 0).sum(axis=1)  # places 0 .. before the first hit: its rank
    return np.where(lists.hits(k) > 0, 1 / missed, 0.0)  # voorhees1999


def average_precision(lists: JudgedLists, k: int, *, denominator: MapDenominator) -> FloatVector:
    """(n,) sum over hits of the precision at their rank, divided as told; its mean over users is MAP.

    Example:
        >>> from encorec.evaluation.metrics.lists import judge
        >>> from encorec.types import ItemLists
        >>> lists = judge(np.array([[4, 5]]), ItemLists.of([[4, 6, 7, 8]]))
        >>> [average_precision(lists, k=2, denominator=name).item() for name in ("all", "min", "k")]
        [0.25, 0.5, 0.5]
    """
    worth = lists.hit[:, :k] if lists.weight is None else lists.at_hits(lists.weight, k)  # yang2018
    total = np.zeros(len(lists))
    for place in range(worth.shape[1]):
        total += worth[:, place] * (lists.hits_so_far[:, place + 1] / (place + 1))
    return total / _wanted(lists, k, denominator)  # buckley2000


def ndcg(lists: JudgedLists, k: int, *, ideal: NdcgIdeal, gain: NdcgGain = "linear") -> FloatVector:
    """(n,) gain of the hits, discounted by the logarithm of their rank, as a share of the best list's.

    Without grades a hit gains 1. The best list has the user's most relevant items first (``achievable``), or k items
    each as relevant as the user's best (``k``).

    Example:
        >>> from encorec.evaluation.metrics.lists import judge
        >>> from encorec.types import ItemLists
        >>> lists = judge(np.array([[4, 5, 6]]), ItemLists.of([[4, 5]]))
        >>> ndcg(lists, k=3, ideal="achievable").item(), round(ndcg(lists, k=3, ideal="k").item(), 4)
        (1.0, 0.7654)
        >>> graded = judge(np.array([[4, 5]]), ItemLists.of([[4, 5]]), np.array([1.0, 2.0]))
        >>> round(ndcg(graded, k=2, ideal="achievable", gain="exponential").item(), 4)
        0.7967
    """
    discounts = 1 / np.log2(np.arange(2, k + 2))  # jarvelin2002, with the discount of burges2005
    worth = _worth(lists, gain)
    gained = np.zeros(len(lists))
    at_hits = lists.hit if worth is None else lists.at_hits(worth, k)
    for place, discount in enumerate(discounts[: lists.width]):
        gained += at_hits[:, place] * discount
    if worth is not None:
        return gained / _best_graded(lists.relevant, worth, discounts, ideal)
    best_hits = np.minimum(lists.relevant, k) if ideal == "achievable" else k
    return gained / np.cumsum(discounts)[best_hits - 1]


def _worth(lists: JudgedLists, gain: NdcgGain) -> FloatVector | None:
    """(m,) what a hit on each item of the truth gains; none = 1.

    Raises:
        DataError: a grade that has no exponential gain in float64.
    """
    if lists.gain is None:
        return lists.weight
    if gain == "exponential" and lists.gain.max() > _STEEPEST:
        raise DataError(f"ndcg: grade {lists.gain.max():g} is too high to be gained exponentially, {_STEEPEST} is not")
    gained = np.exp2(lists.gain) - 1 if gain == "exponential" else lists.gain  # burges2005, jarvelin2002
    return gained if lists.weight is None else gained * lists.weight


def _best_graded(relevant: IntVector, worth: FloatVector, discounts: FloatVector, ideal: NdcgIdeal) -> FloatVector:
    """(n,) discounted gain of the best list of each user, whose ``worth`` (m,) stand one user after the other."""
    owner, start = np.repeat(np.arange(len(relevant)), relevant), np.cumsum(relevant) - relevant
    order = np.lexsort((-worth, owner))
    if ideal == "k":
        return worth[order][start] * discounts.sum()
    rank = np.arange(len(worth)) - start[owner]
    counted = rank < len(discounts)
    gains = worth[order][counted] * discounts[rank[counted]]
    return np.bincount(owner[counted], weights=gains, minlength=len(relevant)).astype(np.float64)


def _wanted(lists: JudgedLists, k: int, denominator: MapDenominator) -> IntVector | int:
    """(n,) hits that a metric divides by: all relevant items, as many as fit into k, or k."""
    if denominator == "k":
        return k
    return lists.relevant if denominator == "all" else np.minimum(lists.relevant, k)
