"""Team draft: in every round each ranker, in an order drawn anew, picks its best item that is not taken yet."""

from collections.abc import Sequence

import numpy as np

from encorec.experiment.interleaving.interleaved import NOBODY, Interleaved, shared_top

__all__ = ["team_draft"]


def team_draft(
    lists: Sequence[Sequence[int | str]], k: int, rng: np.random.Generator, *, neutral_top: bool = True
) -> Interleaved:
    """Mix two lists (team draft) or more (team draft multileaving).

    Args:
        lists: of every ranker, best first, no item twice in one.
        k: places.
        rng: of the order of picking.
        neutral_top: see ``interleave``.

    Example:
        >>> team_draft([[1, 2], [1, 2]], 2, np.random.default_rng(0)).team.tolist()
        [-1, -1]
    """
    top = shared_top(lists, k) if neutral_top else 0
    items, team = list(lists[0][:top]), [NOBODY] * top
    taken, waiting = set(items), [iter(one) for one in lists]
    while len(items) < k:
        before = len(items)
        for ranker in rng.permutation(len(lists)).tolist():  # radlinski2008, schuth2014
            item = next((one for one in waiting[ranker] if one not in taken), None)
            if item is not None and len(items) < k:
                items.append(item)
                team.append(ranker)
                taken.add(item)
        if len(items) == before:
            break
    return Interleaved.of(items, team)
