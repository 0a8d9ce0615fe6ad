"""One list out of several rankers' lists, such that clicks on it say which ranker is preferred.

Every unit is its own comparison, so far fewer units are needed than in an A/B test. Which method when:

- ``team-draft`` for two rankers or more: as captains pick players. The usual choice. What all want next is nobody's.
- ``balanced`` for two: the oldest; shown here for comparison with old logs, for it is biased. With the lists a, b, c, d
  and b, c, d, a a reader who clicks any place at random prefers the second three times out of four.
- ``optimised`` for two: the most telling of all mixtures in which such a reader prefers nobody at any place.
"""

from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np

from encorec.errors import ConfigError, QueryError, unknown_name
from encorec.experiment.interleaving.balanced import balanced
from encorec.experiment.interleaving.interleaved import Interleaved
from encorec.experiment.interleaving.optimised import MOST_PLACES, optimised
from encorec.experiment.interleaving.team_draft import team_draft

__all__ = ["InterleavingMethod", "interleave"]

InterleavingMethod = Literal["team-draft", "balanced", "optimised"]


def interleave(
    lists: Sequence[Sequence[int | str]],
    k: int,
    rng: np.random.Generator,
    method: InterleavingMethod = "team-draft",
    *,
    neutral_agreement: bool = True,
) -> Interleaved:
    """Mix the lists of several rankers into one.

    Places behind as many as the shortest list has items belong to nobody: there the longer ones would win by length.

    Args:
        lists: of every ranker, best first, no item twice in one.
        k: places; fewer are filled where the lists are short.
        rng: of the mixing: equal states give equal lists.
        method: two lists or more for ``team-draft``, two for the others.
        neutral_agreement: a place whose item all lists want next belongs to nobody: a click there tells nothing of a
            preference, but a team drawn for it by lot would add noise. For ``team-draft``; the other methods always
            give nothing for what both lists rank alike.

    Raises:
        QueryError: fewer than two lists, an item twice in a list, ``k`` below 1, or too large for ``optimised``.
        ConfigError: an unknown method, or one that mixes two lists only.

    Example:
        >>> mixed = interleave([[1, 2, 3], [2, 4, 1]], 3, np.random.default_rng(0))
        >>> mixed.items, mixed.team.tolist()
        ([1, 2, 3], [0, 1, 0])
    """
    if method not in get_args(InterleavingMethod):
        raise ConfigError(unknown_name("method of interleaving", method, get_args(InterleavingMethod)))
    _check(lists, k)
    if method == "team-draft":
        return team_draft(lists, k, rng, neutral_agreement=neutral_agreement).neutral_from(min(map(len, lists)))
    if len(lists) != 2:
        raise ConfigError(f"method {method!r} mixes two lists, {len(lists)} were given; use 'team-draft'")
    if method == "balanced":
        return balanced(lists[0], lists[1], k, rng).neutral_from(min(map(len, lists)))
    if k > MOST_PLACES:
        raise QueryError(f"k is {k}, allowed is 1 to {MOST_PLACES} for 'optimised': it looks at up to 2^k lists")
    return optimised(lists[0], lists[1], k, rng)


def _check(lists: Sequence[Sequence[int | str]], k: int) -> None:
    if k < 1:
        raise QueryError(f"k is {k}, allowed is 1 or more")
    if len(lists) < 2:
        raise QueryError(f"lists: {len(lists)} given, at least two are mixed")
    for number, one in enumerate(lists):
        if len(set(one)) < len(one):
            twice = next(item for place, item in enumerate(one) if item in one[:place])
            raise QueryError(f"lists: item {twice!r} stands twice in the list of ranker {number}; drop repetitions")
