"""The answer that needs no engine: popular items, chosen and written beforehand."""

from collections.abc import Sequence

import msgspec
import numpy as np

from encorec.pipeline.popular_order import POPULARITY, PopularOrder, popular_scores
from encorec.pipeline.requests import Answer, ItemId, Recommended, Request, UserState
from encorec.serving.http.answers import RecommendAnswer
from encorec.serving.snapshots.holder import ServedEngine
from encorec.types import IntVector

__all__ = ["Fallback"]

_K = Request().k
_NONE = np.empty(0, np.int64)


class Fallback:
    """Popular items of one snapshot for requests that the engine does not answer, by the same rules of eligibility.

    The list that suits most requests is kept, and so are its bytes: only names are written into them.

    Args:
        engine: whose artifact and popular items these are.

    Raises:
        EncorecError: the engine cannot say what is popular.

    Example:
        >>> from types import SimpleNamespace
        >>> from encorec.data.vocabulary import Vocabulary
        >>> ids = Vocabulary(np.array([242, 302]))
        >>> artifact = SimpleNamespace(items=ids, users=ids, histories=None, shows_seen=False, snapshot_id="4af1")
        >>> fallback = Fallback(SimpleNamespace(artifact=artifact, popular=lambda k: [302, 242]))
        >>> [item.item_id for item in fallback.answer(Request(deny=(302,)), None, 9, "shed").items]
        [242]
    """

    def __init__(self, engine: ServedEngine) -> None:
        self.artifact = engine.artifact
        order = self.artifact.items.rows(engine.popular(len(self.artifact.items))).astype(np.int64)
        self._popular = PopularOrder(order, len(self.artifact.items))
        self._usual = order[:_K]
        self._items = self._named(self._usual)
        self._bytes = msgspec.json.encode(self._items)
        self._model = msgspec.json.encode(self.artifact.snapshot_id)

    def answer(self, request: Request, state: UserState | None, now: int, stage: str) -> Answer:
        """The ``min(k, eligible)`` most popular items for one request.

        Args:
            request: whose rules hold.
            state: what is remembered of the user.
            now: the second of asking, seconds since 1970.
            stage: that is skipped.
        """
        deny, unknown_denied = self._rows(request.deny)
        allow, unknown_allowed = (None, 0) if request.allow is None else self._rows(request.allow)
        history = [event.item_id for event in request.history or () if event.timestamp < now]
        unknown = unknown_denied + unknown_allowed + self._unknown(request)
        exclude = np.concatenate([deny, self._seen(request, state, history, now)])
        return Answer(
            user_id=request.user_id,
            items=self._shown(request.k, exclude, allow),
            degraded=[stage],
            unknown_ids=unknown,
        )

    def encode(self, answer: RecommendAnswer) -> bytes:
        """An answer as JSON; for the usual list, without writing it anew.

        Args:
            answer: made of one of this snapshot, or any other.
        """
        if answer.items is not self._items or answer.variants or answer.unknown_ids:
            return msgspec.json.encode(answer)
        return b'{"request_id":%b,"user_id":%b,"items":%b,"model":%b,"variants":{},"degraded":%b,"unknown_ids":0}' % (
            msgspec.json.encode(answer.request_id),
            msgspec.json.encode(answer.user_id),
            self._bytes,
            self._model,
            msgspec.json.encode(answer.degraded),
        )

    def _shown(self, k: int, exclude: IntVector, allow: IntVector | None) -> list[Recommended]:
        if k == _K and allow is None and not _meet(self._usual, exclude):
            return self._items
        return self._named(self._popular.best(k, exclude, allow))

    def _named(self, rows: IntVector) -> list[Recommended]:
        ids, scores = self.artifact.items.externals(rows), popular_scores(len(rows))
        return [
            Recommended(item_id=one, score=score, position=place, source=[POPULARITY], propensity=1.0)
            for place, (one, score) in enumerate(zip(ids, scores, strict=True), 1)
        ]

    def _seen(self, request: Request, state: UserState | None, history: list[ItemId], now: int) -> IntVector:
        """Rows of items that are not shown again."""
        if self.artifact.shows_seen:
            return _NONE
        if request.history is not None:
            return self._rows(history)[0]
        seen = [] if state is None else [*state.seen, *(event.item_id for event in state.events)]
        return np.concatenate([self._trained(request, now), self._rows(seen)[0]])

    def _trained(self, request: Request, now: int) -> IntVector:
        """Rows of items that the user took in the training data before ``now``."""
        histories = self.artifact.histories
        row = -1 if request.user_id is None else self.artifact.users.row(request.user_id)
        if histories is None or row < 0:
            return _NONE
        start, stop = int(histories.starts[row]), int(histories.stops[row])
        return histories.item[start : start + int(histories.time[start:stop].searchsorted(now))]

    def _unknown(self, request: Request) -> int:
        return self._rows([event.item_id for event in request.history])[1] if request.history else 0

    def _rows(self, ids: Sequence[ItemId]) -> tuple[IntVector, int]:
        """Rows of the known ones, and how many are unknown."""
        if not ids:
            return _NONE, 0
        rows = self.artifact.items.rows(ids)
        known = rows[rows >= 0]
        return known, len(rows) - len(known)


def _meet(some: IntVector, others: IntVector) -> bool:
    """Whether any of a few is among many."""
    return bool(len(others)) and bool((others[:, None] == some).any())
