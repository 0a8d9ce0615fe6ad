"""From lists and truth to named values: ``evaluate(recommended, truth, ["ndcg@10", "coverage@10"])``."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from encorec.data.features import FeatureTable
from encorec.data.interactions import Interactions
from encorec.errors import ConfigError
from encorec.evaluation.metrics.beyond_accuracy import exposure
from encorec.evaluation.metrics.debias import inverse_propensity, kept_by_down_sampling
from encorec.evaluation.metrics.diversity import unknown_pairs
from encorec.evaluation.metrics.evidence import Evidence, Known
from encorec.evaluation.metrics.lists import JudgedLists, judge
from encorec.evaluation.metrics.metric_table import (
    OF_CATALOGUE,
    OF_QUALITY,
    PER_USER,
    WEIGHTED,
    Metric,
    metric_names,
    parse_metric,
)
from encorec.evaluation.options import DEFAULT_OPTIONS, MetricOptions
from encorec.evaluation.uncertainty import mean_over_users
from encorec.types import BoolVector, FloatVector, IntMatrix, IntVector, ItemLists

__all__ = ["Evaluation", "Metric", "evaluate", "metric_names", "parse_metric"]

_OF_TRUTH = frozenset({"precision", "recall", "f1", "hit_rate", "mrr", "map", "ndcg", "r_precision"})


@dataclass(frozen=True)
class Evaluation:
    """What the metrics said of one system's lists.

    Args:
        per_user: metric -> (n,) float64, one value per user of the truth.
        catalogue: metric -> one value for all lists together.
        skipped_pairs: ild metric -> pairs shown together that could not be compared.
        users: n, the users of the truth.
        covered_users: those who were recommended anything; the others count as 0.
        undefined: calibration or popularity_lift -> users of whom it cannot be told, counted as 0.
        rows: (n,) which of the lists given the values belong to: all of them, but for users whose truth was
            down-sampled to nothing.

    Example:
        >>> evaluation = evaluate(np.array([[1, 2], [-1, -1]]), ItemLists.of([[1], [2]]), ["mrr@2"])
        >>> evaluation.per_user["mrr@2"].tolist(), evaluation.means, evaluation.covered_users
        ([1.0, 0.0], {'mrr@2': 0.5}, 1)
    """

    per_user: dict[str, FloatVector]
    catalogue: dict[str, float]
    skipped_pairs: dict[str, int]
    users: int
    covered_users: int
    undefined: dict[str, int] = field(default_factory=dict)
    rows: IntVector = field(default_factory=lambda: np.empty(0, np.int64))

    @property
    def means(self) -> dict[str, float]:
        """Every metric as one number: the mean over users, or the value of the catalogue."""
        return {name: mean_over_users(values) for name, values in self.per_user.items()} | self.catalogue


def evaluate(
    recommended: IntMatrix,
    truth: ItemLists,
    metrics: Sequence[str],
    *,
    train: Interactions | None = None,
    item_features: FeatureTable | None = None,
    options: MetricOptions = DEFAULT_OPTIONS,
    gain: FloatVector | None = None,
    user: IntVector | None = None,
    reference: IntMatrix | None = None,
    catalogue: BoolVector | None = None,
) -> Evaluation:
    """Judge the lists of n users by any number of metrics.

    Args:
        recommended: (n, width) item numbers, best first, -1 = empty places at the tail. Lists shorter than a
            cut-off are judged at the cut-off; users without recommendations count as 0. A list that holds an item
            twice is refused, unless only sufficient, unrepeated and covered_users are asked for.
        truth: n lists of the distinct relevant items of each user, none of them empty.
        metrics: names such as ``ndcg@10``.
        train: what the system learnt from; for miuf, serendipity and everything about popularity. Its item
            vocabulary is the catalogue of coverage, gini and entropy.
        item_features: of the catalogue; for ild and calibration.
        options: conventions.
        gain: (m,) positive grade of every ``truth.item``, for ndcg; none = all alike.
        user: (n,) row in train of the user of each list, -1 = not in train; for calibration and popularity_lift.
        reference: (n, width') other lists, or (1, width') for all users; for intersection, and for unexpectedness,
            which takes the most popular items of train where there is none.
        catalogue: (items,) true for the items that could be recommended; none = the vocabulary of train or, without
            train, of the features.

    Raises:
        ConfigError: a metric that does not exist, lacks what it reads or has no weighted form.
        DataError: lists and truth that do not fit, hold an item twice or go beyond the catalogue.

    Example:
        >>> lists, truth = np.array([[0, 1], [0, 2]]), ItemLists.of([[1], [2, 3]])
        >>> features = FeatureTable(4, numeric={"year": np.array([1990, 1990, 1999, 2001])})
        >>> evaluate(lists, truth, ["recall@2", "ild@2", "coverage@2"], item_features=features).means
        {'recall@2': 0.75, 'ild@2': 0.5, 'coverage@2': 0.75}
    """
    asked = list(dict.fromkeys(parse_metric(name) for name in metrics))
    _check_weighted(asked, options)
    repeats = bool(asked) and all(one.name in OF_QUALITY for one in asked)
    every = judge(recommended, truth, gain, repeats=repeats)
    known = Known(train, item_features, user, reference, catalogue)
    known.check(every.item)
    lists, rows = (every, np.arange(len(every))) if repeats else _debiased(every, truth, gain, options)
    given = Evidence(lists, options, known if lists is every else known.take(rows))
    return Evaluation(
        per_user={str(one): PER_USER[one.name](given, one.k) for one in asked if one.name in PER_USER},
        catalogue=_of_catalogue(given, every, [one for one in asked if one.name in OF_CATALOGUE]),
        skipped_pairs={str(one): _skipped(given, one.k) for one in asked if one.name == "ild"},
        users=len(lists),
        covered_users=int(lists.covered.sum()),
        undefined={
            str(one): int(untold.sum()) for one in asked if (untold := given.undefined(one.name, one.k)) is not None
        },
        rows=rows,
    )


def _check_weighted(asked: Sequence[Metric], options: MetricOptions) -> None:
    """Only sums over relevant items, divided by all of them, can be weighted by inverse propensity."""
    if options.debias_method != "ips":
        return
    for one in asked:
        if one.name in _OF_TRUTH - WEIGHTED:
            raise ConfigError(
                f"{one} has no form weighted by inverse propensity, {', '.join(sorted(WEIGHTED))} have; "
                'leave it out or choose debias_method="iqr"'
            )
    if (options.recall_denominator, options.map_denominator) != ("all", "all"):
        raise ConfigError('debias_method="ips" divides by all relevant items: leave recall and map denominator "all"')


def _debiased(
    every: JudgedLists, truth: ItemLists, gain: FloatVector | None, options: MetricOptions
) -> tuple[JudgedLists, IntVector]:
    """The lists judged by the truth as the options want it, and (n',) their rows."""
    rows = np.arange(len(every))
    if options.debias_method == "none":
        return every, rows
    if options.debias_method == "ips":
        return judge(every.item, truth, gain, weight=inverse_propensity(truth, power=options.debias_power)), rows
    rng = np.random.default_rng(options.debias_seed)
    kept = kept_by_down_sampling(truth, coefficient=options.debias_coefficient, rng=rng)
    lengths = np.bincount(truth.owner[kept], minlength=len(truth))
    rows = np.flatnonzero(lengths)
    less = ItemLists(np.concatenate([[0], np.cumsum(lengths[rows])]), truth.item[kept])
    return judge(every.item[rows], less, None if gain is None else np.asarray(gain)[kept]), rows


def _of_catalogue(given: Evidence, every: JudgedLists, asked: Sequence[Metric]) -> dict[str, float]:
    exposed = {k: given.of_catalogue(exposure(every, k, given.items)) for k in {one.k for one in asked}}
    return {str(one): OF_CATALOGUE[one.name](exposed[one.k], given.options) for one in asked}


def _skipped(given: Evidence, k: int) -> int:
    return unknown_pairs(given.lists, given.attributes, k, distance=given.options.ild_distance)
