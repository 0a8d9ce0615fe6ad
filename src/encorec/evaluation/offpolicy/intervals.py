"""Intervals of estimates: everything that a row adds is resampled together, so a ratio is resampled as a ratio."""

from collections.abc import Mapping
from itertools import combinations_with_replacement
from statistics import NormalDist
from typing import Literal

import numpy as np

from encorec.evaluation.offpolicy.terms import Totals
from encorec.types import FloatMatrix

__all__ = ["IntervalKind", "intervals"]

IntervalKind = Literal["bca", "bootstrap", "bootstrap-t", "delta"]

_AT_ONCE = 4096
_PAIRS = tuple(combinations_with_replacement(range(4), 2))


def intervals(
    estimates: Mapping[str, Totals],
    rng: np.random.Generator,
    *,
    kind: IntervalKind = "bca",
    resamples: int = 1000,
    level: float = 0.95,
) -> dict[str, tuple[float, float]]:
    """The interval of every estimate; clusters are drawn once for all of them.

    Args:
        estimates: name -> sums over the same g clusters.
        rng: of the draws.
        kind: ``bca``: percentiles of the resampled estimates, corrected for bias and skewness; ``bootstrap``: those
            percentiles as they are; ``bootstrap-t``: of the estimates in units of their own standard errors, very wide
            where few rewards carry the estimate; ``delta``: normal, by the delta method.
        resamples: of the bootstrap.
        level: of confidence.

    Example:
        >>> from encorec.evaluation.offpolicy.estimators import snips
        >>> same = snips(np.array([1.0, 2.0, 3.0]), np.array([5.0, 5.0, 5.0])).totals()
        >>> [round(end, 6) for end in intervals({"snips": same}, np.random.default_rng(0))["snips"]]
        [5.0, 5.0]
    """
    tails = np.array([(1 - level) / 2, (1 + level) / 2])
    if kind == "delta":
        z = NormalDist().inv_cdf(tails[1])
        return {name: (one.value - z * one.standard_error, one.value + z * one.standard_error)
                for name, one in estimates.items()}  # fmt: skip
    parts = [_columns(one, with_products=kind == "bootstrap-t") for one in estimates.values()]
    sums = np.split(_resampled(np.column_stack(parts), rng, resamples), len(parts), axis=1)
    ends = {"bca": _corrected, "bootstrap": _by_percentiles, "bootstrap-t": _by_t}[kind]
    return {name: ends(one, drawn, tails) for (name, one), drawn in zip(estimates.items(), sums, strict=True)}


def _columns(one: Totals, *, with_products: bool) -> FloatMatrix:
    """(g, 4) or (g, 14) the sums of each cluster and the products of every two of them."""
    columns = one.columns
    if not with_products:
        return columns
    return np.column_stack([columns, *(columns[:, left] * columns[:, right] for left, right in _PAIRS)])


def _resampled(columns: FloatMatrix, rng: np.random.Generator, resamples: int) -> FloatMatrix:
    """(resamples, columns) sums over g clusters drawn from g with replacement.

    How many draws fall into each block of clusters is drawn first; then the clusters within it.
    """
    clusters = len(columns)
    starts = np.arange(0, clusters, _AT_ONCE)
    sizes = np.diff(np.append(starts, clusters))
    drawn = rng.multinomial(clusters, sizes / clusters, size=resamples)
    sums = np.zeros((resamples, columns.shape[1]))
    for start, size, counts in zip(starts, sizes, drawn.T, strict=True):
        row = np.repeat(np.arange(resamples) * size, counts)
        place = row + rng.integers(0, size, len(row), dtype=np.int32)
        times = np.bincount(place, minlength=resamples * size).reshape(resamples, size)
        sums += times.astype(np.float64) @ columns[start : start + size]
    return sums  # efron1979


def _values(sums: FloatMatrix) -> FloatMatrix:
    """(resamples,) estimates; NaN where nothing drawn has any weight."""
    constant, correction, scale, rows = sums[:, :4].T
    with np.errstate(divide="ignore", invalid="ignore"):
        return constant / rows + correction / np.where(scale == 0, np.nan, scale)


def _by_percentiles(_: Totals, sums: FloatMatrix, tails: FloatMatrix) -> tuple[float, float]:
    values = _values(sums)
    values = values[np.isfinite(values)]
    low, high = np.quantile(values, tails) if len(values) else (np.nan, np.nan)
    return float(low), float(high)


def _corrected(one: Totals, sums: FloatMatrix, tails: FloatMatrix) -> tuple[float, float]:
    """Percentiles moved by how many resamples lie below the estimate and by the skewness of the influences."""
    values = _values(sums)
    values = values[np.isfinite(values)]
    influence = one.influence
    square = float(np.sum(influence**2))
    if not len(values) or not square > 0:
        return _by_percentiles(one, sums, tails)
    normal = NormalDist()
    below = float(np.mean(values < one.value) + np.mean(values == one.value) / 2)
    shift = normal.inv_cdf(min(max(below, 0.5 / len(values)), 1 - 0.5 / len(values)))
    skewness = float(np.sum(influence**3)) / (6 * square**1.5)
    ends = []
    for tail in tails:
        z = shift + normal.inv_cdf(float(tail))
        ends.append(normal.cdf(shift + z / (1 - skewness * z)) if skewness * z < 1 else 1.0)  # efron1987
    low, high = np.quantile(values, ends)
    return float(low), float(high)


def _by_t(one: Totals, sums: FloatMatrix, tails: FloatMatrix) -> tuple[float, float]:
    """Ends value - t se, where t is how far resamples lie from the value in units of their own standard errors."""
    value, error = one.value, one.standard_error
    if not error > 0:
        return value, value
    theirs = _errors(sums, len(one.rows))
    usable = theirs > error * 1e-9
    t = (_values(sums)[usable] - value) / theirs[usable]
    t = t[np.isfinite(t)]
    if not len(t):
        return float("nan"), float("nan")
    low, high = np.quantile(t, tails)
    return float(value - high * error), float(value - low * error)  # hall1988


def _errors(sums: FloatMatrix, clusters: int) -> FloatMatrix:
    """(resamples,) standard errors: the influences squared, from the sums of products alone."""
    constant, correction, scale, rows = sums[:, :4].T
    with np.errstate(divide="ignore", invalid="ignore"):
        factors = (1 / rows, 1 / scale, -correction / scale**2, -constant / rows**2)
        squares = np.zeros(len(sums))
        for (left, right), product in zip(_PAIRS, sums[:, 4:].T, strict=True):
            squares += (1 if left == right else 2) * factors[left] * factors[right] * product
    return np.sqrt(np.maximum(squares, 0) * clusters / (clusters - 1))
