"""Training sees what serving saw: from replayed events, online features equal the offline ones to the last bit.

Online: events over HTTP into a state and a log, the log into a fresh state, the state into queries as the service
builds them. Offline: the table of training with the same events joined to it, histories cut before the moment.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.worlds import ITEMS, USERS, Trained

from encorec.data.interactions import Interactions
from encorec.pipeline.query_building import build_queries
from encorec.pipeline.requests import Request, UserState
from encorec.serving.logs.compaction import compact
from encorec.serving.logs.replay import differing_users, logged_calls, replay
from encorec.serving.state.sqlite_state import SqliteState
from encorec.types import Candidates, Eligibility, ItemLists, Queries

NEW = [f"new {one}" for one in range(20)]
DAY = 86_400


def told(trained: Trained, seed: int) -> list[dict[str, Any]]:
    """Events after training: late ones, repetitions of training, equal times, fractions of a second, the future."""
    rng, end, table = np.random.default_rng(seed), trained.engine.artifact.data_end, trained.data.interactions
    events: list[dict[str, Any]] = []
    for _ in range(900):
        user: int | str = int(rng.integers(USERS)) if rng.random() < 0.7 else NEW[int(rng.integers(len(NEW)))]
        time = end + float(rng.choice([rng.uniform(0, 3 * DAY), int(rng.uniform(0, 50)), rng.uniform(-DAY, 0)]))
        events.append({"user_id": user, "item_id": int(rng.integers(ITEMS)), "timestamp": time})
        if rng.random() < 0.1:
            row = int(rng.integers(len(table)))
            again = {"user_id": int(table.user[row]), "item_id": int(table.item[row])}
            events.append(again | {"timestamp": float(table.time[row])})
    for count, event in enumerate(events):
        event |= {"event_id": f"e{count}", "value": float(rng.choice([0.25, 1.0, 3.7]))}
    return events


def joined_by_hand(trained: Trained, events: list[dict[str, Any]]) -> Interactions:
    """The table of training and the events that it does not hold, new users behind the known ones."""
    table = trained.data.interactions
    known = set(zip(table.user.tolist(), table.item.tolist(), table.time.tolist(), strict=True))
    row = {**{one: one for one in range(USERS)}, **{name: USERS + place for place, name in enumerate(NEW)}}
    ordered = sorted(events, key=lambda one: one["timestamp"])
    fresh = [one for one in ordered if (row[one["user_id"]], one["item_id"], int(one["timestamp"])) not in known]
    return table.joined(
        Interactions.of(
            [row[one["user_id"]] for one in fresh],
            [one["item_id"] for one in fresh],
            [int(one["timestamp"]) for one in fresh],
            [one["value"] for one in fresh],
            users=USERS + len(NEW),
            items=ITEMS,
        )
    )


def offline_queries(trained: Trained, events: list[dict[str, Any]], now: int) -> Queries:
    artifact = trained.engine.artifact
    past = joined_by_hand(trained, events).histories.before(now).compact()
    rows = np.arange(USERS + len(NEW), dtype=np.int32)
    features = np.full((len(rows), artifact.user_features.shape[1]), np.nan, np.float32)
    features[:USERS] = artifact.user_features
    user = np.where(rows < USERS, rows, -1).astype(np.int32)
    eligible = Eligibility(artifact.catalogue, ItemLists(past.indptr, past.item))
    return Queries(past, np.full(len(rows), now, np.int64), eligible, features, user)


def online_queries(trained: Trained, state: SqliteState, now: int) -> Queries:
    users = [*range(USERS), *NEW]
    states: list[UserState | None] = [state.read(user, before=now) for user in users]
    return build_queries(trained.engine.artifact, [Request(user_id=user) for user in users], states, now)[0]


def material(trained: Trained, queries: Queries) -> tuple[Candidates, np.ndarray]:
    """Candidates and the matrix that the ranker sees."""
    first = trained.engine.artifact.pipeline.first
    candidates = first.candidates(queries)
    return candidates, first.features.compute(queries, candidates, first.retrievers)


@pytest.fixture(params=["log", "tables"])
def replayed(
    request: pytest.FixtureRequest, trained: Trained, start_service: Callable[..., Any], tmp_path: Path
) -> Iterator[tuple[SqliteState, SqliteState, list[dict[str, Any]], int]]:
    """The state of a service, the one made of its log, what it was told, and the moment of asking."""
    now = trained.engine.artifact.data_end + 2 * DAY
    live, events = SqliteState(str(tmp_path / "live.sqlite")), told(trained, seed=5)
    service = start_service(trained.engine, live, logs=str(tmp_path / "logs"), segment_bytes=4000)
    for begin in range(0, len(events), 40):
        service.post("/v1/events", {"events": events[begin : begin + 40]})
        service.post("/v1/events", {"events": events[begin // 2 : begin // 2 + 3]})
    service.stop()
    if request.param == "tables":
        compact(tmp_path / "logs", tmp_path / "tables")
    fresh = SqliteState(str(tmp_path / "fresh.sqlite"))
    replay(
        logged_calls(tmp_path / ("logs" if request.param == "log" else "tables")), trained.engine.artifact.items, fresh
    )
    yield live, fresh, events, now
    fresh.close()


def test_online_features_and_answers_equal_the_offline_ones_to_the_last_bit(trained, replayed):
    live, fresh, events, now = replayed
    offline = offline_queries(trained, events, now)
    for state in (live, fresh):
        online = online_queries(trained, state, now)
        for part in ("item", "time", "weight", "indptr"):
            np.testing.assert_array_equal(getattr(online.history, part), getattr(offline.history, part))
        (given, matrix), (expected, wanted) = material(trained, online), material(trained, offline)
        for part in ("item", "query"):
            np.testing.assert_array_equal(getattr(given, part), getattr(expected, part))
        assert matrix.dtype == wanted.dtype == np.float32
        assert matrix.tobytes() == wanted.tobytes()
        slates = [trained.engine.artifact.pipeline.recommend(one, 12) for one in (online, offline)]
        assert slates[0].item.tobytes() == slates[1].item.tobytes()
        assert slates[0].score.tobytes() == slates[1].score.tobytes()


def test_the_replayed_state_is_the_one_that_the_service_had(trained, replayed):
    live, fresh, events, now = replayed
    users = {str(event["user_id"]) for event in events}
    assert differing_users(users, live, fresh, before=now + 400 * DAY) == []
    empty = SqliteState(":memory:")
    assert differing_users([*users, "nobody"], live, empty, before=now + 400 * DAY) == sorted(users)
    empty.close()


def test_features_of_events_differ_from_those_without_them(trained, replayed):
    """The other tests would say nothing if events changed nothing."""
    _, _, events, now = replayed
    _, with_events = material(trained, offline_queries(trained, events, now))
    _, without = material(trained, offline_queries(trained, [], now))
    assert with_events.tobytes() != without.tobytes()
