"""Numbers for people: digits worth their interval, nothing lost by rounding, nothing infinite breaks."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from encorec.experiment.report.numerals import figure, money, p_text, percent, percent_with_ends, with_ends

FINITE = st.floats(-1e300, 1e300)


@given(FINITE)
def test_a_figure_reads_back_within_its_digits(value: float) -> None:
    read = float(figure(value).replace(",", ""))
    assert math.isclose(read, value, rel_tol=6e-3, abs_tol=0)


@given(FINITE, FINITE, FINITE)
def test_intervals_of_any_size_have_a_text(value: float, low: float, high: float) -> None:
    assert with_ends(value, [low, high]).count("[") == 1
    assert percent_with_ends(value, [low, high])
    assert money(value, [low, high])


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
def test_what_is_not_finite_is_written_as_such(value: float) -> None:
    assert figure(value) in ("inf", "-inf", "nan")
    assert with_ends(value, [value, value]).count("[") == 1


def test_half_known_intervals_are_left_out() -> None:
    assert with_ends(1.5, [None, 2.0]) == with_ends(1.5, None) == "+1.5"
    assert with_ends(None, [1, 2]) == "not shown yet"


def test_digits_follow_the_width() -> None:
    plain = with_ends(18.579, [11.756, 25.403]).replace("\N{NO-BREAK SPACE}", " ")
    assert plain == "+18.6 [+11.8, +25.4]"
    assert with_ends(1410981.1, [553825.9, 2268136.2]) == "+1,410,981 [+553,826, +2,268,136]"


def test_shares_and_p() -> None:
    assert percent(0.000123456) == "0.01235\N{NO-BREAK SPACE}%"
    assert (p_text(0.0005), p_text(0.05), p_text(1.0)) == ("<\N{NO-BREAK SPACE}0.001", "0.050", "1.000")
