"""Looking before the planned end: intervals that hold at every look, and one function that reads any kind of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from encorec.errors import ConfigError, DataError, unknown_name
from encorec.experiment.sequential.group_sequential import Side, look_boundary, repeated_p
from encorec.experiment.spec import SequentialKind
from encorec.types import FloatVector

__all__ = ["Look", "always_valid_p", "confidence_sequence", "cs_width", "running_intersection", "take_look"]

Values: TypeAlias = FloatVector | float
Kind: TypeAlias = Literal["asymptotic-cs", "obrien-fleming", "pocock", "none"]

_KINDS = ("asymptotic-cs", "none", "obrien-fleming", "pocock")


@dataclass(frozen=True)
class Look:
    """One reading of an experiment.

    Args:
        low: of the interval, -inf where it has none.
        high: of the interval, inf where it has none.
        p: valid at every look of the plan.
        crossed: whether the experiment may end here because the interval leaves the null out.
        share: of the planned units that are there, above 1 where there are more.
        number: of the look in a group-sequential plan, from 1; 0 = before the first, none = the kind has no plan.
        bound: half-width of the interval, in standard errors.

    Example:
        >>> Look(0.1, 0.3, 0.01, True, 0.5, None, 2.0).crossed
        True
    """

    low: float
    high: float
    p: float
    crossed: bool
    share: float
    number: int | None
    bound: float


def take_look(
    kind: SequentialKind,
    effect: float,
    se: float,
    units: float,
    planned: float,
    *,
    alpha: float = 0.05,
    looks: int | Sequence[float] = 5,
    side: Side = "two",
    null: float = 0.0,
) -> Look:
    """The interval, the p-value and whether to stop, of an effect seen before or at the planned end.

    The seam of the analysis. Several variants or metrics: pass their share of alpha.

    Args:
        kind: ``asymptotic-cs``: may be read at any time and as often as one likes. ``obrien-fleming``, ``pocock``: once
            per planned look; between two looks the bound of the last one stays, before the first nothing is said. With
            given times the error is spent by Lan and DeMets. ``none``: the plain normal interval, which crosses only at
            the planned end.
        effect: absolute, or relative with a standard error of its own.
        se: standard error of the effect.
        units: of the two arms together, so far.
        planned: units of the two arms together at the planned end; fixed before the data.
        alpha: share of false positives over all looks.
        looks: of a group-sequential plan: how many, evenly spaced; or the shares of the planned units at which it was
            looked at, the present one last.
        side: ``two``; ``greater``: an interval with a low end only; ``less``: with a high end only.
        null: the effect that is tested; minus the margin for non-inferiority.

    Raises:
        ConfigError: an unknown kind, alpha, looks or side out of bounds.
        DataError: an effect, error or number of units that is none.

    Example:
        >>> look = take_look("asymptotic-cs", 0.5, 0.1, units=4000, planned=10_000)
        >>> round(look.low, 3), round(look.high, 3), look.crossed
        (0.188, 0.812, True)
        >>> take_look("obrien-fleming", 0.5, 0.1, units=1000, planned=10_000).number
        0
    """
    if kind not in _KINDS:
        raise ConfigError(unknown_name("sequential kind", kind, _KINDS))
    _refuse_broken(effect, se, units, planned)
    share, z = units / planned, _z(effect - null, se)
    number: int | None = None
    if kind == "asymptotic-cs":
        bound = float(cs_width(share, alpha, side))
        p = float(always_valid_p(z, share, alpha, side))
    else:
        times = (1.0,) if kind == "none" else looks
        shape = "pocock" if kind == "none" else kind
        number, bound = look_boundary(shape, share, times, alpha, side)
        p = 1.0 if number == 0 else repeated_p(shape, z, number, times, side)
    low, high = _ends(float(effect), 0.0 if se == 0 else bound * se, side)
    may_stop = kind != "none" or share >= 1
    crossed = may_stop and number != 0 and not low <= null <= high
    return Look(low, high, p, crossed, float(share), None if kind == "none" else number, bound)


def cs_width(share: Values, alpha: float = 0.05, side: Side = "two") -> Values:
    """Half-width of the asymptotic confidence sequence, in standard errors of the moment.

    Narrowest, against the fixed interval, where ``share`` is 1.

    Args:
        share: (n,) or one: units so far over the units it is tuned for.
        alpha: share of sequences that ever leave the truth.
        side: as in ``take_look``.

    Raises:
        ConfigError: alpha out of bounds.

    Example:
        >>> [round(float(cs_width(share)), 3) for share in (0.1, 1, 10)]
        [3.855, 3.035, 3.242]
    """
    mixture = _mixture(share, alpha, side)
    gain = (1 + mixture) / mixture
    if side == "two":
        return np.sqrt(gain * (np.log1p(mixture) - 2 * np.log(alpha)))  # waudbysmith2024, eq. 9
    return np.sqrt(2 * gain * np.log1p(np.sqrt(1 + mixture) / (2 * alpha)))  # waudbysmith2024, one-sided


def confidence_sequence(
    effect: Values, se: Values, units: Values, planned: float, alpha: float = 0.05, side: Side = "two"
) -> tuple[Values, Values]:
    """Low and high ends of the asymptotic confidence sequence at every look.

    Args:
        effect: (n,) or one, so far.
        se: (n,) or one, of the effect.
        units: (n,) or one, of both arms together.
        planned: units it is tuned for.
        alpha: share of sequences that ever leave the truth.
        side: as in ``take_look``.

    Raises:
        ConfigError: alpha out of bounds.

    Example:
        >>> low, high = confidence_sequence(np.array([0.4, 0.5]), np.array([0.2, 0.1]), np.array([500, 2000]), 2000)
        >>> low.round(3).tolist(), high.round(3).tolist()
        ([-0.253, 0.196], [1.053, 0.804])
    """
    half = np.asarray(se) * cs_width(np.asarray(units) / planned, alpha, side)
    low = effect - half if side != "less" else np.full_like(half, -np.inf)
    high = effect + half if side != "greater" else np.full_like(half, np.inf)
    return low, high


def always_valid_p(z: Values, share: Values, alpha: float = 0.05, side: Side = "two") -> Values:
    """The p-value that may be read at every look: below ``alpha`` exactly where the confidence sequence excludes 0.

    It is the mixture sequential ratio test of johari2017 with the mixing variance rho^2 n SE^2.

    Args:
        z: (n,) or one: effect over its standard error.
        share: (n,) or one: units so far over the units it is tuned for.
        alpha: for which the mixture is tuned; the p-value holds for every alpha.
        side: as in ``take_look``.

    Raises:
        ConfigError: alpha out of bounds.

    Example:
        >>> float(always_valid_p(0.5, 1.0)), round(float(always_valid_p(4.0, 1.0)), 4)
        (1.0, 0.0025)
    """
    mixture = _mixture(share, alpha, side)
    towards = np.asarray(z) if side != "less" else -np.asarray(z)
    grown = np.square(towards) * mixture / (2 * (1 + mixture))
    if side == "two":
        return np.exp(np.minimum(0.5 * np.log1p(mixture) - grown, 0))  # waudbysmith2024, eq. 155; johari2017
    with np.errstate(divide="ignore", over="ignore"):
        found = np.sqrt(1 + mixture) / (2 * np.expm1(np.minimum(grown, 700)))
    return np.where(towards > 0, np.minimum(found, 1), 1.0)


def running_intersection(low: FloatVector, high: FloatVector) -> tuple[FloatVector, FloatVector]:
    """What is left of the intervals when every look keeps what earlier ones excluded.

    Valid, but it may become empty (low above high) where the effect drifts, so nothing uses it unless asked.

    Args:
        low: (n,) ends at the looks, in the order of time.
        high: (n,).

    Example:
        >>> low, high = running_intersection(np.array([0.0, 0.2, 0.1]), np.array([1.0, 0.8, 0.9]))
        >>> low.tolist(), high.tolist()
        ([0.0, 0.2, 0.2], [1.0, 0.8, 0.8])
    """
    return np.maximum.accumulate(low), np.minimum.accumulate(high)


def _mixture(share: Values, alpha: float, side: Side) -> Values:
    """rho^2 n: how far the mixture has come; rho is tuned for the planned units, a one-sided one by 2 alpha."""
    spent = alpha if side == "two" else 2 * alpha
    if not 0 < spent < 1:
        raise ConfigError(f"alpha is {alpha}, allowed is above 0 and below {'1' if side == 'two' else '0.5'}")
    cost = -2 * np.log(spent)
    return np.asarray(share, np.float64) * (cost + np.log1p(cost))  # waudbysmith2024, eq. 161


def _z(effect: float, se: float) -> float:
    if se > 0:
        return effect / se
    return 0.0 if effect == 0 else float(np.copysign(np.inf, effect))


def _ends(effect: float, half: float, side: Side) -> tuple[float, float]:
    low = effect - half if side != "less" else -np.inf
    return low, effect + half if side != "greater" else np.inf


def _refuse_broken(effect: float, se: float, units: float, planned: float) -> None:
    if not (np.isfinite(effect) and np.isfinite(se) and se >= 0):
        raise DataError(f"effect {effect} with standard error {se}: both must be finite, the error 0 or more")
    if not (units > 0 and np.isfinite(units) and planned > 0 and np.isfinite(planned)):
        raise DataError(f"{units} units of {planned} planned: both must be finite and above 0")
