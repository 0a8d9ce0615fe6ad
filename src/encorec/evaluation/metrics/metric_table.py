"""Every metric by its name: which numbers it makes of the evidence."""

from collections.abc import Callable
from dataclasses import dataclass

from encorec.errors import ConfigError, unknown_name
from encorec.evaluation.metrics.accuracy import (
    average_precision,
    f1,
    hit_rate,
    ndcg,
    precision,
    r_precision,
    recall,
    reciprocal_rank,
)
from encorec.evaluation.metrics.beyond_accuracy import (
    average_popularity,
    coverage,
    entropy,
    gini,
    miuf,
    popularity_lift,
    serendipity,
)
from encorec.evaluation.metrics.diversity import intra_list_distance
from encorec.evaluation.metrics.evidence import Evidence
from encorec.evaluation.metrics.list_quality import covered_users, sufficient, unrepeated
from encorec.evaluation.metrics.reference_lists import intersection, unexpectedness, unpopularity
from encorec.evaluation.options import MetricOptions
from encorec.types import FloatVector, IntVector

__all__ = [
    "OF_CATALOGUE",
    "OF_QUALITY",
    "PER_USER",
    "WEIGHTED",
    "WITHOUT_CUT",
    "Metric",
    "metric_names",
    "parse_metric",
]

_LARGEST_CUT = 1_000_000


@dataclass(frozen=True)
class Metric:
    """What to compute and at which cut-off; written ``name@k``, or ``name`` where k is 0: without a cut-off.

    Example:
        >>> str(Metric("ndcg", 10)), str(Metric("r_precision", 0))
        ('ndcg@10', 'r_precision')
    """

    name: str
    k: int

    def __str__(self) -> str:
        return f"{self.name}@{self.k}" if self.k else self.name


def _unexpected(given: Evidence, k: int) -> FloatVector:
    if given.known.reference is None:
        return unpopularity(given.lists, given.train, k)
    return unexpectedness(given.lists, given.reference, k)


PER_USER: dict[str, Callable[[Evidence, int], FloatVector]] = {
    "precision": lambda given, k: precision(given.lists, k),
    "recall": lambda given, k: recall(given.lists, k, denominator=given.options.recall_denominator),
    "f1": lambda given, k: f1(given.lists, k, denominator=given.options.recall_denominator),
    "hit_rate": lambda given, k: hit_rate(given.lists, k),
    "mrr": lambda given, k: reciprocal_rank(given.lists, k),
    "map": lambda given, k: average_precision(given.lists, k, denominator=given.options.map_denominator),
    "ndcg": lambda given, k: ndcg(given.lists, k, ideal=given.options.ndcg_ideal, gain=given.options.ndcg_gain),
    "r_precision": lambda given, _: r_precision(given.lists),
    "miuf": lambda given, k: miuf(given.lists, given.train, k, unseen=given.options.miuf_unseen),
    "avg_popularity": lambda given, k: average_popularity(given.lists, given.train, k),
    "popularity_lift": lambda given, k: popularity_lift(given.lists, given.train, given.history, k),
    "serendipity": lambda given, k: serendipity(given.lists, given.train, k, items=given.serendipity_items),
    "ild": lambda given, k: intra_list_distance(given.lists, given.attributes, k, distance=given.options.ild_distance),
    "unexpectedness": _unexpected,
    "intersection": lambda given, k: intersection(
        given.lists, given.reference, k, reference_k=given.options.intersection_reference_k
    ),
    "calibration": lambda given, k: given.divergences(k).value,
    "sufficient": lambda given, k: sufficient(given.lists, k, unit=given.options.sufficient_unit),
    "unrepeated": lambda given, k: unrepeated(given.lists, k, unit=given.options.unrepeated_unit),
    "covered_users": lambda given, _: covered_users(given.lists),
}

OF_CATALOGUE: dict[str, Callable[[IntVector, MetricOptions], float]] = {
    "coverage": lambda exposed, options: coverage(exposed, absolute=options.coverage_absolute),
    "gini": lambda exposed, _: gini(exposed),
    "entropy": lambda exposed, _: entropy(exposed),
}

WITHOUT_CUT = frozenset({"r_precision", "covered_users"})
OF_QUALITY = frozenset({"sufficient", "unrepeated", "covered_users"})
WEIGHTED = frozenset({"recall", "map", "ndcg"})


def metric_names() -> list[str]:
    """Every name that may stand before the @ of a metric.

    Example:
        >>> "ndcg" in metric_names()
        True
    """
    return [*PER_USER, *OF_CATALOGUE]


def parse_metric(name: str) -> Metric:
    """Read ``ndcg@10``, or ``r_precision`` and ``covered_users``, which have no cut-off.

    Raises:
        ConfigError: no such metric (names the nearest), no cut-off or one too many.

    Example:
        >>> parse_metric("ndcg@10")
        Metric(name='ndcg', k=10)
        >>> parse_metric("ndgc@10")
        Traceback (most recent call last):
        ...
        encorec.errors.ConfigError: unknown metric 'ndgc': did you mean 'ndcg'? allowed: avg_popularity, ...
    """
    base, at, cut = name.partition("@")
    if base not in metric_names():
        raise ConfigError(unknown_name("metric", base, metric_names()))
    if base in WITHOUT_CUT:
        if at:
            raise ConfigError(f"metric {name!r} has no cut-off: write it as {base}")
        return Metric(base, 0)
    if not (cut.isascii() and cut.isdecimal() and int(cut[:20]) > 0):
        raise ConfigError(f"metric {name!r} needs a cut-off of 1 or more: write it as {base}@10")
    if len(cut) > 20 or int(cut) > _LARGEST_CUT:
        raise ConfigError(f"metric {name!r}: the cut-off is at most {_LARGEST_CUT}")
    return Metric(base, int(cut))
