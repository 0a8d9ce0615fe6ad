"""How systems are judged: the metrics, the segments, the systems beside those of the pipeline."""

from itertools import pairwise
from typing import Any

import msgspec

from encorec.config import Config, bounded
from encorec.errors import ConfigError
from encorec.evaluation.evaluate import parse_metric
from encorec.evaluation.options import MetricOptions

__all__ = ["EvaluationConfig", "SegmentsConfig", "SystemConfig"]


class SystemConfig(Config):
    """A system of one's own, judged beside those of the pipeline.

    Args:
        factory: ``package.module:attribute``, called as ``attribute(past, rng, **options)`` once per exam. It returns
            an object with ``retrieve(queries, n)`` (candidates) or ``recommend(queries, k)`` (a slate, or an integer
            matrix (queries, k) padded with -1).
        options: further keyword arguments.

    Example:
        >>> SystemConfig(factory="shop.recommenders:bestsellers", options={"days": 7}).options
        {'days': 7}
    """

    factory: str
    options: dict[str, Any] = msgspec.field(default_factory=dict[str, Any])


class SegmentsConfig(Config):
    """Groups of users and of wanted items that are reported apart.

    Args:
        history: lengths of history (events) at which the next segment begins, the first one ``light``, the last one
            ``heavy``; none = the terciles over all users. Users without a past are ``new``.
        users: user features to split by; numbers are split into terciles; none = every categorical feature.
        values: segments of one feature at most: the most frequent values, the others together.
        item_age: days since the first interaction with an item at which the next segment of items begins.

    Raises:
        ConfigError: limits that do not rise.

    Example:
        >>> SegmentsConfig(history=(5, 20)).history
        (5, 20)
    """

    history: tuple[int, ...] | None = None
    users: tuple[str, ...] | None = None
    values: int = 12
    item_age: tuple[float, ...] = (7, 30, 90, 365)

    def __post_init__(self) -> None:
        bounded(self, values=(1, 1000))
        for name, limits, least in (("history", self.history or (), 2), ("item_age", self.item_age, 1e-5)):
            if any(one < least for one in limits) or any(one >= following for one, following in pairwise(limits)):
                raise ConfigError(f"segments.{name} is {list(limits)}, allowed are rising limits of {least:g} or more")


class EvaluationConfig(Config):
    """How systems are judged.

    Args:
        metric: the verdict is given on it.
        metrics: all that are reported, as name@k.
        compared: item features that ild compares; none = all tags, or all categories where there are no tags.
        resamples: of the bootstrap over users.
        options: conventions of the metrics.
        curves: recall, precision and NDCG are drawn for k = 1 to this, or to what every source proposes, if fewer.
        max_users: users judged per exam; more are drawn at random; none = all.
        cold_users: judge users without a past apart where the split leaves them out of the truth.
        segments: groups that are reported apart.
        systems: systems of one's own, by name.
        explain: tell what the ranker of the newest exam looks at: SHAP values, and what is lost without each feature.
        curve: draw what variety costs on the newest exam: the pipeline's selection at five strengths, or where it is
            the best k all that the items allow.

    Example:
        >>> EvaluationConfig(metric="mrr@3", metrics=("recall@20",)).all_metrics
        ('mrr@3', 'recall@20')
    """

    metric: str = "ndcg@10"
    metrics: tuple[str, ...] = (
        "recall@10", "map@10", "mrr@10", "precision@10", "hit_rate@10", "miuf@10", "ild@10", "coverage@10",
    )  # fmt: skip
    compared: tuple[str, ...] | None = None
    resamples: int = 1000
    options: MetricOptions = MetricOptions()
    curves: int = 20
    max_users: int | None = None
    cold_users: bool = True
    segments: SegmentsConfig = SegmentsConfig()
    systems: dict[str, SystemConfig] = msgspec.field(default_factory=dict[str, SystemConfig])
    explain: bool = True
    curve: bool = False

    def __post_init__(self) -> None:
        bounded(self, resamples=(100, 1_000_000), curves=(1, 1000), max_users=(1, 10**9))
        for name in self.all_metrics:
            parse_metric(name)
        if self.options.debias_method == "iqr":
            raise ConfigError("options.debias_method is 'iqr', which leaves users out; allowed here are none and ips")

    @property
    def all_metrics(self) -> tuple[str, ...]:
        """The metric of the verdict first, then the others."""
        return (self.metric, *(name for name in self.metrics if name != self.metric))

    @property
    def k(self) -> int:
        """Length of the lists that every metric can be judged at; 10 where none has a cut-off."""
        return max(parse_metric(name).k for name in self.all_metrics) or 10

    @property
    def verdict_k(self) -> int:
        """Cut-off of the metric of the verdict, that of all lists where it has none."""
        return parse_metric(self.metric).k or self.k
