"""Where a metric stands before the experiment: its value, its spread per unit, and what covariates explain of it."""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
import numpy as np

from encorec.errors import ConfigError, DataError, unknown_name
from encorec.experiment.analysis.outcome import cap_of
from encorec.experiment.spec import MetricSpec
from encorec.types import FloatMatrix, FloatVector

__all__ = ["Baseline", "explained_share", "known_covariates", "measure_baseline", "stated_baseline"]

_FEWEST = 3
_TINY = 1e-300


@dataclass(frozen=True)
class Baseline:
    """A metric before the experiment.

    Args:
        value: of the metric.
        std: of one unit, raw: over n units the metric has the variance std^2 / n.
        explained: share of that variance that covariates take away (R^2; the squared correlation of one).
        units: that it was measured on; none = given by hand.

    Raises:
        ConfigError: a spread that is not above 0, or an explained share outside 0 to 1.

    Example:
        >>> Baseline(5.0, 2.0, explained=0.75).std_left
        1.0
    """

    value: float
    std: float
    explained: float = 0.0
    units: int | None = None

    def __post_init__(self) -> None:
        if not (np.isfinite(self.value) and np.isfinite(self.std) and self.std > 0):
            raise ConfigError(f"baseline {self.value} with std {self.std}: both must be finite, the std above 0")
        if not 0 <= self.explained < 1:
            raise ConfigError(f"covariates explain {self.explained}, allowed is 0 or more and below 1")

    @property
    def std_left(self) -> float:
        """Of one unit after the covariates."""
        return self.std * (1 - self.explained) ** 0.5  # deng2013


def stated_baseline(
    metric: MetricSpec, value: float, std: float | None = None, correlation: float | None = None
) -> Baseline:
    """A baseline that is given by hand.

    Args:
        metric: of the spec.
        value: of the metric.
        std: of one unit; of a share it follows from the value.
        correlation: of the metric with its covariate (of several: the multiple correlation); none = 0.

    Raises:
        ConfigError: no std where one is needed, a share outside 0 to 1, a correlation outside -1 to 1.

    Example:
        >>> stated_baseline(MetricSpec(name="bought", kind="share", value="bought", role="primary"), 0.1).std
        0.3
        >>> stated_baseline(MetricSpec(name="minutes", value="minutes", role="primary"), 30)
        Traceback (most recent call last):
        ...
        encorec.errors.ConfigError: metric 'minutes' has a baseline but no spread: give --std minutes=VALUE, ...
    """
    if metric.kind == "share":
        if not 0 < value < 1:
            raise ConfigError(f"metric {metric.name!r}: the baseline {value} is no share above 0 and below 1")
        std = round((value * (1 - value)) ** 0.5, 15) if std is None else std
    if std is None:
        raise ConfigError(
            f"metric {metric.name!r} has a baseline but no spread: give --std {metric.name}=VALUE, of one unit (of a "
            f"ratio: of its delta-method terms), or a history that has its columns"
        )
    if correlation is not None and not -1 < correlation < 1:
        raise ConfigError(f"metric {metric.name!r}: correlation is {correlation}, allowed is above -1 and below 1")
    return Baseline(value, std, (correlation or 0.0) ** 2)


def measure_baseline(metric: MetricSpec, columns: Mapping[str, FloatVector]) -> Baseline:
    """A metric in a table of units.

    Values are winsorised as in the analysis. Covariates that are not in the table explain nothing.

    Args:
        metric: of the spec.
        columns: name -> (n,) float64.

    Raises:
        DataError: a column that is missing, fewer than three units, a share that is not 0 or 1, a ratio without
            denominator, or no spread.

    Example:
        >>> metric = MetricSpec(name="clicks", value="clicks", role="primary", covariate="before")
        >>> found = measure_baseline(metric, {"clicks": np.array([1.0, 2, 3, 6]), "before": np.array([1.0, 2, 3, 5])})
        >>> found.value, round(found.std, 3), round(found.explained, 3)
        (3.0, 2.16, 0.988)
    """
    parts = [_column(metric, name, columns) for name in metric.columns]
    known = known_covariates(metric, columns)
    cap = cap_of(known, columns)
    if cap is not None:
        parts[0] = np.minimum(parts[0], cap)
    if metric.kind == "quantile":
        return _refuse_alike(metric, Baseline(*_of_quantile(metric, parts[0]), units=len(parts[0])))
    value, added = _linear(metric, parts)
    covariates = [columns[name] for name in known.covariates]
    explained = explained_share(added, np.column_stack(covariates)) if covariates else 0.0
    std = max(float(added.std(ddof=1)), _TINY)
    return _refuse_alike(metric, Baseline(value, std, min(explained, 1 - 1e-9), len(added)))


