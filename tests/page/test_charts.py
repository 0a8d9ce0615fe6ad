"""Axes that would make the drawing library complain or its labels touch: dates near and far, logarithms of nothing."""

import re

import numpy as np
import pytest

from encorec.page import charts

DAY = 86_400


@pytest.mark.parametrize("days", [1, 6, 30, 88, 200, 700, 1060, 1500, 2000, 30_000])
def test_dates_of_any_span_have_a_few_labels(days: int) -> None:
    svg = charts.lines({"": (np.array([0, days * DAY]), np.array([1, 2]))}, x="", y="a day", dates=True)
    assert 3 <= len(re.findall(r'id="xtick_\d+"', svg)) <= 9


@pytest.mark.parametrize("log", ["x", "y", "xy"])
def test_a_logarithmic_axis_without_anything_above_zero(log: str) -> None:
    for values in (np.zeros(0), np.array([1, 1, 1])):
        assert "<svg" in charts.histogram(values, x="items", y="users", log=log)
    nothing = np.full(3, np.nan)
    assert "<svg" in charts.lines({"": (np.arange(1, 4), nothing)}, x="", y="", log=log)


def test_large_numbers_are_short() -> None:
    svg = charts.bars({"views": 3_000_000.0}, x="views")
    assert "3M" in svg
    assert "1e6" not in svg
    few = charts.histogram(np.array([20, 700]), x="items", y="users", log="x")
    assert "500" in few
    assert "times" not in few
