"""Optimised interleaving: of all lists that respect both rankings, the most telling mixture that favours nobody.

Credit is the difference of ranks. The chances of the lists solve a linear programme: a reader who clicks at random
gives, at every place, as much to one ranker as to the other, and the expected sensitivity is as large as it can be.
"""

from collections.abc import Sequence

import numpy as np

from encorec.experiment.interleaving.balanced import places_of
from encorec.experiment.interleaving.interleaved import NOBODY, Interleaved
from encorec.types import FloatMatrix, FloatVector

__all__ = ["MOST_PLACES", "allowed_lists", "list_chances", "optimised", "rank_credits"]

MOST_PLACES = 12
_LARGE = 1e4
"""Price of one unit of bias: where no mixture is free of it, the least biased one is taken."""


def optimised(first: Sequence[int | str], second: Sequence[int | str], k: int, rng: np.random.Generator) -> Interleaved:
    """Mix two lists; a click counts for the ranker that has the item higher up, by how many ranks.

    Places behind the shorter list are filled with what is left, for nobody.

    Args:
        first: best first, no item twice.
        second: of the other ranker.
        k: places, at most 12.
        rng: draws one of the lists.

    Example:
        >>> mixed = optimised(["a", "b", "c"], ["b", "c", "a"], 3, np.random.default_rng(0))
        >>> mixed.items, mixed.team.tolist(), mixed.credit.tolist()
        (['b', 'a', 'c'], [1, 0, 1], [1.0, 2.0, 1.0])
    """
    both = min(k, len(first), len(second))
    lists = allowed_lists(first[:both], second[:both], both)
    credits = rank_credits(lists, first[:both], second[:both])
    drawn = int(rng.choice(len(lists), p=list_chances(credits)))
    mixed = dict.fromkeys([*lists[drawn], *first, *second])
    items = list(mixed)[:k]
    credit = np.pad(credits[drawn], (0, len(items) - both))
    team = np.select([credit > 0, credit < 0], [0, 1], NOBODY).astype(np.int8)
    return Interleaved(items, team, np.abs(credit))


def allowed_lists(first: Sequence[int | str], second: Sequence[int | str], k: int) -> list[tuple[int | str, ...]]:
    """All lists of which every beginning joins a beginning of the one ranking with one of the other.

    Args:
        first: best first.
        second: best first.
        k: places.

    Example:
        >>> allowed_lists(["a", "b"], ["b", "c"], 2)
        [('a', 'b'), ('b', 'a'), ('b', 'c')]
    """
    grown: dict[tuple[int | str, ...], None] = {(): None}
    for _ in range(min(k, len(set(first) | set(second)))):
        longer: dict[tuple[int | str, ...], None] = {}
        for start in grown:
            for ranked in (first, second):
                item = next((one for one in ranked if one not in start), None)
                if item is not None:
                    longer.setdefault((*start, item))
        grown = longer
    return list(grown)


def rank_credits(
    lists: Sequence[Sequence[int | str]], first: Sequence[int | str], second: Sequence[int | str]
) -> FloatMatrix:
    """(lists, k) float64 by how many ranks the first ranking has an item higher than the second; below 0 = lower.

    Args:
        lists: of k items.
        first: best first.
        second: best first.

    Example:
        >>> rank_credits([("a", "c")], ["a", "b"], ["b", "c"]).tolist()
        [[2.0, -1.0]]
    """
    items = list(dict.fromkeys([*first, *second]))
    worth = places_of(second, items) - places_of(first, items)  # radlinski2013
    known = dict(zip(items, worth.astype(np.float64).tolist(), strict=True))
    return np.array([[known[item] for item in one] for one in lists], np.float64).reshape(len(lists), -1)


def list_chances(credits: FloatMatrix) -> FloatVector:
    """(lists,) float64 probabilities, summing to 1, that favour no ranker at any place and tell the most.

    Args:
        credits: (lists, k) of ``rank_credits``.

    Example:
        >>> list_chances(np.array([[1.0, -1.0], [-1.0, 1.0]])).tolist()
        [0.5, 0.5]
    """
    from scipy.optimize import linprog

    lists, k = credits.shape
    if lists == 1:
        return np.ones(1)
    cost = np.concatenate([-_sensitivity(credits), np.full(2 * k, _LARGE)])
    fair = np.hstack([credits.T, np.eye(k), -np.eye(k)])  # radlinski2013
    whole = np.concatenate([np.ones(lists), np.zeros(2 * k)])[None, :]
    wanted = np.append(np.zeros(k), 1.0)
    found = linprog(cost, A_eq=np.vstack([fair, whole]), b_eq=wanted, method="highs")
    chance = np.clip(found.x[:lists], 0, None)
    return chance / chance.sum()


def _sensitivity(credits: FloatMatrix) -> FloatVector:
    """(lists,) entropy of who wins by one click, the places clicked as 1 / rank; a tie tells nothing."""
    look = 1 / np.arange(1, credits.shape[1] + 1)
    share = look / look.sum()
    won, lost = ((side * share).sum(axis=1) for side in (credits > 0, credits < 0))
    told = won + lost
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = np.stack([won, lost]) / told
        entropy = -np.where(parts > 0, parts * np.log2(parts), 0).sum(axis=0)
    return np.where(told > 0, told * entropy, 0)  # radlinski2013
