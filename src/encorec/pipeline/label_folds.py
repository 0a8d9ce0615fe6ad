"""Label folds become rows: what retrieval proposed, its features, and what the users took next."""

from dataclasses import replace

import numpy as np

from encorec.data.dataset import Dataset
from encorec.data.fold import Fold
from encorec.data.history_lengths import LENGTHS, length_places
from encorec.errors import ConfigError, DataError
from encorec.pipeline.eligibility import fold_queries
from encorec.pipeline.fit import PipelineConfig, Progress
from encorec.pipeline.fold_rows import FoldRows, RetrievalCeiling
from encorec.pipeline.leakage import refuse_leak
from encorec.pipeline.routing import FUSED, order_scores
from encorec.pipeline.routing_rows import RoutingDraw, offered_orders
from encorec.pipeline.score_calibration import CalibrationDraw
from encorec.pipeline.training_config import TrainingConfig
from encorec.pipeline.two_stage import FirstStage, query_blocks
from encorec.ranking.labels import grades, strength_weights
from encorec.ranking.training_set import TrainingSet, label
from encorec.types import Candidates, FloatMatrix, FloatVector, IntVector

__all__ = ["fold_rows", "refuse_unteachable"]


def refuse_unteachable(config: TrainingConfig, data: Dataset) -> None:
    """Fail before the work, not after it, where training needs what the data do not have.

    Args:
        config: of the training.
        data: of the run.

    Raises:
        ConfigError: impressions are wanted and there is no log of them.
    """
    if config.strategy == "impressions" and data.impressions is None:
        raise ConfigError(_NO_IMPRESSIONS)


_NO_IMPRESSIONS = (
    "training.strategy is 'impressions', but the data have no log of what was shown; name its file in "
    "data.impressions (source = 'table'), pass impressions to load_frame, or choose random, all, popularity or hard"
)


def fold_rows(
    config: PipelineConfig,
    fold: Fold,
    first: FirstStage,
    seed: int,
    progress: Progress | None = None,
    *,
    newest: bool = True,
) -> FoldRows:
    """Candidates of the fold's users, their features, and what they took: rows for the ranker.

    Args:
        config: the pipeline.
        fold: an exam.
        first: the first stage, fitted on ``fold.past``.
        seed: of the draw of negatives.
        progress: told how many queries are done.
        newest: whether it is the newest fold of a training, on which routing is decided (``training.routing``).

    Raises:
        DataError: the first stage may have seen the labels, or labels need weights that the fold does not have.
        ConfigError: impressions are wanted and there is no log of them.
    """
    _refuse_unlabelled(config.training, fold)
    refuse_leak(first.learnt_from, fold)
    rng = np.random.default_rng([seed, len(fold.past.interactions)])
    asked = _asked(len(fold), config.training.max_queries, rng)
    queries, fold = fold_queries(fold, config.seen).take(asked), fold.take(asked)
    drawn = CalibrationDraw(config.calibration, len(queries), sum(config.quotas().values()), rng)
    places, routed = length_places(queries.history.lengths), newest and config.training.routing
    judged = RoutingDraw(routed, first, queries.history.lengths, rng)
    parts: list[TrainingSet] = []
    taught = np.zeros(len(LENGTHS), np.int64)
    hits, proposals = np.zeros(len(first.retrievers) + 1), 0
    for block in query_blocks(queries):
        if progress:
            progress(f"candidates of fold {fold.name}", block.start, len(queries))
        part, known = queries.take(block), fold.take(block)
        candidates = first.candidates(part)
        taken = label(candidates, known.truth)
        hits += _proposed_hits(candidates, taken)
        proposals += len(candidates)
        features = first.features.compute(part, candidates, first.retrievers)
        judged.add(block, known, candidates, features, taken)
        orders = _orders(config, candidates, places[block]) if routed else None
        drawn.add(features, taken, known.user[candidates.query], orders)
        taught += _teaching(candidates, taken, places[block])
        parts.append(_block_rows(config.training, known, features, candidates, taken, rng))
    rows = _weighed(config.training, TrainingSet.join(parts))
    judged.ask_shortened(queries, fold)
    ceiling = _ceiling(fold, first, hits, proposals, taught)
    return FoldRows(rows, ceiling, drawn.rows(), int(np.median(fold.now)), judged.rows())


def _refuse_unlabelled(config: TrainingConfig, fold: Fold) -> None:
    if config.strategy == "impressions" and fold.shown is None:
        raise ConfigError(_NO_IMPRESSIONS)
    if config.labels != "taken" and (fold.strength is None or len(fold.strength) != len(fold.truth.item)):
        raise DataError(
            f"label fold {fold.name}: training.labels is {config.labels!r}, but the weights of its "
            f"{len(fold.truth.item)} wanted items are not known; cut it with a split, or choose labels = 'taken'"
        )


def _asked(n: int, limit: int, rng: np.random.Generator) -> IntVector:
    return np.arange(n) if n <= limit else np.sort(rng.choice(n, limit, replace=False))


def _proposed_hits(candidates: Candidates, taken: FloatVector) -> FloatVector:
    """(sources + 1,) items taken that each source proposed, and any of them."""
    return np.append(candidates.proposed[taken > 0].sum(axis=0), taken.sum())


def _teaching(candidates: Candidates, taken: FloatVector, places: IntVector) -> IntVector:
    """(lengths,) queries of a block with something taken among their candidates, by length of the history."""
    return np.bincount(places[np.unique(candidates.query[taken > 0])], minlength=len(LENGTHS))


def _orders(config: PipelineConfig, candidates: Candidates, places: IntVector) -> tuple[IntVector, FloatMatrix] | None:
    """Length of the history of every candidate, and its scores by all orders that may be served, for their maps."""
    if config.calibration == "none":
        return None
    orders = offered_orders(config.quotas())
    scores = [order_scores(candidates, None if name == FUSED else name) for name in orders]
    return places[candidates.query], np.stack(scores, axis=1).astype(np.float32)


def _ceiling(fold: Fold, first: FirstStage, hits: FloatVector, proposals: int, taught: IntVector) -> RetrievalCeiling:
    shares = (hits / max(len(fold.truth.item), 1)).tolist()
    return RetrievalCeiling(
        fold=fold.name,
        queries=len(fold),
        truth=len(fold.truth.item),
        union=shares[-1],
        sources=dict(zip(first.retrievers, shares, strict=False)),
        candidates_per_query=proposals / max(len(fold), 1),
        taught=dict(zip(LENGTHS, taught.tolist(), strict=True)),
    )


def _block_rows(
    config: TrainingConfig,
    fold: Fold,
    features: FloatMatrix,
    candidates: Candidates,
    taken: FloatVector,
    rng: np.random.Generator,
) -> TrainingSet:
    """The rows drawn from a block; where labels are weights, each still has its strength as weight, 0 = not taken."""
    counts = fold.past.interactions.item_counts if config.strategy == "popularity" else None
    kept = config.draw.rows(candidates, taken, rng, popularity=counts, shown=fold.shown)
    query = candidates.query[kept]
    rows = TrainingSet(features[kept], taken[kept], query.astype(np.int64), fold.user[query])
    if config.labels == "taken":
        return rows
    strength = label(candidates, fold.truth, fold.strength)[kept]
    if config.labels == "weight":
        return replace(rows, weight=strength)
    return replace(rows, label=np.where(rows.label > 0, grades(strength, config.grades), 0).astype(np.float32))


def _weighed(config: TrainingConfig, rows: TrainingSet) -> TrainingSet:
    if config.labels != "weight" or rows.weight is None:
        return rows
    return replace(rows, weight=strength_weights(rows.weight))
