"""What the outside asks and is told: ids as in the data, no row numbers, no arrays."""

from typing import Any

import msgspec

__all__ = ["Answer", "Chance", "ItemId", "PastEvent", "Recommended", "Request", "Similar", "UserState"]

ItemId = int | str


class PastEvent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something a user did.

    Args:
        item_id: id as in the training data; an unknown one is ignored and counted.
        timestamp: seconds since 1970.
        weight: strength of the event.

    Example:
        >>> PastEvent(242, 881250949).weight
        1.0
    """

    item_id: ItemId
    timestamp: float
    weight: float = 1.0


class UserState(msgspec.Struct, frozen=True):
    """What the service remembers of a user beyond the training data.

    Args:
        events: newest last, at most the last few hundred.
        seen: every item the user ever touched, also those no longer in ``events``.

    Example:
        >>> UserState().events
        ()
    """

    events: tuple[PastEvent, ...] = ()
    seen: tuple[ItemId, ...] = ()


class Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One question.

    Args:
        user_id: id as in the training data; none or unknown = a guest.
        k: places to fill.
        allow: the only items that may be shown; none = all, an empty list = nothing.
        deny: items that may not be shown.
        history: replaces everything remembered of the user (sessions, guests).
        user: features of the user by name, over those known from training.
        explain: with the candidate features and "because you watched" of each item.

    Example:
        >>> Request(user_id=17).k
        10
    """

    user_id: ItemId | None = None
    k: int = 10
    allow: tuple[ItemId, ...] | None = None
    deny: tuple[ItemId, ...] = ()
    history: tuple[PastEvent, ...] | None = None
    user: dict[str, Any] | None = None
    explain: bool = False


class Chance(msgspec.Struct, frozen=True, kw_only=True):
    """How far the slate of one request is left to chance (``encorec.pipeline.exploration``).

    Args:
        temperature: in standard deviations of the scores of the head; 0 = nothing is left to chance.
        seed: of the draw, 64 bits with sign: the same seed, the same slate.
        head: best items that are drawn from.

    Example:
        >>> Chance(temperature=0.5, seed=7).head
        50
    """

    temperature: float
    seed: int
    head: int = 50


class Recommended(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One item of an answer: ``position`` counts from 1, ``source`` names the retrievers that proposed it."""

    item_id: ItemId
    score: float
    position: int
    source: list[str]
    propensity: float
    explanation: dict[str, Any] | None = None


class Similar(msgspec.Struct, frozen=True, kw_only=True):
    """One item alike another; ``score`` is comparable within one answer only."""

    item_id: ItemId
    score: float
    position: int


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """The slate of one request.

    Args:
        user_id: as asked.
        items: best first, always ``min(k, eligible)``.
        degraded: every stage that was skipped, and why.
        unknown_ids: ids in allow, deny and history that the artifact does not know.
    """

    user_id: ItemId | None
    items: list[Recommended]
    degraded: list[str]
    unknown_ids: int = 0
