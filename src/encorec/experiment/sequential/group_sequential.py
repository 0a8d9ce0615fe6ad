"""Group-sequential bounds: a few planned looks that share one alpha, at any information times."""

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Literal, TypeAlias

import numpy as np

from encorec.errors import ConfigError, unknown_name
from encorec.experiment.sequential.unstopped import Unstopped
from encorec.types import FloatVector

__all__ = [
    "Side",
    "boundary",
    "crossing_probability",
    "inflation",
    "look_boundary",
    "repeated_p",
    "spending_boundary",
]

Side: TypeAlias = Literal["two", "greater", "less"]
Shape: TypeAlias = Literal["obrien-fleming", "pocock"]

_SHAPES = ("obrien-fleming", "pocock")
_SIDES = ("greater", "less", "two")
_SLACK = 1e-9


def boundary(shape: Shape, times: int | Sequence[float], alpha: float = 0.05, side: Side = "two") -> FloatVector:
    """Critical values of z at the planned looks.

    Pocock: the same at every look; O'Brien and Fleming: falling with the square root of the information.

    Args:
        shape: which of the two.
        times: how many evenly spaced looks, or the share of the planned information at each.
        alpha: share of false positives over all looks.
        side: ``two`` or one of them; one-sided values are positive as well.

    Returns:
        (k,) values that |z|, or z towards the side, must pass.

    Raises:
        ConfigError: an unknown shape or side, times that do not rise or lie outside 0 to 1, alpha out of bounds.

    Example:
        >>> boundary("pocock", 5).round(3).tolist()
        [2.413, 2.413, 2.413, 2.413, 2.413]
        >>> boundary("obrien-fleming", 5).round(3).tolist()
        [4.562, 3.226, 2.634, 2.281, 2.04]
    """
    shares = _times(times)
    _refuse_unknown(shape, alpha, side)
    return _constant(shape, shares, float(alpha), side != "two") * _profile(shape, shares)


def spending_boundary(
    shape: Shape, times: int | Sequence[float], alpha: float = 0.05, side: Side = "two"
) -> FloatVector:
    """Critical values of z where alpha is spent as information comes in; later looks need not be known.

    Args:
        shape: whose bounds the spending resembles.
        times: as in ``boundary``.
        alpha: share of false positives over all looks, up to information 1.
        side: as in ``boundary``.

    Returns:
        (k,) values.

    Raises:
        ConfigError: as in ``boundary``.

    Example:
        >>> spending_boundary("obrien-fleming", 5).round(2).tolist()
        [4.88, 3.36, 2.68, 2.29, 2.03]
    """
    shares = _times(times)
    _refuse_unknown(shape, alpha, side)
    return np.array(_spent_bounds(shape, shares, float(alpha), side != "two"))


def crossing_probability(
    times: int | Sequence[float], bounds: FloatVector, drift: float = 0.0, side: Side = "two"
) -> FloatVector:
    """Chance to cross first at each look, by integrating from look to look.

    Args:
        times: as in ``boundary``.
        bounds: (k,) critical values of z.
        drift: expected z at information 1: 0 = no effect.
        side: ``two``: either bound; ``greater``, ``less``: that one alone.

    Returns:
        (k,) chances; their sum is the false-positive rate, or the power.

    Raises:
        ConfigError: times that do not rise or lie outside 0 to 1.

    Example:
        >>> crossing_probability(2, np.array([1.96, 1.96])).round(4).tolist()
        [0.05, 0.0331]
    """
    shares = _times(times)
    towards = -drift if side == "less" else drift
    return np.array(_crossings(shares, np.asarray(bounds, np.float64), towards, one_sided=side != "two"))


def inflation(shape: Shape, times: int | Sequence[float], alpha: float, power: float, side: Side = "two") -> float:
    """How many times the units of a fixed test the last look needs for the same power.

    Args:
        shape: of the bounds.
        times: as in ``boundary``.
        alpha: share of false positives.
        power: wanted.
        side: as in ``boundary``.

    Raises:
        ConfigError: as in ``boundary``.

    Example:
        >>> round(inflation("pocock", 5, 0.05, 0.8), 3), round(inflation("obrien-fleming", 5, 0.05, 0.8), 3)
        (1.228, 1.028)
    """
    from scipy.optimize import brentq
    from scipy.stats import norm

    bounds, shares = boundary(shape, times, alpha, side), _times(times)
    tail = alpha if side != "two" else alpha / 2
    fixed = float(norm.isf(tail) + norm.ppf(power))

    def missing(drift: float) -> float:
        return power - sum(_crossings(shares, bounds, drift, one_sided=side != "two"))

    found: float = brentq(missing, 0.0, 3 * fixed + 6, xtol=1e-9)  # type: ignore[assignment]
    return (found / fixed) ** 2  # jennison2000, section 2.3


def look_boundary(
    shape: Shape, share: float, looks: int | Sequence[float], alpha: float, side: Side = "two"
) -> tuple[int, float]:
    """Which look it is, from 1, and its critical value; before the first look (0, inf).

    Args:
        shape: of the bounds.
        share: of the planned information that is there.
        looks: how many evenly spaced ones, or the shares at which it was looked at, the present one last.
        alpha: share of false positives over all looks.
        side: as in ``boundary``.

    Raises:
        ConfigError: as in ``boundary``.

    Example:
        >>> number, bound = look_boundary("obrien-fleming", 0.45, 5, 0.05)
        >>> number, round(bound, 3)
        (2, 3.226)
    """
    if not isinstance(looks, int):
        return len(looks), float(spending_boundary(shape, looks, alpha, side)[-1])
    bounds = boundary(shape, looks, alpha, side)
    number = min(int(share * looks + _SLACK), looks)
    return number, float(bounds[number - 1]) if number else float("inf")


