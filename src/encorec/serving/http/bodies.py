"""What may be asked: every request body, with the bounds that keep hostile input out."""

from datetime import datetime
from typing import Annotated, TypeAlias

import msgspec
from msgspec import Meta

from encorec.pipeline.requests import PastEvent, Request

__all__ = [
    "BatchBody",
    "Count",
    "CourseBody",
    "EventBody",
    "EventsBody",
    "HistoryEvent",
    "RecommendBody",
    "SimilarBody",
    "Text",
    "UnreadEventsBody",
    "WireId",
]

_Int64 = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
Text = Annotated[str, Meta(max_length=256)]
_Name = Annotated[str, Meta(min_length=1, max_length=256)]
_Seconds = Annotated[float, Meta(ge=0, le=253_402_300_799)]  # 1970 to 9999
_Weight = Annotated[float, Meta(ge=1e-9, le=1e9)]  # positive, and still so in single precision
_Milliseconds = Annotated[float, Meta(gt=0)]
_Single = Annotated[float, Meta(ge=-1e30, le=1e30)]  # finite in single precision
Count = Annotated[int, Meta(ge=1)]  # its upper bound is a setting

WireId: TypeAlias = _Int64 | Text
"""An id as in the training data: an integer or a text."""


class HistoryEvent(PastEvent, frozen=True, forbid_unknown_fields=True):
    """Something a user did, told with the question.

    Args:
        item_id: id as in the training data; an unknown one is ignored and counted.
        timestamp: seconds since 1970; later than a standing clock = at its moment, after what comes before.
        weight: strength of the event, from 1e-9 to 1e9.

    Example:
        >>> HistoryEvent(242, 881250949).weight
        1.0
    """

    item_id: WireId
    timestamp: _Seconds
    weight: _Weight = 1.0


class RecommendBody(Request, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What should this user be shown now?

    Args:
        user_id: id as in the training data; none or unknown = a guest.
        k: places to fill.
        allow: the only items that may be shown; none = all, an empty list = nothing.
        deny: items that may not be shown.
        history: replaces everything remembered of the user (sessions, guests).
        user: features of the user by name, over those known from training.
        explain: with the candidate features and "because you watched" of each item.
        placement: where the answer will be shown: experiments and exploration are set up by placement.
        session_id: names the visit: what a guest is assigned to experiments by, and everybody where sessions are.
        deadline_ms: milliseconds from its arrival within which the answer is of use: stages for which there is no time
            are skipped. Without effect in a batch.

    Example:
        >>> msgspec.json.decode(b'{"user_id": 17}', type=RecommendBody).k
        10
    """

    user_id: WireId | None = None
    k: Count = 10
    allow: tuple[WireId, ...] | None = None
    deny: tuple[WireId, ...] = ()
    history: tuple[HistoryEvent, ...] | None = None
    user: dict[Text, _Int64 | _Single | Text | bool | None] | None = None
    placement: _Name = "main"
    session_id: _Name | None = None
    deadline_ms: _Milliseconds | None = None


class BatchBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Many questions, answered by one call of the engine.

    Args:
        requests: each like the body of ``/v1/recommend``, without ``explain``.

    Example:
        >>> len(msgspec.json.decode(b'{"requests": [{"user_id": 17}, {}]}', type=BatchBody).requests)
        2
    """

    requests: tuple[RecommendBody, ...]


class SimilarBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which items are like this one?

    Args:
        item_id: id as in the training data.
        k: places to fill.
        allow: the only items that may be shown; none = all, an empty list = nothing.
        deny: items that may not be shown.

    Example:
        >>> msgspec.json.decode(b'{"item_id": 242}', type=SimilarBody).k
        10
    """

    item_id: WireId
    k: Count = 10
    allow: tuple[WireId, ...] | None = None
    deny: tuple[WireId, ...] = ()


class EventBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Something a user did.

    Args:
        event_id: the event's name; a second event of this name is a repetition and changes nothing.
        user_id: who; a new user is welcome.
        item_id: what; must be known to the snapshot.
        type: kind of event.
        timestamp: seconds since 1970, or RFC 3339 (UTC where it names no offset); none = the service's clock;
            later than a standing clock = at its moment.
        value: strength of the event, from 1e-9 to 1e9.
        request_id: the answer that showed the item.

    Example:
        >>> msgspec.json.decode(b'{"event_id": "e1", "user_id": 17, "item_id": 242}', type=EventBody).type
        'watch'
    """

    event_id: _Int64 | _Name
    user_id: WireId
    item_id: WireId
    type: _Name = "watch"
    timestamp: _Seconds | datetime | None = None
    value: _Weight | None = None
    request_id: Text | None = None


class EventsBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Events to remember, stored in one transaction.

    Args:
        events: each is judged by itself: a bad one does not hold up the others.

    Example:
        >>> len(msgspec.json.decode(b'{"events": []}', type=EventsBody).events)
        0
    """

    events: tuple[EventBody, ...]


class UnreadEventsBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An ``EventsBody`` whose events are still JSON, to be judged one by one.

    Example:
        >>> bytes(msgspec.json.decode(b'{"events": [{"event_id": 7}]}', type=UnreadEventsBody).events[0])
        b'{"event_id": 7}'
    """

    events: tuple[msgspec.Raw, ...]


class CourseBody(msgspec.Struct, frozen=True):
    """The question in the form of the course's lecture service.

    Args:
        user_id: who; an unknown user is served like any other.
        item_whitelist: the only items that may be shown, unknown ones ignored; empty = all.

    Example:
        >>> msgspec.json.decode(b'{"user_id": 17}', type=CourseBody).item_whitelist
        ()
    """

    user_id: _Int64
    item_whitelist: tuple[_Int64, ...] = ()
