"""From requests and remembered state to queries: the one place where a user's history is put together."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from encorec.pipeline.artifact import Artifact
from encorec.pipeline.requests import Chance, PastEvent, Request, UserState
from encorec.types import (
    BoolVector,
    Eligibility,
    Exploration,
    FloatMatrix,
    FloatVector,
    Histories,
    IntVector,
    ItemLists,
    Queries,
)

__all__ = ["build_queries", "stored_queries"]


class _Events(NamedTuple):
    """Events of one user, oldest first: item (m,) int32, time (m,) int64, weight (m,) float32."""

    item: IntVector
    time: IntVector
    weight: FloatVector

    def take(self, kept: IntVector | BoolVector | slice) -> "_Events":
        return _Events(self.item[kept], self.time[kept], self.weight[kept])

    def ordered(self) -> "_Events":
        return self.take(np.argsort(self.time, kind="stable"))


class _Asked(NamedTuple):
    """One request in row numbers."""

    user: int
    events: _Events
    exclude: IntVector
    allow: IntVector | None
    unknown: int


def build_queries(
    artifact: Artifact,
    requests: Sequence[Request],
    states: Sequence[UserState | None],
    now: int,
    chances: Sequence[Chance | None] = (),
) -> tuple[Queries, list[int]]:
    """Queries of n requests, and how many ids of each the artifact does not know.

    The history is the training data's, then the remembered events, without repetition, cut before ``now``; a history
    in the request replaces both. Seen and denied items are excluded, whether or not the history still holds them.

    Args:
        artifact: knows ids, training histories and features.
        requests: n requests.
        states: n states or none.
        now: second of asking.
        chances: n, all with the same head; none = nothing is left to chance.
    """
    asked = [_read(artifact, request, state, now) for request, state in zip(requests, states, strict=True)]
    exclude = ItemLists.of([one.exclude for one in asked])
    allow, restricted = _allow_lists(asked)
    queries = Queries(
        _histories([one.events for one in asked]),
        np.full(len(asked), now, np.int64),
        Eligibility(artifact.catalogue, exclude, allow, restricted),
        _user_features(artifact, requests, asked),
        np.array([one.user for one in asked], np.int32),
        _exploration(chances),
    )
    return queries, [one.unknown for one in asked]


def stored_queries(artifact: Artifact, users: IntVector, now: int) -> Queries:
    """What ``build_queries`` makes of plain requests of users of whom nothing is remembered, all at once.

    Args:
        artifact: knows training histories and features.
        users: (n,) int32 rows, -1 = unknown.
        now: second of asking.
    """
    known = users >= 0
    stored = artifact.histories.take(users[known])
    lengths = np.zeros(len(users), np.int64)
    lengths[known] = stored.lengths
    indptr = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
    history = Histories(indptr, stored.item, stored.time, stored.weight).before(now).compact()
    exclude = ItemLists(history.indptr, history.item) if artifact.config.seen == "exclude" else None
    features = np.full((len(users), artifact.user_features.shape[1]), np.nan, np.float32)
    features[known] = artifact.user_features[users[known]]
    return Queries(
        history,
        np.full(len(users), now, np.int64),
        Eligibility(artifact.catalogue, exclude),
        features if features.shape[1] else None,
        users.astype(np.int32),
    )


def _exploration(chances: Sequence[Chance | None]) -> Exploration | None:
    drawn = [one for one in chances if one is not None and one.temperature]
    if not drawn:
        return None
    temperature = [0.0 if one is None else one.temperature for one in chances]
    seed = [0 if one is None else one.seed for one in chances]
    return Exploration(np.array(temperature), np.array(seed, np.int64), drawn[0].head)


def _read(artifact: Artifact, request: Request, state: UserState | None, now: int) -> _Asked:
    user = -1 if request.user_id is None else artifact.users.row(request.user_id)
    unknown, seen = 0, np.empty(0, np.int32)
    if request.history is not None:
        events, unknown = _translate(artifact, request.history)
    else:
        events = _remembered(artifact, user, state)
        seen = _rows(artifact, state.seen)[0] if state else seen
    events = _before(events, now)
    denied, unknown_denied = _rows(artifact, request.deny)
    excluded = [denied, seen, events.item] if artifact.config.seen == "exclude" else [denied]
    allow, unknown_allowed = (None, 0) if request.allow is None else _rows(artifact, request.allow)
    exclude = np.concatenate(excluded)
    return _Asked(user, events, exclude, allow, unknown + unknown_denied + unknown_allowed)


def _remembered(artifact: Artifact, user: int, state: UserState | None) -> _Events:
    """The training history with the events since; an event that training has seen already is not counted twice."""
    trained = _trained(artifact.histories, user)
    if state is None or not state.events:
        return trained
    newer, _ = _translate(artifact, state.events)
    newer = newer.take(~_stands_in(newer, trained))
    together = _Events(
        np.concatenate([trained.item, newer.item]),
        np.concatenate([trained.time, newer.time]),
        np.concatenate([trained.weight, newer.weight]),
    )
    return together.ordered()


def _stands_in(events: _Events, others: _Events) -> BoolVector:
    """(m,) whether each event's item and time are those of one of ``others``."""
    known = set(zip(others.item.tolist(), others.time.tolist(), strict=True))
    return np.array([pair in known for pair in zip(events.item.tolist(), events.time.tolist(), strict=True)], bool)


