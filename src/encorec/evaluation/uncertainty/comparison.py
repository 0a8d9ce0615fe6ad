"""How sure are we? Intervals by resampling users, and paired comparisons of systems.

The bootstrap is the exact one: n users drawn from n with replacement, B times (``bootstrap`` beside this file). Every
result depends on the values and the seed only: the order of users changes nothing, not even the last digit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from encorec.errors import ConfigError, DataError, unknown_name
from encorec.evaluation.uncertainty.bootstrap import Resampling
from encorec.evaluation.uncertainty.bootstrap_loops import LANES
from encorec.evaluation.uncertainty.differences import Difference, Gain, percentile_ends
from encorec.types import FloatMatrix, FloatVector

__all__ = [
    "Comparison",
    "Difference",
    "Estimate",
    "compare",
    "compare_systems",
    "holm",
    "interval",
    "intervals",
    "mean_over_users",
]


@dataclass(frozen=True)
class Estimate:
    """A mean over users and how far it can be trusted.

    Args:
        mean: over users.
        low: lower end of the interval.
        high: upper end of the interval.
        users: n.

    Example:
        >>> print(Estimate(0.12345, 0.1, 0.15, 900))
        0.1235 [0.1000, 0.1500]
    """

    mean: float
    low: float
    high: float
    users: int

    def __str__(self) -> str:
        return f"{self.mean:.4f} [{self.low:.4f}, {self.high:.4f}]"


def intervals(
    values: Mapping[str, FloatVector], *, rng: np.random.Generator, resamples: int = 1000, level: float = 0.95
) -> dict[str, Estimate]:
    """The mean of every metric with its percentile interval.

    The interval of a metric is the same whatever other metrics are given with it.

    Args:
        values: metric -> (n,) one finite value per user.
        rng: the only source of chance: an equal state gives equal intervals, in any order of users.
        resamples: how often n users are drawn from n.
        level: share of resampled means inside the interval.

    Raises:
        DataError: no users, values of unequal length or not finite.
        ConfigError: ``resamples`` or ``level`` out of range.

    Example:
        >>> values = {"hit_rate@10": np.array([0.0, 1.0] * 50), "mrr@10": np.zeros(100)}
        >>> for name, estimate in intervals(values, rng=np.random.default_rng(2)).items():
        ...     print(name, estimate)
        hit_rate@10 0.5000 [0.4000, 0.6000]
        mrr@10 0.0000 [0.0000, 0.0000]
    """
    _check_settings(resamples, level)
    if not values:
        return {}
    matrix = _as_matrix(values)
    drawn = Resampling.of(len(matrix), rng, resamples=resamples).means(matrix)
    low, high = percentile_ends(drawn, level).tolist()
    return {
        name: Estimate(mean_over_users(column), below, above, len(matrix))
        for name, column, below, above in zip(values, matrix.T, low, high, strict=True)
    }


def mean_over_users(values: FloatVector) -> float:
    """The mean of (n,) values, to the last digit the same in every order of users.

    Example:
        >>> mean_over_users(np.array([0.1, 0.2, 0.3])) == mean_over_users(np.array([0.3, 0.1, 0.2]))
        True
    """
    return float(np.mean(np.sort(values)))


def interval(values: FloatVector, *, rng: np.random.Generator, resamples: int = 1000, level: float = 0.95) -> Estimate:
    """``intervals`` of one metric.

    Args:
        values: (n,) one finite value per user.
        rng: the only source of chance.
        resamples: how often n users are drawn from n.
        level: share of resampled means inside the interval.

    Example:
        >>> print(interval(np.array([0.0, 1.0] * 50), rng=np.random.default_rng(2)))
        0.5000 [0.4000, 0.6000]
    """
    return intervals({"values": values}, rng=rng, resamples=resamples, level=level)["values"]


def compare(
    first: FloatVector,
    second: FloatVector,
    *,
    rng: np.random.Generator,
    resamples: int = 1000,
    level: float = 0.95,
) -> Difference:
    """Is the first system better than the second? Paired: the same users are drawn for both.

    With d the B resampled means of the difference, p = 2 min(1 + #{d <= 0}, 1 + #{d >= 0}) / (B + 1), at most 1.
    It is never 0: B resamples cannot show more than 2 / (B + 1).

    Args:
        first: (n,) one finite value per user.
        second: (n,) of the same users in the same order.
        rng: the only source of chance.
        resamples: B.
        level: of the interval.

    Raises:
        DataError: no users, values of unequal length or not finite.
        ConfigError: ``resamples`` or ``level`` out of range.

    Example:
        >>> better = compare(np.array([0.4, 0.5, 0.6] * 9), np.array([0.3, 0.5, 0.4] * 9), rng=np.random.default_rng(0))
        >>> better.wins, round(better.mean, 3), round(better.better, 3), round(better.p, 3)
        (True, 0.1, 0.667, 0.002)
    """
    return compare_systems({"first": first, "second": second}, rng=rng, resamples=resamples, level=level)[0].difference


@dataclass(frozen=True)
class Comparison:
    """One pair among several that were compared.

    Args:
        first: name of a system.
        second: name of another.
        difference: first minus second, with the p of this pair alone.
        adjusted_p: p corrected by Holm for all pairs of the comparison.

    Example:
        >>> Comparison("als", "ease", Difference(0.02, 0.01, 0.03, 0.002, 0.3, 0.5, 0.2, 900), 0.006).difference.wins
        True
    """

    first: str
    second: str
    difference: Difference
    adjusted_p: float


def compare_systems(
    systems: Mapping[str, FloatVector],
    *,
    rng: np.random.Generator,
    baseline: str | None = None,
    resamples: int = 1000,
    level: float = 0.95,
) -> list[Comparison]:
    """Compare every pair of systems, or every system with one, user by user.

    Each difference is what ``compare`` says of the pair with an equal ``rng``, whatever other systems there are.

    Args:
        systems: name -> (n,) one finite value per user, the users in the same order in each.
        rng: the only source of chance.
        baseline: the second of every pair; none = all pairs.
        resamples: B.
        level: of the intervals.

    Raises:
        DataError: fewer than two systems, no users, values of unequal length or not finite.
        ConfigError: no such baseline, ``resamples`` or ``level`` out of range.

    Example:
        >>> systems = {"a": np.array([0.4, 0.5, 0.6] * 9), "b": np.array([0.3, 0.5, 0.4] * 9), "c": np.zeros(27)}
        >>> for one in compare_systems(systems, baseline="c", rng=np.random.default_rng(0)):
        ...     print(one.first, one.second, round(one.difference.p, 3), round(one.adjusted_p, 3))
        a c 0.002 0.004
        b c 0.002 0.004
    """
    _check_settings(resamples, level)
    if len(systems) < 2:
        raise DataError(f"{len(systems)} systems were given; a comparison needs two or more")
    if baseline is not None and baseline not in systems:
        raise ConfigError(unknown_name("baseline", baseline, systems))
    matrix = dict(zip(systems, _as_matrix(systems).T, strict=True))
    pairs = [(one, baseline) for one in systems if one != baseline] if baseline else list(combinations(systems, 2))
    resampling = Resampling.of(len(matrix[pairs[0][0]]), rng, resamples=resamples)
    found: list[Difference] = []
    for start in range(0, len(pairs), LANES):
        gains = [Gain.of(matrix[first] - matrix[second]) for first, second in pairs[start : start + LANES]]
        drawn = resampling.means(np.column_stack([one.ascending for one in gains]))
        found += [one.judged(means, level) for one, means in zip(gains, drawn.T, strict=True)]
    adjusted = holm([one.p for one in found])
    return [Comparison(*pair, *rest) for pair, rest in zip(pairs, zip(found, adjusted, strict=True), strict=True)]


def holm(p: Sequence[float]) -> list[float]:
    """p of several tests, corrected so that the chance of any false alarm among them stays below the level.

    The smallest of m is multiplied by m, the next by m - 1 and so on; none may fall below one before it, or exceed 1.

    Args:
        p: of each test, 0..1.

    Raises:
        DataError: a p outside 0..1.

    Example:
        >>> holm([0.01, 0.04, 0.03, 0.005])
        [0.03, 0.06, 0.06, 0.02]
    """
    given = np.asarray(p, np.float64)
    if not ((given >= 0) & (given <= 1)).all():
        raise DataError(f"p must be between 0 and 1, got {[one for one in given.tolist() if not 0 <= one <= 1]}")
    order = np.argsort(given, kind="stable")
    adjusted = np.empty_like(given)
    adjusted[order] = np.maximum.accumulate(given[order] * np.arange(len(given), 0, -1))  # holm1979
    return np.minimum(adjusted, 1.0).tolist()


def _as_matrix(values: Mapping[str, FloatVector]) -> FloatMatrix:
    """(n, metrics) float64, checked."""
    lengths = {name: len(column) for name, column in values.items()}
    if len(set(lengths.values())) > 1:
        raise DataError(f"one value per user in each, in the same order; got lengths {lengths}")
    matrix = np.column_stack([np.asarray(column, np.float64) for column in values.values()])
    if len(matrix) == 0:
        raise DataError("there are no users to take a mean over")
    for name, bad in zip(values, ~np.isfinite(matrix).T, strict=True):
        if bad.any():
            raise DataError(f"{name}: {bad.sum()} values are not finite (first: row {bad.argmax()}); leave them out")
    return matrix


def _check_settings(resamples: int, level: float) -> None:
    if resamples < 1:
        raise ConfigError(f"resamples is {resamples}, allowed is 1 or more (1000 is usual)")
    if not 0 < level < 1:
        raise ConfigError(f"level is {level}, allowed is between 0 and 1, both excluded (0.95 is usual)")
