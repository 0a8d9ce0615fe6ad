"""Forest plots: every text is there, zero and margins have their place, nothing leaves the drawing."""

import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from encorec.errors import DataError
from encorec.page.forest import ForestBlock, ForestRow, axis_ends, forest, ticks

NUMBERS = st.floats(-1e15, 1e15)
NAME = "a_name_without_a_blank_that_is_longer_than_any_line_could_ever_be_and_goes_on_and_on_and_on"


def block_of(*values: tuple[float, float, float], margin: float | None = None, title: str = "m") -> ForestBlock:
    return ForestBlock(title, [ForestRow(*one, f"row {place}", place) for place, one in enumerate(values)], margin)


def places(svg: str) -> list[float]:
    """Every x that is drawn."""
    found = re.findall(r'(?:cx|x)="([-\d.]+)"|[MH]([-\d.]+)', svg)
    return [float(one or other) for one, other in found]


@given(st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS), max_size=5), st.none() | NUMBERS, st.booleans(), st.booleans())
def test_nothing_leaves_the_drawing(
    rows: list[tuple[float, float, float]], margin: float | None, shared: bool, percent: bool
) -> None:
    blocks = [block_of(*(tuple(sorted(one)) for one in rows), margin=margin)]  # pyright: ignore[reportArgumentType]
    svg = forest([*blocks, block_of((0.0, 0.0, 0.0))], x="effect", shared=shared, percent=percent)
    ElementTree.fromstring(svg)
    assert all(0 <= one <= 340 for one in places(svg))


@given(st.floats(-1e12, 1e12), st.floats(1e-9, 1e12))
def test_ticks_are_few_round_and_inside(low: float, width: float) -> None:
    high = low + width
    if high - low < 1e-6 * max(abs(low), abs(high)):
        return
    found = ticks(low, high)
    assert 1 <= len(found) <= 6
    assert all(low - 1e-6 * (high - low) <= one <= high + 1e-6 * (high - low) for one in found)


def test_zero_and_margin_stand_where_they_belong() -> None:
    svg = forest([block_of((0.1, -0.1, 0.3), margin=-0.1)], x="effect", percent=True)
    zero = float(re.search(r'<path d="M([\d.]+) [\d.]+V[\d.]+" stroke="#59636e"', svg)[1])  # pyright: ignore[reportOptionalSubscript]
    margin = float(re.search(r'<path d="M([\d.]+) [\d.]+V[\d.]+" stroke="#cf222e"', svg)[1])  # pyright: ignore[reportOptionalSubscript]
    dot = float(re.search(r'<circle cx="([\d.]+)" cy="[\d.]+" r="3.4"', svg)[1])  # pyright: ignore[reportOptionalSubscript]
    assert dot - zero == pytest.approx(zero - margin, abs=0.2)
    assert "margin -10 %" in svg


def test_one_very_wide_interval_does_not_squeeze_the_others() -> None:
    rows = [(0.1, 0.0, 0.2)] * 4 + [(50.0, -900.0, 1000.0)]
    low, high = axis_ends([block_of(*rows)])
    assert (low, high) == pytest.approx((-1.6 - 0.06 * 3.2, 1.6 + 0.06 * 3.2))
    svg = forest([block_of(*rows)], x="effect")
    assert (svg.count("l5 4z"), svg.count("l-5 4z"), svg.count('r="3.4"')) == (1, 1, 4)


def test_long_and_hostile_texts_are_broken_and_escaped() -> None:
    svg = forest([block_of((1.0, 0.0, 2.0), title=NAME), block_of((1.0, 0.0, 2.0), title="<script>&")], x="<b>")
    ElementTree.fromstring(svg)
    assert NAME not in svg
    assert NAME[:50] in svg
    assert "<script>" not in svg
    assert "&lt;script&gt;&amp;" in svg


def test_what_is_not_finite_is_refused() -> None:
    with pytest.raises(DataError, match="not finite"):
        ForestRow(1.0, float("-inf"), 2.0, "row")


def test_no_rows_are_a_drawing_too() -> None:
    ElementTree.fromstring(forest([], x="effect"))
    ElementTree.fromstring(forest([ForestBlock("m", [])], x="effect", shared=False))
