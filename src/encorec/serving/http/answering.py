"""From checked requests to slates: what is remembered, who answers, and what is done where that fails."""

import os
from collections.abc import MutableMapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import msgspec

from encorec.errors import QueryError
from encorec.pipeline.requests import Answer, ItemId, PastEvent, Request, UserState
from encorec.pipeline.watch import StageCosts, Watch
from encorec.serving.clock import Clock
from encorec.serving.experiments.variants import Plan, Variants, answer_planned
from encorec.serving.http.answers import RecommendAnswer
from encorec.serving.http.bodies import RecommendBody
from encorec.serving.http.exchange import exchange_of
from encorec.serving.limits.admission import Patience
from encorec.serving.limits.arrival import arrived_at
from encorec.serving.limits.bulk import Bulk
from encorec.serving.limits.failures import Failures
from encorec.serving.limits.fallback import Fallback
from encorec.serving.logs.service_logs import ServiceLogs
from encorec.serving.operations.metrics import Metrics
from encorec.serving.settings import Settings
from encorec.serving.snapshots.holder import ServedEngine, Snapshots
from encorec.serving.state.store import StateError, UserStateStore

__all__ = ["Answering"]

ENGINE, EXPLANATION, SHED, STATE = "engine", "explanation", "shed", "state"


class _Asked(NamedTuple):
    """One request on its way, ``heard`` as the clock hears it; ``skipped`` are stages done without so far."""

    request: Request
    heard: Request
    name: str
    plan: Plan
    state: UserState | None
    skipped: list[str]


