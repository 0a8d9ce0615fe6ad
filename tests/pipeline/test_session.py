"""The current session: where it begins, how long it goes on, and when it is over."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from encorec.errors import ConfigError
from encorec.pipeline.candidate_features import FeatureConfig
from encorec.pipeline.candidate_features.context import Context
from encorec.pipeline.candidate_features.session import Session
from encorec.types import Candidates, Eligibility, FloatMatrix, Histories, Queries

MINUTE = 60


def measured(times: list[int], now: int, gap: float = 30) -> FloatMatrix:
    """(3,) of one query with one candidate."""
    histories = Histories.of([([0] * len(times), times)]).before(now)
    queries = Queries(histories, np.array([now]), Eligibility(np.ones(1, bool)))
    zero, one = np.zeros(1, np.int32), np.ones((1, 1), np.float32)
    out = np.full((1, 3), 777, np.float32, order="F")
    Session(gap).compute(Context(queries, Candidates(zero, zero, one, one, ("one",)), {}), out)
    return out[0]


@pytest.mark.parametrize(
    ("minutes", "now", "wanted"),
    [
        ([], 100, (0, np.nan, np.nan)),
        ([100], 130, (1, 0, 30)),
        ([100], 131, (0, np.nan, np.nan)),
        ([0, 30, 61, 70, 99], 100, (3, 38, 1)),
        ([0, 30, 60, 90], 91, (4, 90, 1)),
        ([10, 10, 10], 11, (3, 0, 1)),
        ([5, 20, 40], 40, (2, 15, 20)),
    ],
)
def test_sessions_worked_by_hand(minutes: list[int], now: int, wanted: tuple[float, ...]) -> None:
    """The last case: an event at the time of asking is none of the past."""
    np.testing.assert_array_equal(measured([one * MINUTE for one in minutes], now * MINUTE), wanted)


@given(
    times=st.lists(st.integers(0, 4000), max_size=12).map(sorted),
    wait=st.integers(1, 2000),
    gap=st.integers(1, 20),
)
def test_pauses_split_the_history_into_sessions(times: list[int], wait: int, gap: int) -> None:
    """The twin cuts forward, at every long pause, and looks at the last piece."""
    now = max(times, default=0) + wait
    pieces: list[list[int]] = [[]]
    for time in times:
        if pieces[-1] and time - pieces[-1][-1] > gap * MINUTE:
            pieces.append([])
        pieces[-1].append(time)
    last = pieces[-1] if pieces[-1] and wait <= gap * MINUTE else []
    wanted = [len(last), (last[-1] - last[0]) / 60, wait / 60] if last else [0, np.nan, np.nan]
    np.testing.assert_allclose(measured(times, now, gap), wanted, rtol=1e-6)


@pytest.mark.parametrize("gap", [0, -5, 1441, float("nan")])
def test_the_gap_is_at_least_a_minute_and_at_most_a_day(gap: float) -> None:
    with pytest.raises(ConfigError, match=r"session_gap is .*, allowed is 1 to 1440"):
        FeatureConfig(session_gap=gap)
