"""A metric that is tested in many splits of the same units."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from encorec.experiment.analysis.adjustment import ArmMean, adjusted
from encorec.experiment.analysis.moments import Moments
from encorec.experiment.analysis.outcome import Outcome
from encorec.experiment.analysis.quantiles import quantile_of_sorted
from encorec.experiment.analysis.share_effect import between_shares, expected_few
from encorec.experiment.analysis.views import Views
from encorec.experiment.resplits.drawn_arms import Products
from encorec.types import BoolMatrix, FloatMatrix, FloatVector, IntVector

__all__ = ["NaiveRows", "SplitMetric", "welch_p"]

Arms: TypeAlias = Sequence[BoolMatrix]
Pair: TypeAlias = tuple[ArmMean, ArmMean]


def welch_p(pairs: Sequence[Pair | None]) -> FloatVector:
    """(r,) two-sided p of Welch's test of each pair; NaN where there is none, or no variance.

    Args:
        pairs: control and treatment.

    Example:
        >>> welch_p([(ArmMean(100, 10.0, 4.0), ArmMean(100, 11.0, 4.0)), None]).round(5).tolist()
        [0.00051, nan]
    """
    from scipy.special import stdtr

    unknown = ArmMean(2, np.nan, np.nan)
    rows = [[(one.count, one.mean, one.variance) for one in pair or (unknown, unknown)] for pair in pairs]
    counts, means, variances = np.moveaxis(np.array(rows, np.float64), 2, 0)
    parts = variances / counts
    error = parts.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        freedom = error**2 / (parts**2 / (counts - 1)).sum(axis=1)  # welch1947
        t = (means[:, 1] - means[:, 0]) / np.sqrt(error)
        return np.where((error > 0) & (counts.min(axis=1) > 1), 2 * stdtr(freedom, -np.abs(t)), np.nan)


@dataclass(frozen=True)
class SplitMetric:
    """A metric of units, with everything that does not depend on the split.

    Args:
        outcome: of all units.
        products: of its columns; none for a quantile.
        order: (n,) units by ascending value, of a quantile.

    Example:
        >>> from encorec.experiment.resplits.drawn_arms import split_sums
        >>> from encorec.experiment.spec import MetricSpec
        >>> seen = Outcome.of(MetricSpec(name="m", value="m", role="primary"), {"m": np.array([1.0, 2, 3, 5])})
        >>> first = np.array([[True, True, False, False]])
        >>> metric = SplitMetric.of(seen)
        >>> metric.p([first, ~first], split_sums([first, ~first], metric.matrix), 0).round(3).tolist()
        [[nan, 0.199]]
    """

    outcome: Outcome
    products: Products | None
    order: IntVector | None

    @classmethod
    def of(cls, outcome: Outcome) -> "SplitMetric":
        """Ready to be split."""
        if outcome.metric.kind == "quantile":
            return cls(outcome, None, np.argsort(outcome.values[0], kind="stable"))
        return cls(outcome, Products.of([*outcome.values, *outcome.covariates]), None)

    @property
    def matrix(self) -> FloatMatrix:
        """(n, columns) float64 whose sums over an arm are all that is needed; without columns for a quantile."""
        return np.empty((len(self.outcome.values[0]), 0)) if self.products is None else self.products.matrix

    def p(self, arms: Arms, sums: FloatMatrix, control: int) -> FloatMatrix:
        """(rounds, arms) two-sided p of each arm against the control; NaN for the control, and where there is none.

        Args:
            arms: (rounds, n) units of each arm.
            sums: (rounds, arms, columns) float64 of ``matrix``.
            control: its place.
        """
        if self.products is None:
            return self._quantile_p(arms, control)
        found = np.full(sums.shape[:2], np.nan)
        for place in range(len(arms)):
            if place != control:
                pairs = [self._moments(row[control], row[place]) for row in sums]
                found[:, place] = self._tested(pairs)
        return found

    def _moments(self, control: FloatVector, treatment: FloatVector) -> tuple[Moments, Moments] | None:
        if self.products is None or min(control[0], treatment[0]) < 1:
            return None
        return self.products.moments(control), self.products.moments(treatment)

    def _tested(self, pairs: Sequence[tuple[Moments, Moments] | None]) -> FloatVector:
        metric = self.outcome.metric
        if metric.kind == "share" and not self.outcome.covariates:
            return _shares_p([None if one is None else (_share(one[0]), _share(one[1])) for one in pairs])
        ratio = metric.kind == "ratio"
        usable = [
            one if one is not None and not (ratio and min(arm.mean[1] for arm in one) <= 0) else None for one in pairs
        ]
        return welch_p([None if one is None else adjusted(*one, ratio=ratio)[:2] for one in usable])

    def _quantile_p(self, arms: Arms, control: int) -> FloatMatrix:
        order = np.arange(arms[0].shape[1]) if self.order is None else self.order
        values, quantile = self.outcome.values[0][order], self.outcome.metric.quantile or 0.5
        found = np.full((len(arms[0]), len(arms)), np.nan)
        seen = [[_quantile(values[row[order]], quantile) for row in arm] for arm in arms]
        for place in range(len(arms)):
            if place != control:
                pairs = zip(seen[control], seen[place], strict=True)
                found[:, place] = welch_p([(a, b) if a is not None and b is not None else None for a, b in pairs])
        return found


@dataclass(frozen=True)
class NaiveRows:
    """Rows of units taken for units: the classic mistake, to be measured.

    Args:
        products: (n, 3): per unit how many rows, their sum and their sum of squares, centred.

    Example:
        >>> from encorec.experiment.resplits.drawn_arms import split_sums
        >>> views = Views(np.array([0, 0, 1, 2, 3]), 4, {"m": np.array([1.0, 1, 2, 3, 5])})
        >>> first = np.array([[True, True, False, False]])
        >>> rows = NaiveRows.of(views, "m")
        >>> rows.p([first, ~first], split_sums([first, ~first], rows.matrix), 0).round(3).tolist()
        [[nan, 0.201]]
    """

    products: Products

    @classmethod
    def of(cls, views: Views, name: str) -> "NaiveRows":
        """Of a column of the views."""
        rows = Products.of([views.columns[name]])
        summed = [np.bincount(views.unit, column, views.units).astype(np.float64) for column in rows.matrix.T]
        return cls(Products(rows.centre, np.stack(summed, axis=1)))

    @property
    def matrix(self) -> FloatMatrix:
        """As for ``SplitMetric``."""
        return self.products.matrix

    def p(self, arms: Arms, sums: FloatMatrix, control: int) -> FloatMatrix:
        """As for ``SplitMetric``."""
        found = np.full(sums.shape[:2], np.nan)
        for place in range(len(arms)):
            if place != control:
                pairs = [(self._mean(row[control]), self._mean(row[place])) for row in sums]
                found[:, place] = welch_p([(a, b) if a is not None and b is not None else None for a, b in pairs])
        return found

    def _mean(self, sums: FloatVector) -> ArmMean | None:
        if sums[0] < 2:
            return None
        arm = self.products.moments(sums)
        return ArmMean(arm.count, float(arm.mean[0]), float(arm.covariance[0, 0]))


def _quantile(ordered: FloatVector, quantile: float) -> ArmMean | None:
    return quantile_of_sorted(ordered, quantile) if len(ordered) else None


def _share(arm: Moments) -> ArmMean:
    return ArmMean(arm.count, min(max(round(float(arm.mean[0]) * arm.count) / arm.count, 0.0), 1.0), 0.0)


def _shares_p(pairs: Sequence[Pair | None]) -> FloatVector:
    """z with the pooled variance; exact tests where units are few."""
    from scipy.special import ndtr

    found = np.full(len(pairs), np.nan)
    for place, pair in enumerate(pairs):
        if pair is None:
            continue
        counts = np.array([one.count for one in pair])
        pooled = float(counts @ [one.mean for one in pair] / counts.sum())
        if expected_few(*pair):
            found[place] = between_shares(*pair).p
        else:
            error = np.sqrt(pooled * (1 - pooled) * (1 / counts).sum())
            found[place] = 2 * ndtr(-abs(pair[1].mean - pair[0].mean) / error)
    return found
