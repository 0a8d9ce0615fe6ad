"""From a configuration to a verdict and an artifact: the whole path, for the command line and the notebook.

The verdict comes from models that saw nothing of the test period; the artifact is then refit on all the data.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from encorec.data.dataset import Dataset
from encorec.data.splits import Fold, Split, earlier_folds
from encorec.errors import DataError
from encorec.evaluation.backtest.exams import cold_fold, drawn_users, exam_count, exams_of
from encorec.evaluation.backtest.judged import JudgedFold, refuse_unjudgeable
from encorec.evaluation.backtest.segments import UserSegments
from encorec.pipeline.artifact import load_artifact, save_artifact
from encorec.pipeline.assembly import assemble
from encorec.pipeline.checkpoints import Checkpoints, fold_digest
from encorec.pipeline.engine import Engine
from encorec.pipeline.fit import FoldRows, Progress, fit_first_stage, fit_ranker
from encorec.pipeline.label_folds import fold_rows, refuse_unteachable
from encorec.pipeline.manifest import read_manifest, write_manifest
from encorec.pipeline.two_stage import FirstStage, TwoStage
from encorec.ranking.registry import LearntRanker
from encorec.retrieval.popularity import PopularityConfig
from encorec.verdict.after_ranking import judge_after_ranking, refuse_unselectable
from encorec.verdict.exam import judge_exam, numbered
from encorec.verdict.explanation import explain_exam, without_points
from encorec.verdict.kept_exams import KeptExams
from encorec.verdict.plug_ins import Factory, plug_in_factories, plug_in_system
from encorec.verdict.run_config import RunConfig
from encorec.verdict.summary import summarise

__all__ = ["Exam", "RunConfig", "examine", "refit", "train"]


@dataclass(frozen=True)
class Exam:
    """A finished exam, with what is needed to refit on all the data.

    Args:
        report: everything measured, ready for JSON.
        parts: rows of the label folds before the newest test.
        test: the newest test fold.
        pipeline: fitted on the past of the newest test fold.
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
    config: RunConfig,
    data: Dataset,
    *,
    systems: Mapping[str, Factory] | None = None,
    progress: Progress | None = None,
    checkpoints: Checkpoints | None = None,
) -> Exam:
    """Sit every exam of the split: train on label folds before it, then judge all systems on it, oldest exam first.

    One fitted pipeline is held at a time. The label folds of an exam that an earlier one has used, or was, are not
    made again.

    Args:
        config: the run.
        data: its data set.
        systems: of one's own, by name: a function from the past of an exam and a generator to an object with
            ``retrieve(queries, n)`` or ``recommend(queries, k)``.
        progress: told what is going on.
        checkpoints: finished folds are kept there and taken from there.

    Raises:
        DataError: too little data for the split or for a single label fold, or lists that a system must not give.
        ConfigError: an evaluation that these data or systems do not allow.
    """
    refuse_unselectable(config.evaluation, config.pipeline, data)
    refuse_unteachable(config.training, data)
    factories = plug_in_factories(config.evaluation.systems, systems, config.retrievers)
    segments = UserSegments(config.evaluation.segments, data)
    sitting = _Sitting(config, data, factories, segments, checkpoints)
    exams = exam_count(config.split)
    tests = exams_of(config.split, data, drop_seen=config.drop_seen)
    for number in range(1, exams + 1):
        told = numbered(progress, number, exams)
        if told:
            told("cut the data", 0, 1)
        split, test = next(tests)
        sitting.sit(split, test, told, newest=number == exams)
    return sitting.exam(progress)


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
        return assemble(config.pipeline, first, data, config.seed, source=exam.report["verdict"]["best_retriever"])
    newest = fold_rows(config.pipeline, exam.test, exam.pipeline.first, config.seed, progress)
    first = fit_first_stage(config.pipeline, data, config.seed, progress)
    parts = [newest, *exam.parts]
    ranker = fit_ranker(config.pipeline, parts, first.features.names, config.seed, progress)
    return assemble(config.pipeline, first, data, config.seed, ranker=ranker, parts=parts)


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
    figures = {"measured_on": f"test fold {exam.test.name}, unseen by these models", **without_points(exam.report)}
    folder = save_artifact(out, pipeline, config.pipeline, data, name=config.name, seed=config.seed, figures=figures)
    engine = Engine(load_artifact(folder, verify=False))
    active = np.flatnonzero(data.interactions.user_counts)
    some = data.users.externals(active[:: max(len(active) // 4, 1)][:4])
    manifest = msgspec.structs.replace(read_manifest(folder), golden=engine.golden([*some, None]))
    write_manifest(folder, manifest)
    return folder


@dataclass
class _Sitting:
    """The exams so far: what they said, and the label folds that the next one can use."""

    config: RunConfig
    data: Dataset
    factories: Mapping[str, Factory]
    segments: UserSegments
    checkpoints: Checkpoints | None
    judged: list[JudgedFold] = field(default_factory=list[JudgedFold])
    apart: list[JudgedFold] = field(default_factory=list[JudgedFold])
    known: dict[tuple[bytes | str, ...], FoldRows] = field(default_factory=dict[tuple[bytes | str, ...], FoldRows])
    newest: tuple[list[FoldRows], Fold, TwoStage] | None = None

    def sit(self, split: Split, test: Fold, progress: Progress | None, *, newest: bool) -> None:
        """Train and judge on one exam; one that was finished before an interruption is taken as it is."""
        config, checkpoints = self.config, self.checkpoints
        if not self.judged:
            refuse_unjudgeable(config.evaluation, test)
        kept = None if checkpoints is None or newest or self.factories else KeptExams(checkpoints.folder)
        done = kept.read(self._exam_key(test)) if kept else None
        if done is None:
            pipeline = self._train(split, test, progress)
            done = self._judge(split, test, pipeline, progress)
            if newest:
                self.newest = list(self.known.values()), test, pipeline
            else:  # the next exam learns from this one
                self.known[self._key(test)] = self._label_fold(test, progress, pipeline.first)
            if kept:
                kept.write(self._exam_key(test), done)
        self.judged.append(done[0])
        self.apart += done[1:]

    def exam(self, progress: Progress | None) -> Exam:
        """All exams together."""
        if self.newest is None:
            raise DataError("no exam was sat")
        config, (parts, test, pipeline) = self.config, self.newest
        retrievers = list(config.retrievers)
        popular = [name for name, one in config.retrievers.items() if isinstance(one, PopularityConfig)]
        said = summarise(config.evaluation, self.judged, self.apart, retrievers, config.seed, progress, popular)
        said |= judge_after_ranking(config.evaluation, config.pipeline, test, pipeline, config.seed, progress)
        if config.evaluation.explain:
            said |= explain_exam(config.evaluation.metric, test, config.seen, pipeline, config.seed, progress)
        return Exam(
            {
                **_circumstances(config, self.data, test, parts),
                **said,
                "ranker": _ranker(parts, pipeline),
                "routing": msgspec.to_builtins(pipeline.routing.told) if pipeline.routing is not None else [],
            },
            parts,
            test,
            pipeline,
        )

    def _train(self, split: Split, test: Fold, progress: Progress | None) -> TwoStage:
        """The pipeline for an exam; ``known`` then holds the label folds that it learnt from, newest first."""
        config = self.config
        earlier = islice(earlier_folds(test, split, drop_seen=config.drop_seen), config.training.folds)
        self.known = {
            self._key(fold): self._label_fold(fold, progress, newest=back == 0) for back, fold in enumerate(earlier)
        }
        if not self.known:
            raise DataError(f"split {test.name}: no label fold fits before the test; use a shorter exam or more data")
        first = fit_first_stage(config.pipeline, test.past, config.seed, progress)
        parts = list(self.known.values())
        ranker = fit_ranker(config.pipeline, parts, first.features.names, config.seed, progress)
        return assemble(config.pipeline, first, test.past, config.seed, ranker=ranker, parts=parts)

    def _judge(self, split: Split, test: Fold, pipeline: TwoStage, progress: Progress | None) -> list[JudgedFold]:
        """The exam and, where the split leaves them out, the same for users without a past."""
        config, rng = self.config, np.random.default_rng([self.config.seed, len(test.past.interactions)])
        plug_ins = {
            name: plug_in_system(name, factory, test.past, np.random.default_rng([config.seed, place]))
            for place, (name, factory) in enumerate(self.factories.items())
        }
        asked, cold = [test], None
        if config.evaluation.cold_users:
            cold = cold_fold(split, self.data, test, drop_seen=config.drop_seen)
        return [
            judge_exam(
                config.evaluation,
                drawn_users(fold, config.evaluation.max_users, rng),
                config.seen,
                pipeline,
                plug_ins,
                self.segments,
                progress,
            )
            for fold in (asked if cold is None else [*asked, cold])
        ]

    def _key(self, fold: Fold) -> tuple[bytes | str, ...]:
        """Everything that the rows of a label fold depend on."""
        return msgspec.json.encode(self.config.pipeline), fold_digest(fold), str(self.config.seed)

    def _exam_key(self, test: Fold) -> tuple[bytes | str, ...]:
        """Everything that the figures of an exam depend on."""
        parts = (self.config.split, self.config.evaluation)
        return *self._key(test), *map(msgspec.json.encode, parts), self.data.fingerprint

    def _label_fold(
        self, fold: Fold, progress: Progress | None, first: FirstStage | None = None, *, newest: bool = True
    ) -> FoldRows:
        """What a fold teaches; its first stage is fitted here where it is not at hand."""
        key, config = self._key(fold), self.config

        def make() -> FoldRows:
            if key in self.known:
                return self.known[key]
            fitted = first or fit_first_stage(config.pipeline, fold.past, config.seed, progress)
            return fold_rows(config.pipeline, fold, fitted, config.seed, progress, newest=newest)

        return make() if self.checkpoints is None else self.checkpoints.kept((*key, str(newest)), make)


def _circumstances(config: RunConfig, data: Dataset, test: Fold, parts: Sequence[FoldRows]) -> dict[str, Any]:
    """What was examined, on what, and what retrieval could reach in the newest exam's label folds."""
    return {
        "name": config.name,
        "seed": config.seed,
        "data": {"source": data.name, "fingerprint": data.fingerprint, "interactions": len(data.interactions)},
        "split": msgspec.to_builtins(test.statistics),
        "ceilings": [msgspec.to_builtins(part.ceiling) for part in parts],
    }


def _ranker(parts: Sequence[FoldRows], pipeline: TwoStage) -> dict[str, Any]:
    ranker, rows = pipeline.ranker, {"rows": sum(len(part.rows) for part in parts)}
    return rows | (
        {"trees": getattr(ranker, "trees", 0), "importance": ranker.importance()}
        if isinstance(ranker, LearntRanker)
        else {}
    )
