"""Does the list hold the genres that the user likes, in the proportions of the history?

An item spreads its weight of 1 evenly over its genres; items without a genre say nothing. Every distinct item of the
history and every place of the list counts alike.
"""

from dataclasses import dataclass

import numpy as np

from encorec.data.features import FeatureTable
from encorec.errors import ConfigError, unknown_name
from encorec.evaluation.metrics.calibration_loops import diverge
from encorec.evaluation.metrics.lists import JudgedLists
from encorec.evaluation.options import CalibrationDivergence
from encorec.types import BoolVector, FloatVector, ItemLists

__all__ = ["Divergences", "calibration", "genres_of"]


@dataclass(frozen=True)
class Divergences:
    """How far each list is from the taste of its user.

    Args:
        value: (n,) float64 nats; 0 = the proportions of the history; 0 too where it cannot be told.
        told: (n,) false where it cannot be told: no history with genres, or a list of items without genres.

    Example:
        >>> Divergences(np.array([0.0]), np.array([False])).told.tolist()
        [False]
    """

    value: FloatVector
    told: BoolVector


def calibration(
    lists: JudgedLists,
    genres: ItemLists,
    history: ItemLists,
    k: int,
    *,
    divergence: CalibrationDivergence = "kl",
    alpha: float = 0.01,
) -> Divergences:
    """Divergence of the genres of every list from those of the user's history.

    ``kl`` is that of Kullback and Leibler, sum of p log(p / q'), with p of the history and q' = (1 - alpha) q + alpha p
    of the list; ``js`` is that of Jensen and Shannon between p and q. An empty list is as far away as can be:
    log(1 / alpha) and log(2).

    Args:
        lists: of n users.
        genres: the genres of every item of the catalogue, from ``genres_of``.
        history: n lists of the distinct items that each user had.
        k: cut-off.
        divergence: which.
        alpha: share of p in q'.

    Example:
        >>> from encorec.evaluation.metrics.lists import judge
        >>> genres = ItemLists.of([[0], [1], [0, 1]])
        >>> lists = judge(np.array([[2], [0]]), ItemLists.of([[0], [0]]))
        >>> calibration(lists, genres, ItemLists.of([[0, 1], [0, 1]]), k=1).value.round(4).tolist()
        [0.0, 1.9585]
    """
    shown = np.ascontiguousarray(lists.item[:, :k])
    size = int(genres.item.max(initial=-1)) + 1
    value, told = np.empty(len(lists)), np.empty(len(lists), bool)
    diverge(
        np.ascontiguousarray(history.indptr, np.int64),
        np.ascontiguousarray(history.item, np.int32),
        shown,
        np.ascontiguousarray(genres.indptr, np.int64),
        np.ascontiguousarray(genres.item, np.int32),
        size,
        alpha,
        divergence == "js",
        value,
        told,
    )
    return Divergences(value, told)


def genres_of(table: FeatureTable, feature: str | None) -> ItemLists:
    """The values of one feature as a list per item: tags, or a category as a list of at most one.

    Args:
        table: of the catalogue.
        feature: its name; none = the only tags, or where there are none the only category.

    Raises:
        ConfigError: no such feature, or more than one to choose from.

    Example:
        >>> from encorec.data.features import Categories
        >>> genres_of(FeatureTable(2, categorical={"kind": Categories.of(["film", None])}), None).lengths.tolist()
        [1, 0]
    """
    known = {**table.categorical, **table.tags}
    if feature is None:
        choices = list(table.tags or table.categorical)
        if len(choices) != 1:
            found = f"the items have {', '.join(choices)}" if choices else "the items have neither tags nor categories"
            raise ConfigError(f"calibration reads one feature of the items, {found}; name it: calibration_feature")
        feature = choices[0]
    if feature not in known:
        raise ConfigError(unknown_name("calibration_feature", feature, known))
    if feature in table.tags:
        return table.tags[feature].lists
    code = table.categorical[feature].code
    return ItemLists(np.concatenate([[0], np.cumsum(code >= 0)]), code[code >= 0])
