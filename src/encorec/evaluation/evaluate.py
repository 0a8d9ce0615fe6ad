"""From lists and truth to named values: ``evaluate(recommended, truth, ["ndcg@10", "coverage@10"])``."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from encorec.data.features import FeatureTable
from encorec.data.interactions import Interactions
from encorec.errors import ConfigError, DataError, unknown_name
from encorec.evaluation.accuracy import average_precision, f1, hit_rate, ndcg, precision, recall, reciprocal_rank
from encorec.evaluation.beyond_accuracy import average_popularity, coverage, exposure, gini, miuf, serendipity
from encorec.evaluation.diversity import ItemAttributes, intra_list_distance, unknown_pairs
from encorec.evaluation.lists import JudgedLists, judge
from encorec.evaluation.options import DEFAULT_OPTIONS, MetricOptions
from encorec.types import FloatVector, IntMatrix, IntVector, ItemLists

__all__ = ["Evaluation", "Metric", "evaluate", "metric_names", "parse_metric"]


@dataclass(frozen=True)
class Metric:
    """What to compute and at which cut-off; written ``name@k``.

    Example:
        >>> str(Metric("ndcg", 10))
        'ndcg@10'
    """

    name: str
    k: int

    def __str__(self) -> str:
        return f"{self.name}@{self.k}"


@dataclass(frozen=True)
class Evaluation:
    """What the metrics said of one system's lists.

    Args:
        per_user: metric -> (n,) float64, one value per user of the truth.
        catalogue: metric -> one value for all lists together.
        skipped_pairs: ild metric -> pairs shown together that could not be compared.
        users: n, the users of the truth.
        covered_users: those who were recommended anything; the others count as 0.

    Example:
        >>> import numpy as np
        >>> evaluation = evaluate(np.array([[1, 2], [-1, -1]]), ItemLists.of([[1], [2]]), ["mrr@2"])
        >>> evaluation.per_user["mrr@2"].tolist(), evaluation.means, evaluation.covered_users
        ([1.0, 0.0], {'mrr@2': 0.5}, 1)
    """

    per_user: dict[str, FloatVector]
    catalogue: dict[str, float]
    skipped_pairs: dict[str, int]
    users: int
    covered_users: int

    @property
    def means(self) -> dict[str, float]:
        """Every metric as one number: the mean over users, or the value of the catalogue."""
        return {name: float(values.mean()) for name, values in self.per_user.items()} | self.catalogue


@dataclass(frozen=True)
class _Evidence:
    """Everything that a metric of one user may look at; what is missing is asked for by name."""

    lists: JudgedLists
    options: MetricOptions
    known_train: Interactions | None
    known_features: FeatureTable | None

    @property
    def train(self) -> Interactions:
        if self.known_train is None:
            raise ConfigError("miuf, avg_popularity and serendipity read the training interactions: pass train=")
        if len(self.known_train) == 0:
            raise DataError("train has no interactions, so no item is popular or novel by it; pass those learnt from")
        return self.known_train

    @cached_property
    def attributes(self) -> ItemAttributes:
        if self.known_features is None:
            raise ConfigError("ild reads the features of the items: pass item_features=")
        return ItemAttributes.of(self.known_features)

    @cached_property
    def items(self) -> int:
        """Size of the catalogue."""
        if self.known_train is not None:
            return self.known_train.items
        if self.known_features is not None:
            return self.known_features.size
        raise ConfigError("coverage and gini need the size of the catalogue: pass train= or item_features=")


_PER_USER: dict[str, Callable[[_Evidence, int], FloatVector]] = {
    "precision": lambda given, k: precision(given.lists, k),
    "recall": lambda given, k: recall(given.lists, k, denominator=given.options.recall_denominator),
    "f1": lambda given, k: f1(given.lists, k, denominator=given.options.recall_denominator),
    "hit_rate": lambda given, k: hit_rate(given.lists, k),
    "mrr": lambda given, k: reciprocal_rank(given.lists, k),
    "map": lambda given, k: average_precision(given.lists, k, denominator=given.options.map_denominator),
    "ndcg": lambda given, k: ndcg(given.lists, k, ideal=given.options.ndcg_ideal),
    "miuf": lambda given, k: miuf(given.lists, given.train, k, unseen=given.options.miuf_unseen),
    "avg_popularity": lambda given, k: average_popularity(given.lists, given.train, k),
    "serendipity": lambda given, k: serendipity(given.lists, given.train, k),
    "ild": lambda given, k: intra_list_distance(given.lists, given.attributes, k, distance=given.options.ild_distance),
}

_CATALOGUE: dict[str, Callable[[IntVector], float]] = {"coverage": coverage, "gini": gini}


def metric_names() -> list[str]:
    """Every name that may stand before the @ of a metric.

    Example:
        >>> "ndcg" in metric_names()
        True
    """
    return [*_PER_USER, *_CATALOGUE]


def parse_metric(name: str) -> Metric:
    """Read ``ndcg@10``.

    Raises:
        ConfigError: no such metric (names the nearest), or no cut-off.

    Example:
        >>> parse_metric("ndcg@10")
        Metric(name='ndcg', k=10)
        >>> parse_metric("ndgc@10")
        Traceback (most recent call last):
        ...
        encorec.errors.ConfigError: unknown metric 'ndgc': did you mean 'ndcg'? allowed: avg_popularity, ...
    """
    base, _, cut = name.partition("@")
    if base not in metric_names():
        raise ConfigError(unknown_name("metric", base, metric_names()))
    if not (cut.isascii() and cut.isdecimal() and int(cut) > 0):
        raise ConfigError(f"metric {name!r} needs a cut-off of 1 or more: write it as {base}@10")
    return Metric(base, int(cut))


def evaluate(
    recommended: IntMatrix,
    truth: ItemLists,
    metrics: Sequence[str],
    *,
    train: Interactions | None = None,
    item_features: FeatureTable | None = None,
    options: MetricOptions = DEFAULT_OPTIONS,
) -> Evaluation:
    """Judge the lists of n users by any number of metrics.

    Args:
        recommended: (n, width) item numbers, best first, -1 = empty places at the tail. Lists shorter than a
            cut-off are judged at the cut-off; users without recommendations count as 0.
        truth: n lists of the distinct relevant items of each user, none of them empty.
        metrics: names such as ``ndcg@10``.
        train: what the system learnt from; for miuf, avg_popularity and serendipity. Its item vocabulary is the
            catalogue of coverage and gini.
        item_features: of the catalogue; for ild.
        options: conventions.

    Raises:
        ConfigError: a metric that does not exist or lacks what it reads.
        DataError: lists and truth that do not fit, hold an item twice or go beyond the catalogue.

    Example:
        >>> import numpy as np
        >>> lists, truth = np.array([[0, 1], [0, 2]]), ItemLists.of([[1], [2, 3]])
        >>> features = FeatureTable(4, numeric={"year": np.array([1990, 1990, 1999, 2001])})
        >>> evaluate(lists, truth, ["recall@2", "ild@2", "coverage@2"], item_features=features).means
        {'recall@2': 0.75, 'ild@2': 0.5, 'coverage@2': 0.75}
    """
    asked = list(dict.fromkeys(parse_metric(name) for name in metrics))
    given = _Evidence(judge(recommended, truth), options, train, item_features)
    _check_catalogue(given)
    return Evaluation(
        per_user={str(one): _PER_USER[one.name](given, one.k) for one in asked if one.name in _PER_USER},
        catalogue=_of_catalogue(given, [one for one in asked if one.name in _CATALOGUE]),
        skipped_pairs={str(one): _skipped(given, one.k) for one in asked if one.name == "ild"},
        users=len(truth),
        covered_users=int(given.lists.covered.sum()),
    )


def _check_catalogue(given: _Evidence) -> None:
    """Every recommended item must have its row in whatever describes the items."""
    largest = int(given.lists.item.max(initial=-1))
    sizes = {
        "train": None if given.known_train is None else given.known_train.items,
        "item_features": None if given.known_features is None else given.known_features.size,
    }
    for name, size in sizes.items():
        if size == 0:
            raise DataError(f"{name} has no items: pass those of the catalogue that was recommended from")
        if size is not None and largest >= size:
            row = int((given.lists.item >= size).any(axis=1).argmax())
            raise DataError(
                f"recommended: item {largest} is beyond the {size} items of {name} (first such list: row {row}); "
                "number both by the same vocabulary"
            )


def _of_catalogue(given: _Evidence, asked: Sequence[Metric]) -> dict[str, float]:
    exposed = {k: exposure(given.lists, k, given.items) for k in {one.k for one in asked}}
    return {str(one): _CATALOGUE[one.name](exposed[one.k]) for one in asked}


def _skipped(given: _Evidence, k: int) -> int:
    return unknown_pairs(given.lists, given.attributes, k, distance=given.options.ild_distance)
