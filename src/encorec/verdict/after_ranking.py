"""What the newest exam says of all that follows the ranker: variety and probabilities, where they are asked for."""

from typing import Any

import numpy as np

from encorec.data.dataset import Dataset
from encorec.data.splits import Fold
from encorec.evaluation.backtest.exams import drawn_users
from encorec.evaluation.backtest.settings import EvaluationConfig
from encorec.pipeline.fit import PipelineConfig, Progress
from encorec.pipeline.selectors import fit_selector
from encorec.pipeline.two_stage import TwoStage
from encorec.verdict.probabilities import probabilities
from encorec.verdict.variety import varied_kinds, variety_curves

__all__ = ["judge_after_ranking", "refuse_unselectable"]


def refuse_unselectable(evaluation: EvaluationConfig, pipeline: PipelineConfig, data: Dataset) -> None:
    """Fail before the work, not after it, where selection or its curve needs features that the items do not have.

    Args:
        evaluation: whether the curve is wanted.
        pipeline: with the selection.
        data: of the run.

    Raises:
        ConfigError: names the setting.
    """
    fit_selector(pipeline.selection, data)
    if evaluation.curve:
        varied_kinds(pipeline.selection, data)


def judge_after_ranking(
    evaluation: EvaluationConfig,
    config: PipelineConfig,
    fold: Fold,
    pipeline: TwoStage,
    seed: int,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """``variety`` where ``evaluation.curve`` asks for it, ``probabilities`` where scores are calibrated.

    Args:
        evaluation: how lists are judged.
        config: of the pipeline.
        fold: the newest exam.
        pipeline: fitted on its past.
        seed: of the bootstrap and of the draws of users.
        progress: told what is going on.
    """
    told: dict[str, Any] = {}
    if evaluation.curve:
        asked = drawn_users(fold, evaluation.max_users, np.random.default_rng([seed, len(fold.past.interactions)]))
        told["variety"] = variety_curves(evaluation, config.selection, asked, config.seen, pipeline, seed, progress)
    if pipeline.calibration is not None:
        told["probabilities"] = probabilities(config.calibration, fold, config.seen, pipeline, seed, progress)
    return told
