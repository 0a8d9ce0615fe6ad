"""User state in Redis or Valkey, for services on many machines."""

from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from itertools import accumulate, pairwise
from math import isfinite

import msgspec

from encorec.pipeline.requests import ItemId, PastEvent, UserState
from encorec.serving.state.breaker import Breaker
from encorec.serving.state.redis_client import RedisAway, RedisError, RedisLate, connect, redacted
from encorec.serving.state.redis_scripts import APPEND, READ
from encorec.serving.state.redis_settings import RedisSettings
from encorec.serving.state.store import HISTORY_LENGTH, AppendResult, Event, StateError

__all__ = ["RedisState"]

_DAY = 86_400  # seconds
_NO_STREAM = -1


class _Past(msgspec.Struct, array_like=True, frozen=True):
    arrival: str
    item_id: ItemId
    timestamp: float
    weight: float


_STATES = msgspec.json.Decoder(list[tuple[list[_Past], list[ItemId]]])


class RedisState:
    """The shared store: every call is one script and one round trip, so a call is stored whole or not at all.

    When the server is away a read costs no more than its timeout, and after a few of them microseconds: a breaker
    leaves the server alone and tries it again by itself. A write that is cut off may have been stored; sending it
    again is safe, because events have names. What was told is on disk when the call returns if the server runs with
    ``appendonly yes`` and ``appendfsync always``; its ``maxmemory-policy`` must be ``noeviction``. One primary with
    its replicas; a cluster of several shards is not supported. Redis 6.2 or newer.

    Memory: per user the last ``kept`` events (about 100 bytes each) and every item touched (about 80); of every
    event its name, for ``event_id_days``. Type and request of an event are not kept here: the event log has them.

    Args:
        url: ``redis://``, ``rediss://`` or ``unix://``; its password appears in no error.
        settings: patience, memory and names.
        kept: events per user that a state holds.
        stream: also add every accepted event to this stream, in the same step.
        stream_length: entries the stream is cut to, about; 0 = never cut.

    Raises:
        ConfigError: the address cannot be read. A server that is away is no error before the first call.

    Example:
        >>> state = RedisState("redis://:secret@127.0.0.1:1")
        >>> state.read(17, before=60)
        Traceback (most recent call last):
        ...
        encorec.serving.state.store.StateError: state 'redis://127.0.0.1:1' cannot be read: Error 111 connecting ...
        >>> state.close()
    """

    def __init__(
        self,
        url: str,
        settings: RedisSettings | None = None,
        *,
        kept: int = HISTORY_LENGTH,
        stream: str | None = None,
        stream_length: int = 0,
    ) -> None:
        settings = settings or RedisSettings()
        self._name, self._kept, self._closed = redacted(url), kept, False
        self._reader = connect(url, timeout=settings.read_ms / 1000)
        self._writer = connect(url, timeout=settings.write_ms / 1000)
        self._breaker = Breaker(failures=settings.failures, pause=settings.pause_ms / 1000)
        self._prefix = settings.prefix.encode()
        self._life = max(1, round(settings.event_id_days * _DAY))
        self._stream = b"" if stream is None else stream.encode()
        self._stream_length = _NO_STREAM if stream is None else stream_length

    def append(self, events: Sequence[Event], *, now: int) -> AppendResult:
        """Store all events or none.

        Args:
            events: in order of arrival.
            now: the first second not yet begun; events from then on are kept besides the history.

        Raises:
            StateError: the server is away, full or refuses; what was cut off may have been stored.
        """
        return self.append_calls([events], now=now)[0]

    def append_calls(self, calls: Sequence[Sequence[Event]], *, now: int) -> list[AppendResult]:
        """Store the events of several calls in one step, all or none; what became of each call.

        Raises:
            StateError: the server is away, full or refuses; what was cut off may have been stored.
        """
        events = [event for call in calls for event in call]
        if not events:
            return [AppendResult(0, 0) for _ in calls]
        users = {user: place for place, user in enumerate(dict.fromkeys(str(event.user_id) for event in events))}
        keys = [self._prefix + b":arrivals", self._stream, *self._keys(users)]
        values: list[bytes | int | str] = [now, self._kept, self._life, self._prefix + b":id:", self._stream_length]
        for event in events:
            values += self._described(event, users)
        with self._reported("written"):
            new = APPEND.run(self._writer, keys, values)
        ends = list(accumulate((len(call) for call in calls), initial=0))
        counts = [(stop - start, new.count(b"1", start, stop)) for start, stop in pairwise(ends)]
        return [AppendResult(fresh, given - fresh) for given, fresh in counts]

    def _described(self, event: Event, users: dict[str, int]) -> tuple[bytes | int | str, ...]:
        """The six values of an event that the script takes."""
        if not (isfinite(event.time) and isfinite(event.weight)):
            raise StateError(f"event {event.event_id!r} has time {event.time} and weight {event.weight}: not finite")
        encode = msgspec.json.encode
        rest = encode((event.item_id, event.time, event.weight))[1:]
        wire = b"" if self._stream_length == _NO_STREAM else encode(event)
        return _bytes(event.event_id), users[str(event.user_id)], repr(event.time), encode(event.item_id), rest, wire

    def read(self, user_id: ItemId, *, before: int) -> UserState:
        """What is known of a user from events strictly before ``before`` (seconds since 1970).

        Raises:
            StateError: the server is away, or what it holds is no state.
        """
        return self.read_users([user_id], before=before)[0]

    def read_users(self, user_ids: Sequence[ItemId], *, before: int) -> list[UserState]:
        """What is known of each of these users, in one round trip.

        Raises:
            StateError: the server is away, or what it holds is no state.
        """
        if not user_ids:
            return []
        with self._reported("read"):
            answer = READ.run(self._reader, self._keys(map(str, user_ids)), [before, self._kept])
        try:
            return [_state(past, seen) for past, seen in _STATES.decode(answer)]
        except msgspec.DecodeError as error:
            raise StateError(f"state {self._name!r} holds something else under {self._prefix!r}: {error}") from error

    def close(self) -> None:
        """Let go of the connections; reading or writing is a ``StateError`` from here on."""
        self._closed = True
        self._reader.close()
        self._writer.close()

    def _keys(self, users: Iterable[str]) -> list[bytes]:
        kinds = (self._prefix + b":past:", self._prefix + b":seen:")
        return [kind + _bytes(user) for user in users for kind in kinds]

    @contextmanager
    def _reported(self, done: str) -> Generator[None]:
        """Ask the breaker before, tell it after, and put what goes wrong into our words."""
        if self._closed:
            raise StateError(f"state {self._name!r} cannot be {done}: it was closed")
        if not self._breaker.admits():
            raise StateError(f"state {self._name!r} cannot be {done}: it did not answer and is left alone for a while")
        try:
            yield
        except (RedisAway, RedisLate) as error:
            self._breaker.failed()
            raise StateError(f"state {self._name!r} cannot be {done}: {error}") from error
        except RedisError as error:
            self._breaker.succeeded()  # a refusal is an answer
            raise StateError(f"state {self._name!r} cannot be {done}: {error}") from error
        self._breaker.succeeded()


def _state(past: list[_Past], seen: list[ItemId]) -> UserState:
    events = tuple(PastEvent(one.item_id, one.timestamp, one.weight) for one in reversed(past))
    return UserState(events, tuple(_in_order(seen)))


def _in_order(items: list[ItemId]) -> list[ItemId]:
    """Integers before texts, each in their own order, as in SQLite."""
    kinds = {type(item) for item in items}
    return sorted(items, key=None if len(kinds) < 2 else lambda item: (isinstance(item, str), item))  # pyright: ignore


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
