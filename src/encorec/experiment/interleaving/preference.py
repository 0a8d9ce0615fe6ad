"""Which ranker do units prefer? Credits of interleaved lists, summed per unit; units are compared, never clicks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from encorec.errors import DataError
from encorec.evaluation.uncertainty import Estimate, compare, holm, interval
from encorec.types import FloatMatrix, FloatVector

__all__ = ["Preference", "preference", "preferences"]

_LEVEL = 0.95


@dataclass(frozen=True)
class Preference:
    """One ranker held against another.

    Args:
        first: name of a ranker.
        second: name of another.
        preference: (wins + ties / 2) / units - 1/2, from -0.5 (all prefer the second) to 0.5.
        ci95: its interval by the bootstrap over units; none where no unit preferred anybody.
        p: of the sign test over the units that preferred one of both.
        wins: units that gave the first more credit.
        losses: units that gave the second more.
        ties: units that gave both the same, nothing included.
        units: all.
        credit: mean over units of first - second, in clicks or minutes per unit, with its interval and p by the
            bootstrap. It sees how much a unit preferred, so it mostly needs fewer units than the sign.

    Example:
        >>> Preference("new", "old", 0.25, (0.1, 0.4), 0.02, 12, 4, 0, 16, {}).as_dict()["wins"]
        12
    """

    first: str
    second: str
    preference: float
    ci95: tuple[float, float] | None
    p: float
    wins: int
    losses: int
    ties: int
    units: int
    credit: Mapping[str, Any]

    def as_dict(self) -> dict[str, Any]:
        """As for JSON.

        Example:
            >>> list(Preference("new", "old", 0.0, None, 1.0, 0, 0, 3, 3, {}).as_dict())[:4]
            ['first', 'second', 'preference', 'ci95']
        """
        names = ("first", "second", "preference", "ci95", "p", "wins", "losses", "ties", "units", "credit")
        return {name: getattr(self, name) for name in names}


def preference(
    first: FloatVector,
    second: FloatVector,
    *,
    rng: np.random.Generator,
    resamples: int = 1000,
    names: tuple[str, str] = ("first", "second"),
) -> Preference:
    """Hold the credits of one ranker against those of another.

    Args:
        first: (n,) float64 credit that each unit gave the first ranker, 0 or more.
        second: (n,) of the same units.
        rng: of the bootstrap.
        resamples: of the bootstrap.
        names: of both rankers.

    Raises:
        DataError: no units, unequal lengths, or a credit below 0 or not finite.

    Example:
        >>> found = preference(np.array([2.0] * 12 + [0.0] * 4), np.ones(16), rng=np.random.default_rng(0))
        >>> found.preference, found.wins, found.losses, round(found.p, 4)
        (0.25, 12, 4, 0.0768)
    """
    first, second = _credits(names[0], first), _credits(names[1], second)
    if len(first) != len(second) or not len(first):
        raise DataError(
            f"credits of {len(first)} and {len(second)} units; as many of both are needed, and at least one"
        )
    sign = np.sign(first - second)
    wins, losses = int((sign > 0).sum()), int((sign < 0).sum())
    apart = compare(first, second, rng=rng, resamples=resamples)
    return Preference(
        *names,
        float(sign.mean() / 2),  # chapelle2012
        _interval(sign / 2, rng, resamples),
        _sign_test(wins, losses),
        wins,
        losses,
        len(sign) - wins - losses,
        len(sign),
        {"mean": apart.mean, "ci95": (apart.low, apart.high), "p": apart.p},
    )


def preferences(
    credits: FloatMatrix, names: Sequence[str], *, rng: np.random.Generator, resamples: int = 1000
) -> list[dict[str, Any]]:
    """Every pair of rankers, each with ``p_holm``, corrected for the number of pairs.

    Args:
        credits: (n, rankers) float64 credit that each unit gave each ranker.
        names: of the rankers.
        rng: of the bootstrap.
        resamples: of the bootstrap.

    Raises:
        DataError: fewer than two rankers, no units, or a credit below 0 or not finite.

    Example:
        >>> pairs = preferences(np.array([[1.0, 0, 0], [2, 1, 0]]), ["a", "b", "c"], rng=np.random.default_rng(0))
        >>> [(one["first"], one["second"], one["wins"]) for one in pairs]
        [('a', 'b', 2), ('a', 'c', 2), ('b', 'c', 1)]
    """
    if len(names) < 2 or credits.shape[1] != len(names):
        raise DataError(
            f"{len(names)} rankers and {credits.shape[1]} columns of credits; two or more of each are needed"
        )
    found = [
        preference(credits[:, one], credits[:, other], rng=rng, resamples=resamples, names=(names[one], names[other]))
        for one, other in combinations(range(len(names)), 2)
    ]
    adjusted = holm([one.p for one in found])
    return [one.as_dict() | {"p_holm": p} for one, p in zip(found, adjusted, strict=True)]


def _credits(name: str, given: FloatVector) -> FloatVector:
    credit = np.asarray(given, np.float64)
    bad = ~(np.isfinite(credit) & (credit >= 0))
    if bad.any():
        raise DataError(f"{name}: {bad.sum()} credits are below 0 or not finite (first: row {bad.argmax()}); fix them")
    return credit


def _interval(signs: FloatVector, rng: np.random.Generator, resamples: int) -> tuple[float, float] | None:
    """By the bootstrap; where all units say the same, which leaves it no width, by the exact binomial interval."""
    if not signs.any():
        return None
    if (signs != signs[0]).any():
        found: Estimate = interval(signs, rng=rng, resamples=resamples, level=_LEVEL)
        return found.low, found.high
    least = ((1 - _LEVEL) / 2) ** (1 / len(signs)) - 0.5  # clopper1934, all of n
    return (least, 0.5) if signs[0] > 0 else (-0.5, -least)


def _sign_test(wins: int, losses: int) -> float:
    """Two-sided, exact: 1 where nobody preferred anybody."""
    from scipy.stats import binomtest

    return float(binomtest(wins, wins + losses).pvalue) if wins + losses else 1.0
