"""How sure are we? Intervals by resampling users, and paired comparisons of two systems.

The bootstrap is the exact one: n users drawn from n with replacement. Only how often each user was drawn matters,
so a resample is a row of counts, and all resampled means of all metrics are one matrix product, done in blocks
of users: counts (resamples, block) times values (block, metrics).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from encorec.errors import ConfigError, DataError
from encorec.types import FloatMatrix, FloatVector, IntVector

__all__ = ["Difference", "Estimate", "compare", "interval", "intervals"]

_USERS_AT_ONCE = 1 << 14
_RESAMPLES_AT_ONCE = 64
_ROUNDING = 1e-12


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


@dataclass(frozen=True)
class Difference:
    """First system minus second, user by user.

    Args:
        mean: of the difference over users.
        low: lower end of its interval.
        high: upper end of its interval.
        p: two-sided, of "no difference".
        better: share of users for whom the first system's value is higher.
        equal: share of users with the same value.
        worse: share of users for whom it is lower.
        users: n.

    Example:
        >>> Difference(0.02, 0.01, 0.03, 0.002, better=0.3, equal=0.5, worse=0.2, users=900).wins
        True
    """

    mean: float
    low: float
    high: float
    p: float
    better: float
    equal: float
    worse: float
    users: int

    @property
    def wins(self) -> bool:
        """The whole interval is above 0."""
        return self.low > 0


def intervals(
    values: Mapping[str, FloatVector], *, rng: np.random.Generator, resamples: int = 1000, level: float = 0.95
) -> dict[str, Estimate]:
    """The mean of every metric with its percentile interval; all metrics share the same resamples of users.

    Args:
        values: metric -> (n,) one finite value per user, the users in the same order in each.
        rng: the only source of chance: an equal state gives equal intervals.
        resamples: how often n users are drawn from n.
        level: share of resampled means inside the interval.

    Raises:
        DataError: no users, values of unequal length or not finite.
        ConfigError: ``resamples`` or ``level`` out of range.

    Example:
        >>> values = {"hit_rate@10": np.array([0.0, 1.0] * 50), "mrr@10": np.zeros(100)}
        >>> for name, estimate in intervals(values, rng=np.random.default_rng(0)).items():
        ...     print(name, estimate)
        hit_rate@10 0.5000 [0.4000, 0.6000]
        mrr@10 0.0000 [0.0000, 0.0000]
    """
    _check_settings(resamples, level)
    if not values:
        return {}
    matrix = _as_matrix(values)
    low, high = _ends(_resampled_means(matrix, rng, resamples), level).tolist()
    return {
        name: Estimate(float(np.mean(column)), below, above, len(matrix))
        for (name, column), below, above in zip(values.items(), low, high, strict=True)
    }


def interval(values: FloatVector, *, rng: np.random.Generator, resamples: int = 1000, level: float = 0.95) -> Estimate:
    """``intervals`` of one metric.

    Args:
        values: (n,) one finite value per user.
        rng: the only source of chance.
        resamples: how often n users are drawn from n.
        level: share of resampled means inside the interval.

    Example:
        >>> print(interval(np.array([0.0, 1.0] * 50), rng=np.random.default_rng(0)))
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
    _check_settings(resamples, level)
    pair = _as_matrix({"first": first, "second": second})
    gain = pair[:, 0] - pair[:, 1]
    drawn = _resampled_means(gain[:, None], rng, resamples)[:, 0]
    drawn[np.abs(drawn) <= _ROUNDING * np.abs(gain).max()] = 0  # a tie is a tie, whatever the order of addition
    low, high = _ends(drawn, level).tolist()
    return Difference(
        mean=float(gain.mean()),
        low=low,
        high=high,
        p=_two_sided_p(drawn),
        better=float((gain > 0).mean()),
        equal=float((gain == 0).mean()),
        worse=float((gain < 0).mean()),
        users=len(gain),
    )


def _two_sided_p(drawn: FloatVector) -> float:
    tail = min(np.count_nonzero(drawn <= 0), np.count_nonzero(drawn >= 0))
    return min(1.0, float(2 * (1 + tail) / (1 + len(drawn))))  # davison1997: (1 + count) / (1 + B), for both tails


def _ends(drawn: FloatMatrix, level: float) -> FloatMatrix:
    """(2, ...) lower and upper end of the values along the first axis."""
    return np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2], axis=0)  # efron1993: percentile interval


@threadpool_limits.wrap(limits=1, user_api="blas")  # the products are small: threads would wait for each other
def _resampled_means(values: FloatMatrix, rng: np.random.Generator, resamples: int) -> FloatMatrix:
    """(resamples, metrics) means over n users drawn with replacement from the rows of ``values`` (n, metrics)."""
    users = len(values)
    blocks = [slice(start, min(start + _USERS_AT_ONCE, users)) for start in range(0, users, _USERS_AT_ONCE)]
    sizes = np.array([block.stop - block.start for block in blocks])
    draws = rng.multinomial(users, sizes / users, size=resamples)  # how many of the n draws fall into each block
    sums = np.zeros((resamples, values.shape[1]))
    for block, size, drawn in zip(blocks, sizes, draws.T, strict=True):
        for start in range(0, resamples, _RESAMPLES_AT_ONCE):
            part = slice(start, start + _RESAMPLES_AT_ONCE)
            sums[part] += _counts(int(size), drawn[part], rng) @ values[block]
    return sums / users  # efron1979


def _counts(size: int, drawn: IntVector, rng: np.random.Generator) -> FloatMatrix:
    """(resamples, size) how often each user of a block is among the ``drawn`` (resamples,) of the block."""
    counts = np.empty((len(drawn), size))
    for row, total in enumerate(drawn):
        counts[row] = np.bincount(rng.integers(size, size=total), minlength=size)
    return counts


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
