"""A forest plot as SVG text: intervals under their names, which may be long, with zero and margins marked."""

import math
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import chain

from encorec.errors import DataError

__all__ = ["ForestBlock", "ForestRow", "axis_ends", "forest", "ticks"]

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#7f7f7f")  # okabe2008
_WIDTH, _LEFT, _RIGHT, _LINE, _BAR = 340.0, 8.0, 332.0, 12.5, 12.0
_LETTERS, _TITLE_LETTERS = 58, 50
_INK, _QUIET, _SHADE, _GRID, _MARK = "#1b1f24", "#59636e", "#f6f8fa", "#dfe3e7", "#cf222e"
_MANY = 8.0  # an interval that reaches this many times further than the middle one is cut, with an arrow


@dataclass(frozen=True)
class ForestRow:
    """One interval.

    Args:
        value: where its dot stands.
        low: left end.
        high: right end.
        text: written above it, such as the numbers.
        colour: number of a colour.

    Raises:
        DataError: an end or the value is not finite.

    Example:
        >>> ForestRow(0.2, 0.1, 0.3, "+20 %").colour
        0
    """

    value: float
    low: float
    high: float
    text: str
    colour: int = 0

    def __post_init__(self) -> None:
        if not all(map(math.isfinite, (self.value, self.low, self.high))):
            raise DataError(f"forest: {self.text!r} has an end that is not finite; leave the row out")


@dataclass(frozen=True)
class ForestBlock:
    """Intervals under one name.

    Args:
        title: of all of them.
        rows: the first on top.
        margin: where a loss is no longer accepted; none = nowhere.

    Example:
        >>> ForestBlock("cancel rate", (), margin=0.002).margin
        0.002
    """

    title: str
    rows: Sequence[ForestRow]
    margin: float | None = None


def forest(blocks: Sequence[ForestBlock], *, x: str, shared: bool = True, percent: bool = False) -> str:
    """Intervals in blocks, each with its texts above it.

    Args:
        blocks: the first on top.
        x: what lies along the axis, with unit.
        shared: one axis for all blocks; otherwise every block has its own.
        percent: whether values are shares that the axis shows in percent.

    Example:
        >>> block = ForestBlock("ctr", [ForestRow(0.2, 0.1, 0.3, "+20 %")], margin=-0.1)
        >>> svg = forest([block], x="relative effect", percent=True)
        >>> svg.startswith("<svg"), "+20 %" in svg, "-10 %" in svg
        (True, True, True)
    """
    shared_ends = axis_ends(blocks) if shared else None
    parts: list[str] = []
    top = 4.0
    for block in blocks:
        ends = shared_ends or axis_ends([block])
        top = _block(parts, block, top, ends, percent=percent, own=not shared)
    if shared_ends is not None:
        top = _axis(parts, shared_ends, ticks(*shared_ends), top, percent=percent)
    parts.append(_text(_WIDTH / 2, top + 9, x, _QUIET, anchor="middle"))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH:g} {top + 16:.1f}" role="img" '
        f'aria-label="{escape(x)}" font-family="system-ui, sans-serif" font-size="9.5">{"".join(parts)}</svg>'
    )


