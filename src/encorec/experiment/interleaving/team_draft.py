"""Team draft: in every round each ranker, in an order drawn anew, picks its best item that is not taken yet."""

from collections.abc import Sequence

import numpy as np

from encorec.experiment.interleaving.interleaved import NOBODY, Interleaved

__all__ = ["team_draft"]


def team_draft(
    lists: Sequence[Sequence[int | str]], k: int, rng: np.random.Generator, *, neutral_agreement: bool = True
) -> Interleaved:
    """Mix two lists (team draft) or more (team draft multileaving).

    Args:
        lists: of every ranker, best first, no item twice in one.
        k: places.
        rng: of the order of picking.
        neutral_agreement: see ``interleave``.

    Example:
        >>> team_draft([[1, 2, 3], [1, 3, 2]], 3, np.random.default_rng(0)).team.tolist()
        [-1, 0, 1]
    """
    items, team, taken = list[int | str](), list[int](), set[int | str]()
    while len(items) < k:
        best = [next((one for one in ranked if one not in taken), None) for ranked in lists]
        if neutral_agreement and best[0] is not None and best.count(best[0]) == len(best):
            picks = [(NOBODY, best[0])]
        else:
            picks = _round(lists, taken, rng)[: k - len(items)]
        if not picks:
            break
        for ranker, item in picks:
            items.append(item)
            team.append(ranker)
            taken.add(item)
    return Interleaved.of(items, team)


def _round(
    lists: Sequence[Sequence[int | str]], taken: set[int | str], rng: np.random.Generator
) -> list[tuple[int, int | str]]:
    """Who picks what, in order; who has nothing left picks nothing."""
    picks, gone = list[tuple[int, int | str]](), set(taken)
    for ranker in rng.permutation(len(lists)).tolist():  # radlinski2008, schuth2014
        item = next((one for one in lists[ranker] if one not in gone), None)
        if item is not None:
            picks.append((ranker, item))
            gone.add(item)
    return picks
