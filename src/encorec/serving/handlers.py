"""From request to answer: read, check, ask the engine, write. One to two milliseconds, so all of it inline."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from uuid import uuid4

import msgspec
from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from encorec.pipeline.requests import PastEvent, Request, UserState
from encorec.serving.answers import (
    BatchAnswer,
    CourseAnswer,
    HealthAnswer,
    ItemAnswer,
    PopularAnswer,
    RecommendAnswer,
    SimilarAnswer,
    UserAnswer,
)
from encorec.serving.bodies import BatchBody, Count, CourseBody, RecommendBody, SimilarBody, Text, UnreadEventsBody
from encorec.serving.clock import Clock
from encorec.serving.intake import take_in
from encorec.serving.request_error import RequestError
from encorec.serving.settings import Settings
from encorec.serving.snapshots import ServedEngine
from encorec.serving.state import StateError, UserStateStore
from encorec.serving.training_history import training_history
from encorec.serving.wire import convert, decode, read_body, respond

__all__ = ["Handlers"]

_RECOMMEND = msgspec.json.Decoder(RecommendBody)
_BATCH = msgspec.json.Decoder(BatchBody)
_SIMILAR = msgspec.json.Decoder(SimilarBody)
_EVENTS = msgspec.json.Decoder(UnreadEventsBody)
_COURSE = msgspec.json.Decoder(CourseBody)

_LOG = logging.getLogger(__name__)


class Handlers:
    """One handler per route, around one engine and one state.

    Args:
        engine: answers questions.
        state: remembers events.
        clock: what time it is for the service.
        settings: what is refused.
    """

    def __init__(self, engine: ServedEngine, state: UserStateStore, clock: Clock, settings: Settings) -> None:
        self._engine, self._state, self._clock, self._settings = engine, state, clock, settings
        self.ready = False

    async def recommend(self, request: HttpRequest) -> Response:
        """``POST /v1/recommend``."""
        body = decode(_RECOMMEND, await self._body(request))
        self._check([body], ["$"])
        return respond(self._answer([body])[0])

    async def recommend_batch(self, request: HttpRequest) -> Response:
        """``POST /v1/recommend/batch``."""
        requests = decode(_BATCH, await self._body(request)).requests
        self._check_batch(requests)
        return respond(BatchAnswer(self._answer(requests) if requests else []))

    async def similar(self, request: HttpRequest) -> Response:
        """``POST /v1/similar``."""
        body = decode(_SIMILAR, await self._body(request))
        self._check_k(body.k, "$.k")
        self._check_ids([("$.allow", len(body.allow or ())), ("$.deny", len(body.deny))])
        self._item_row(body.item_id, "$.item_id")
        items = self._engine.similar(body.item_id, body.k, allow=body.allow, deny=body.deny)
        return respond(SimilarAnswer(request_id=_name(), item_id=body.item_id, items=items, model=self._model))

    async def events(self, request: HttpRequest) -> Response:
        """``POST /v1/events``."""
        events = decode(_EVENTS, await self._body(request)).events
        return respond(take_in(events, self._engine.artifact.items, self._state, self._clock))

    async def popular(self, request: HttpRequest) -> Response:
        """``GET /v1/popular``."""
        k = convert(request.query_params.get("k", "10"), Count, "k")
        self._check_k(k, "k")
        return respond(PopularAnswer(self._engine.popular(k), self._model))

    async def item(self, request: HttpRequest) -> Response:
        """``GET /v1/items/{item_id}``."""
        artifact = self._engine.artifact
        row = self._item_row(convert(request.path_params["item_id"], Text, "item_id"), "item_id")
        [item_id] = artifact.items.externals([row])
        return respond(ItemAnswer(item_id, str(item_id if artifact.titles is None else artifact.titles[row])))

    async def user(self, request: HttpRequest) -> Response:
        """``GET /v1/users/{user_id}``."""
        asked = convert(request.path_params["user_id"], Text, "user_id")
        artifact, now = self._engine.artifact, self._clock.first_open_second()
        row = artifact.users.row(asked)
        state = self._state.read(asked, before=now)
        answer = UserAnswer(
            user_id=artifact.users.externals([row])[0] if row >= 0 else asked,
            trained=row >= 0,
            training=training_history(artifact, row, before=now),
            events=state.events,
            seen=len(state.seen),
        )
        return respond(answer)

    async def course(self, request: HttpRequest) -> Response:
        """``POST /api/v1/recommend_for_user`` and ``recommend_bruteforce``: the search is exact in both."""
        body = decode(_COURSE, await self._body(request))
        self._check_ids([("$.item_whitelist", len(body.item_whitelist))])
        [answer] = self._answer([Request(user_id=body.user_id, allow=body.item_whitelist or None)])
        return respond(CourseAnswer(body.user_id, [item.item_id for item in answer.items]))

    async def live(self, _: HttpRequest) -> Response:
        """``GET /health/live``."""
        return respond(HealthAnswer("live", self._model))

    async def readiness(self, _: HttpRequest) -> Response:
        """``GET /health/ready``."""
        return respond(HealthAnswer("ready" if self.ready else "starting", self._model), 200 if self.ready else 503)

    @property
    def _model(self) -> str:
        return self._engine.artifact.snapshot_id

    async def _body(self, request: HttpRequest) -> bytes:
        return await read_body(request, self._settings.max_body_bytes)

    def _answer(self, requests: Sequence[Request]) -> list[RecommendAnswer]:
        now = self._clock.first_open_second()
        remembered = [self._remembered(request, now) for request in requests]
        heard = [self._heard(request) for request in requests]
        answers = self._engine.recommend(heard, [state for state, _ in remembered], now=now)
        return [
            RecommendAnswer(
                request_id=_name(),
                user_id=answer.user_id,
                items=answer.items,
                model=self._model,
                degraded=[*skipped, *answer.degraded],
                unknown_ids=answer.unknown_ids,
            )
            for answer, (_, skipped) in zip(answers, remembered, strict=True)
        ]

    def _heard(self, request: Request) -> Request:
        """The request with its history as the clock hears it; the order of the client's clock is kept."""
        if request.history is None or not self._clock.standing:
            return request
        heard = self._clock.heard
        events = sorted(request.history, key=lambda event: event.timestamp)
        history = tuple(PastEvent(event.item_id, heard(event.timestamp), event.weight) for event in events)
        return msgspec.structs.replace(request, history=history)

    def _remembered(self, request: Request, now: int) -> tuple[UserState | None, list[str]]:
        """What is known of the user, and the stage that was skipped if the store failed."""
        if request.user_id is None or request.history is not None:
            return None, []
        try:
            return self._state.read(request.user_id, before=now), []
        except StateError as error:
            _LOG.warning("answered without state: %s", error)
            return None, ["state"]

    def _item_row(self, item_id: int | str, path: str) -> int:
        row = self._engine.artifact.items.row(item_id)
        if row < 0:
            raise RequestError(404, f"item {item_id!r} is not known to snapshot {self._model}", path)
        return row

    def _check_batch(self, requests: Sequence[Request]) -> None:
        """No batch may hold up the other requests for long: it is answered in one go."""
        bounds = self._settings
        if len(requests) > bounds.max_batch:
            raise RequestError(422, f"{len(requests)} requests, allowed are {bounds.max_batch}", "$.requests")
        self._check(requests, [f"$.requests[{i}]" for i in range(len(requests))])
        places = sum(request.k for request in requests)
        if places > bounds.max_places:
            raise RequestError(422, f"k adds up to {places}, allowed is {bounds.max_places}", "$.requests")
        for i, request in enumerate(requests):
            if request.explain:
                raise RequestError(422, "only /v1/recommend explains", f"$.requests[{i}].explain")

    def _check(self, requests: Sequence[Request], places: Sequence[str]) -> None:
        for request, place in zip(requests, places, strict=True):
            self._check_k(request.k, f"{place}.k")
        self._check_ids(_id_counts(requests, places))

    def _check_k(self, k: int, path: str) -> None:
        if not 1 <= k <= self._settings.max_k:
            raise RequestError(422, f"k is {k}, allowed is 1 to {self._settings.max_k}", path)

    def _check_ids(self, counts: Iterable[tuple[str, int]]) -> None:
        total = 0
        for path, count in counts:
            total += count
            if total > self._settings.max_ids:
                raise RequestError(422, f"{total} ids up to here, allowed are {self._settings.max_ids}", path)


def _id_counts(requests: Sequence[Request], places: Sequence[str]) -> Iterator[tuple[str, int]]:
    """Path and length of every list of ids."""
    for request, place in zip(requests, places, strict=True):
        yield f"{place}.allow", len(request.allow or ())
        yield f"{place}.deny", len(request.deny)
        yield f"{place}.history", len(request.history or ())


def _name() -> str:
    return uuid4().hex
