"""What the service remembers of users: events go in, the state at a moment comes out."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from encorec.errors import EncorecError
from encorec.pipeline.requests import ItemId, UserState

__all__ = ["HISTORY_LENGTH", "AppendResult", "Event", "StateError", "UserStateStore"]

HISTORY_LENGTH = 200
"""Events kept per user."""


class StateError(EncorecError):
    """The state cannot be read or written now; nothing of the call is acknowledged, and sending it again is safe.

    Example:
        >>> str(StateError("disk full"))
        'disk full'
    """


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something a user did, checked and ready to be stored.

    Args:
        event_id: the event's name: a second event of this name is a repetition.
        user_id: who; ``17`` and ``"17"`` are the same user.
        item_id: what, in the type of the data.
        time: seconds since 1970.
        weight: strength, positive.
        type: kind of event.
        request_id: the answer that showed the item.

    Example:
        >>> Event(event_id="e1", user_id=17, item_id=242, time=893286638.0).type
        'watch'
    """

    event_id: str
    user_id: ItemId
    item_id: ItemId
    time: float
    weight: float = 1.0
    type: str = "watch"
    request_id: str | None = None


class AppendResult(msgspec.Struct, frozen=True):
    """What became of the events of one call.

    Args:
        accepted: stored for good.
        duplicates: had been stored before, or earlier in the call.

    Example:
        >>> AppendResult(accepted=2, duplicates=1).accepted
        2
    """

    accepted: int
    duplicates: int


class UserStateStore(Protocol):
    """Where user state lives. Its content depends on the set of events stored, not on the way they came in.

    A state holds the last ``HISTORY_LENGTH`` events in order of time, and every item ever touched. Late, repeated,
    shuffled and future-dated events leave what the log in order of time would have left; only between events of
    equal time does arrival decide. Ids of users are compared as text; seen items stand in order, integers first.
    One thread may append while others read. Time does not run backwards: a ``before`` may not be earlier than the
    ``now`` of a previous ``append``, because what is older than the history is dropped.
    """

    def append(self, events: Sequence[Event], *, now: int) -> AppendResult:
        """Store all events or none; durable when it returns.

        Args:
            events: in order of arrival.
            now: the first second not yet begun; events from then on are kept besides the history.

        Raises:
            StateError: the store is away, full or damaged.
        """
        ...

    def append_calls(self, calls: Sequence[Sequence[Event]], *, now: int) -> list[AppendResult]:
        """Store the events of several calls in one transaction, all or none; what became of each call.

        Raises:
            StateError: the store is away, full or damaged.
        """
        ...

    def read(self, user_id: ItemId, *, before: int) -> UserState:
        """What is known of a user from events strictly before ``before`` (seconds since 1970).

        Raises:
            StateError: the store is away or damaged.
        """
        ...

    def read_users(self, user_ids: Sequence[ItemId], *, before: int) -> list[UserState]:
        """What is known of each of these users, in one round trip where the store is elsewhere.

        Raises:
            StateError: the store is away or damaged.
        """
        ...

    def close(self) -> None:
        """Let go of files and connections."""
        ...
