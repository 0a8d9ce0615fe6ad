import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from encorec.errors import ConfigError
from encorec.serving.clock import first_open_second, parse_time, service_clock


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-01-01", 0),
        ("2001-09-09T01:46:40Z", 1_000_000_000),
        ("2001-09-09T01:46:40", 1_000_000_000),
        ("2001-09-09T03:46:40.500+02:00", 1_000_000_000.5),
    ],
)
def test_times_are_utc_unless_they_say_otherwise(text, seconds):
    assert parse_time(text) == seconds


@pytest.mark.parametrize("text", ["", "yesterday", "data_end", "2001-13-01"])
def test_a_clock_that_is_no_time_is_refused_with_the_form_that_is(text):
    with pytest.raises(ConfigError, match="2024-05-01T12:00:00Z"):
        service_clock(text, data_end=0)


def test_the_real_clock_is_the_real_clock():
    before = time.time()
    assert before <= service_clock("now", data_end=5)() <= time.time()


@pytest.mark.parametrize("setting", ["data-end", "1998-04-23T01:10:38+02:00"])
def test_a_chosen_start_runs_on_at_the_pace_of_real_time(setting):
    began = time.monotonic()
    clock = service_clock(setting, data_end=893_286_638)
    first, second = clock(), clock()
    elapsed = time.monotonic() - began
    assert 893_286_638 <= first <= second <= 893_286_638 + elapsed


@given(st.floats(0, 4e9))
def test_an_event_of_this_very_second_lies_before_now_and_the_next_second_does_not(now):
    open_second = first_open_second(lambda: now)
    assert now < open_second <= now + 1
