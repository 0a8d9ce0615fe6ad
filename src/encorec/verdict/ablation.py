"""What each part of a pipeline is worth: the same exam without one group of features, or without one retriever."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import msgspec
import numpy as np

from encorec.data.fold import Fold
from encorec.data.splits import Split, earlier_folds
from encorec.evaluation.backtest.backtest import difference_entry, with_holm
from encorec.evaluation.backtest.exams import drawn_users
from encorec.evaluation.backtest.judged import judge_system
from encorec.evaluation.backtest.settings import EvaluationConfig
from encorec.evaluation.uncertainty import compare, interval
from encorec.pipeline.checkpoints import Checkpoints, fold_digest
from encorec.pipeline.eligibility import fold_queries
from encorec.pipeline.fit import PipelineConfig, Progress, fit_first_stage, fit_ranker
from encorec.pipeline.fold_rows import FoldRows
from encorec.pipeline.label_folds import fold_rows
from encorec.pipeline.two_stage import FirstStage, TwoStage, usable_cores
from encorec.types import FloatVector
from encorec.verdict.drops import Drop, first_without, without
from encorec.verdict.kept_values import KeptValues

__all__ = ["Sat", "ablate"]


@dataclass(frozen=True)
class Sat:
    """A finished exam, as far as an ablation needs it.

    Args:
        config: of the pipeline.
        evaluation: how systems are judged; its metric is that of the ablation.
        split: that made the exam.
        seed: of everything random.
        parts: rows of the label folds, newest first.
        test: the newest exam.
        pipeline: fitted on its past.
    """

    config: PipelineConfig
    evaluation: EvaluationConfig
    split: Split
    seed: int
    parts: Sequence[FoldRows]
    test: Fold
    pipeline: TwoStage


def ablate(
    sat: Sat, drops: Sequence[Drop], *, progress: Progress | None = None, checkpoints: Checkpoints | None = None
) -> dict[str, Any]:
    """The full pipeline and every one that lacks a part, on the same users; differences are paired.

    Without a group of features the ranker is fitted anew on the same rows with fewer columns. Without a retriever the
    candidates, all features and the draw of rows are made anew from the others, which are fitted once per label fold.

    Args:
        sat: the finished exam of the full pipeline.
        drops: parts to leave out, one at a time.
        progress: told what is going on.
        checkpoints: finished rows and judgements are kept there and taken from there.

    Returns:
        ``metric``, ``users``, ``full`` and, for every drop, its mean and ``difference``: without the part minus full.
    """
    metric = sat.evaluation.metric
    with tempfile.TemporaryDirectory() as folder:
        kept = checkpoints or Checkpoints(folder)
        full = _values(sat, sat.pipeline, progress, "judge the full pipeline")
        _make_rows(sat, [one for one in drops if one.kind == "retriever"], kept, progress)
        found = {one: _without(sat, one, kept, progress) for one in drops}
    entries = {one: _difference(sat, values, full) for one, (values, _) in found.items()}
    told = [
        {"kind": one.kind, "name": one.name, "mean": float(values.mean()), **facts, "difference": entry}
        for (one, (values, facts)), entry in zip(found.items(), with_holm(entries).values(), strict=True)
    ]
    told.sort(key=lambda one: (one["kind"], one["difference"]["mean"]))
    estimate = interval(full, rng=np.random.default_rng(sat.seed), resamples=sat.evaluation.resamples)
    return {
        "metric": metric,
        "fold": sat.test.name,
        "users": len(full),
        "label_folds": len(sat.parts),
        "full": {
            "mean": estimate.mean,
            "ci95": [estimate.low, estimate.high],
            "features": len(sat.pipeline.first.features.names),
            "ceiling": sat.parts[0].ceiling.union,
        },
        "drops": told,
    }


def _make_rows(sat: Sat, drops: Sequence[Drop], kept: Checkpoints, progress: Progress | None) -> None:
    """Rows of every label fold without each retriever, on disk; the first stage of a fold is fitted once, if at all."""
    if not drops:
        return
    for fold in _label_folds(sat):
        fitted: list[FirstStage] = []
        for drop in drops:

            def make(fold: Fold = fold, drop: Drop = drop, fitted: list[FirstStage] = fitted) -> FoldRows:
                if not fitted:
                    fitted.append(fit_first_stage(sat.config, fold.past, sat.seed, progress))
                config = without(sat.config, drop)
                first = first_without(fitted[0], config)
                return fold_rows(config, fold, first, sat.seed, _about(progress, drop), newest=False)

            kept.kept(_row_key(sat, fold, drop), make)


def _without(
    sat: Sat, drop: Drop, kept: Checkpoints, progress: Progress | None
) -> tuple[FloatVector, Mapping[str, Any]]:
    """(n,) metric of every user without the part, and how many features and what ceiling are left."""
    config = without(sat.config, drop)
    first = first_without(sat.pipeline.first, config)
    parts = _parts(sat, drop, first, kept)
    values = KeptValues(kept.folder)
    key = (*_row_key(sat, sat.test, drop), msgspec.json.encode(sat.evaluation), msgspec.json.encode(sat.split))
    known = values.read(key)
    if known is None:
        told = _about(progress, drop)
        ranker = fit_ranker(config, parts, first.features.names, sat.seed, told).served
        routing = sat.pipeline.routing
        if routing is not None and drop.kind == "retriever":
            routing = routing.without(drop.name)
        pipeline = TwoStage(first, ranker, selector=sat.pipeline.selector, routing=routing)
        known = _values(sat, pipeline, progress, f"judge without {drop.name}")
        values.write(key, known)
    return known, {"features": len(first.features.names), "ceiling": parts[0].ceiling.union}


def _parts(sat: Sat, drop: Drop, first: FirstStage, kept: Checkpoints) -> list[FoldRows]:
    if drop.kind == "retriever":
        return [kept.kept(_row_key(sat, fold, drop), _never) for fold in _label_folds(sat)]
    full = sat.pipeline.first.features.names
    columns = np.array([full.index(name) for name in first.features.names])
    return [replace(one, rows=replace(one.rows, features=one.rows.features[:, columns])) for one in sat.parts]


def _label_folds(sat: Sat) -> list[Fold]:
    folds = earlier_folds(sat.test, sat.split, drop_seen=sat.config.seen == "exclude")
    return list(islice(folds, len(sat.parts)))


def _values(sat: Sat, pipeline: TwoStage, progress: Progress | None, what: str) -> FloatVector:
    """(n,) metric of every user who is judged, the same users as in the exam."""
    rng = np.random.default_rng([sat.seed, len(sat.test.past.interactions)])
    fold = drawn_users(sat.test, sat.evaluation.max_users, rng)
    if progress:
        progress(what, 0, 1)
    config = msgspec.structs.replace(sat.evaluation, metrics=(), curves=1)
    lists = pipeline.recommend(fold_queries(fold, sat.config.seen), config.k, threads=usable_cores()).item
    return judge_system(config, fold, lists).values[config.metric]


def _difference(sat: Sat, values: FloatVector, full: FloatVector) -> dict[str, Any]:
    rng, resamples = np.random.default_rng(sat.seed), sat.evaluation.resamples
    return difference_entry(compare(values, full, rng=rng, resamples=resamples))


def _row_key(sat: Sat, fold: Fold, drop: Drop) -> tuple[bytes | str, ...]:
    return "ablation", drop.kind, drop.name, msgspec.json.encode(sat.config), fold_digest(fold), str(sat.seed)


def _about(progress: Progress | None, drop: Drop) -> Progress | None:
    if progress is None:
        return None
    return lambda what, done, total: progress(f"without {drop.name}: {what}", done, total)


def _never() -> FoldRows:
    raise FileNotFoundError("rows of an ablation were removed while it ran; start it again")