def axis_ends(blocks: Sequence[ForestBlock]) -> tuple[float, float]:
    """Ends of an axis that holds zero, the margins and every interval but those far wider than the others.

    Args:
        blocks: that share the axis.

    Example:
        >>> low, high = axis_ends([ForestBlock("ctr", [ForestRow(0.2, 0.1, 0.3, "")])])
        >>> low < 0, 0.3 < high < 0.35
        (True, True)
    """
    rows = [row for block in blocks for row in block.rows]
    reach = sorted(max(abs(row.low), abs(row.high)) for row in rows)
    limit = _MANY * reach[len(reach) // 2] if reach and reach[len(reach) // 2] > 0 else math.inf
    marks = [block.margin for block in blocks if block.margin is not None and abs(block.margin) <= limit]
    points = [0.0, *marks, *(max(-limit, min(limit, end)) for row in rows for end in (row.low, row.high))]
    low, high = min(points), max(points)
    pad = 0.06 * (high - low) or 1.0
    return low - pad, high + pad


def ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Round numbers between two ends, at most so many.

    Args:
        low: left end.
        high: right end, above it.
        most: how many, 2 or more.

    Example:
        >>> ticks(-0.011, 0.034)
        [-0.01, 0.0, 0.01, 0.02, 0.03]
    """
    rough = (high - low) / most
    size = 10.0 ** math.floor(math.log10(rough)) if rough > 0 else 1.0
    step = next(size * one for one in (1, 2, 2.5, 5, 10) if size * one >= rough * (1 - 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [float(f"{place * step:.10g}") for place in range(first, last + 1)]


def _block(
    parts: list[str], block: ForestBlock, top: float, ends: tuple[float, float], *, percent: bool, own: bool
) -> float:
    """Draw a block below ``top``; the bottom of it."""
    top = _lines(parts, block.title, top, _INK, _TITLE_LETTERS, ' font-weight="600"')
    marks = ticks(*ends, most=3 if own else 5)
    for row in block.rows:
        top = _lines(parts, row.text, top, _QUIET, _LETTERS, dot=COLOURS[row.colour % len(COLOURS)])
        parts.extend(_strip(block.margin, marks, top, ends))
        parts.extend(_interval(row, top + _BAR / 2, ends))
        top += _BAR + 2
    if block.rows and block.margin is not None and ends[0] <= block.margin <= ends[1]:
        at = min(max(_place(block.margin, ends), 40.0), _WIDTH - 40.0)
        parts.append(_text(at, top + 7, f"margin {_tick(block.margin, percent)}", _MARK, "middle"))
        top += _LINE - 2
    if own and block.rows:
        top = _axis(parts, ends, marks, top, percent=percent)
    return top + 8


def _strip(margin: float | None, marks: Sequence[float], top: float, ends: tuple[float, float]) -> Iterator[str]:
    """What lies behind an interval: the grid, zero and the margin."""
    bottom = top + _BAR
    yield f'<path d="M{_LEFT:g} {top:.1f}H{_RIGHT:g}V{bottom:.1f}H{_LEFT:g}z" fill="{_SHADE}"/>'
    for value in marks:
        yield _rule(_place(value, ends), top, bottom, _GRID)
    yield _rule(_place(0.0, ends), top, bottom, _QUIET)
    if margin is not None and ends[0] <= margin <= ends[1]:
        yield _rule(_place(margin, ends), top, bottom, _MARK, ' stroke-dasharray="3 2"')


def _interval(row: ForestRow, y: float, ends: tuple[float, float]) -> Iterator[str]:
    colour = COLOURS[row.colour % len(COLOURS)]
    left, right = (min(max(_place(end, ends), _LEFT), _RIGHT) for end in (row.low, row.high))
    yield f'<path d="M{left:.1f} {y:.1f}H{right:.1f}" stroke="{colour}" stroke-width="2.4" fill="none"/>'
    if row.low < ends[0]:
        yield f'<path d="M{_LEFT + 5:.1f} {y - 4:.1f}L{_LEFT:.1f} {y:.1f}l5 4z" fill="{colour}"/>'
    if row.high > ends[1]:
        yield f'<path d="M{_RIGHT - 5:.1f} {y - 4:.1f}L{_RIGHT:.1f} {y:.1f}l-5 4z" fill="{colour}"/>'
    if ends[0] <= row.value <= ends[1]:
        yield f'<circle cx="{_place(row.value, ends):.1f}" cy="{y:.1f}" r="3.4" fill="{colour}"/>'


def _axis(parts: list[str], ends: tuple[float, float], marks: Sequence[float], top: float, *, percent: bool) -> float:
    """Draw the axis at ``top``; the bottom of its labels."""
    for value in marks:
        at = _place(value, ends)
        anchor = "start" if at < 30 else "end" if at > _WIDTH - 30 else "middle"
        parts.append(_text(at, top + 9, _tick(value, percent), _QUIET, anchor))
    parts.append(f'<path d="M{_LEFT:g} {top:.1f}H{_RIGHT:g}" stroke="{_QUIET}" stroke-width=".8"/>')
    return top + 13


def _lines(
    parts: list[str], text: str, top: float, colour: str, letters: int, more: str = "", *, dot: str = ""
) -> float:
    """Write a text that is broken where it is too long; the bottom of it."""
    indent = 9.0 if dot else 0.0
    folded = chain.from_iterable(textwrap.wrap(line, letters) or [""] for line in text.splitlines() or [""])
    for number, line in enumerate(folded):
        if dot and not number:
            parts.append(f'<circle cx="{_LEFT + 3:.1f}" cy="{top + 7.5:.1f}" r="2.8" fill="{dot}"/>')
        parts.append(_text(_LEFT + indent, top + 10.5, line, colour, more=more))
        top += _LINE
    return top


def _text(x: float, y: float, text: str, colour: str, anchor: str = "start", more: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" text-anchor="{anchor}"{more}>{escape(text)}</text>'


def _rule(x: float, top: float, bottom: float, colour: str, more: str = "") -> str:
    return f'<path d="M{x:.1f} {top:.1f}V{bottom:.1f}" stroke="{colour}" stroke-width="1"{more}/>'


def _place(value: float, ends: tuple[float, float]) -> float:
    return _LEFT + (value - ends[0]) / (ends[1] - ends[0]) * (_RIGHT - _LEFT)


def _tick(value: float, percent: bool) -> str:
    number = 100 * value if percent else value
    steps = ((1e9, 1e9, "G"), (1e6, 1e6, "M"), (1e4, 1e3, "k"), (0.0, 1.0, ""))
    short = next(f"{number / size:.3g}{letter}" for least, size, letter in steps if abs(number) >= least)
    return f"{short} %" if percent else short
