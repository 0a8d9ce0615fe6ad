"""What an engine is asked before users ask it: every kind of question once, and what users asked of late."""

import logging
import math
from collections.abc import Sequence
from contextlib import suppress

from encorec.errors import ArtifactError, QueryError
from encorec.pipeline.requests import Request, UserState
from encorec.serving.snapshots.holder import ServedEngine

__all__ = ["warm_explanations", "warm_up"]

_LOG = logging.getLogger(__name__)
_USERS = 3


def warm_up(engine: ServedEngine, *, now: int, requests: Sequence[Request] = ()) -> None:
    """Ask every kind of question but for explanations, so that no user pays for page faults and first calls.

    Args:
        engine: to warm up.
        now: seconds since 1970.
        requests: that users asked lately; one that the engine refuses, because it names a feature that is gone, say,
            is no fault of the engine.

    Raises:
        EncorecError: the engine cannot answer, or with scores that are no numbers; it must not be served.
    """
    known = engine.artifact.users.externals(range(min(_USERS, len(engine.artifact.users))))
    answers = engine.recommend([Request(user_id=user) for user in (None, *known)], now=now)
    for user in known:
        answers += engine.recommend([Request(user_id=user)], [UserState()], now=now)
    for request in requests:
        with suppress(QueryError):
            answers += engine.recommend([request], [UserState()], now=now)
    engine.popular(10)
    for answer in answers:
        for item in answer.items:
            if not math.isfinite(item.score):
                name = engine.artifact.snapshot_id
                raise ArtifactError(f"snapshot {name} gives item {item.item_id!r} the score {item.score}; train again")


def warm_explanations(engine: ServedEngine, *, now: int) -> None:
    """Ask for one explanation, before anybody else asks: what it needs is large, and loading it stops all threads.

    An engine that cannot explain answers all the same; the log says so.

    Args:
        engine: to warm up.
        now: seconds since 1970.
    """
    known = engine.artifact.users.externals(range(min(1, len(engine.artifact.users))))
    try:
        engine.recommend([Request(user_id=user, k=1, explain=True) for user in known], now=now)
    except Exception:
        _LOG.exception("snapshot %s cannot explain its answers", engine.artifact.snapshot_id)
