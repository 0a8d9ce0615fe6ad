"""From request to answer: read, check, have it answered, write."""

from collections.abc import Iterable, Iterator, Sequence
from uuid import uuid4

import msgspec
from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from encorec.pipeline.requests import Request
from encorec.serving.clock import Clock
from encorec.serving.experiments.variants import Variants
from encorec.serving.http.answering import Answering
from encorec.serving.http.answers import (
    BatchAnswer,
    CourseAnswer,
    HealthAnswer,
    ItemAnswer,
    PopularAnswer,
    SimilarAnswer,
    UserAnswer,
)
from encorec.serving.http.bodies import BatchBody, Count, CourseBody, RecommendBody, SimilarBody, Text, UnreadEventsBody
from encorec.serving.http.request_error import RequestError
from encorec.serving.http.wire import JsonResponse, convert, decode, read_body, respond
from encorec.serving.logs.service_logs import ServiceLogs
from encorec.serving.operations.metrics import Metrics
from encorec.serving.settings import Settings
from encorec.serving.snapshots.holder import ServedEngine, Snapshots
from encorec.serving.state.group_commit import GroupCommit
from encorec.serving.state.intake import judge, take_in
from encorec.serving.state.store import UserStateStore
from encorec.serving.state.training_history import training_history

__all__ = ["Handlers"]

_RECOMMEND = msgspec.json.Decoder(RecommendBody)
_BATCH = msgspec.json.Decoder(BatchBody)
_SIMILAR = msgspec.json.Decoder(SimilarBody)
_EVENTS = msgspec.json.Decoder(UnreadEventsBody)
_COURSE = msgspec.json.Decoder(CourseBody)


class Handlers:
    """One handler per route, around one engine and one state.

    Args:
        snapshots: hold the engine that answers.
        state: remembers events.
        clock: what time it is for the service.
        settings: what is refused.
        metrics: counts; none = nobody reads.
        logs: of what was shown and heard; none = nothing is logged.
        variants: what experiments and exploration change; none = nothing.
    """

    def __init__(
        self,
        snapshots: Snapshots,
        state: UserStateStore,
        clock: Clock,
        settings: Settings,
        metrics: Metrics | None = None,
        logs: ServiceLogs | None = None,
        variants: Variants | None = None,
    ) -> None:
        self._snapshots, self._state, self._clock, self._settings = snapshots, state, clock, settings
        self._metrics, self._logs = metrics or Metrics(), logs or ServiceLogs.none()
        self._commits = GroupCommit(state)
        shared = self._metrics, self._logs, variants or Variants()
        self._answering = Answering(snapshots, state, clock, settings, *shared)
        self.ready = False

    def close(self) -> None:
        """Wait for what is under way in other threads."""
        self._answering.close()
        self._commits.close()

    async def recommend(self, request: HttpRequest) -> Response:
        """``POST /v1/recommend``."""
        body = decode(_RECOMMEND, await self._body(request))
        self._check(body, "$")
        answer = await self._answering.one(body, request.scope)
        return JsonResponse(self._answering.encode(answer))

    async def recommend_batch(self, request: HttpRequest) -> Response:
        """``POST /v1/recommend/batch``."""
        requests = decode(_BATCH, await self._body(request)).requests
        self._check_batch(requests)
        return respond(BatchAnswer(await self._answering.batch(requests, request.scope) if requests else []))

    async def similar(self, request: HttpRequest) -> Response:
        """``POST /v1/similar``."""
        body = decode(_SIMILAR, await self._body(request))
        self._check_k(body.k, "$.k")
        self._check_ids([("$.allow", len(body.allow or ())), ("$.deny", len(body.deny))])
        self._item_row(body.item_id, "$.item_id")
        items = self._engine.similar(body.item_id, body.k, allow=body.allow, deny=body.deny)
        answer = SimilarAnswer(request_id=_name(), item_id=body.item_id, items=items, model=self._model)
        self._logs.shown_similar(answer, time=self._clock.time())
        return respond(answer)

    async def events(self, request: HttpRequest) -> Response:
        """``POST /v1/events``."""
        events = decode(_EVENTS, await self._body(request)).events
        judged = judge(events, self._engine.artifact.items, self._clock)
        answer = await take_in(judged, self._commits)
        await self._logs.heard(judged.events, received=judged.received, now=judged.now)
        self._metrics.events(answer)
        if judged.events:
            self._metrics.state_lag(max(0.0, judged.now - max(event.time for event in judged.events)))
        return respond(answer)

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
        question = Request(user_id=body.user_id, allow=body.item_whitelist or None)
        answer = await self._answering.one(question, request.scope)
        return respond(CourseAnswer(body.user_id, [item.item_id for item in answer.items]))

    async def live(self, _: HttpRequest) -> Response:
        """``GET /health/live``."""
        return respond(HealthAnswer("live", self._model))

    async def readiness(self, _: HttpRequest) -> Response:
        """``GET /health/ready``."""
        return respond(HealthAnswer("ready" if self.ready else "starting", self._model), 200 if self.ready else 503)

    @property
    def _engine(self) -> ServedEngine:
        return self._snapshots.current

    @property
    def _model(self) -> str:
        return self._engine.artifact.snapshot_id

    async def _body(self, request: HttpRequest) -> bytes:
        return await read_body(request, self._settings.max_body_bytes)

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
        for i, request in enumerate(requests):
            self._check_k(request.k, f"$.requests[{i}].k")
        self._check_ids(one for i, request in enumerate(requests) for one in _id_counts(request, f"$.requests[{i}]"))
        places = sum(request.k for request in requests)
        if places > bounds.max_places:
            raise RequestError(422, f"k adds up to {places}, allowed is {bounds.max_places}", "$.requests")
        for i, request in enumerate(requests):
            if request.explain:
                raise RequestError(422, "only /v1/recommend explains", f"$.requests[{i}].explain")

    def _check(self, request: Request, path: str) -> None:
        self._check_k(request.k, f"{path}.k")
        if request.allow or request.deny or request.history:
            self._check_ids(_id_counts(request, path))

    def _check_k(self, k: int, path: str) -> None:
        if not 1 <= k <= self._settings.max_k:
            raise RequestError(422, f"k is {k}, allowed is 1 to {self._settings.max_k}", path)

    def _check_ids(self, counts: Iterable[tuple[str, int]]) -> None:
        total = 0
        for path, count in counts:
            total += count
            if total > self._settings.max_ids:
                raise RequestError(422, f"{total} ids up to here, allowed are {self._settings.max_ids}", path)


def _id_counts(request: Request, path: str) -> Iterator[tuple[str, int]]:
    """Path and length of every list of ids."""
    yield f"{path}.allow", len(request.allow or ())
    yield f"{path}.deny", len(request.deny)
    yield f"{path}.history", len(request.history or ())


def _name() -> str:
    return uuid4().hex
