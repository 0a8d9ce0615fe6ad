"""What is told: every answer, in the types of the data."""

import msgspec

from encorec.pipeline.requests import ItemId, PastEvent, Recommended, Similar

__all__ = [
    "BatchAnswer",
    "CourseAnswer",
    "ErrorAnswer",
    "ErrorDetail",
    "EventsAnswer",
    "HealthAnswer",
    "ItemAnswer",
    "PopularAnswer",
    "RecommendAnswer",
    "RejectedEvent",
    "SimilarAnswer",
    "TrainingHistory",
    "UserAnswer",
]


class RecommendAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The slate of one request.

    Args:
        request_id: name of this answer, for the events that it leads to.
        user_id: as asked.
        items: best first, always as many as ``k`` and eligibility allow.
        model: the snapshot that answered.
        variants: variant of every experiment that the user takes part in.
        degraded: every stage that was skipped; ``state`` = answered without what the service remembers.
        unknown_ids: ids in allow, deny and history that the snapshot does not know.

    Example:
        >>> RecommendAnswer(request_id="r", user_id=1, items=[], model="m", degraded=[], unknown_ids=0).variants
        {}
    """

    request_id: str
    user_id: ItemId | None
    items: list[Recommended]
    model: str
    variants: dict[str, str] = {}
    degraded: list[str]
    unknown_ids: int


class BatchAnswer(msgspec.Struct, frozen=True):
    """The slates of a batch.

    Args:
        answers: one per request, in order.

    Example:
        >>> BatchAnswer([]).answers
        []
    """

    answers: list[RecommendAnswer]


class SimilarAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Items like one item.

    Args:
        request_id: name of this answer, for the events that it leads to.
        item_id: as asked.
        items: most alike first.
        model: the snapshot that answered.

    Example:
        >>> SimilarAnswer(request_id="r", item_id=1, items=[], model="m").items
        []
    """

    request_id: str
    item_id: ItemId
    items: list[Similar]
    model: str


class RejectedEvent(msgspec.Struct, frozen=True):
    """An event that was not stored.

    Args:
        index: its place in the call, from 0.
        error: why, and the path of the fault inside the event.

    Example:
        >>> RejectedEvent(3, "missing").index
        3
    """

    index: int
    error: str


class EventsAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the events of a call; what is accepted is on disk.

    Args:
        accepted: events stored.
        duplicates: events that had been stored before, or stood in the call twice.
        future: valid events of the call dated after the real clock; each counts from its time on. A standing
            clock has no future.
        rejected: events that cannot be stored.

    Example:
        >>> EventsAnswer(accepted=2, duplicates=0, future=0, rejected=[]).accepted
        2
    """

    accepted: int
    duplicates: int
    future: int
    rejected: list[RejectedEvent]


class PopularAnswer(msgspec.Struct, frozen=True):
    """The most popular items, best first.

    Args:
        item_ids: ids as in the training data.
        model: the snapshot that answered.

    Example:
        >>> PopularAnswer([50, 258], "m").item_ids
        [50, 258]
    """

    item_ids: list[ItemId]
    model: str


class ItemAnswer(msgspec.Struct, frozen=True):
    """What is known of an item.

    Args:
        item_id: id as in the training data.
        title: what a person calls it.

    Example:
        >>> ItemAnswer(50, "Star Wars (1977)").title
        'Star Wars (1977)'
    """

    item_id: ItemId
    title: str


class TrainingHistory(msgspec.Struct, frozen=True):
    """What the training data say of a user, up to the service's clock.

    Args:
        events: how many events they hold.
        last: the newest of them, newest last.

    Example:
        >>> TrainingHistory(2, (PastEvent(242, 5), PastEvent(302, 6))).last[-1].item_id
        302
    """

    events: int
    last: tuple[PastEvent, ...]


class UserAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a user.

    Args:
        user_id: id as in the training data, or as asked.
        trained: whether the training data hold the user.
        training: what they say of the user; none for a user they do not hold.
        events: what the service remembers beyond the training data, newest last.
        seen: how many different items these and older events touched.

    Example:
        >>> UserAnswer(user_id="new", trained=False, training=None, events=(), seen=0).trained
        False
    """

    user_id: ItemId
    trained: bool
    training: TrainingHistory | None
    events: tuple[PastEvent, ...]
    seen: int


class HealthAnswer(msgspec.Struct, frozen=True):
    """How the process is.

    Args:
        status: ``live``, ``ready`` or ``starting``.
        model: the snapshot in use.

    Example:
        >>> HealthAnswer("ready", "m").status
        'ready'
    """

    status: str
    model: str


class CourseAnswer(msgspec.Struct, frozen=True):
    """The answer in the form of the course's lecture service.

    Args:
        user_id: as asked.
        item_ids: up to ten, best first.

    Example:
        >>> CourseAnswer(17, [50]).item_ids
        [50]
    """

    user_id: int
    item_ids: list[ItemId]


class ErrorDetail(msgspec.Struct, frozen=True):
    """Why a request was refused.

    Args:
        message: what was given, what is allowed.
        path: where: ``$`` is the body, ``$.k`` a field of it; else the name of a parameter or the route.

    Example:
        >>> ErrorDetail("Expected `int`, got `str`", "$.k").path
        '$.k'
    """

    message: str
    path: str


class ErrorAnswer(msgspec.Struct, frozen=True):
    """The answer to a request that was refused.

    Args:
        error: why.

    Example:
        >>> ErrorAnswer(ErrorDetail("no such route", "/v2")).error.path
        '/v2'
    """

    error: ErrorDetail
