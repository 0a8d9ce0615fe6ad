"""What a service writes while it answers."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.serving.toy_engine import DATA_END

from encorec.errors import ConfigError
from encorec.serving.logs.event_log import Records, calls_of
from encorec.serving.logs.impressions import Impression
from encorec.serving.logs.segments import segments_of
from encorec.serving.settings import Settings


@pytest.fixture
def logging_service(start_service: Callable[..., Any], tmp_path: Path) -> Any:
    return start_service(logs=str(tmp_path / "logs"), clock="data-end")


def impressions(folder: Path) -> list[Impression]:
    paths = segments_of(folder / "logs" / "impressions")
    return [one for path in paths for one in Records(path, Impression)]


def test_every_answer_is_logged_as_it_went_out(logging_service, tmp_path):
    questions = [
        {"user_id": 7, "placement": "home"},
        {"k": 3},
        {"user_id": "new", "allow": []},
        {"user_id": 1, "explain": True, "k": 2},
    ]
    answers = [logging_service.post("/v1/recommend", one).json() for one in questions]
    batch = logging_service.post("/v1/recommend/batch", {"requests": [{"user_id": 2}, {"placement": "tv"}]}).json()
    logging_service.stop()
    told = [*answers, *batch["answers"]]
    found = impressions(tmp_path)
    assert [one.placement for one in found] == ["home", "main", "main", "main", "main", "tv"]
    for one, answer in zip(found, told, strict=True):
        assert (one.request_id, one.user_id, one.snapshot) == (
            answer["request_id"],
            answer["user_id"],
            answer["model"],
        )
        assert (one.variants, one.degraded, one.time) == (answer["variants"], answer["degraded"], DATA_END - 1)
        columns = {"items": "item_id", "scores": "score", "sources": "source", "positions": "position"}
        for name, field in {**columns, "propensities": "propensity"}.items():
            assert getattr(one, name) == [item[field] for item in answer["items"]]


def test_similar_items_are_logged_under_a_placement_of_their_own(logging_service, tmp_path):
    answer = logging_service.post("/v1/similar", {"item_id": 242, "k": 2}).json()
    logging_service.stop()
    [one] = impressions(tmp_path)
    assert (one.request_id, one.placement, one.user_id) == (answer["request_id"], "similar", None)
    assert (one.items, one.sources, one.propensities) == ([302, 1], [["similar"]] * 2, [1.0, 1.0])


def test_answers_whose_name_nobody_is_told_are_not_logged(logging_service, tmp_path):
    logging_service.post("/api/v1/recommend_for_user", {"user_id": 7})
    logging_service.get("/v1/popular")
    logging_service.post("/v1/recommend", {"k": 0})
    logging_service.stop()
    assert impressions(tmp_path) == []


def test_accepted_events_are_on_disk_when_the_call_is_answered(logging_service, tmp_path):
    events = [
        {"event_id": "a", "user_id": 7, "item_id": "242", "timestamp": 50.5, "value": 2, "request_id": "r"},
        {"event_id": "bad", "user_id": 7, "item_id": 999},
        {"event_id": "b", "user_id": "new", "item_id": 302},
    ]
    assert logging_service.post("/v1/events", {"events": events}).json()["accepted"] == 2
    [call] = calls_of(tmp_path / "logs" / "events")
    assert call.now == DATA_END
    assert [(one.event_id, one.user_id, one.item_id, one.time, one.weight, one.request_id) for one in call.events] == [
        ("a", 7, 242, 50.5, 2.0, "r"),
        ("b", "new", 302, DATA_END - 1, 1.0, None),
    ]


def test_a_repetition_is_logged_too_for_the_first_may_have_been_cut_short(logging_service, tmp_path):
    for _ in range(2):
        logging_service.post("/v1/events", {"events": [{"event_id": "a", "user_id": 7, "item_id": 242}]})
    assert [event.event_id for call in calls_of(tmp_path / "logs" / "events") for event in call.events] == ["a", "a"]


def test_what_the_log_does_not_take_is_not_acknowledged_and_answers_go_on(start_service, tmp_path):
    service = start_service(logs=str(tmp_path / "logs"), segment_bytes=1)
    event = {"event_id": "a", "user_id": 7, "item_id": 242}
    assert service.post("/v1/events", {"events": [event]}).status_code == 200
    shutil.rmtree(tmp_path / "logs")
    refused = service.post("/v1/events", {"events": [event | {"event_id": "b"}]})
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
    assert len(service.items(user_id=7)) == 10
    (tmp_path / "logs" / "events").mkdir(parents=True)
    again = service.post("/v1/events", {"events": [event | {"event_id": "b"}]}).json()
    assert (again["accepted"], again["duplicates"]) == (0, 1)
    assert [event.event_id for call in calls_of(tmp_path / "logs" / "events") for event in call.events] == ["b"]


def test_without_a_folder_nothing_is_logged(service):
    assert service.post("/v1/events", {"events": [{"event_id": "a", "user_id": 7, "item_id": 242}]}).status_code == 200
    assert len(service.items(user_id=7)) == 10


@pytest.mark.parametrize("bad", [{"fsync_ms": 0}, {"segment_bytes": 0}, {"segment_seconds": -1}])
def test_settings_of_logs_have_bounds(bad):
    with pytest.raises(ConfigError, match=next(iter(bad))):
        Settings(**bad)


def test_settings_reach_the_segments():
    segments = Settings(fsync_ms=7, segment_bytes=1000, segment_seconds=9).segments
    assert (segments.fsync_ms, segments.segment_bytes, segments.segment_seconds) == (7, 1000, 9)
