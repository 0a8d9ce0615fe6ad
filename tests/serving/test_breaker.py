import pytest
from hypothesis import given
from hypothesis import strategies as st

from encorec.serving.state.breaker import Breaker


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


def test_only_failures_in_a_row_open_it(clock):
    breaker = Breaker(failures=3, pause=1.0, clock=clock)
    for _ in range(5):
        breaker.failed()
        breaker.failed()
        breaker.succeeded()
    assert breaker.admits()
    assert not breaker.open
    for _ in range(3):
        breaker.failed()
    assert breaker.open
    assert not breaker.admits()


def test_one_probe_in_every_pause_until_one_succeeds(clock):
    breaker = Breaker(failures=1, pause=1.0, clock=clock)
    breaker.failed()
    admitted = []
    for step in range(40):
        clock.now = step / 8
        if breaker.admits():
            admitted.append(clock.now)
            breaker.failed()
    assert admitted == [1.0, 2.0, 3.0, 4.0]
    clock.now = 5.0
    assert breaker.admits()
    breaker.succeeded()
    assert all(breaker.admits() for _ in range(9))


def test_a_probe_that_never_reports_blocks_nobody(clock):
    breaker = Breaker(failures=1, pause=1.0, clock=clock)
    breaker.failed()
    clock.now = 1.0
    assert [breaker.admits(), breaker.admits()] == [True, False]
    clock.now = 2.0
    assert breaker.admits()


@given(st.lists(st.tuples(st.floats(0, 3), st.booleans()), max_size=60), st.integers(1, 4))
def test_it_is_the_machine_of_three_states(steps, failures):
    clock, row, opened = Clock(), 0, 0.0
    breaker = Breaker(failures=failures, pause=1.0, clock=clock)
    for wait, works in steps:
        clock.now += wait
        expected = row < failures or clock.now >= opened + 1.0
        assert breaker.admits() == expected
        if not expected:
            continue
        if works:
            breaker.succeeded()
            row = 0
        else:
            breaker.failed()
            row, opened = row + 1, clock.now
