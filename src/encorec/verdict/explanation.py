"""What the ranker of the newest exam looks at: SHAP values of its scores, and what is lost without each feature."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from encorec.data.fold import Fold
from encorec.evaluation.evaluate import parse_metric
from encorec.evaluation.uncertainty import Estimate, intervals
from encorec.pipeline.eligibility import SeenRule, fold_queries
from encorec.pipeline.fit import Progress
from encorec.pipeline.two_stage import TwoStage, query_blocks
from encorec.ranking.contributions import contributions_of
from encorec.ranking.explain import mean_contributions, ndcg, permutation_losses, swarm
from encorec.ranking.training_set import label
from encorec.types import FloatMatrix, FloatVector, IntVector

__all__ = ["explain_exam", "without_points"]

USERS, ROWS_PER_USER, SHOWN, POINTS = 400, 5, 20, 400
RESAMPLES = 1000


@dataclass(frozen=True)
class _Asked:
    """Candidates of some users: (r, F) features, (r,) taken and query, (q,) items that each user wanted."""

    features: FloatMatrix
    taken: FloatVector
    query: IntVector
    wanted: IntVector


def explain_exam(
    metric: str, fold: Fold, seen: SeenRule, pipeline: TwoStage, seed: int, progress: Progress | None = None
) -> dict[str, Any]:
    """``explanation``: importance of features with 95 % intervals over users, and the points of a summary plot.

    ``mean`` is the mean absolute SHAP value (lundberg2018) over some candidates of every user; ``loss`` is the NDCG
    that is lost when the values of the feature are shuffled over all candidates (breiman2001). Both are of users whom
    the ranker has not learnt from in this exam.

    Args:
        metric: of the verdict; its cut-off is that of the NDCG.
        fold: the newest exam.
        seen: whether items of a user's history may be shown again.
        pipeline: fitted on its past.
        seed: of the draws and of the bootstrap.
        progress: told what is going on.

    Returns:
        Nothing where there is no ranker or it cannot be taken apart.
    """
    rng = np.random.default_rng([seed, 11])
    asked = _asked(fold, seen, pipeline, rng)
    ranker = pipeline.ranker
    some = _some_rows(asked.query, rng)
    if progress:
        progress("explain the ranker", 0, 1)
    parts = contributions_of(ranker, np.ascontiguousarray(asked.features[some]))
    if parts is None or ranker is None:
        return {}
    names, k = pipeline.first.features.names, parse_metric(metric).k or 10
    means = mean_contributions(parts, asked.query[some])
    order = np.argsort(-means.mean(axis=0), kind="stable")
    shown = order[:SHOWN]

    def measure(scores: FloatVector) -> FloatVector:
        return ndcg(scores, asked.taken, asked.query, asked.wanted, k)

    losses = permutation_losses(ranker, asked.features, measure, shown, rng)
    found = _intervals({names[at]: means[:, at] for at in order}, seed)
    lost = _intervals({names[at]: losses[:, place] for place, at in enumerate(shown)}, seed)
    points = np.sort(rng.permutation(len(some))[:POINTS])
    return {
        "explanation": {
            "fold": fold.name, "users": len(asked.wanted), "rows": len(some), "metric": f"ndcg@{k}",
            "features": {
                name: {**_entry(one), "loss": _entry(lost[name]) if name in lost else None}
                for name, one in found.items()
            },
            "swarm": dict(_swarms(names, shown, parts[points], asked.features[some[points]])),
        }
    }  # fmt: skip


def without_points(report: dict[str, Any]) -> dict[str, Any]:
    """The report without the points of its plots, which nobody reads as figures.

    Example:
        >>> without_points({"seed": 1, "explanation": {"users": 2, "swarm": {}}})
        {'seed': 1, 'explanation': {'users': 2}}
    """
    told = report.get("explanation")
    if told is None:
        return report
    return {**report, "explanation": {name: one for name, one in told.items() if name != "swarm"}}


def _asked(fold: Fold, seen: SeenRule, pipeline: TwoStage, rng: np.random.Generator) -> _Asked:
    """All candidates of ``USERS`` users at most, drawn at random."""
    fold = fold.take(np.sort(rng.permutation(len(fold))[:USERS]))
    queries, first = fold_queries(fold, seen), pipeline.first
    features, taken, query = [], [], []
    for block in query_blocks(queries):
        part = queries.take(block)
        candidates = first.candidates(part)
        features.append(first.features.compute(part, candidates, first.retrievers))
        taken.append(label(candidates, fold.truth.take(block)))
        query.append(candidates.query.astype(np.int64) + block.start)
    return _Asked(
        np.ascontiguousarray(np.concatenate(features)),
        np.concatenate(taken),
        np.concatenate(query),
        fold.truth.lengths,
    )


def _some_rows(query: IntVector, rng: np.random.Generator) -> IntVector:
    """Increasing numbers of ``ROWS_PER_USER`` rows of every query at most, drawn at random."""
    order = np.lexsort((rng.random(len(query)), query))
    place = np.arange(len(query)) - np.searchsorted(query, query)
    return np.sort(order[place < ROWS_PER_USER])


def _intervals(values: dict[str, FloatVector], seed: int) -> dict[str, Estimate]:
    return intervals(values, rng=np.random.default_rng(seed), resamples=RESAMPLES) if values else {}


def _entry(one: Estimate) -> dict[str, Any]:
    return {"mean": one.mean, "ci95": [one.low, one.high]}


def _swarms(
    names: tuple[str, ...], shown: IntVector, parts: FloatMatrix, features: FloatMatrix
) -> Iterator[tuple[str, Any]]:
    """Feature -> its points, four digits each; a value that is not known is none."""
    for at in shown:
        one = swarm(parts[:, at], features[:, at])
        levels = [None if np.isnan(level) else round(float(level), 3) for level in one.level]
        yield names[at], {"contribution": [float(f"{value:.4g}") for value in one.contribution], "level": levels}