def known_covariates(metric: MetricSpec, columns: Mapping[str, FloatVector]) -> MetricSpec:
    """The metric with those of its covariates alone that are in the table.

    Example:
        >>> metric = MetricSpec(name="m", value="m", role="primary", covariate=("before", "age"))
        >>> known_covariates(metric, {"m": np.ones(2), "age": np.ones(2)}).covariates
        ('age',)
    """
    there = tuple(name for name in metric.covariates if name in columns)
    return msgspec.structs.replace(metric, covariate=there)


def explained_share(values: FloatVector, covariates: FloatMatrix) -> float:
    """Share of the variance of ``values`` that a linear fit on the covariates takes away.

    Args:
        values: (n,).
        covariates: (n, c); a constant one explains nothing, and their scale does not matter.

    Example:
        >>> round(explained_share(np.array([1.0, 2, 3]), np.array([[60.0], [0], [120]])), 3)
        0.25
    """
    centred = covariates - covariates.mean(axis=0)
    scale = centred.std(axis=0)
    centred = centred[:, scale > 1e-12 * np.abs(covariates).max(axis=0, initial=1e-300)]
    if not centred.shape[1]:
        return 0.0
    wanted = values - values.mean()
    fit = np.linalg.lstsq(centred / centred.std(axis=0), wanted, rcond=None)[0]
    left = wanted - (centred / centred.std(axis=0)) @ fit
    total = float(wanted @ wanted)
    return 0.0 if total == 0 else max(0.0, 1 - float(left @ left) / total)


def _linear(metric: MetricSpec, parts: list[FloatVector]) -> tuple[float, FloatVector]:
    """The value of a mean, share or ratio and what every unit adds to it."""
    if metric.kind != "ratio":
        return float(parts[0].mean()), parts[0]
    above, below = parts
    if not below.mean() > 0:
        raise DataError(f"metric {metric.name!r}: its denominator {metric.denominator!r} adds up to {below.sum():g}")
    ratio = float(above.sum() / below.sum())
    return ratio, (above - ratio * below) / below.mean()  # deng2018, delta method


def _of_quantile(metric: MetricSpec, values: FloatVector) -> tuple[float, float]:
    """The quantile, and sqrt(q (1 - q)) / f with the density f from the order statistics around it."""
    from scipy.stats import norm

    share, many = metric.quantile or 0.5, len(values)
    reach = float(norm.isf(0.025)) * (share * (1 - share) / many) ** 0.5
    low, high = np.quantile(values, [max(share - reach, 0.0), min(share + reach, 1.0)])
    wide = min(share + reach, 1.0) - max(share - reach, 0.0)
    spread = max(float(high - low), _TINY)
    return float(np.quantile(values, share)), spread / wide * (share * (1 - share)) ** 0.5  # price2001


def _refuse_alike(metric: MetricSpec, found: Baseline) -> Baseline:
    if found.std <= 1e-12 * max(abs(found.value), _TINY) or found.std <= 2 * _TINY:
        raise DataError(f"metric {metric.name!r}: all units are alike in the history, so no experiment can be planned")
    return found


def _column(metric: MetricSpec, name: str, columns: Mapping[str, FloatVector]) -> FloatVector:
    if name not in columns:
        raise DataError(f"history: metric {metric.name!r}: {unknown_name('column', name, columns)}")
    values = np.asarray(columns[name], np.float64)
    if len(values) < _FEWEST or not np.isfinite(values).all():
        raise DataError(
            f"metric {metric.name!r}: {len(values)} units; at least {_FEWEST} with finite values are needed"
        )
    if metric.kind == "share" and not np.isin(values, (0.0, 1.0)).all():
        raise DataError(f"metric {metric.name!r}: a share needs values of 0 and 1; column {name!r} has others")
    return values
