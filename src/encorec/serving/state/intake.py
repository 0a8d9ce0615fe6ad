"""Events on their way into the state: each judged by itself, the good ones stored together."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from encorec.data.vocabulary import Vocabulary
from encorec.serving.clock import Clock
from encorec.serving.http.answers import EventsAnswer, RejectedEvent
from encorec.serving.http.bodies import EventBody
from encorec.serving.http.request_error import RequestError
from encorec.serving.http.wire import decode
from encorec.serving.state.group_commit import GroupCommit
from encorec.serving.state.store import Event

__all__ = ["Judged", "judge", "take_in"]

_EVENT = msgspec.json.Decoder(EventBody)
_END = 253_402_300_799.0  # the last second of 9999


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """The events of one call, and what is wrong with the others.

    Args:
        received: when the call came, by the real clock, seconds since 1970.
        now: the first second not yet begun by the service's clock.
        events: that can be stored, in order of arrival.
        rejected: those that cannot.

    Example:
        >>> Judged(received=50.2, now=51, events=[], rejected=[]).now
        51
    """

    received: float
    now: int
    events: list[Event]
    rejected: list[RejectedEvent]


def judge(given: Sequence[msgspec.Raw], items: Vocabulary, clock: Clock) -> Judged:
    """Tell the events that can be stored from those that cannot, each by itself.

    Args:
        given: events as JSON, in order of arrival.
        items: the known items.
        clock: the time of events that bring none, and when those that bring one are heard.

    Example:
        >>> import numpy as np
        >>> raw = msgspec.Raw(b'{"event_id": "e1", "user_id": 17, "item_id": "242"}')
        >>> judge([raw], Vocabulary(np.array([242])), Clock(stands_at=50.0)).events[0].item_id
        242
    """
    moment, now = clock.time(), clock.first_open_second()
    events: list[Event] = []
    rejected: list[RejectedEvent] = []
    for index, raw in enumerate(given):
        try:
            events.append(_event(decode(_EVENT, raw), items, clock, moment))
        except RequestError as error:
            rejected.append(RejectedEvent(index, f"{error} - at {error.path}"))
    return Judged(received=time.time(), now=now, events=events, rejected=rejected)


async def take_in(judged: Judged, commits: GroupCommit) -> EventsAnswer:
    """Store the events that can be stored, all or none; durable when it returns.

    Args:
        judged: the events.
        commits: on the way to the state.

    Raises:
        StateError: the state took none of them.

    Example:
        >>> import asyncio
        >>> from encorec.serving.state.sqlite_state import SqliteState
        >>> event = Event(event_id="e1", user_id=17, item_id=242, time=50.0)
        >>> judged, state = Judged(received=50.2, now=51, events=[event, event], rejected=[]), SqliteState(":memory:")
        >>> with GroupCommit(state) as commits:
        ...     asyncio.run(take_in(judged, commits))
        EventsAnswer(accepted=1, duplicates=1, future=0, rejected=[])
        >>> state.close()
    """
    result = await commits.append(judged.events, now=judged.now)
    return EventsAnswer(
        accepted=result.accepted,
        duplicates=result.duplicates,
        future=sum(event.time >= judged.now for event in judged.events),
        rejected=judged.rejected,
    )


def _event(body: EventBody, items: Vocabulary, clock: Clock, moment: float) -> Event:
    row = items.row(body.item_id)
    if row < 0:
        raise RequestError(422, f"item {body.item_id!r} is not known to this snapshot", "$.item_id")
    return Event(
        event_id=str(body.event_id),
        user_id=body.user_id,
        item_id=items.externals([row])[0],
        time=moment if body.timestamp is None else clock.heard(_seconds(body.timestamp)),
        weight=1.0 if body.value is None else body.value,
        type=body.type,
        request_id=body.request_id,
    )


def _seconds(given: float | datetime) -> float:
    if not isinstance(given, datetime):
        return given
    seconds = (given if given.tzinfo else given.replace(tzinfo=UTC)).timestamp()
    if not 0 <= seconds <= _END:
        raise RequestError(422, f"time {given.isoformat()} is outside 1970 to 9999", "$.timestamp")
    return seconds
