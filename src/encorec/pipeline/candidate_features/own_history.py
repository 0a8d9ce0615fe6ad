"""What the user did with the very candidate before: for catalogues where things are taken again."""

import numpy as np

from encorec.pipeline.candidate_features.context import DAY, Context
from encorec.pipeline.candidate_features.kernels import own_events
from encorec.types import FloatMatrix

__all__ = ["OwnHistory"]


class OwnHistory:
    """Own events with the item: how many, how long ago, how regular, and whether the next one is due.

    Example:
        >>> OwnHistory().names
        ('own_events', 'own_weight', 'own_idle_days', 'own_step_days', 'own_due', 'own_events_60d')
    """

    group = "own"
    names = ("own_events", "own_weight", "own_idle_days", "own_step_days", "own_due", "own_events_60d")

    def compute(self, context: Context, out: FloatMatrix) -> None:
        """Write (m, 6) float32; days are NaN where the user never took the item."""
        queries, found = context.queries, context.candidates
        histories = (context.history, context.history.since(queries.now - 60 * DAY))
        for history, columns in zip(histories, (slice(0, 5), slice(5, 6)), strict=True):
            values = np.empty((5, len(found)), np.float32)
            own_events(
                history.indptr, history.item, history.time, history.weight,
                queries.now, context.indptr, found.item, queries.items, values,
            )  # fmt: skip
            out[:, columns] = values[: columns.stop - columns.start].T
