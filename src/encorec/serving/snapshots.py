"""The engine as the service sees it, and what it takes to trust one with requests."""

from collections.abc import Sequence
from typing import Any, Protocol

from numpy.typing import NDArray

from encorec.data.vocabulary import Vocabulary
from encorec.pipeline.requests import Answer, ItemId, Request, Similar, UserState
from encorec.types import Histories

__all__ = ["ServedArtifact", "ServedEngine", "warm_up"]


class ServedArtifact(Protocol):
    """What the service reads of a trained pipeline besides its answers."""

    @property
    def items(self) -> Vocabulary:
        """Ids of items."""
        ...

    @property
    def users(self) -> Vocabulary:
        """Ids of users known from training."""
        ...

    @property
    def histories(self) -> Histories | None:
        """(users,) histories of the training data; none = not kept."""
        ...

    @property
    def titles(self) -> NDArray[Any] | None:
        """(items,) str for people to read; none = the ids."""
        ...

    @property
    def data_end(self) -> int:
        """Seconds since 1970 at which the training data ends."""
        ...

    @property
    def snapshot_id(self) -> str:
        """Name of exactly this artifact."""
        ...


class ServedEngine(Protocol):
    """Answers from one artifact: pure, synchronous, the same in a notebook and behind HTTP."""

    @property
    def artifact(self) -> ServedArtifact:
        """What the engine answers from."""
        ...

    def recommend(
        self, requests: Sequence[Request], states: Sequence[UserState | None] | None = None, *, now: int
    ) -> list[Answer]:
        """One answer per request, in order; ``now`` in seconds since 1970."""
        ...

    def similar(
        self, item_id: ItemId, k: int, *, allow: Sequence[ItemId] | None = None, deny: Sequence[ItemId] = ()
    ) -> list[Similar]:
        """The ``min(k, eligible)`` items most alike; ``QueryError`` for an unknown item."""
        ...

    def popular(self, k: int) -> list[ItemId]:
        """The ``k`` most popular items."""
        ...


def warm_up(engine: ServedEngine, *, now: int) -> None:
    """Ask every kind of question once, so that no user pays for page faults and first calls.

    Args:
        engine: to warm up.
        now: seconds since 1970.

    Raises:
        EncorecError: the engine cannot answer; it must not be served.
    """
    known = engine.artifact.users.externals(range(min(3, len(engine.artifact.users))))
    engine.recommend([Request(user_id=user) for user in (None, *known)], now=now)
    for user in known:
        engine.recommend([Request(user_id=user)], [UserState()], now=now)
    engine.recommend([Request(user_id=user, explain=True) for user in known[:1]], now=now)
    engine.popular(10)
