"""What one label fold gives: rows for the ranker, and the count of what no row could teach."""

from dataclasses import dataclass

import msgspec

from encorec.pipeline.routing_rows import RoutingRows
from encorec.pipeline.score_calibration import CalibrationRows
from encorec.ranking.training_set import TrainingSet

__all__ = ["FoldRows", "RetrievalCeiling"]


class RetrievalCeiling(msgspec.Struct, frozen=True, kw_only=True):
    """Share of what users took that retrieval proposed at all: no ranker can do better.

    Args:
        fold: name.
        queries: users asked.
        truth: items that they took.
        union: share proposed by any source.
        sources: share proposed by each source.
        candidates_per_query: mean size of the union.
        taught: queries with something taken among their candidates, by events in the history: they teach the ranker.

    Example:
        >>> RetrievalCeiling(fold="last-1", queries=1, truth=2, union=0.5, sources={}, candidates_per_query=9).union
        0.5
    """

    fold: str
    queries: int
    truth: int
    union: float
    sources: dict[str, float]
    candidates_per_query: float
    taught: dict[str, int] = {}


@dataclass(frozen=True)
class FoldRows:
    """What one label fold teaches the ranker, and what it could not teach.

    Args:
        rows: for the ranker.
        ceiling: what retrieval could reach.
        calibration: rows on which scores become probabilities, where that is wanted.
        asked: second since 1970 at which the middle one of its users is asked.
        routing: queries on which the ranker's order is compared with that of every source; none = not wanted.
    """

    rows: TrainingSet
    ceiling: RetrievalCeiling
    calibration: CalibrationRows | None = None
    asked: int = 0
    routing: RoutingRows | None = None
