"""From a configuration to a verdict and an artifact: the whole path, for the command line and the notebook.

The verdict comes from models that saw nothing of the test period; the artifact is then refit on all the data.
"""

from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from encorec.data.dataset import Dataset
from encorec.data.sources import Source
from encorec.data.splits import Fold, Split, earlier_folds
from encorec.errors import ConfigError, DataError
from encorec.pipeline.artifact import load_artifact, save_artifact
from encorec.pipeline.checkpoints import Checkpoints, fold_digest
from encorec.pipeline.engine import Engine
from encorec.pipeline.fit import FoldRows, PipelineConfig, Progress, fit_first_stage, fit_ranker, fold_rows
from encorec.pipeline.manifest import read_manifest, write_manifest
from encorec.pipeline.two_stage import TwoStage
from encorec.ranking.catboost_ranker import CatBoostRanker
from encorec.verdict import FUSION, TWO_STAGE, EvaluationConfig, judge_systems, refuse_unjudgeable

__all__ = ["Exam", "RunConfig", "examine", "refit", "train"]


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
    refuse_unjudgeable(config.evaluation, test)
    earlier = earlier_folds(test, config.split, drop_seen=config.drop_seen)
    parts = [_label_fold(config, fold, progress, checkpoints) for fold in islice(earlier, config.training.folds)]
    if not parts:
        raise DataError(f"split {test.name}: no label fold fits before the test; use a shorter exam or more data")
    first = fit_first_stage(config.pipeline, test.past, config.seed, progress)
    ranker = fit_ranker(config.pipeline, parts, first.features.names, config.seed, progress)
    pipeline = TwoStage(first, ranker)
    report = _report(config, data, test, parts, pipeline, progress)
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


def _label_fold(config: RunConfig, fold: Fold, progress: Progress | None, checkpoints: Checkpoints | None) -> FoldRows:
    def make() -> FoldRows:
        first = fit_first_stage(config.pipeline, fold.past, config.seed, progress)
        return fold_rows(config.pipeline, fold, first, config.seed, progress)

    if checkpoints is None:
        return make()
    return checkpoints.kept((msgspec.json.encode(config.pipeline), fold_digest(fold), str(config.seed)), make)


def _report(
    config: RunConfig, data: Dataset, test: Fold, parts: list[FoldRows], pipeline: TwoStage, progress: Progress | None
) -> dict[str, Any]:
    """Everything measured on the test fold."""
    return {
        "name": config.name,
        "seed": config.seed,
        "data": {"source": data.name, "fingerprint": data.fingerprint, "interactions": len(data.interactions)},
        "split": msgspec.to_builtins(test.statistics),
        "ceilings": [msgspec.to_builtins(part.ceiling) for part in parts],
        **judge_systems(config.evaluation, test, config.seen, pipeline, config.seed, progress),
        "ranker": {"rows": sum(len(part.rows) for part in parts), **_ranker_facts(pipeline)},
    }


def _ranker_facts(pipeline: TwoStage) -> dict[str, Any]:
    ranker = pipeline.ranker
    return {"trees": ranker.trees, "importance": ranker.importance()} if isinstance(ranker, CatBoostRanker) else {}
