"""A log of events fed through the online code into a fresh state: what the service knew, rebuilt."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

import msgspec
import polars as pl

from encorec.data.vocabulary import Vocabulary
from encorec.errors import DataError
from encorec.serving.logs.event_log import LoggedCall, calls_of
from encorec.serving.logs.segments import segments_of
from encorec.serving.logs.service_logs import EVENTS
from encorec.serving.logs.tables import EVENT_COLUMNS
from encorec.serving.state.store import Event, UserStateStore

__all__ = ["ReplayReport", "differing_users", "logged_calls", "replay"]

_ROWS_AT_ONCE = 65_536


class ReplayReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a replay fed.

    Args:
        calls: of the log.
        accepted: events that the state took.
        duplicates: events that it had taken before.
        unknown_items: events of items that the artifact does not know; they are in the state and count for nothing.
        users: ids, as text, of everybody in the log.
        now: the last second that the log was written before; 0 = the log is empty.

    Example:
        >>> ReplayReport(calls=1, accepted=1, duplicates=0, unknown_items=0, users={"17"}, now=51).accepted
        1
    """

    calls: int
    accepted: int
    duplicates: int
    unknown_items: int
    users: set[str]
    now: int


def logged_calls(source: Path) -> Iterator[LoggedCall]:
    """Calls of a log in the order in which they were received.

    Args:
        source: the folder that a service logs to, its ``events``, a folder of tables made of them, or one table.

    Raises:
        DataError: nothing of the kind, or a file that cannot be read.
    """
    for folder in (source / EVENTS, source):
        if segments_of(folder):
            return calls_of(folder)
        if tables := sorted(folder.glob("*.parquet")):
            return _calls_of_tables(tables)
    if source.is_file():
        return _calls_of_tables([source])
    raise DataError(f"{source}: no log of events; name the folder of `serve --logs` or the tables of `logs compact`")


def replay(calls: Iterable[LoggedCall], items: Vocabulary, state: UserStateStore) -> ReplayReport:
    """Feed calls into a state as the service did, with the ``now`` of each.

    Calls of the same second go together, which leaves the same state.

    Args:
        calls: in the order in which they were received.
        items: the known items; ids take the type that they have there.
        state: fresh, of any kind.

    Raises:
        StateError: the state cannot be written.

    Example:
        >>> import numpy as np
        >>> from encorec.serving.state.sqlite_state import SqliteState
        >>> event = Event(event_id="e", user_id=17, item_id="242", time=50.0)
        >>> call = LoggedCall(received=50.2, now=51, events=(event,))
        >>> state = SqliteState(":memory:")
        >>> report = replay([call, call], Vocabulary(np.array([242])), state)
        >>> (report.accepted, report.duplicates), state.read(17, before=51).seen
        ((1, 1), (242,))
        >>> state.close()
    """
    told = accepted = duplicates = unknown = last = 0
    users: set[str] = set()
    for now, together in groupby(calls, lambda call: call.now):
        for block in _blocks(together):
            told += len(block)
            given = [event for call in block for event in call.events]
            rows = items.rows([event.item_id for event in given]).tolist()
            known = iter(items.externals([row for row in rows if row >= 0]))
            events = [
                msgspec.structs.replace(event, item_id=next(known)) if row >= 0 else event
                for event, row in zip(given, rows, strict=True)
            ]
            result = state.append(events, now=now)
            accepted, duplicates = accepted + result.accepted, duplicates + result.duplicates
            unknown += rows.count(-1)
            users.update(str(event.user_id) for event in events)
        last = max(last, now)
    return ReplayReport(
        calls=told, accepted=accepted, duplicates=duplicates, unknown_items=unknown, users=users, now=last
    )


def differing_users(users: Iterable[str], one: UserStateStore, other: UserStateStore, *, before: int) -> list[str]:
    """Users of whom two states say different things, in order.

    Args:
        users: to be compared, ids as text.
        one: a state.
        other: another.
        before: seconds since 1970; not earlier than the ``now`` of any event that they took.

    Raises:
        StateError: a state cannot be read.

    Example:
        >>> from encorec.serving.state.sqlite_state import SqliteState
        >>> one, other = SqliteState(":memory:"), SqliteState(":memory:")
        >>> _ = one.append([Event(event_id="e", user_id=17, item_id=242, time=50.0)], now=51)
        >>> differing_users(["17", "18"], one, other, before=51)
        ['17']
        >>> one.close(), other.close()
        (None, None)
    """
    return [user for user in sorted(users) if _known(one, user, before) != _known(other, user, before)]


def _known(state: UserStateStore, user: str, before: int) -> object:
    """What a state says of a user; what was seen has no order."""
    found = state.read(user, before=before)
    return found.events, sorted(map(str, found.seen))


def _blocks(calls: Iterable[LoggedCall]) -> Iterator[list[LoggedCall]]:
    """Calls in lists that a transaction can take."""
    block: list[LoggedCall] = []
    events = 0
    for call in calls:
        block.append(call)
        events += len(call.events)
        if events >= 1000:
            yield block
            block, events = [], 0
    if block:
        yield block


def _calls_of_tables(tables: list[Path]) -> Iterator[LoggedCall]:
    """Calls of tables, by the time they were received; those of one moment in the order of the files."""
    try:
        frame = pl.concat([pl.read_parquet(path, columns=list(EVENT_COLUMNS)) for path in tables])
        frame = frame.cast(pl.Schema(EVENT_COLUMNS)).sort("received", maintain_order=True)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise DataError(f"{tables[0]}: no table of events ({error}); name what `logs compact` made") from error
    return _calls_of_rows(frame)


def _calls_of_rows(frame: pl.DataFrame) -> Iterator[LoggedCall]:
    names = [name for name in EVENT_COLUMNS if name not in ("received", "now")]
    places = [frame.columns.index(name) for name in names]
    received, now = frame.columns.index("received"), frame.columns.index("now")
    rows = (row for part in frame.iter_slices(_ROWS_AT_ONCE) for row in part.rows())
    for (moment, second), call in groupby(rows, lambda row: (row[received], row[now])):
        events = [msgspec.convert(dict(zip(names, [row[p] for p in places], strict=True)), Event) for row in call]
        yield LoggedCall(received=moment, now=second, events=tuple(events))
