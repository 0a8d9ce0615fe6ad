"""Tails against sums by hand, and the laws of concentration."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from encorec.data.exploration.activity import Activity

COUNTS = st.lists(st.integers(0, 50), max_size=60).map(np.array)


def test_shares_counted_by_hand() -> None:
    found = Activity.of(np.array([1, 0, 10, 4, 5, 0]))
    assert found.counts.tolist() == [10, 5, 4, 1]
    assert [found.top_share(part) for part in (0.01, 0.25, 0.5, 1)] == [0.5, 0.5, 0.75, 1.0]
    assert found.half() == 1
    assert found.at_most([0, 1, 4, 9, 10]) == [0, 1, 2, 3, 4]


def test_gini_of_textbook_cases() -> None:
    """Of n people one of whom has everything that is left after one piece each; and of 1..n: (n - 1) / (3 n)."""
    assert Activity.of(np.arange(1, 101)).gini == pytest.approx(99 / 300 * 101 / 101)
    assert Activity.of(np.full(7, 3)).gini == 0
    assert Activity.of(np.array([1, 1, 1, 97])).gini == pytest.approx(0.72)


@given(COUNTS)
def test_gini_is_the_mean_difference_of_two_drawn_at_random(counts: np.ndarray) -> None:
    kept = counts[counts > 0]
    wanted = np.abs(kept[:, None] - kept[None, :]).mean() / (2 * kept.mean()) if len(kept) else 0.0
    assert Activity.of(counts).gini == pytest.approx(wanted, abs=1e-12)


@given(COUNTS)
def test_the_curve_runs_from_nothing_to_everything_and_never_below_the_even_line(counts: np.ndarray) -> None:
    head, have = Activity.of(counts).concentration()
    assert (head[0], have[0], head[-1], have[-1]) == (0, 0, 1, 1)
    assert np.all(np.diff(head) > 0)
    assert np.all(np.diff(have) >= 0)
    assert np.all(have >= head - 1e-12)


@given(COUNTS)
def test_the_curve_passes_through_the_top_shares(counts: np.ndarray) -> None:
    found = Activity.of(counts)
    for head, have in zip(*found.concentration(), strict=True):
        if len(found) and head > 0:
            assert found.top_share(head) == pytest.approx(have)


def test_nobody_has_anything() -> None:
    found = Activity.of(np.zeros(3, int))
    assert (found.gini, found.top_share(0.1), found.half(), found.at_most([1])) == (0.0, 0.0, 0, [0])
