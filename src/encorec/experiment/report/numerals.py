"""Numbers as people read them: as many digits as their interval is worth."""

import math
from collections.abc import Sequence

__all__ = ["NOT_SHOWN", "figure", "money", "p_text", "p_words", "percent", "percent_with_ends", "with_ends"]

NOT_SHOWN = "not shown yet"
_FEW, _SHORT = 4, 12


def figure(value: float | None, decimals: int | None = None, sign: str = "") -> str:
    """A number with four digits, thousands apart, or with so many decimals.

    Args:
        value: none = nothing to show.
        decimals: none = as many as four digits need.
        sign: ``+`` to write it before positive numbers.

    Example:
        >>> [figure(one) for one in (1234567.8, 0.031245, 12, 1.2e-9, 3.4e15, None)]
        ['1,234,568', '0.03124', '12', '1.2e-09', '3.4e+15', '']
    """
    if value is None:
        return ""
    size = abs(value)
    if not math.isfinite(value) or size >= 1e12 or 0 < size < 1e-6:
        return f"{value:{sign}.3g}"
    if decimals is None:
        if size >= 1000 or value == int(value):
            return f"{value:{sign},.0f}"
        decimals = max(0, _FEW - 1 - math.floor(math.log10(size)))
        return f"{value:{sign}.{decimals}f}".rstrip("0").rstrip(".")
    return f"{value:{sign},.{decimals}f}"


def with_ends(value: float | None, ends: Sequence[float | None] | None, sign: str = "+", unit: str = "") -> str:
    """A number and its interval; two digits of half its width are shown.

    Args:
        value: none = nothing to show yet.
        ends: of the interval, none where there is none.
        sign: ``+`` to write it before positive numbers.
        unit: after the numbers.

    Example:
        >>> with_ends(0.01234, [0.0011, 0.0236]).replace("\\N{NO-BREAK SPACE}", " ")
        '+0.012 [+0.001, +0.024]'
        >>> with_ends(None, None)
        'not shown yet'
    """
    if value is None:
        return NOT_SHOWN
    low, high = (None, None) if ends is None else ends
    if low is None or high is None:
        return f"{figure(value, None, sign)}{unit}"
    width = abs(high - low)
    exact = math.isfinite(width) and 1e-6 < width < 1e12
    decimals = min(max(0, 1 - math.floor(math.log10(width / 2))), 8) if exact else None
    one, left, right = (figure(number, decimals, sign) for number in (value, low, high))
    blank = "\N{NO-BREAK SPACE}" if len(left) + len(right) <= _SHORT else " "
    return f"{one}{unit} [{left},{blank}{right}]"


def percent(share: float | None, sign: str = "") -> str:
    """A share in percent.

    Args:
        share: none = nothing to show.
        sign: ``+`` to write it before positive numbers.

    Example:
        >>> [one.replace("\\N{NO-BREAK SPACE}", " ") for one in (percent(0.0834, "+"), percent(0.5), percent(None))]
        ['+8.34 %', '50 %', '']
    """
    return "" if share is None else f"{figure(float(f'{100 * share:.4g}'), None, sign)}\N{NO-BREAK SPACE}%"


def percent_with_ends(share: float | None, ends: Sequence[float | None] | None) -> str:
    """A share and its interval in percent.

    Args:
        share: none = nothing to show.
        ends: of the interval, none where there is none.

    Example:
        >>> percent_with_ends(0.08, [0.021, 0.139]).replace("\\N{NO-BREAK SPACE}", " ")
        '+8.0 % [+2.1, +13.9]'
    """
    if share is None:
        return ""
    scaled = None if ends is None else [None if one is None else 100 * one for one in ends]
    return with_ends(100 * share, scaled, unit="\N{NO-BREAK SPACE}%")


def money(value: float | None, ends: Sequence[float | None] | None = None) -> str:
    """An amount, in the currency of the specification, and its interval; whole where it is large.

    Args:
        value: none = nothing to show yet.
        ends: of the interval, none where there is none.

    Example:
        >>> money(1234567.8), money(-0.256)
        ('+1,234,568', '-0.256')
    """
    return with_ends(value, ends)


def p_text(p: float | None) -> str:
    """A p.

    Args:
        p: none = nothing was tested, or it is hidden.

    Example:
        >>> p_text(0.0123), p_text(1e-9).replace("\\N{NO-BREAK SPACE}", " "), p_text(None)
        ('0.012', '< 0.001', '')
    """
    if p is None:
        return ""
    return "<\N{NO-BREAK SPACE}0.001" if p < 0.001 else f"{p:.3f}"


def p_words(p: float | None) -> str:
    """A p inside a sentence.

    Args:
        p: none = nothing was tested, or it is hidden.

    Example:
        >>> [p_words(one).replace("\\N{NO-BREAK SPACE}", " ") for one in (0.0123, 1e-9, None)]
        ['p = 0.012', 'p < 0.001', 'p not known']
    """
    text = p_text(p)
    if not text:
        return "p not known"
    sign = "" if text.startswith("<") else "=\N{NO-BREAK SPACE}"
    return f"p\N{NO-BREAK SPACE}{sign}{text}"
