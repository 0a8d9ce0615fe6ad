"""Do the scores of the second stage keep their word? Its candidates on the exam, before and after calibration."""

from typing import Any

import msgspec
import numpy as np

from encorec.data.splits import Fold
from encorec.evaluation.backtest.exams import drawn_users
from encorec.pipeline.eligibility import SeenRule, fold_queries
from encorec.pipeline.fit import Progress
from encorec.pipeline.two_stage import TwoStage, in_blocks, usable_cores
from encorec.ranking.calibration import CalibrationKind
from encorec.ranking.platt import logistic
from encorec.ranking.reliability import reliability
from encorec.ranking.training_set import label
from encorec.types import FloatVector

__all__ = ["probabilities"]

USERS = 5000


def probabilities(
    kind: CalibrationKind, fold: Fold, seen: SeenRule, pipeline: TwoStage, seed: int, progress: Progress | None = None
) -> dict[str, Any]:
    """Every candidate of at most ``USERS`` users: was it taken as often as was said?

    Args:
        kind: of the calibration.
        fold: the exam, which the calibration has not seen.
        seen: whether items of a user's history may be shown again.
        pipeline: fitted on the past of the exam, with a calibration.
        seed: of the draw of users.
        progress: told how many users are answered.

    Returns:
        Ready for JSON: ``before`` (the logistic function of the raw score) and ``after``.
    """
    asked = drawn_users(fold, USERS, np.random.default_rng([seed, 5]))
    queries = fold_queries(asked, seen)

    def answer(block: slice) -> tuple[FloatVector, FloatVector, FloatVector]:
        if progress:
            progress("judge probabilities", block.start, len(queries))
        part = queries.take(block)
        ranked = pipeline.rank(part, 1)
        raw = np.full(len(ranked), np.nan) if ranked.relevance is None else ranked.relevance
        said = pipeline.probability(part.history.lengths[ranked.query], raw)
        return raw, label(ranked, asked.truth.take(block)), said

    parts = in_blocks(answer, queries, usable_cores())
    raw, taken, after = (np.concatenate([part[place] for part in parts]) for place in range(3))
    told = {"before": logistic(raw), "after": after}
    return {
        "kind": kind,
        "fold": fold.name,
        "users": len(asked),
        **{when: msgspec.to_builtins(reliability(chance, taken)) for when, chance in told.items()},
    }
