"""Events on their way into the state: each judged by itself, the good ones stored together."""

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from encorec.data.vocabulary import Vocabulary
from encorec.serving.answers import EventsAnswer, RejectedEvent
from encorec.serving.bodies import EventBody
from encorec.serving.clock import Clock
from encorec.serving.request_error import RequestError
from encorec.serving.state import Event, UserStateStore
from encorec.serving.wire import decode

__all__ = ["take_in"]

_EVENT = msgspec.json.Decoder(EventBody)
_END = 253_402_300_799.0  # the last second of 9999


def take_in(given: Sequence[msgspec.Raw], items: Vocabulary, state: UserStateStore, clock: Clock) -> EventsAnswer:
    """Store the events that can be stored, in one transaction; say of the others why not.

    Args:
        given: events as JSON, in order of arrival.
        items: the known items.
        state: where the events go.
        clock: the time of events that bring none, and when those that bring one are heard.

    Raises:
        StateError: the state took none of them.

    Example:
        >>> import numpy as np
        >>> from encorec.serving.sqlite_state import SqliteState
        >>> items, state = Vocabulary(np.array([242])), SqliteState(":memory:")
        >>> raw = msgspec.Raw(b'{"event_id": "e1", "user_id": 17, "item_id": "242"}')
        >>> take_in([raw, raw], items, state, Clock(stands_at=50.0))
        EventsAnswer(accepted=1, duplicates=1, future=0, rejected=[])
        >>> state.close()
    """
    time, now = clock.time(), clock.first_open_second()
    events: list[Event] = []
    rejected: list[RejectedEvent] = []
    for index, raw in enumerate(given):
        try:
            events.append(_event(decode(_EVENT, raw), items, clock, time))
        except RequestError as error:
            rejected.append(RejectedEvent(index, f"{error} - at {error.path}"))
    result = state.append(events, now=now)
    return EventsAnswer(
        accepted=result.accepted,
        duplicates=result.duplicates,
        future=sum(event.time >= now for event in events),
        rejected=rejected,
    )


def _event(body: EventBody, items: Vocabulary, clock: Clock, time: float) -> Event:
    row = items.row(body.item_id)
    if row < 0:
        raise RequestError(422, f"item {body.item_id!r} is not known to this snapshot", "$.item_id")
    return Event(
        event_id=str(body.event_id),
        user_id=body.user_id,
        item_id=items.externals([row])[0],
        time=time if body.timestamp is None else clock.heard(_seconds(body.timestamp)),
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
