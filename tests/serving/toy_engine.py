"""A real engine over a toy catalogue: recommends by popularity what the user has not touched. Fast, and right."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encorec.data.vocabulary import Vocabulary
from encorec.errors import QueryError
from encorec.pipeline.requests import Answer, Chance, ItemId, Recommended, Request, Similar, UserState
from encorec.pipeline.watch import Watch
from encorec.types import BoolVector, FloatVector, Histories

DATA_END = 893_286_639  # 1998-04-22T23:10:39Z


def toy_histories() -> Histories:
    """User 1 did two things, user 2 eighteen, the others nothing."""
    one = ([1, 0], [DATA_END - 100, DATA_END - 1])
    two = (list(range(2, 20)), list(range(100, 118)))
    return Histories.of([one, two, *[([], [])] * 28])


@dataclass(frozen=True)
class ToyArtifact:
    """Twenty items, twelve of them those that the documentation speaks of; users 1 to 30."""

    items: Vocabulary
    users: Vocabulary = field(default_factory=lambda: Vocabulary(np.arange(1, 31)))
    histories: Histories | None = field(default_factory=toy_histories)
    titles: NDArray[Any] | None = None
    data_end: int = DATA_END
    snapshot_id: str = "toy-1"
    shows_seen: bool = False


class ToyEngine:
    """Popularity falls with the row of the item; two items are as alike as their rows are near.

    The answer explains itself with the ``now`` it was asked for, so that tests can see it.
    """

    def __init__(self, items: Sequence[int] | Sequence[str] = (242, 302, *range(1, 19))) -> None:
        ids = np.asarray(items)
        self.artifact = ToyArtifact(Vocabulary(ids), titles=np.array([f"Film {one}" for one in items]))
        self.popularity = np.arange(len(ids), 0, -1, dtype=np.float32)

    def recommend(
        self,
        requests: Sequence[Request],
        states: Sequence[UserState | None] | None = None,
        *,
        now: int,
        chances: Sequence[Chance | None] | None = None,
        watch: Watch | None = None,
    ) -> list[Answer]:
        states = [None] * len(requests) if states is None else states
        return [self._recommend(request, state, now) for request, state in zip(requests, states, strict=True)]

    def _recommend(self, request: Request, state: UserState | None, now: int) -> Answer:
        touched = request.history if request.history is not None else (state or UserState()).events
        seen = [event.item_id for event in touched if event.timestamp < now]
        if request.history is None:
            seen += (state or UserState()).seen
        asked = [*(request.allow or ()), *request.deny, *(event.item_id for event in request.history or ())]
        allowed = self._allowed(request.allow, (*request.deny, *seen))
        items = [
            Recommended(
                item_id=self.artifact.items.externals([row])[0],
                score=float(self.popularity[row]),
                position=place,
                source=["popularity"],
                propensity=1.0,
                explanation={"now": now} if request.explain else None,
            )
            for place, row in enumerate(self._best(self.popularity, allowed, request.k), 1)
        ]
        unknown = int((self.artifact.items.rows(asked) < 0).sum())
        return Answer(user_id=request.user_id, items=items, degraded=[], unknown_ids=unknown)

    def similar(
        self, item_id: ItemId, k: int, *, allow: Sequence[ItemId] | None = None, deny: Sequence[ItemId] = ()
    ) -> list[Similar]:
        row = self.artifact.items.row(item_id)
        if row < 0:
            raise QueryError(f"item {item_id!r} is unknown")
        nearness = -np.abs(np.arange(len(self.popularity)) - row)
        rows = self._best(nearness, self._allowed(allow, (*deny, item_id)), k)
        ids = self.artifact.items.externals(rows)
        return [
            Similar(item_id=one, score=float(nearness[row]), position=place)
            for place, (one, row) in enumerate(zip(ids, rows, strict=True), 1)
        ]

    def popular(self, k: int) -> list[ItemId]:
        return self.artifact.items.externals(self._best(self.popularity, self._allowed(None, ()), k))

    def _allowed(self, allow: Sequence[ItemId] | None, deny: Sequence[ItemId]) -> BoolVector:
        allowed = np.full(len(self.popularity), allow is None)
        for ids, value in ((allow or (), True), (deny, False)):
            rows = self.artifact.items.rows(ids)
            allowed[rows[rows >= 0]] = value
        return allowed

    @staticmethod
    def _best(score: FloatVector, allowed: BoolVector, k: int) -> list[int]:
        order = np.argsort(-score, kind="stable")
        return order[allowed[order]][:k].tolist()
