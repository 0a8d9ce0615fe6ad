"""Groups that a mean hides: users by the length of their past and by what they are, wanted items by their age."""

from itertools import pairwise

import numpy as np

from encorec.data.dataset import Dataset
from encorec.data.features import Categories, FeatureTable
from encorec.data.splits import Fold
from encorec.errors import ConfigError, unknown_name
from encorec.evaluation.backtest.settings import SegmentsConfig
from encorec.types import FloatVector, IntVector

__all__ = ["HISTORY", "UserSegments", "item_ages"]

HISTORY = "history"
_DAY = 86_400


class UserSegments:
    """How users are grouped; the groups are those of the whole data set, so that all exams share them.

    Args:
        config: what to group by.
        data: the whole data set; only the spread of its values is read.

    Raises:
        ConfigError: a user feature that does not exist.

    Example:
        >>> from encorec.data.interactions import Interactions
        >>> from encorec.data.splits import LastN
        >>> data = Dataset.of(Interactions.of([0, 0, 1, 1, 1, 1], [0, 1, 0, 1, 2, 3], range(6)))
        >>> groups = UserSegments(SegmentsConfig(history=(2,)), data).of(LastN().folds(data)[0])
        >>> groups["history"].values, groups["history"].code.tolist()
        (('new: no past', 'light: 1', 'heavy: 2 or more'), [1, 2])
    """

    def __init__(self, config: SegmentsConfig, data: Dataset) -> None:
        counts = data.interactions.user_counts
        self._limits = _terciles(counts[counts > 0], 2) if config.history is None else np.array(config.history)
        self._features = _grouped_features(config, data.user_features)

    def of(self, fold: Fold) -> dict[str, Categories]:
        """Name of the grouping -> the segment of each of the n users of ``fold``."""
        length = fold.history.lengths
        code = np.where(length > 0, np.searchsorted(self._limits, length, side="right") + 1, 0)
        groups = {HISTORY: Categories(code, _history_labels(self._limits.tolist()))}
        return groups | {name: Categories(one.code[fold.user], one.values) for name, one in self._features.items()}


def item_ages(config: SegmentsConfig, fold: Fold) -> Categories:
    """The age of each wanted item when its user was asked: time since anybody's first interaction with it.

    Args:
        config: limits in days.
        fold: an exam with m wanted items.

    Returns:
        (m,) codes, in the order of ``fold.truth``; the first segment holds the items that nobody had met by then.

    Example:
        >>> from encorec.data.interactions import Interactions
        >>> from encorec.data.splits import LastN
        >>> table = Interactions.of([0, 1, 1, 2, 2], [0, 1, 0, 1, 9], [0, 0, 86_400 * 8, 5, 6])
        >>> ages = item_ages(SegmentsConfig(item_age=(7,)), LastN().folds(Dataset.of(table))[0])
        >>> [ages.values[code] for code in ages.code]
        ['7 days or more', 'cold: not met before']
    """
    table = fold.past.interactions
    never = np.iinfo(np.int64).max
    first = np.full(table.items, never)
    np.minimum.at(first, table.item, table.time)
    met, now = first[fold.truth.item], fold.now[fold.truth.owner]
    known = met < now
    days = np.where(known, now - np.where(known, met, 0), 0) / _DAY
    code = np.where(known, np.searchsorted(np.array(config.item_age), days, side="right") + 1, 0)
    return Categories(code, _age_labels(config.item_age))


def _terciles(values: FloatVector | IntVector, least: float) -> FloatVector:
    """Up to two limits that leave about a third of the values on either side and between them."""
    if not len(values):
        return np.empty(0)
    limits = np.unique(np.quantile(values, [1 / 3, 2 / 3], method="higher"))
    return limits[limits >= least]


def _history_labels(limits: list[int]) -> tuple[str, ...]:
    lows, highs = [1, *limits], [*(limit - 1 for limit in limits), None]
    labels = [_between(int(low), high) for low, high in zip(lows, highs, strict=True)]
    if limits:
        labels = [f"light: {labels[0]}", *labels[1:-1], f"heavy: {labels[-1]}"]
    return ("new: no past", *labels)


def _between(low: int, high: float | None) -> str:
    if high is None:
        return f"{low:,} or more"
    return f"{low:,}" if int(high) == low else f"{low:,} to {int(high):,}"


def _age_labels(limits: tuple[float, ...]) -> tuple[str, ...]:
    if not limits:
        return ("cold: not met before", "met before")
    inner = [f"{low:g} to {high:g} days" for low, high in pairwise(limits)]
    return ("cold: not met before", f"under {limits[0]:g} days", *inner, f"{limits[-1]:g} days or more")


def _grouped_features(config: SegmentsConfig, features: FeatureTable) -> dict[str, Categories]:
    """Every user feature to split by, as segments of all users."""
    known = {**features.categorical, **features.numeric}
    groups: dict[str, Categories] = {}
    for name in features.categorical if config.users is None else config.users:
        if name not in known:
            raise ConfigError(f"evaluation.segments.users: {unknown_name('user feature', name, known)}")
        one = known[name]
        label = f"{name} (feature)" if name == HISTORY else name
        groups[label] = _frequent(one, config.values) if isinstance(one, Categories) else _number_thirds(one)
    return groups


def _frequent(one: Categories, most: int) -> Categories:
    """The most frequent values, all others together, and those of whom it is not known."""
    counts = np.bincount(one.code[one.code >= 0], minlength=len(one.values))
    kept = np.sort(np.argsort(-counts, kind="stable")[: most if len(counts) > most else len(counts)])
    values = [one.values[code] for code in kept]
    number = np.full(len(one.values) + 1, len(values))
    number[kept] = np.arange(len(kept))
    number[-1] = len(values) + 1  # code -1: missing
    return Categories(number[one.code], (*values, _apart("all others", values), _apart("missing", values)))


def _apart(label: str, values: list[str]) -> str:
    """A label that no value has."""
    return label if label not in values else _apart(f"({label})", values)


def _number_thirds(column: FloatVector) -> Categories:
    known = ~np.isnan(column)
    limits = _terciles(column[known], -np.inf)
    texts = [f"{limit:g}" for limit in limits]
    inner = [f"{low} to below {high}" for low, high in pairwise(texts)]
    labels = (f"below {texts[0]}", *inner, f"{texts[-1]} or more") if texts else ("all",)
    code = np.where(known, np.searchsorted(limits, np.where(known, column, 0), side="right"), len(labels))
    return Categories(code, (*labels, "missing"))
