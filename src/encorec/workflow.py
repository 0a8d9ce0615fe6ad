"""From a configuration to a verdict and an artifact: the whole path, for the command line and the notebook.

The verdict comes from models that saw nothing of the test period; the artifact is then refit on all the data.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from encorec.config import Config, bounded
from encorec.data.dataset import Dataset
from encorec.data.sources import Source
from encorec.data.splits import Fold, Split, earlier_folds
from encorec.errors import ConfigError, DataError
from encorec.evaluation.evaluate import Evaluation, evaluate, parse_metric
from encorec.evaluation.uncertainty import compare, intervals
from encorec.pipeline.artifact import load_artifact, save_artifact
from encorec.pipeline.candidates import lists_of
from encorec.pipeline.checkpoints import Checkpoints, fold_digest
from encorec.pipeline.eligibility import fold_queries
from encorec.pipeline.engine import Engine
from encorec.pipeline.fit import FoldRows, PipelineConfig, Progress, fit_first_stage, fit_ranker, fold_rows
from encorec.pipeline.manifest import read_manifest, write_manifest
from encorec.pipeline.two_stage import TwoStage, query_blocks
from encorec.protocols import Retriever
from encorec.ranking.catboost_ranker import CatBoostRanker
from encorec.types import IntMatrix, Queries

__all__ = ["EvaluationConfig", "Exam", "RunConfig", "examine", "refit", "train"]

TWO_STAGE, FUSION = "two-stage", "rrf"


class EvaluationConfig(Config):
    """How systems are judged.

    Args:
        metric: the verdict is given on it.
        metrics: all that are reported, as name@k.
        resamples: of the bootstrap over users.
    """

    metric: str = "ndcg@10"
    metrics: tuple[str, ...] = (
        "recall@10", "map@10", "mrr@10", "precision@10", "hit_rate@10", "miuf@10", "ild@10", "coverage@10",
    )  # fmt: skip
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


class RunConfig(PipelineConfig, kw_only=True):
    """A whole run: data, exam, pipeline and how it is judged. One TOML file.

    Args:
        name: of the run.
        data: where interactions and features come from.
        split: the exam.
        seed: of everything random.
        evaluation: how systems are judged.
    """

    name: str
    data: Source
    split: Split
    seed: int = 0
    evaluation: EvaluationConfig = EvaluationConfig()

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in {TWO_STAGE, FUSION} & self.retrievers.keys():
            raise ConfigError(f"retrievers: {name!r} is a system of every report; choose another name")

    @property
    def pipeline(self) -> PipelineConfig:
        """The part that the artifact carries."""
        return PipelineConfig(**{name: getattr(self, name) for name in PipelineConfig.__struct_fields__})

    @property
    def drop_seen(self) -> bool:
        """Whether items that the user already had are left out of the truth."""
        return self.seen == "exclude"


@dataclass(frozen=True)
class Exam:
    """A finished exam, with what is needed to refit on all the data.

    Args:
        report: everything measured, ready for JSON.
        parts: rows of the label folds before the test.
        test: the test fold.
        pipeline: fitted on the past of the test fold.
    """

    report: dict[str, Any]
    parts: list[FoldRows]
    test: Fold
    pipeline: TwoStage

    @property
    def won(self) -> bool:
        """Whether the two-stage beat every single retriever."""
        return bool(self.report["verdict"]["win"])


def examine(
    config: RunConfig, data: Dataset, *, progress: Progress | None = None, checkpoints: Checkpoints | None = None
) -> Exam:
    """Train on label folds before the test, then judge every retriever and the two-stage on the test.

    Args:
        config: the run.
        data: its data set.
        progress: told what is going on.
        checkpoints: finished folds are kept there and taken from there.

    Raises:
        DataError: too little data for the split or for a single label fold.
    """
    test = config.split.folds(data, drop_seen=config.drop_seen)[-1]
    _refuse_other_verdicts(config, test)
    earlier = earlier_folds(test, config.split, drop_seen=config.drop_seen)
    parts = [_label_fold(config, fold, progress, checkpoints) for fold in islice(earlier, config.training.folds)]
    if not parts:
        raise DataError(f"split {test.name}: no label fold fits before the test; use a shorter exam or more data")
    first = fit_first_stage(config.pipeline, test.past, config.seed, progress)
    ranker = fit_ranker(config.pipeline, parts, first.features.names, config.seed, progress)
    pipeline = TwoStage(first, ranker)
    report = _report(config, data, test, parts, pipeline, ranker, progress)
    return Exam(report, parts, test, pipeline)


def refit(config: RunConfig, data: Dataset, exam: Exam, *, progress: Progress | None = None) -> TwoStage:
    """The same pipeline fitted on all the data; the test fold becomes the newest label fold.

    A ranker that did not win the exam is not shipped (``training.guard``): the best retriever gives the order.

    Args:
        config: the run.
        data: its data set.
        exam: finished.
        progress: told what is going on.
    """
    if config.training.guard and not exam.won:
        first = fit_first_stage(config.pipeline, data, config.seed, progress)
        return TwoStage(first, source=exam.report["verdict"]["best_retriever"])
    newest = fold_rows(config.pipeline, exam.test, exam.pipeline.first, config.seed, progress)
    first = fit_first_stage(config.pipeline, data, config.seed, progress)
    ranker = fit_ranker(config.pipeline, [newest, *exam.parts], first.features.names, config.seed, progress)
    return TwoStage(first, ranker)


def train(config: RunConfig, data: Dataset, out: str | Path, *, exam: Exam, progress: Progress | None = None) -> Path:
    """Refit on all the data and save the artifact, with the exam's figures and golden requests in its manifest.

    Args:
        config: the run.
        data: its data set.
        out: folder of the artifact.
        exam: finished.
        progress: told what is going on.
    """
    pipeline = refit(config, data, exam, progress=progress)
    figures = {"measured_on": f"test fold {exam.test.name}, unseen by these models", **exam.report}
    folder = save_artifact(out, pipeline, config.pipeline, data, name=config.name, seed=config.seed, figures=figures)
    engine = Engine(load_artifact(folder, verify=False))
    active = np.flatnonzero(data.interactions.user_counts)
    some = data.users.externals(active[:: max(len(active) // 4, 1)][:4])
    manifest = msgspec.structs.replace(read_manifest(folder), golden=engine.golden([*some, None]))
    write_manifest(folder, manifest)
    return folder


def _refuse_other_verdicts(config: RunConfig, test: Fold) -> None:
    """Fail before the work, not after it: systems are compared by a metric that every user has a value of."""
    nothing = np.full((len(test), config.evaluation.k), -1, np.int32)
    if config.evaluation.metric not in _judge(config, test, nothing).per_user:
        raise ConfigError(f"evaluation.metric: no user has a {config.evaluation.metric} in these data; choose another")


def _label_fold(config: RunConfig, fold: Fold, progress: Progress | None, checkpoints: Checkpoints | None) -> FoldRows:
    def make() -> FoldRows:
        first = fit_first_stage(config.pipeline, fold.past, config.seed, progress)
        return fold_rows(config.pipeline, fold, first, config.seed, progress)

    if checkpoints is None:
        return make()
    return checkpoints.kept((msgspec.json.encode(config.pipeline), fold_digest(fold), str(config.seed)), make)


def _report(
    config: RunConfig,
    data: Dataset,
    test: Fold,
    parts: list[FoldRows],
    pipeline: TwoStage,
    ranker: CatBoostRanker,
    progress: Progress | None,
) -> dict[str, Any]:
    """Everything measured on the test fold."""
    queries, k = fold_queries(test, config.seen), config.evaluation.k
    systems = _systems(pipeline)
    judged = {}
    for place, (name, answer) in enumerate(systems.items()):
        if progress:
            progress(f"judge {name}", place, len(systems))
        judged[name] = _judge(config, test, answer(queries, k))
    return {
        "name": config.name,
        "seed": config.seed,
        "data": {"source": data.name, "fingerprint": data.fingerprint, "interactions": len(data.interactions)},
        "split": msgspec.to_builtins(test.statistics),
        "ceilings": [msgspec.to_builtins(part.ceiling) for part in parts],
        "systems": {name: _figures(config, one) for name, one in judged.items()},
        **_verdict(config, judged, list(pipeline.first.retrievers)),
        "ranker": {
            "trees": ranker.trees,
            "rows": sum(len(part.rows) for part in parts),
            "importance": ranker.importance(),
        },
    }


def _systems(pipeline: TwoStage) -> dict[str, Callable[[Queries, int], IntMatrix]]:
    """Every system that is judged, as a function from queries to (n, k) items."""
    singles = {name: partial(_lists, one) for name, one in pipeline.first.retrievers.items()}
    fused = TwoStage(pipeline.first)
    return singles | {
        FUSION: lambda queries, k: fused.recommend(queries, k).item,
        TWO_STAGE: lambda queries, k: pipeline.recommend(queries, k).item,
    }


def _lists(retriever: Retriever, queries: Queries, k: int) -> IntMatrix:
    """(n, k) items of one retriever, padded with -1."""
    lists = np.full((len(queries), k), -1, np.int32)
    for block in query_blocks(queries):
        part = queries.take(block)
        lists[block] = lists_of(retriever.retrieve(part, k), len(part), k)
    return lists


def _judge(config: RunConfig, test: Fold, lists: IntMatrix) -> Evaluation:
    features = test.past.item_features
    described = bool(features.tags or features.categorical)
    metrics = [name for name in config.evaluation.all_metrics if described or not name.startswith("ild")]
    return evaluate(lists, test.truth, metrics, train=test.past.interactions, item_features=features)


def _figures(config: RunConfig, judged: Evaluation) -> dict[str, Any]:
    """Every metric of one system with its interval; catalogue metrics have none."""
    rng = np.random.default_rng(config.seed)
    estimates = intervals(judged.per_user, rng=rng, resamples=config.evaluation.resamples)
    figures: dict[str, Any] = {name: {"mean": one.mean, "ci95": [one.low, one.high]} for name, one in estimates.items()}
    figures |= {name: {"mean": value, "ci95": None} for name, value in judged.catalogue.items()}
    return figures | {"users": judged.users, "covered_users": judged.covered_users}


def _verdict(config: RunConfig, judged: Mapping[str, Evaluation], retrievers: list[str]) -> dict[str, Any]:
    """The two-stage against every other system, paired by user, and one sentence."""
    metric, resamples = config.evaluation.metric, config.evaluation.resamples
    values = {name: one.per_user[metric] for name, one in judged.items()}
    differences = {
        name: compare(values[TWO_STAGE], values[name], rng=np.random.default_rng(config.seed), resamples=resamples)
        for name in judged
        if name != TWO_STAGE
    }
    best = max(retrievers, key=lambda name: values[name].mean())
    gain = differences[best]
    win = all(differences[name].wins for name in retrievers)
    means = f"{values[TWO_STAGE].mean():.4f} against {values[best].mean():.4f}"
    text = f"{metric}: {means} of the best retriever, {best}: {gain.mean:+.4f} [{gain.low:+.4f}, {gain.high:+.4f}]"
    sentence = f"the two-stage WINS. {text}" if win else f"NO GAIN from the second stage. {text}"
    return {
        "comparisons": {
            name: {
                "mean": one.mean, "ci95": [one.low, one.high], "p": one.p,
                "better": one.better, "equal": one.equal, "worse": one.worse,
            }
            for name, one in differences.items()
        },
        "verdict": {"win": win, "metric": metric, "best_retriever": best, "sentence": sentence},
    }  # fmt: skip
