"""Parts that fail in a running service: every question is answered, in full and in time, and the answer says so.

The service is a process; its faults are switched on and off while it runs.
"""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.end_to_end.faulty import Faulty
from tests.end_to_end.faulty_service import HEAVY, SLOW
from tests.end_to_end.open_loop import ask_open_loop, percentile

FAN = {"user_id": "v007"}


@pytest.fixture
def start_faulty(project: Path, tmp_path: Path) -> Iterator[Callable[..., Faulty]]:
    started: list[Faulty] = []

    def start(**settings: Any) -> Faulty:
        started.append(Faulty(tmp_path, project / "artifact", **settings))
        return started[-1]

    yield start
    for one in started:
        one.stop()


def ids(answer: Any) -> list[str]:
    return [item["item_id"] for item in answer["items"]]


def test_parts_that_fail_are_done_without_and_are_back_when_they_work_again(
    start_faulty: Callable[..., Faulty],
) -> None:
    service = start_faulty(deadline_ms=60_000, max_wait_ms=60_000, max_shed_ms=60_000)
    healthy = service.ask(**FAN)
    assert healthy["degraded"] == []
    for switch, degraded in {
        "knn": ["source:knn"],
        "ranker": ["ranker"],
        "sources": ["retrieval", "source:steps", "source:knn", "source:als", "source:popular"],
        "engine": ["engine"],
    }.items():
        service.switch_on(switch)
        answer = service.ask(**FAN)
        batch = service.client.post("/v1/recommend/batch", json={"requests": [FAN, {"k": 3}]}).json()["answers"]
        course = service.client.post("/api/v1/recommend_for_user", json={"user_id": 1})
        assert answer["degraded"] == degraded
        assert [(one["degraded"], len(one["items"])) for one in batch] == [(degraded, 10), (degraded, 3)]
        assert (course.status_code, len(course.json()["item_ids"])) == (200, 10)
        assert len(set(ids(answer))) == 10
        assert set(ids(service.ask(**FAN, allow=[*ids(healthy)[:2], "f140"], deny=["f140"]))) == set(ids(healthy)[:2])
        service.switch_off(switch)
        again = service.ask(**FAN)
        assert (again["items"], again["degraded"]) == (healthy["items"], [])
    log = service.log.read_text()
    for error in ("source knn is gone", "the ranker is torn", "the engine is out of order"):
        assert log.count(f"Error: {error}") >= 1, log


def test_what_a_user_has_seen_is_not_shown_by_degraded_answers(start_faulty: Callable[..., Faulty]) -> None:
    service = start_faulty(deadline_ms=60_000, max_wait_ms=60_000, max_shed_ms=60_000)
    service.switch_on("engine")
    shown = ids(service.ask(user_id="new one"))
    event = {"event_id": "e", "user_id": "new one", "item_id": shown[0]}
    assert service.client.post("/v1/events", json={"events": [event]}).json()["accepted"] == 1
    assert ids(service.ask(user_id="new one", k=9)) == shown[1:]


def test_a_slow_ranker_does_not_make_answers_late_but_once(start_faulty: Callable[..., Faulty]) -> None:
    service = start_faulty(max_wait_ms=60_000, max_shed_ms=60_000)
    service.switch_on("slow")
    assert service.ask(**FAN)["degraded"] == []
    answers = [service.ask(**FAN, deadline_ms=1000 * SLOW * 0.9) for _ in range(100)]
    skipped = [one for one in answers if one["degraded"] == ["deadline", "ranker"]]
    # Only where the machine itself stands still may retrieval be late besides.
    assert len(skipped) >= 99, {tuple(one["degraded"]) for one in answers}
    assert all(len(one["items"]) == 10 for one in answers)
    assert ids(skipped[0]) == ids(skipped[-1])
    assert service.ask(**FAN, deadline_ms=9000)["degraded"] == []


def test_neither_batches_nor_explanations_hold_up_short_requests(start_faulty: Callable[..., Faulty]) -> None:
    """The ranker sleeps in the bulk thread; meanwhile the process says that it is alive, many times."""
    service = start_faulty(deadline_ms=60_000, max_wait_ms=60_000, max_shed_ms=60_000)
    service.switch_on("slow")
    batch = "/v1/recommend/batch", {"requests": [FAN] * 3}
    explained = "/v1/recommend", FAN | {"explain": True}
    with httpx.Client(base_url=service.url, timeout=30) as other, ThreadPoolExecutor(1) as thread:
        for path, body in (batch, explained):
            asked = thread.submit(other.post, path, json=body)
            alive = 0
            while not asked.done():
                assert service.client.get("/health/live").status_code == 200
                alive += 1
            assert asked.result().status_code == 200
            assert alive > 3


def test_more_batches_than_may_wait_are_told_to_come_again(start_faulty: Callable[..., Faulty]) -> None:
    service = start_faulty(deadline_ms=60_000, max_wait_ms=60_000, max_shed_ms=60_000, max_bulk=1)
    service.switch_on("slow")
    with httpx.Client(base_url=service.url, timeout=30) as other, ThreadPoolExecutor(1) as thread:

        def until_answered() -> httpx.Response:
            """Whoever comes second is refused: this one, where the other came first."""
            while (answer := other.post("/v1/recommend/batch", json={"requests": [FAN]})).status_code == 503:
                pass
            return answer

        asked = thread.submit(until_answered)
        refused = unexplained = None
        while not asked.done():
            answer = service.client.post("/v1/recommend/batch", json={"requests": [FAN]})
            refused = refused or (answer if answer.status_code == 503 else None)
            if refused is not None and unexplained is None:
                unexplained = service.ask(**FAN, explain=True)
        assert asked.result().status_code == 200
    assert refused is not None
    assert refused.headers["retry-after"] == "1"
    assert unexplained is not None
    assert len(unexplained["items"]) == 10
    assert "explanation" in unexplained["degraded"] or unexplained["items"][0]["explanation"]


@pytest.mark.parametrize("fresh", [False, True], ids=["connections that stay", "a connection for every question"])
def test_ten_times_more_than_can_be_answered(start_faulty: Callable[..., Faulty], fresh: bool) -> None:
    """A queue would be 27 seconds long at the end of three; nobody waits for that, and nobody is left unanswered."""
    service = start_faulty()
    service.switch_on("heavy")
    people = [{"user_id": f"v{one:03d}"} for one in range(250)]
    began = time.monotonic()
    outcomes = ask_open_loop(*service.address, people, rate=10 / HEAVY, seconds=3, fresh=fresh)
    passed = time.monotonic() - began
    assert {one.status for one in outcomes} <= {200, 503}
    answered = [one for one in outcomes if one.status == 200]
    assert all(one.items == 10 for one in answered)
    assert all(one.retry_after for one in outcomes if one.status == 503)
    accepted = [one for one in answered if not one.degraded]
    shed = [one for one in answered if one.degraded == ("shed",)]
    assert 50 < len(accepted) <= passed / HEAVY, "as many as there is time for"
    assert len(shed) > len(accepted), "most of the others get popular items"
    assert percentile(accepted, 0.99) < 1
    assert percentile(outcomes, 0.99) < 2, "who is turned away is told so soon"
    service.switch_off("heavy")
    assert service.ask(**FAN, deadline_ms=5000)["degraded"] == []
