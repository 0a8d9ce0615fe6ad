"""The time of asking: the calendar, lifts worked by hand, items and times without events."""

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from encorec.data.dataset import Dataset
from encorec.data.interactions import Interactions
from encorec.errors import ArtifactError
from encorec.pipeline.candidate_features.context import Context
from encorec.pipeline.candidate_features.time_of_asking import TimeOfAsking
from encorec.types import Candidates, Eligibility, FloatMatrix, Histories, Queries

HOUR, DAY = 3_600, 86_400
MONDAY = int(datetime(2024, 1, 1, tzinfo=UTC).timestamp())


def dataset(times: list[tuple[int, int]], items: int) -> Dataset:
    """(item, second) pairs of one user."""
    item, time = ([pair[place] for pair in times] for place in (0, 1))
    return Dataset.of(Interactions.of([0] * len(times), item, time, users=1, items=items))


def computed(group: TimeOfAsking, moments: list[int], items: int) -> FloatMatrix:
    """(moments * items, 5): every item at every moment."""
    n = len(moments)
    queries = Queries(Histories.empty(n), np.array(moments, np.int64), Eligibility(np.ones(items, bool)))
    query = np.repeat(np.arange(n, dtype=np.int32), items)
    none = np.ones((n * items, 1), np.float32)
    found = Candidates(query, np.tile(np.arange(items, dtype=np.int32), n), none, none, ("one",))
    out = np.full((n * items, 5), 777, np.float32, order="F")
    group.compute(Context(queries, found, {}), out)
    return out


@given(moment=st.integers(-(10**9), 4 * 10**9))
def test_hour_and_weekday_are_those_of_the_calendar(moment: int) -> None:
    sine, cosine, weekday = computed(TimeOfAsking.fit(dataset([(0, 5)], 1)), [moment], 1)[0, :3]
    then = datetime.fromtimestamp(moment, UTC)
    assert weekday == then.weekday()
    seconds = then.hour * HOUR + then.minute * 60 + then.second
    turn = np.arctan2(float(sine), float(cosine)) / (2 * np.pi) * DAY % DAY
    assert min(abs(turn - seconds), DAY - abs(turn - seconds)) < 0.1


@pytest.mark.parametrize(("hour", "wanted"), [(0, (0, 1)), (6, (1, 0)), (12, (0, -1)), (18, (-1, 0))])
def test_the_hour_goes_round(hour: int, wanted: tuple[int, int]) -> None:
    values = computed(TimeOfAsking.fit(dataset([(0, 5)], 1)), [MONDAY + hour * HOUR], 1)
    np.testing.assert_allclose(values[0, :2], wanted, atol=1e-6)


def test_lifts_worked_by_hand() -> None:
    """Item 0: 3 of 4 events in the evening, 1 at weekends; item 1: none of 4, 3; so 3 of 8 and 4 of 8 in all."""
    evening, morning = 20 * HOUR, 8 * HOUR
    first = [(0, MONDAY + evening), (0, MONDAY + DAY + evening), (0, MONDAY + 5 * DAY + evening), (0, MONDAY + morning)]
    second = [(1, MONDAY + day * DAY + morning) for day in (0, 5, 6, 13)]
    group = TimeOfAsking.fit(dataset([*first, *second], 3))
    week_evening, weekend_morning = MONDAY + 21 * HOUR, MONDAY + 6 * DAY + 11 * HOUR
    values = computed(group, [week_evening, weekend_morning], 3)[:, 3:]
    wanted = [
        [np.log((3 + 20 * 3 / 8) / 24 * 8 / 3), np.log((3 + 10) / 24 * 2)],
        [np.log(20 * 3 / 8 / 24 * 8 / 3), np.log((1 + 10) / 24 * 2)],
        [np.nan, np.nan],
        [np.log((1 + 20 * 5 / 8) / 24 * 8 / 5), np.log((1 + 10) / 24 * 2)],
        [np.log((4 + 20 * 5 / 8) / 24 * 8 / 5), np.log((3 + 10) / 24 * 2)],
        [np.nan, np.nan],
    ]
    np.testing.assert_allclose(values, wanted, rtol=1e-5)


def test_a_time_at_which_nothing_ever_happened_is_unknown() -> None:
    """Where days are all that is known of events, every event is at midnight."""
    group = TimeOfAsking.fit(dataset([(0, MONDAY), (1, MONDAY + DAY)], 2))
    noon = computed(group, [MONDAY + 12 * HOUR], 2)
    assert np.isnan(noon[:, 3]).all()
    np.testing.assert_allclose(noon[:, 4], 0, atol=1e-6)
    np.testing.assert_allclose(computed(group, [MONDAY], 2)[:, 3], 0, atol=1e-6)


def test_a_table_without_interactions_knows_the_clock_only() -> None:
    values = computed(TimeOfAsking.fit(dataset([], 2)), [MONDAY], 2)
    np.testing.assert_array_equal(np.isnan(values), [[False, False, False, True, True]] * 2)


def test_arrays_of_another_shape_are_refused() -> None:
    with pytest.raises(ArtifactError, match="has the shape"):
        TimeOfAsking(TimeOfAsking.NAMES, {"lift": np.zeros((3, 5), np.float32)})


def test_a_table_of_other_items_is_refused() -> None:
    group = TimeOfAsking.fit(dataset([(0, 5)], 1))
    with pytest.raises(ArtifactError, match="1 rows for 2 items"):
        computed(group, [MONDAY], 2)
