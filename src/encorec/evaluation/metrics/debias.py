"""A truth full of popular items flatters popular lists: the truth down-sampled or weighted against popularity.

The popularity of an item is the number of users who have it in the truth.
"""

import numpy as np

from encorec.types import BoolVector, FloatVector, IntVector, ItemLists

__all__ = ["inverse_propensity", "kept_by_down_sampling"]


def kept_by_down_sampling(truth: ItemLists, *, coefficient: float, rng: np.random.Generator) -> BoolVector:
    """(m,) the items of the truth that stay: of an item with too many users, a random sample of as many as allowed.

    Allowed are Q3 + coefficient (Q3 - Q1) users, rounded down, with the quartiles of the popularity of the items of
    the truth. This is the down-sampling of RecTools; with the truth in the order of users and items and an equal
    generator, it is the very same sample. The order of a user's items does not matter.

    Args:
        truth: n lists of distinct relevant items.
        coefficient: of the interquartile range, at least 0.
        rng: the only source of chance.

    Example:
        >>> truth = ItemLists.of([[0, 1], [0, 2], [0, 3], [0, 4], [0]])
        >>> kept = kept_by_down_sampling(truth, coefficient=1.5, rng=np.random.default_rng(0))
        >>> int(kept[truth.item == 0].sum()), bool(kept[truth.item > 0].all())
        (1, True)
    """
    users = np.bincount(truth.item)
    low, high = np.quantile(users[users > 0], [0.25, 0.75])
    most = int(high + coefficient * (high - low))  # tukey1977
    canonical = np.lexsort((truth.item, truth.owner))
    excessive = canonical[users[truth.item[canonical]] > most]
    drawn = excessive[rng.choice(len(excessive), size=len(excessive), replace=False)] if len(excessive) else excessive
    kept = np.ones(len(truth.item), bool)
    kept[drawn[_occurrence(truth.item[drawn]) >= most]] = False
    return kept


def _occurrence(item: IntVector) -> IntVector:
    """(m,) how often the same item has come before."""
    order = np.argsort(item, kind="stable")
    ordered = item[order]
    new = np.append(True, ordered[1:] != ordered[:-1])[: len(item)]
    before = np.empty(len(item), np.int64)
    before[order] = np.arange(len(item)) - np.flatnonzero(new)[np.cumsum(new) - 1]
    return before


def inverse_propensity(truth: ItemLists, *, power: float) -> FloatVector:
    """(m,) weight of every item of the truth: 1 / popularity ** power, scaled to be 1 on average for every user.

    A share of the user's weight is then the self-normalised estimate of what the metric were if all items were
    equally likely to be seen.

    Args:
        truth: n lists of distinct relevant items, none of them empty.
        power: of the popularity; 0 weights nothing.

    Example:
        >>> inverse_propensity(ItemLists.of([[0, 1], [0], [0]]), power=1.0).tolist()
        [0.5, 1.5, 1.0, 1.0]
    """
    weight = np.bincount(truth.item)[truth.item] ** -float(power)  # yang2018
    total = np.bincount(truth.owner, weights=weight, minlength=len(truth))
    return weight * (truth.lengths / total)[truth.owner]
