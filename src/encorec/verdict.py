"""How the systems of one exam are judged: every retriever, their fusion and the two-stage, on the same users."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from encorec.config import Config, bounded
from encorec.data.features import FeatureTable
from encorec.data.splits import Fold
from encorec.errors import ConfigError, unknown_name
from encorec.evaluation.evaluate import Evaluation, evaluate, parse_metric
from encorec.evaluation.uncertainty import compare, intervals
from encorec.pipeline.candidates import lists_of
from encorec.pipeline.eligibility import SeenRule, fold_queries
from encorec.pipeline.fit import Progress
from encorec.pipeline.two_stage import TwoStage, query_blocks
from encorec.protocols import Retriever
from encorec.types import IntMatrix, Queries

__all__ = ["FUSION", "TWO_STAGE", "EvaluationConfig", "judge_systems", "refuse_unjudgeable", "single_lists"]

TWO_STAGE, FUSION = "two-stage", "rrf"


class EvaluationConfig(Config):
    """How systems are judged.

    Args:
        metric: the verdict is given on it.
        metrics: all that are reported, as name@k.
        compared: item features that ild compares; none = all tags, or all categories where there are no tags.
        resamples: of the bootstrap over users.
    """

    metric: str = "ndcg@10"
    metrics: tuple[str, ...] = (
        "recall@10", "map@10", "mrr@10", "precision@10", "hit_rate@10", "miuf@10", "ild@10", "coverage@10",
    )  # fmt: skip
    compared: tuple[str, ...] | None = None
    resamples: int = 1000

    def __post_init__(self) -> None:
        bounded(self, resamples=(100, 1_000_000))
        for name in self.all_metrics:
            parse_metric(name)

    @property
    def all_metrics(self) -> tuple[str, ...]:
        """The metric of the verdict first, then the others."""
        return (self.metric, *(name for name in self.metrics if name != self.metric))

    @property
    def k(self) -> int:
        """Length of the lists that every metric can be judged at."""
        return max(parse_metric(name).k for name in self.all_metrics)


def judge_systems(
    config: EvaluationConfig, test: Fold, seen: SeenRule, pipeline: TwoStage, seed: int, progress: Progress | None
) -> dict[str, Any]:
    """``systems`` (every metric of each), ``comparisons`` (the two-stage minus each, paired) and the ``verdict``.

    Args:
        config: how systems are judged.
        test: the exam.
        seen: whether items of a user's history may be shown again.
        pipeline: fitted on the past of the exam.
        seed: of the bootstrap.
        progress: told which system is being judged.
    """
    queries, systems, judged = fold_queries(test, seen), _systems(pipeline), dict[str, Evaluation]()
    for place, (name, answer) in enumerate(systems.items()):
        if progress:
            progress(f"judge {name}", place, len(systems))
        judged[name] = _judge(config, test, answer(queries, config.k))
    return {
        "systems": {name: _figures(config, one, seed) for name, one in judged.items()},
        **_verdict(config, judged, list(pipeline.first.retrievers), seed),
    }


def refuse_unjudgeable(config: EvaluationConfig, test: Fold) -> None:
    """Fail before the work, not after it: systems are compared by a metric that every user has a value of.

    Raises:
        ConfigError: the metric of the verdict has no value per user here, or ``compared`` names no item feature.
    """
    nothing = np.full((len(test), config.k), -1, np.int32)
    if config.metric not in _judge(config, test, nothing).per_user:
        raise ConfigError(f"evaluation.metric: no user has a {config.metric} in these data; choose another")


def single_lists(retriever: Retriever, queries: Queries, k: int) -> IntMatrix:
    """(n, k) items of one retriever alone, padded with -1."""
    lists = np.full((len(queries), k), -1, np.int32)
    for block in query_blocks(queries):
        part = queries.take(block)
        lists[block] = lists_of(retriever.retrieve(part, k), len(part), k)
    return lists


def _systems(pipeline: TwoStage) -> dict[str, Callable[[Queries, int], IntMatrix]]:
    """Every system that is judged, as a function from queries to (n, k) items."""
    singles = {name: partial(single_lists, one) for name, one in pipeline.first.retrievers.items()}
    fused = TwoStage(pipeline.first)
    return singles | {
        FUSION: lambda queries, k: fused.recommend(queries, k).item,
        TWO_STAGE: lambda queries, k: pipeline.recommend(queries, k).item,
    }


def _judge(config: EvaluationConfig, test: Fold, lists: IntMatrix) -> Evaluation:
    features = _compared(config, test.past.item_features)
    described = bool(features.tags or features.categorical)
    metrics = [name for name in config.all_metrics if described or not name.startswith("ild")]
    return evaluate(lists, test.truth, metrics, train=test.past.interactions, item_features=features)


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


def _figures(config: EvaluationConfig, judged: Evaluation, seed: int) -> dict[str, Any]:
    """Every metric of one system with its interval; catalogue metrics have none."""
    estimates = intervals(judged.per_user, rng=np.random.default_rng(seed), resamples=config.resamples)
    figures: dict[str, Any] = {name: {"mean": one.mean, "ci95": [one.low, one.high]} for name, one in estimates.items()}
    figures |= {name: {"mean": value, "ci95": None} for name, value in judged.catalogue.items()}
    return figures | {"users": judged.users, "covered_users": judged.covered_users}


def _verdict(
    config: EvaluationConfig, judged: Mapping[str, Evaluation], retrievers: list[str], seed: int
) -> dict[str, Any]:
    """The two-stage against every other system, paired by user, and one sentence."""
    values = {name: one.per_user[config.metric] for name, one in judged.items()}
    differences = {
        name: compare(values[TWO_STAGE], values[name], rng=np.random.default_rng(seed), resamples=config.resamples)
        for name in judged
        if name != TWO_STAGE
    }
    best = max(retrievers, key=lambda name: values[name].mean())
    gain = differences[best]
    win = all(differences[name].wins for name in retrievers)
    means = f"{values[TWO_STAGE].mean():.4f} against {values[best].mean():.4f}"
    text = (
        f"{config.metric}: {means} of the best retriever, {best}: {gain.mean:+.4f} [{gain.low:+.4f}, {gain.high:+.4f}]"
    )
    sentence = f"the two-stage WINS. {text}" if win else f"NO GAIN from the second stage. {text}"
    return {
        "comparisons": {
            name: {
                "mean": one.mean, "ci95": [one.low, one.high], "p": one.p,
                "better": one.better, "equal": one.equal, "worse": one.worse,
            }
            for name, one in differences.items()
        },
        "verdict": {"win": win, "metric": config.metric, "best_retriever": best, "sentence": sentence},
    }  # fmt: skip
