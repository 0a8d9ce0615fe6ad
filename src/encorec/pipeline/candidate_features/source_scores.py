"""What the retrievers say of a candidate: scores, ranks, and how far they agree."""

import numpy as np

from encorec.pipeline.candidate_features.context import Context
from encorec.types import FloatMatrix, FloatVector, IntVector

__all__ = ["SourceScores"]

RRF_CONSTANT = 60


class SourceScores:
    """Per source: score, rank, score scaled to 0..1 within the query; over all: how many proposed it, and how high.

    Args:
        sources: names of the retrievers.

    Example:
        >>> SourceScores(("als",)).names
        ('als_score', 'als_rank', 'als_scaled', 'proposals', 'best_rank', 'rrf')
    """

    group = "scores"

    def __init__(self, sources: tuple[str, ...]) -> None:
        self.sources = sources
        kinds = ("score", "rank", "scaled")
        per_source = [f"{source}_{kind}" for kind in kinds for source in sources]
        self.names = (*per_source, "proposals", "best_rank", "rrf")

    def compute(self, context: Context, out: FloatMatrix) -> None:
        """Write (m, 3 * sources + 3) float32; NaN where a source knows nothing of the item."""
        score, rank = context.candidates.score, context.candidates.rank
        sources = len(self.sources)
        out[:, :sources] = score
        out[:, sources : 2 * sources] = rank
        out[:, 2 * sources : 3 * sources] = _scaled(score, context.indptr)
        proposed = context.candidates.proposed
        out[:, -3] = proposed.sum(axis=1)
        out[:, -2] = np.where(proposed, rank, np.inf).min(axis=1)
        # Reciprocal rank fusion: cormack2009.
        out[:, -1] = np.where(proposed, 1 / (RRF_CONSTANT + rank), 0).sum(axis=1)


def _scaled(score: FloatMatrix, indptr: IntVector) -> FloatMatrix:
    """(m, sources) each score between the smallest (0) and largest (1) of its query."""
    lengths = np.diff(indptr)
    filled = lengths > 0
    starts = indptr[:-1][filled]
    if not len(starts):
        return score
    low = np.fmin.reduceat(score, starts, axis=0)
    width = np.fmax.reduceat(score, starts, axis=0) - low
    return _divide(score - np.repeat(low, lengths[filled], axis=0), np.repeat(width, lengths[filled], axis=0))


def _divide(above: FloatVector, below: FloatVector) -> FloatVector:
    return np.divide(above, below, out=np.zeros_like(above), where=below > 0)
