"""Effects that are reported because they are significant are too large on average: by how much, and what is left."""

import math

from encorec.errors import DataError

__all__ = ["expected_when_significant", "shrunk"]


def expected_when_significant(z: float, alpha: float = 0.05) -> float:
    """Mean of an estimate, in standard errors, over the repetitions in which it is significant.

    Args:
        z: true effect, in standard errors.
        alpha: of the two-sided test.

    Example:
        >>> round(expected_when_significant(2.80) / 2.80, 2)
        1.13
    """
    from scipy.special import ndtr, ndtri

    bound = float(-ndtri(alpha / 2))
    over, under = float(ndtr(z - bound)), float(ndtr(-z - bound))
    pull = _density(bound - z) - _density(bound + z)
    return z + pull / (over + under)  # gelman2014; zhong2008


def shrunk(effect: float, error: float, alpha: float = 0.05) -> float:
    """The effect that would be reported as this one on average, if only significant ones were reported.

    It is the most likely true effect given that the estimate is significant. An estimate that is not significant was
    not selected and stays as it is.

    Args:
        effect: estimate.
        error: standard error, above 0.
        alpha: of the two-sided test that selects.

    Raises:
        DataError: an error that is not above 0.

    Example:
        >>> [round(shrunk(z, 1.0), 2) for z in (1.5, 2.2, 3.17, 6.0)]
        [1.5, 0.64, 2.83, 6.0]
    """
    from scipy.optimize import brentq
    from scipy.special import ndtri

    if not (error > 0 and math.isfinite(error) and math.isfinite(effect)):
        raise DataError(f"effect {effect} with standard error {error}: both must be finite, the error above 0")
    z = abs(effect) / error
    if z <= float(-ndtri(alpha / 2)) or z > 30:
        return effect

    def over(true: float) -> float:
        return expected_when_significant(true, alpha) - z

    found: float = brentq(over, 0.0, z, xtol=1e-12)  # type: ignore[assignment]
    return math.copysign(found * error, effect)


def _density(z: float) -> float:
    return math.exp(-z * z / 2) / math.sqrt(2 * math.pi)