def _trained(histories: Histories, user: int) -> _Events:
    inside = slice(0, 0) if user < 0 else slice(histories.indptr[user], histories.indptr[user + 1])
    return _Events(histories.item[inside], histories.time[inside], histories.weight[inside])


def _translate(artifact: Artifact, events: Sequence[PastEvent]) -> tuple[_Events, int]:
    """Events in row numbers, oldest first, and how many had an unknown item."""
    rows = artifact.items.rows([event.item_id for event in events])
    time = np.fromiter((int(event.timestamp) for event in events), np.int64, len(events))
    weight = np.fromiter((event.weight for event in events), np.float32, len(events))
    known = rows >= 0
    return _Events(rows, time, weight).take(known).ordered(), int(np.count_nonzero(~known))


def _before(events: _Events, now: int) -> _Events:
    stop = int(np.searchsorted(events.time, now))
    return events if stop == len(events.time) else events.take(slice(stop))


def _rows(artifact: Artifact, ids: Sequence[int | str]) -> tuple[IntVector, int]:
    rows = artifact.items.rows(ids)
    known = rows[rows >= 0]
    return known, len(rows) - len(known)


def _histories(users: list[_Events]) -> Histories:
    lists = ItemLists.of([events.item for events in users])
    if len(users) == 1:
        return Histories(lists.indptr, *users[0])
    time = np.concatenate([events.time for events in users]) if users else np.empty(0, np.int64)
    weight = np.concatenate([events.weight for events in users]) if users else np.empty(0, np.float32)
    return Histories(lists.indptr, lists.item, time, weight)


def _allow_lists(asked: list[_Asked]) -> tuple[ItemLists | None, BoolVector | None]:
    restricted = np.array([one.allow is not None for one in asked], bool)
    if not restricted.any():
        return None, None
    nothing = np.empty(0, np.int32)
    return ItemLists.of([nothing if one.allow is None else one.allow for one in asked]), restricted


def _user_features(artifact: Artifact, requests: Sequence[Request], asked: list[_Asked]) -> FloatMatrix | None:
    """(n, F) float32 features known from training, overridden by those in the request."""
    width = artifact.user_features.shape[1]
    if width == 0:
        return None
    features = np.full((len(asked), width), np.nan, np.float32)
    for row, (request, one) in enumerate(zip(requests, asked, strict=True)):
        if one.user >= 0:
            features[row] = artifact.user_features[one.user]
        if request.user:
            given = artifact.user_schema.encode(request.user)
            features[row] = np.where(np.isnan(given), features[row], given)
    return features
