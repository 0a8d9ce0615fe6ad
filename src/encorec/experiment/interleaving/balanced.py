"""Balanced interleaving: two lists are merged from the top; a coin says who is first where both are equally far."""

from collections.abc import Sequence

import numpy as np

from encorec.experiment.interleaving.interleaved import NOBODY, Interleaved

__all__ = ["balanced", "places_of"]


def balanced(first: Sequence[int | str], second: Sequence[int | str], k: int, rng: np.random.Generator) -> Interleaved:
    """Mix two lists; a click counts for the ranker that has the item higher up.

    For a single click that is the published rule. Of several clicks each is judged on its own.

    Args:
        first: best first, no item twice.
        second: of the other ranker.
        k: places.
        rng: of the coin.

    Example:
        >>> mixed = balanced(["a", "b", "c"], ["b", "d", "a"], 3, np.random.default_rng(1))
        >>> mixed.items, mixed.team.tolist()
        (['a', 'b', 'd'], [0, 1, 1])
    """
    lists, lead = (first, second), int(rng.integers(2))
    items: dict[int | str, None] = {}
    next_place = [0, 0]
    while len(items) < k:  # joachims2003
        ends = [next_place[side] >= len(lists[side]) for side in (0, 1)]
        if all(ends):
            break
        behind = next_place[lead] <= next_place[1 - lead]
        side = lead if (behind and not ends[lead]) or ends[1 - lead] else 1 - lead
        items.setdefault(lists[side][next_place[side]])
        next_place[side] += 1
    mixed = list(items)
    ranks = [places_of(one, mixed) for one in lists]
    team = np.select([ranks[0] < ranks[1], ranks[1] < ranks[0]], [0, 1], NOBODY)
    return Interleaved.of(mixed, team.tolist())


def places_of(ranked: Sequence[int | str], items: Sequence[int | str]) -> np.ndarray:
    """(n,) int64 place of each item in a list from 1; one more than its length where it is not there.

    Example:
        >>> places_of(["a", "b"], ["b", "x"]).tolist()
        [2, 3]
    """
    place = {item: number for number, item in enumerate(ranked, 1)}
    return np.array([place.get(item, len(ranked) + 1) for item in items], np.int64)