class Answering:
    """Gives every checked request its slate, whatever fails meanwhile.

    One request is answered in the thread that asks, within a deadline; batches and explained requests in a thread of
    their own.

    Args:
        snapshots: hold the engine that answers.
        state: remembers events.
        clock: what time it is for the service.
        settings: deadlines, and how much may wait.
        metrics: counts.
        logs: of what was shown.
        variants: what experiments and exploration change.
    """

    def __init__(
        self,
        snapshots: Snapshots,
        state: UserStateStore,
        clock: Clock,
        settings: Settings,
        metrics: Metrics,
        logs: ServiceLogs,
        variants: Variants,
    ) -> None:
        self._snapshots, self._state, self._clock, self._settings = snapshots, state, clock, settings
        self._metrics, self._logs, self._variants = metrics, logs, variants
        self._patience = Patience(settings.max_wait_ms / 1000)
        self._costs, self._failures, self._bulk = StageCosts(), Failures(), Bulk(settings.max_bulk)
        self._fallback = Fallback(snapshots.current)
        snapshots.subscribe(self._prepare)

    async def one(self, request: Request, scope: MutableMapping[str, Any]) -> RecommendAnswer:
        """The slate of one request; popular items where it has waited too long.

        Args:
            request: checked.
            scope: of HTTP, stamped on arrival.

        Raises:
            QueryError: the engine refuses the question.
        """
        arrived, now, exchange = arrived_at(scope), self._clock.first_open_second(), exchange_of(scope)
        asked = self._asked(request)
        with exchange.stage(STATE):
            asked = self._remembering(asked, now)
        deadline = self._deadline(request, arrived)
        watch = Watch(deadline, self._costs)
        with exchange.stage(ENGINE):
            if self._patience.over(arrived, deadline=deadline):
                self._metrics.shed()
                answer = self._popular(asked, now, SHED)
            elif not request.explain:
                answer = self._recommended(asked, now, watch)
            elif self._bulk.full:
                asked.skipped.append(EXPLANATION)
                brief = asked._replace(heard=msgspec.structs.replace(asked.heard, explain=False))
                answer = self._recommended(brief, now, watch)
            else:
                watch = Watch(deadline)
                answer = await self._bulk.run(partial(self._recommended, asked, now, watch))
        exchange.stages += watch.stages
        given = self._given(asked, answer, scope)
        if not given.degraded:
            self._snapshots.remember(request)
        return given

    async def batch(self, requests: Sequence[Request], scope: MutableMapping[str, Any]) -> list[RecommendAnswer]:
        """The slates of many requests, in order, without haste.

        Args:
            requests: checked.
            scope: of HTTP.

        Raises:
            QueryError: the engine refuses a question.
            RequestError: 503, too many batches are waiting.
        """
        now, asked = self._clock.first_open_second(), [self._asked(request) for request in requests]
        with exchange_of(scope).stage("bulk"):
            answers = await self._bulk.run(partial(self._together, asked, now))
        return [self._given(one, answer, scope) for one, answer in answers]

    def encode(self, answer: RecommendAnswer) -> bytes:
        """An answer as JSON."""
        return self._fallback.encode(answer)

    def close(self) -> None:
        """Wait for what is under way."""
        self._bulk.close()

    def _prepare(self, engine: ServedEngine) -> None:
        self._fallback = Fallback(engine)

    def _asked(self, request: Request) -> _Asked:
        name = os.urandom(16).hex()
        plan = self._variants.plan(request, name, self._snapshots.current, moment=self._clock.time())
        return _Asked(request, self._heard(request), name, plan, None, [])

    def _deadline(self, request: Request, arrived: float) -> float:
        asked = request.deadline_ms if isinstance(request, RecommendBody) else None
        bounds = self._settings
        return arrived + (bounds.deadline_ms if asked is None else min(asked, bounds.max_deadline_ms)) / 1000

    def _heard(self, request: Request) -> Request:
        """The request with its history as the clock hears it; the order of the client's clock is kept."""
        if request.history is None or not self._clock.standing:
            return request
        heard = self._clock.heard
        events = sorted(request.history, key=lambda event: event.timestamp)
        history = tuple(PastEvent(event.item_id, heard(event.timestamp), event.weight) for event in events)
        return msgspec.structs.replace(request, history=history)

    def _remembering(self, asked: _Asked, now: int) -> _Asked:
        """With what is known of the user, or the note that it cannot be had."""
        if (user_id := _whose(asked.request)) is None:
            return asked
        try:
            return asked._replace(state=self._state.read(user_id, before=now))
        except Exception as error:
            self._state_failed(error)
            return asked._replace(skipped=[STATE])

    def _remembering_all(self, asked: Sequence[_Asked], now: int) -> list[_Asked]:
        users = [user_id for one in asked if (user_id := _whose(one.request)) is not None]
        try:
            found = iter(self._state.read_users(users, before=now) if users else [])
        except Exception as error:
            self._state_failed(error)
            return [one if _whose(one.request) is None else one._replace(skipped=[STATE]) for one in asked]
        return [one if _whose(one.request) is None else one._replace(state=next(found)) for one in asked]

    def _state_failed(self, error: Exception) -> None:
        self._metrics.state_error("read")
        self._failures.report(STATE, error, traceback=not isinstance(error, StateError))

    def _recommended(self, asked: _Asked, now: int, watch: Watch) -> Answer:
        """The engine's answer, or popular items where it has none."""
        try:
            [answer] = answer_planned([asked.plan], [asked.heard], [asked.state], now=now, watch=watch)
        except QueryError:
            raise
        except Exception as error:
            self._failures.report(ENGINE, error)
            return self._popular(asked, now, ENGINE)
        self._report(watch)
        return answer

    def _together(self, asked: Sequence[_Asked], now: int) -> list[tuple[_Asked, Answer]]:
        """Answers of one call of the engine; where that fails, of one call each."""
        asked, watch = self._remembering_all(asked, now), Watch()
        plans, heard, states = [one.plan for one in asked], [one.heard for one in asked], [one.state for one in asked]
        try:
            answers = answer_planned(plans, heard, states, now=now, watch=watch)
        except QueryError:
            raise
        except Exception:
            answers = [self._recommended(one, now, Watch()) for one in asked]
        self._report(watch)
        return list(zip(asked, answers, strict=True))

    def _popular(self, asked: _Asked, now: int, stage: str) -> Answer:
        return self._fallback.answer(asked.heard, asked.state, now, stage)

    def _report(self, watch: Watch) -> None:
        self._metrics.candidates(watch.proposed)
        for stage, error in watch.failed.items():
            self._failures.report(stage, error)

    def _given(self, asked: _Asked, answer: Answer, scope: MutableMapping[str, Any]) -> RecommendAnswer:
        """The answer as it goes out, counted and logged."""
        engine = self._fallback if {ENGINE, SHED} & set(answer.degraded) else asked.plan.engine
        given = RecommendAnswer(
            request_id=asked.name,
            user_id=answer.user_id,
            items=answer.items,
            model=engine.artifact.snapshot_id,
            variants=asked.plan.variants,
            degraded=[*asked.skipped, *answer.degraded],
            unknown_ids=answer.unknown_ids,
        )
        self._metrics.answered(given, asked.request.k)
        exchange_of(scope).answered(given, asked.request.k)
        if isinstance(asked.request, RecommendBody):  # the course's form tells no request_id that events could name
            placement, session = asked.request.placement, asked.request.session_id
            self._logs.shown(given, time=self._clock.time(), placement=placement, session_id=session)
        return given


def _whose(request: Request) -> ItemId | None:
    """The user whose state is wanted; none = nobody's."""
    return None if request.history is not None else request.user_id
