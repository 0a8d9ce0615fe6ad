"""What the training data say of one user, for people to read."""

from encorec.pipeline.requests import PastEvent
from encorec.serving.http.answers import TrainingHistory
from encorec.serving.snapshots.holder import ServedArtifact

__all__ = ["LAST_SHOWN", "training_history"]

LAST_SHOWN = 10
"""Newest training events that are shown of a user."""


def training_history(artifact: ServedArtifact, row: int, *, before: int) -> TrainingHistory | None:
    """The training history of the user at ``row``; none where there is no such user or the artifact keeps none.

    Args:
        artifact: what was trained.
        row: of the user, -1 = unknown.
        before: seconds since 1970; later events do not count yet.

    Example:
        >>> from types import SimpleNamespace
        >>> import numpy as np
        >>> from encorec.data.vocabulary import Vocabulary
        >>> from encorec.types import Histories
        >>> histories = Histories.of([([0, 1, 0], [5, 6, 7])])
        >>> artifact = SimpleNamespace(items=Vocabulary(np.array([242, 302])), histories=histories)
        >>> shown = training_history(artifact, 0, before=7)
        >>> shown.events, [event.item_id for event in shown.last]
        (2, [242, 302])
    """
    histories = artifact.histories
    if row < 0 or histories is None:
        return None
    start, stop = int(histories.starts[row]), int(histories.stops[row])
    stop = start + int(histories.time[start:stop].searchsorted(before))
    last = slice(max(start, stop - LAST_SHOWN), stop)
    ids = artifact.items.externals(histories.item[last])
    columns = (ids, histories.time[last].astype(float).tolist(), histories.weight[last].tolist())
    return TrainingHistory(stop - start, tuple(PastEvent(*event) for event in zip(*columns, strict=True)))
