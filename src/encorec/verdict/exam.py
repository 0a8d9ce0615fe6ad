"""One exam: every system answers the same users, block by block, and is judged by the same code."""

from collections.abc import Callable, Mapping

import numpy as np

from encorec.data.splits import Fold
from encorec.evaluation.backtest.judged import JudgedFold, JudgedSystem, judge_system
from encorec.evaluation.backtest.rank_shift import RankShift, rank_shift
from encorec.evaluation.backtest.segments import UserSegments, item_ages
from encorec.evaluation.backtest.settings import EvaluationConfig
from encorec.pipeline.eligibility import SeenRule, fold_queries
from encorec.pipeline.fit import Progress
from encorec.pipeline.two_stage import TwoStage, usable_cores
from encorec.verdict.systems import TWO_STAGE, System, asked_in_blocks, pipeline_systems

__all__ = ["judge_exam", "numbered"]


def judge_exam(
    config: EvaluationConfig,
    fold: Fold,
    seen: SeenRule,
    pipeline: TwoStage,
    plug_ins: Mapping[str, System],
    segments: UserSegments,
    progress: Progress | None = None,
) -> JudgedFold:
    """Ask every system and judge its lists; only per-user values are kept.

    Args:
        config: how systems are judged.
        fold: the exam.
        seen: whether items of a user's history may be shown again.
        pipeline: fitted on the past of the exam.
        plug_ins: systems of one's own, fitted on the same past.
        segments: groups of users.
        progress: told who is being asked and how many users are answered.
    """
    queries, quotas = fold_queries(fold, seen), pipeline.first.quotas
    systems = pipeline_systems(pipeline)
    own = {name: systems.pop(name) for name in list(systems) if name not in pipeline.first.retrievers}
    systems |= {**plug_ins, **own}
    width = max(config.k, min(config.curves, min(quota for quota in quotas.values() if quota)))
    judged: dict[str, JudgedSystem] = {}
    shifts: dict[str, RankShift] = {}
    final = np.empty((0, 0), np.int32)
    for name in (TWO_STAGE, *(name for name in systems if name != TWO_STAGE)):
        told = None if progress is None else _told(progress, f"judge {name}")
        threads = 1 if name in plug_ins else usable_cores()
        lists = asked_in_blocks(systems[name], queries, max(width, quotas.get(name, 0)), told, threads)
        judged[name] = judge_system(config, fold, lists[:, :width])
        if name == TWO_STAGE:
            final = lists[:, : config.verdict_k]
        if name in quotas:
            shifts[name] = rank_shift(lists, final, fold.truth)
    return JudgedFold(
        statistics=fold.statistics,
        user=fold.user,
        owner=fold.truth.owner.astype(np.int32),
        segments=segments.of(fold),
        item_age=item_ages(config.segments, fold),
        systems={name: judged[name] for name in systems},
        shifts=shifts,
        length=fold.history.lengths,
    )


def numbered(progress: Progress | None, number: int, exams: int) -> Progress | None:
    """Progress that says which exam it is about, where there are several.

    Args:
        progress: told what is going on.
        number: of the exam, from 1.
        exams: how many there are.

    Example:
        >>> told = numbered(print, 2, 3)
        >>> told("fit als", 0, 4)
        exam 2 of 3: fit als 0 4
    """
    if progress is None or exams == 1:
        return progress
    return lambda what, done, total: progress(f"exam {number} of {exams}: {what}", done, total)


def _told(progress: Progress, what: str) -> Callable[[int, int], None]:
    return lambda done, total: progress(what, done, total)
