"""The columns that a metric is computed from, ready: checked, capped, covariates beside them."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from encorec.data.sources.sheets import counted
from encorec.errors import DataError, unknown_name
from encorec.experiment.intake.metric_columns import LARGEST, SMALLEST
from encorec.experiment.spec import MetricSpec
from encorec.types import FloatVector

__all__ = ["Outcome", "cap_of"]


@dataclass(frozen=True)
class Outcome:
    """A metric's columns.

    Args:
        metric: as registered.
        values: one column, or numerator and denominator; (n,) float64 each, finite.
        covariates: (n,) float64 each, finite.
        cap: at which values were capped; none = they were not.

    Example:
        >>> metric = MetricSpec(name="minutes", value="minutes", winsorize=0.9, role="primary")
        >>> outcome = Outcome.of(metric, {"minutes": np.append(np.ones(99), 1e6)})
        >>> outcome.cap, float(outcome.values[0].max())
        (1.0, 1.0)
    """

    metric: MetricSpec
    values: tuple[FloatVector, ...]
    covariates: tuple[FloatVector, ...]
    cap: float | None = None

    @classmethod
    def of(cls, metric: MetricSpec, columns: Mapping[str, FloatVector]) -> "Outcome":
        """Take what the metric needs from the units of all arms.

        Args:
            metric: as registered.
            columns: (n,) float64 by name.

        Raises:
            DataError: a column is missing, not finite, beyond 1e100, or a share's value is not 0 or 1.
        """
        values = [_column(metric, columns, name) for name in metric.columns]
        covariates = tuple(_column(metric, columns, name) for name in metric.covariates)
        if metric.kind == "share" and not np.isin(values[0], (0.0, 1.0)).all():
            odd = values[0][~np.isin(values[0], (0.0, 1.0))]
            raise DataError(
                f"metric {metric.name!r}: a share takes 0 or 1 per unit; column {metric.value!r} has {len(odd)} other "
                f"values (first: {odd[0]:g}); use kind = 'mean'"
            )
        cap = cap_of(metric, columns)
        if cap is not None:
            values[0] = np.minimum(values[0], cap)
        return cls(metric, tuple(values), covariates, cap)


def cap_of(metric: MetricSpec, columns: Mapping[str, FloatVector]) -> float | None:
    """The largest value that counts as it is; arms are not looked at, so it favours none.

    The shape of the tail is that of the period before, where the metric has a covariate whose name begins with that of
    its value, as ``minutes_before`` for ``minutes``: the cap is its quantile, times the median of the positive values
    over the median of its positive values, so that another unit or length of that period does not matter. Else, the
    cap is the quantile of the values of all arms.

    Args:
        metric: with ``winsorize``; its value or numerator is what is capped.
        columns: (n,) float64 by name.

    Returns:
        None where nothing is to be capped, also where the quantile is not above 0 but some values are.

    Example:
        >>> metric = MetricSpec(
        ...     name="minutes", value="minutes", winsorize=0.9, covariate="minutes_before", role="primary"
        ... )
        >>> now = np.append(np.full(99, 2.0), 1e6)
        >>> [cap_of(metric, {"minutes": now, "minutes_before": np.full(100, seen)}) for seen in (1.0, 60.0)]
        [2.0, 2.0]
    """
    if metric.winsorize is None or not metric.columns:
        return None
    name = metric.columns[0]
    values = columns[name]
    earlier = next((one for one in metric.covariates if one.startswith(name)), None)
    before = None if earlier is None else columns[earlier]
    if before is not None and (before > 0).any() and (values > 0).any():
        level = float(np.median(values[values > 0]) / np.median(before[before > 0]))
        cap = level * float(np.quantile(before, metric.winsorize))
    else:
        cap = float(np.quantile(values, metric.winsorize))
    return cap if cap > 0 or not (values > 0).any() else None


def _column(metric: MetricSpec, columns: Mapping[str, FloatVector], name: str) -> FloatVector:
    if name not in columns:
        raise DataError(f"metric {metric.name!r}: {unknown_name('column', name, columns)}")
    values = np.asarray(columns[name], np.float64)
    bad = ~np.isfinite(values)
    if bad.any():
        raise DataError(
            f"metric {metric.name!r}: column {name!r} has {counted(int(bad.sum()), 'value')} not finite "
            f"(first: unit {int(bad.argmax())} of the table, {values[bad.argmax()]}); fix or drop these units"
        )
    size = np.abs(values)
    tiny = 0 < size.max(initial=0.0) < SMALLEST
    bad = size > 0 if tiny else size > LARGEST
    if bad.any():
        told = f"above 0, all below {SMALLEST:g}" if tiny else f"beyond {LARGEST:g}"
        raise DataError(
            f"metric {metric.name!r}: column {name!r} has {counted(int(bad.sum()), 'value')} {told} "
            f"(first: unit {int(bad.argmax())} of the table, {values[bad.argmax()]}); use another unit"
        )
    return values
