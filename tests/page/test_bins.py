"""Edges of bins: nothing falls outside, whole numbers are not cut."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from encorec.page.bins import bin_edges

WHOLE = st.lists(st.integers(1, 10**6), min_size=1, max_size=30).map(lambda one: np.array(one, np.float64))
BROKEN = st.lists(st.floats(1e-6, 1e6), min_size=1, max_size=30).map(np.array)


@given(WHOLE | BROKEN, st.integers(1, 40), st.booleans())
def test_every_value_falls_into_one_of_at_most_so_many_bins(values: np.ndarray, bins: int, ratio: bool) -> None:
    edges = bin_edges(values, bins, ratio=ratio)
    assert np.all(np.diff(edges) > 0)
    assert 1 <= len(edges) - 1 <= bins + 1
    assert np.histogram(values, edges)[0].sum() == len(values)


@given(WHOLE, st.integers(1, 40))
def test_bins_of_whole_numbers_are_whole(values: np.ndarray, bins: int) -> None:
    width = np.diff(bin_edges(values, bins, ratio=False))
    assert np.all(width == width[0])
    assert width[0] == np.round(width[0])
    doubling = bin_edges(values, 30, ratio=True)
    assert np.all(doubling == np.floor(doubling))


@pytest.mark.parametrize(
    ("values", "edges"),
    [
        ([1.0], [1, 2]),
        ([7.0, 7.0], [6, 8]),
        ([20.0, 30.0], [16, 24, 32]),
        ([1.0, 1000.0], [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024]),
    ],
)
def test_bins_that_double(values: list[float], edges: list[int]) -> None:
    assert bin_edges(np.array(values), 30, ratio=True).tolist() == edges
