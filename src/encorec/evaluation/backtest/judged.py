"""What one exam says of every system: the values of each user, kept small enough to hold several exams."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import msgspec
import numpy as np

from encorec.data.features import Categories, FeatureTable
from encorec.data.splits import Fold, FoldStatistics
from encorec.errors import ConfigError, unknown_name
from encorec.evaluation.backtest.rank_shift import RankShift, wanted_places
from encorec.evaluation.backtest.settings import EvaluationConfig
from encorec.evaluation.evaluate import Evaluation, evaluate
from encorec.types import BoolVector, FloatVector, IntMatrix, IntVector

__all__ = ["CURVES", "JudgedFold", "JudgedSystem", "judge_system", "refuse_unjudgeable"]

CURVES = ("recall", "precision", "ndcg")
_USERS_AT_ONCE = 50_000


@dataclass(frozen=True)
class JudgedSystem:
    """One system on one exam.

    Args:
        values: metric -> (n,) one value per user.
        catalogue: metric -> one value of all lists together.
        covered: (n,) true where the user was recommended anything.
        place: (m,) place of each wanted item in the list, 0 where it is not there.
        curves: recall, precision and ndcg -> (width,) means at k = 1, 2, ...

    Example:
        >>> none = np.zeros(0)
        >>> JudgedSystem({}, {"coverage@10": 0.1}, none.astype(bool), none.astype(int), {}).catalogue
        {'coverage@10': 0.1}
    """

    values: dict[str, FloatVector]
    catalogue: dict[str, float]
    covered: BoolVector
    place: IntVector
    curves: dict[str, FloatVector]


@dataclass(frozen=True)
class JudgedFold:
    """All systems on one exam.

    Args:
        statistics: of the exam.
        user: (n,) rows of the users judged.
        owner: (m,) which of the n users wanted each item.
        segments: grouping -> the segment of each user.
        item_age: the segment of each wanted item.
        systems: by name.
        shifts: retriever -> what the second stage moved.
        length: (n,) events in the history of each user.

    Example:
        >>> from encorec.data.dataset import Dataset
        >>> from encorec.data.interactions import Interactions
        >>> from encorec.data.splits import LastN
        >>> fold = LastN().folds(Dataset.of(Interactions.of([0, 0, 1, 1], [0, 1, 1, 0], [1, 2, 1, 2])))[0]
        >>> ages = Categories(np.zeros(2, int), ("any",))
        >>> exam = JudgedFold(fold.statistics, fold.user, fold.truth.owner, {}, ages, {}, {})
        >>> len(exam), len(exam.take(np.array([True, False])))
        (2, 1)
    """

    statistics: FoldStatistics
    user: IntVector
    owner: IntVector
    segments: dict[str, Categories]
    item_age: Categories
    systems: dict[str, JudgedSystem]
    shifts: dict[str, RankShift]
    length: IntVector = field(default_factory=lambda: np.zeros(0, np.int64))

    def __len__(self) -> int:
        return len(self.user)

    def take(self, kept: BoolVector) -> "JudgedFold":
        """The users where ``kept`` (n,); what is of all lists together is left out."""
        wanted = kept[self.owner]
        systems = {
            name: JudgedSystem(
                {metric: values[kept] for metric, values in one.values.items()},
                {},
                one.covered[kept],
                one.place[wanted],
                {},
            )
            for name, one in self.systems.items()
        }
        segments = {name: replace(one, code=one.code[kept]) for name, one in self.segments.items()}
        age = replace(self.item_age, code=self.item_age.code[wanted])
        owner = (np.cumsum(kept) - 1)[self.owner[wanted]]
        length = self.length[kept] if len(self.length) else self.length
        return JudgedFold(self.statistics, self.user[kept], owner, segments, age, systems, {}, length)


def judge_system(config: EvaluationConfig, fold: Fold, lists: IntMatrix) -> JudgedSystem:
    """Judge the lists of one system by all metrics.

    Args:
        config: metrics and conventions.
        fold: an exam of n users.
        lists: (n, width) items, best first, -1 = empty; ``width`` is ``config.k`` or more.

    Example:
        >>> from encorec.data.dataset import Dataset
        >>> from encorec.data.interactions import Interactions
        >>> from encorec.data.splits import LastN
        >>> fold = LastN().folds(Dataset.of(Interactions.of([0, 0, 1, 1], [0, 1, 1, 0], [1, 2, 1, 2])))[0]
        >>> done = judge_system(EvaluationConfig(metrics=("mrr@10",)), fold, np.array([[1, -1], [1, 0]]))
        >>> done.values["mrr@10"].tolist(), done.place.tolist(), done.curves["recall"].tolist()
        ([1.0, 0.5], [1, 2], [0.5, 1.0])
    """
    told = _evaluation(config, fold, lists[:, : config.k])
    covered = lists.max(axis=1, initial=-1) >= 0
    place = wanted_places(lists, fold.truth)
    return JudgedSystem(told.per_user, told.catalogue, covered, place, _curves(config, fold, lists[:, : config.curves]))


def refuse_unjudgeable(config: EvaluationConfig, fold: Fold) -> None:
    """Fail before the work, not after it: systems are compared by a metric that every user has a value of.

    Raises:
        ConfigError: the metric of the verdict has no value per user here, or ``compared`` names no item feature.
    """
    nothing = np.full((len(fold), config.k), -1, np.int32)
    if config.metric not in _evaluation(config, fold, nothing).per_user:
        raise ConfigError(f"evaluation.metric: no user has a {config.metric} in these data; choose another")


def _evaluation(config: EvaluationConfig, fold: Fold, lists: IntMatrix) -> Evaluation:
    features = _compared(config, fold.past.item_features)
    described = bool(features.tags or features.categorical)
    metrics = [name for name in config.all_metrics if described or not name.startswith("ild")]
    train = fold.past.interactions
    return evaluate(
        lists, fold.truth, metrics, train=train, item_features=features, options=config.options, user=fold.user
    )


def _compared(config: EvaluationConfig, features: FeatureTable) -> FeatureTable:
    """The features by which items of a list are held against each other."""
    names = tuple(features.tags or features.categorical) if config.compared is None else config.compared
    known = {**features.tags, **features.categorical}
    for name in names:
        if name not in known:
            raise ConfigError(f"evaluation.compared: {unknown_name('item feature', name, known)}")
    return FeatureTable(
        features.size,
        categorical={name: one for name, one in features.categorical.items() if name in names},
        tags={name: one for name, one in features.tags.items() if name in names},
    )


def _curves(config: EvaluationConfig, fold: Fold, lists: IntMatrix) -> dict[str, FloatVector]:
    """Means at every k, added up over blocks of users: n values for each k would be too many at once."""
    names = [f"{metric}@{k}" for metric in CURVES for k in range(1, lists.shape[1] + 1)]
    options = msgspec.structs.replace(config.options, debias_method="none")
    total = np.zeros(len(names))
    for start in range(0, len(fold), _USERS_AT_ONCE):
        block = slice(start, min(start + _USERS_AT_ONCE, len(fold)))
        total += _sums(evaluate(lists[block], fold.truth.take(block), names, options=options), names)
    means = (total / len(fold)).reshape(len(CURVES), -1)
    return dict(zip(CURVES, means, strict=True))


def _sums(told: Evaluation, names: Sequence[str]) -> FloatVector:
    return np.array([told.per_user[name].sum() for name in names])
