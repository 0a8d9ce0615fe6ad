"""What the retrievers say of a candidate: scores, ranks, and how far they agree."""

from encorec.pipeline.candidate_features.context import Context
from encorec.pipeline.candidate_features.kernels import compare_scores
from encorec.types import FloatMatrix

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
        """Write (m, 3 * sources + 3) float32; NaN where a source knows nothing of the item. RRF: cormack2009."""
        compare_scores(context.indptr, context.candidates.score, context.candidates.rank, RRF_CONSTANT, out.T)
