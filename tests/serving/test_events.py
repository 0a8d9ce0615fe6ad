import sqlite3
from typing import Any

import pytest
from tests.serving.toy_engine import DATA_END

from encorec.serving.state.sqlite_state import SqliteState


def event(name: Any = "a", **more: Any):
    return {"event_id": name, "user_id": "new", "item_id": 242} | more


def post(service, *events):
    answer = service.post("/v1/events", {"events": list(events)})
    assert answer.status_code == 200, answer.text
    return answer.json()


def remembered(service, user: int | str = "new"):
    return [one["item_id"] for one in service.get(f"/v1/users/{user}").json()["events"]]


def test_a_repeated_event_is_counted_and_changes_nothing(service):
    assert post(service, event("a"), event("a"), event(7)) == {
        "accepted": 2,
        "duplicates": 1,
        "future": 0,
        "rejected": [],
    }
    assert post(service, event("a"), event("7"))["duplicates"] == 2
    assert remembered(service) == [242, 242]


@pytest.mark.parametrize(
    ("bad", "error"),
    [
        ({"event_id": "x", "user_id": 1, "item_id": 999}, "item 999 is not known to this snapshot - at $.item_id"),
        ({"event_id": "x", "user_id": 1}, "Object missing required field `item_id` - at $"),
        ({"user_id": 1, "item_id": 242}, "Object missing required field `event_id` - at $"),
        (event(""), "Expected `str` of length >= 1 - at $.event_id"),
        (event(True), "Expected `int | str`, got `bool` - at $.event_id"),
        (event(user_id=1.5), "Expected `int | str`, got `float` - at $.user_id"),
        (event(item_id=[]), "Expected `int | str`, got `array` - at $.item_id"),
        (event(timestamp="soon"), "Invalid RFC3339 encoded datetime - at $.timestamp"),
        (event(timestamp=-1), "Expected `float` >= 0.0 - at $.timestamp"),
        (event(timestamp=1e300), "Expected `float` <= 253402300799.0 - at $.timestamp"),
        (event(timestamp="1969-12-31T23:59:59Z"), "outside 1970 to 9999 - at $.timestamp"),
        (event(timestamp="0001-01-01T00:00:00+14:00"), "outside 1970 to 9999 - at $.timestamp"),
        (event(value=0), "Expected `float` >= 1e-09 - at $.value"),
        (event(value=1e300), "Expected `float` <= 1000000000.0 - at $.value"),
        (event(value="2"), "Expected `float | null`, got `str` - at $.value"),
        (event(type=""), "Expected `str` of length >= 1 - at $.type"),
        (event(rating=5), "Object contains unknown field `rating` - at $"),
        (17, "Expected `object`, got `int` - at $"),
        (None, "Expected `object`, got `null` - at $"),
    ],
)
def test_a_bad_event_is_rejected_by_name_and_holds_up_nobody(service, bad, error):
    answer = post(service, event("first"), bad, event("last"))
    [rejected] = answer["rejected"]
    assert answer["accepted"] == 2
    assert rejected["index"] == 1
    assert rejected["error"].endswith(error)


@pytest.mark.parametrize(
    ("timestamp", "seconds"),
    [
        (1_000_000_000, 1_000_000_000),
        (1_000_000_000.25, 1_000_000_000.25),
        ("2001-09-09T01:46:40Z", 1_000_000_000),
        ("2001-09-09T03:46:40+02:00", 1_000_000_000),
        ("2001-09-09T01:46:40", 1_000_000_000),
    ],
)
def test_times_come_as_seconds_or_as_rfc_3339(service, timestamp, seconds):
    post(service, event(timestamp=timestamp))
    assert service.get("/v1/users/new").json()["events"][0]["timestamp"] == seconds


def test_value_is_the_weight_and_items_take_the_type_of_the_data(service):
    post(service, event("a", timestamp=1, value=2.5), event("b", timestamp=2, item_id="302"))
    assert service.get("/v1/users/new").json()["events"] == [
        {"item_id": 242, "timestamp": 1.0, "weight": 2.5},
        {"item_id": 302, "timestamp": 2.0, "weight": 1.0},
    ]


def test_events_stand_in_order_of_time_not_of_arrival(service):
    post(service, event("a", timestamp=30, item_id=1), event("b", timestamp=10, item_id=2))
    post(service, event("c", timestamp=20, item_id=3))
    assert remembered(service) == [2, 3, 1]


def test_events_without_a_time_count_at_once_whatever_the_clock(start_service):
    service = start_service(clock="data-end")
    post(service, event("a"), event("b", item_id=302))
    assert remembered(service) == [242, 302]
    times = [one["timestamp"] for one in service.get("/v1/users/new").json()["events"]]
    assert times == [DATA_END - 1] * 2
    assert service.items(user_id="new", k=1) == [1]


def test_events_dated_after_the_real_clock_are_kept_and_not_counted_early(service):
    answer = post(service, event("a", timestamp="2099-05-01T12:00:00Z"), event("b", timestamp=5, item_id=302))
    assert (answer["accepted"], answer["future"]) == (2, 1)
    assert remembered(service) == [302]
    assert service.items(user_id="new", k=1) == [242]


def test_the_event_of_a_second_ahead_counts_when_its_second_has_begun(service):
    post(service, event("a", timestamp=4_000_000_000))
    assert service.state.read("new", before=4_000_000_000).events == ()
    assert len(service.state.read("new", before=4_000_000_001).events) == 1


@pytest.mark.parametrize("clock", ["data-end", "1998-04-22T23:10:38Z"])
def test_at_a_standing_clock_the_future_is_now_in_the_order_of_arrival(start_service, clock):
    service = start_service(clock=clock)
    answer = post(
        service,
        event("a", timestamp="2099-05-01T12:00:00Z", item_id=302),
        event("b"),
        event("c", timestamp=DATA_END + 5, item_id=1),
        event("d", timestamp=DATA_END - 5, item_id=2),
    )
    assert (answer["accepted"], answer["future"]) == (4, 0)
    post(service, event("e", timestamp=DATA_END, item_id=3))
    assert remembered(service) == [2, 302, 242, 1, 3]
    assert [one["timestamp"] - DATA_END for one in service.get("/v1/users/new").json()["events"]] == [-5, *[-1] * 4]
    assert service.items(user_id="new", k=1) == [4]


def test_at_a_standing_clock_the_last_to_arrive_are_remembered(start_service):
    service = start_service(clock="data-end")
    post(service, *[event(i, item_id=i % 18 + 1, timestamp=4e9 - i) for i in range(250)])
    assert remembered(service) == [i % 18 + 1 for i in range(50, 250)]


def test_thousands_of_events_in_one_call(service):
    events = [event(i, user_id=i % 50, item_id=i % 18 + 1, timestamp=i) for i in range(3_000)]
    assert post(service, *events)["accepted"] == 3_000
    assert post(service, *events)["duplicates"] == 3_000
    assert len(remembered(service, 7)) == 60


def test_a_call_is_stored_whole_or_not_at_all(start_service, tmp_path):
    path = str(tmp_path / "state.sqlite")
    service = start_service(state=SqliteState(path))
    vandal = sqlite3.connect(path)
    vandal.execute("DROP TABLE seen")
    assert service.post("/v1/events", {"events": [event("a"), event("b")]}).status_code == 503
    for table in ("received", "events"):
        assert vandal.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)
    vandal.execute("DROP TABLE versions")
    vandal.close()
    answer = service.post("/v1/recommend", {"user_id": "new"}).json()
    assert (answer["degraded"], len(answer["items"])) == (["state"], 10)
