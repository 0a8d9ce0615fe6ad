"""Overload and faults for as long as it takes to be sure, with the engine at its real speed."""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from tests.end_to_end.faulty import Faulty
from tests.end_to_end.faulty_service import HEAVY, SLOW
from tests.end_to_end.open_loop import Outcome, ask_open_loop, percentile
from tests.worlds import Trained

pytestmark = pytest.mark.torture

FAN = {"user_id": 7}
PEOPLE = [{"user_id": one, "k": 10} for one in range(250)]
QUESTIONS = PEOPLE[::5] + [one | {"deny": [1], "allow": list(range(60))} for one in PEOPLE]


@pytest.fixture
def start_faulty(trained: Trained, tmp_path: Path) -> Iterator[Callable[..., Faulty]]:
    with ExitStack() as running:

        def start(**settings: Any) -> Faulty:
            service = Faulty(tmp_path, trained.folder, **settings)
            running.callback(service.stop)
            return service

        yield start


def capacity(service: Faulty) -> float:
    """Questions a second that one connection gets answered."""
    began, count = time.monotonic(), 0
    while time.monotonic() - began < 2:
        service.ask(**FAN)
        count += 1
    return count / 2


def assert_nothing_lost(outcomes: list[Outcome]) -> None:
    assert {one.status for one in outcomes} <= {200, 503}
    assert all(one.items == 10 for one in outcomes if one.status == 200)
    assert all(one.retry_after for one in outcomes if one.status == 503)


@pytest.mark.parametrize("fresh", [False, True], ids=["connections that stay", "a connection for every question"])
def test_half_a_minute_of_ten_times_more_than_can_be_answered(start_faulty: Callable[..., Faulty], fresh: bool) -> None:
    service = start_faulty()
    service.switch_on("heavy")
    began = time.monotonic()
    outcomes = ask_open_loop(*service.address, QUESTIONS, rate=10 / HEAVY, seconds=30, fresh=fresh)
    passed = time.monotonic() - began
    assert_nothing_lost(outcomes)
    accepted = [one for one in outcomes if one.status == 200 and not one.degraded]
    shed = [one for one in outcomes if one.degraded == ("shed",)]
    assert 500 < len(accepted) <= passed / HEAVY
    assert len(shed) > len(accepted)
    assert percentile(accepted, 0.99) < 1
    assert percentile(outcomes, 0.99) < 2
    service.switch_off("heavy")
    assert service.ask(**FAN, deadline_ms=5000)["degraded"] == []


def test_a_burst_at_the_real_speed_of_the_engine(start_faulty: Callable[..., Faulty]) -> None:
    """As many questions at once as the asking process can send."""
    service = start_faulty()
    outcomes = ask_open_loop(*service.address, QUESTIONS, rate=5 * capacity(service), seconds=10)
    assert_nothing_lost(outcomes)
    assert any(not one.degraded for one in outcomes)
    assert service.ask(**FAN, deadline_ms=5000)["degraded"] == []


def test_faults_that_come_and_go_under_load_lose_nothing(start_faulty: Callable[..., Faulty]) -> None:
    service, rng = start_faulty(), random.Random(0)
    for _ in range(15):
        fault = rng.choice(["knn", "sources", "ranker", "engine"])
        service.switch_on(fault)
        assert_nothing_lost(ask_open_loop(*service.address, QUESTIONS, rate=100, seconds=1))
        service.switch_off(fault)
        assert service.ask(**FAN, deadline_ms=5000)["degraded"] == []


def test_a_ranker_that_is_always_slow_makes_less_than_one_answer_in_a_hundred_late(
    start_faulty: Callable[..., Faulty],
) -> None:
    service = start_faulty(max_wait_ms=60_000, max_shed_ms=60_000)
    service.switch_on("slow")
    service.ask(**FAN)
    answers = [service.ask(**FAN, deadline_ms=1000 * SLOW * 0.9) for _ in range(1000)]
    ranked = sum("ranker" not in one["degraded"] for one in answers)
    assert ranked <= 10
