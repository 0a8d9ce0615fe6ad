"""How well a candidate follows the user's very last events: a retriever asked with a history cut short."""

import numpy as np

from encorec.pipeline.candidate_features.context import Context
from encorec.protocols import is_scorer
from encorec.retrieval.scored import scored_by
from encorec.types import FloatMatrix

__all__ = ["RecentSimilarity"]


class RecentSimilarity:
    """Score that a source gives when it sees only the last 1, 3, … events.

    Args:
        asked: (source, number of newest events) pairs.

    Example:
        >>> RecentSimilarity((("als", 1), ("als", 3))).names
        ('als_last1', 'als_last3')
    """

    group = "recent"

    def __init__(self, asked: tuple[tuple[str, int], ...]) -> None:
        self.asked = asked
        self.names = tuple(f"{source}_last{events}" for source, events in asked)

    def compute(self, context: Context, out: FloatMatrix) -> None:
        """Write (m, len(asked)) float32; NaN for a source that is away or cannot score the whole catalogue."""
        query, item = context.candidates.query, context.candidates.item
        short = {events: context.queries.with_history(context.tail(events)) for events in {n for _, n in self.asked}}
        for column, (source, events) in enumerate(self.asked):
            retriever = context.retrievers.get(source)
            if retriever is None or not is_scorer(retriever):
                out[:, column] = np.nan
                continue
            out[:, column] = scored_by(retriever, short[events]).at(query, item)