def repeated_p(shape: Shape, z: float, number: int, looks: int | Sequence[float], side: Side = "two") -> float:
    """The smallest alpha at which the bound of that look would be crossed.

    Args:
        shape: of the bounds.
        z: effect over its standard error.
        number: of the look, from 1.
        looks: as in ``look_boundary``.
        side: as in ``boundary``.

    Raises:
        ConfigError: as in ``boundary``.

    Example:
        >>> round(repeated_p("pocock", 2.413, 3, 5), 3)
        0.05
    """
    shares = _times(looks)
    towards = {"two": abs(z), "greater": z, "less": -z}[side]
    if towards <= 0:
        return 1.0
    if not isinstance(looks, int):
        return _spending_p(shape, towards, shares, one_sided=side != "two")
    profile = _profile(shape, shares)
    bounds = min(towards, 60.0) / profile[number - 1] * profile  # jennison2000, section 9.5
    return min(1.0, sum(_crossings(shares, bounds, 0.0, one_sided=side != "two")))


def _spending_p(shape: Shape, z: float, times: tuple[float, ...], *, one_sided: bool) -> float:
    from scipy.optimize import brentq

    def over(log_alpha: float) -> float:
        return _spent_bounds(shape, times, float(np.exp(log_alpha)), one_sided)[-1] - z

    low, high = np.log(1e-12), np.log(0.499 if one_sided else 0.999)
    if over(low) <= 0:
        return 1e-12
    return 1.0 if over(high) >= 0 else float(np.exp(brentq(over, low, high, xtol=1e-6)))  # type: ignore[arg-type]


def _times(times: int | Sequence[float]) -> tuple[float, ...]:
    if isinstance(times, int):
        if not 1 <= times <= 1000:
            raise ConfigError(f"looks is {times}, allowed is 1 to 1000")
        return tuple((place + 1) / times for place in range(times))
    shares = tuple(min(float(one), 1.0) if one <= 1 + _SLACK else float(one) for one in times)
    if not shares or not all(0 < one <= 1 for one in shares) or any(b <= a for a, b in pairwise(shares)):
        raise ConfigError(f"looks at {list(times)}: shares of the planned units must rise, above 0 and up to 1")
    return shares


def _refuse_unknown(shape: str, alpha: float, side: str) -> None:
    if shape not in _SHAPES:
        raise ConfigError(unknown_name("shape of bounds", shape, _SHAPES))
    if side not in _SIDES:
        raise ConfigError(unknown_name("side", side, _SIDES))
    largest = 1.0 if side == "two" else 0.5
    if not 0 < alpha < largest:
        raise ConfigError(f"alpha is {alpha}, allowed is above 0 and below {largest:g}")


def _profile(shape: Shape, times: tuple[float, ...]) -> FloatVector:
    """Bounds but for their constant, 1 at information 1."""
    shares = np.array(times)
    return shares**-0.5 if shape == "obrien-fleming" else np.ones(len(shares))  # obrien1979; pocock1977


@lru_cache(maxsize=256)
def _constant(shape: Shape, times: tuple[float, ...], alpha: float, one_sided: bool) -> float:
    from scipy.optimize import brentq
    from scipy.stats import norm

    profile, tail = _profile(shape, times), alpha if one_sided else alpha / 2

    def over(constant: float) -> float:
        return sum(_crossings(times, constant * profile, 0.0, one_sided=one_sided)) - alpha

    low = float(norm.isf(tail)) / float(profile.max())
    high = float(norm.isf(tail / len(times))) / float(profile.min()) + _SLACK  # Bonferroni is never too narrow
    return float(brentq(over, low - _SLACK, high, xtol=1e-7))  # type: ignore[arg-type]


@lru_cache(maxsize=256)
def _spent_bounds(shape: Shape, times: tuple[float, ...], alpha: float, one_sided: bool) -> tuple[float, ...]:
    from scipy.optimize import brentq

    bounds: list[float] = []
    spent, density = 0.0, Unstopped.start()
    for time in times:
        wanted = max(_spending(shape, time, alpha, one_sided=one_sided) - spent, 1e-300)
        spent += wanted

        def over(bound: float, density: "Unstopped" = density, time: float = time, wanted: float = wanted) -> float:
            return density.beyond(time, bound, one_sided=one_sided) - wanted

        bounds.append(38.0 if over(38.0) >= 0 else float(brentq(over, 0.0, 38.0, xtol=1e-9)))  # type: ignore[arg-type]
        density = density.step(time, bounds[-1], one_sided=one_sided)
    return tuple(bounds)


def _spending(shape: Shape, time: float, alpha: float, *, one_sided: bool) -> float:
    """Alpha spent up to that information."""
    from scipy.stats import norm

    if shape == "pocock":
        return alpha * float(np.log1p((np.e - 1) * time))  # lan1983, the function like Pocock's
    sides = 1 if one_sided else 2
    return sides * 2 * float(norm.sf(norm.isf(alpha / sides / 2) / np.sqrt(time)))  # lan1983, each side apart


def _crossings(times: tuple[float, ...], bounds: FloatVector, drift: float, *, one_sided: bool) -> list[float]:
    density, found = Unstopped.start(drift), []
    for place, (time, bound) in enumerate(zip(times, bounds.tolist(), strict=True)):
        found.append(density.beyond(time, bound, one_sided=one_sided))
        gap = times[place + 1] - time if place + 1 < len(times) else time
        density = density.step(time, bound, gap, one_sided=one_sided)
    return found
