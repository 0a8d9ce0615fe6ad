import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from encorec.errors import ConfigError
from encorec.serving.clock import Clock, parse_time


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
        Clock.named(text, data_end=0)


def test_the_real_clock_is_the_real_clock():
    clock, before = Clock.named("now", data_end=5), time.time()
    assert before <= clock.time() <= time.time()
    assert int(before) < clock.first_open_second() <= time.time() + 1
    assert not clock.standing


@pytest.mark.parametrize("setting", ["data-end", "1998-04-23T01:10:38+02:00"])
def test_a_chosen_clock_stands(setting):
    clock = Clock.named(setting, data_end=893_286_639)
    assert clock.standing
    assert [clock.time(), clock.time()] == [893_286_638, 893_286_638]
    assert clock.first_open_second() == 893_286_639


@given(st.integers(1, 4 * 10**9))
def test_at_the_end_of_the_data_every_interaction_counts_and_nothing_else_could(data_end):
    assert Clock.named("data-end", data_end).first_open_second() == data_end


seconds = st.floats(0, 4e9)


@given(seconds)
def test_an_event_of_this_very_second_lies_before_now_and_the_next_second_does_not(now):
    open_second = Clock(stands_at=now).first_open_second()
    assert now < open_second <= now + 1


@given(seconds, seconds)
def test_a_standing_clock_hears_nothing_of_the_future_and_leaves_the_past_alone(now, timestamp):
    clock = Clock(stands_at=now)
    assert clock.heard(timestamp) < clock.first_open_second()
    assert clock.heard(timestamp) == (timestamp if timestamp <= now else now)


@given(seconds)
def test_the_real_clock_takes_every_time_as_it_is(timestamp):
    assert Clock().heard(timestamp) == timestamp
