"""What an engine is asked before users ask it: every kind of question once, and what users asked of late."""

import math
from collections.abc import Sequence

from encorec.errors import ArtifactError
from encorec.pipeline.requests import Request, UserState
from encorec.serving.snapshots.holder import ServedEngine

__all__ = ["warm_explanations", "warm_up"]

_USERS = 3


def warm_up(engine: ServedEngine, *, now: int, requests: Sequence[Request] = ()) -> None:
    """Ask every kind of question but for explanations, so that no user pays for page faults and first calls.

    Args:
        engine: to warm up.
        now: seconds since 1970.
        requests: that users asked lately.

    Raises:
        EncorecError: the engine cannot answer, or with scores that are no numbers; it must not be served.
    """
    known = engine.artifact.users.externals(range(min(_USERS, len(engine.artifact.users))))
    answers = engine.recommend([Request(user_id=user) for user in (None, *known)], now=now)
    for request in (*(Request(user_id=user) for user in known), *requests):
        answers += engine.recommend([request], [UserState()], now=now)
    engine.popular(10)
    for answer in answers:
        for item in answer.items:
            if not math.isfinite(item.score):
                name = engine.artifact.snapshot_id
                raise ArtifactError(f"snapshot {name} gives item {item.item_id!r} the score {item.score}; train again")


def warm_explanations(engine: ServedEngine, *, now: int) -> None:
    """Ask for one explanation: what it needs is large and slow to load, and no other answer waits for it.

    Args:
        engine: to warm up.
        now: seconds since 1970.
    """
    known = engine.artifact.users.externals(range(min(1, len(engine.artifact.users))))
    engine.recommend([Request(user_id=user, k=1, explain=True) for user in known], now=now)
