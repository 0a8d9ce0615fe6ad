"""The columns that the metrics of an experiment need, and numbers that nothing doubtful is hidden in."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from encorec.data.sources.sheets import Column, counted
from encorec.data.sources.typed import numbers
from encorec.errors import ConfigError, DataError
from encorec.experiment.spec import MetricSpec
from encorec.types import BoolVector, FloatVector

__all__ = ["LARGEST", "SMALLEST", "MetricColumns", "check_numbers", "read_numbers", "refuse_units"]

LARGEST, SMALLEST = 1e100, 1e-100
"""No value lies beyond the first, no column wholly below the second: squares would leave the range of 64-bit floats."""


@dataclass(frozen=True)
class MetricColumns:
    """Names of columns, each once.

    Args:
        values: of means, shares, quantiles and both parts of ratios.
        covariates: known before the exposure.
        shares: those of the values that are 0 or 1.

    Raises:
        ConfigError: a covariate that is a metric's value at the same time.

    Example:
        >>> clicks = MetricSpec(name="ctr", kind="ratio", numerator="clicks", denominator="views", role="primary")
        >>> MetricColumns.of([clicks]).all
        ('clicks', 'views')
    """

    values: tuple[str, ...]
    covariates: tuple[str, ...]
    shares: frozenset[str]

    def __post_init__(self) -> None:
        for name in self.covariates:
            if name in self.values:
                raise ConfigError(
                    f"column {name!r} is the value of a metric and a covariate at once: what is measured after the "
                    f"exposure cannot be a covariate; give what was measured before it a name of its own, such as "
                    f"'{name}_before'"
                )

    @classmethod
    def of(cls, metrics: Iterable[MetricSpec]) -> "MetricColumns":
        """Those of all metrics, in their order."""
        given = tuple(metrics)
        return cls(
            tuple(dict.fromkeys(name for one in given for name in one.columns)),
            tuple(dict.fromkeys(name for one in given for name in one.covariates)),
            frozenset(name for one in given for name in one.columns if one.kind == "share"),
        )

    @property
    def all(self) -> tuple[str, ...]:
        """Values, then covariates."""
        return (*self.values, *self.covariates)


def read_numbers(column: Column, unit: pl.Series, wanted: BoolVector, *, gaps: bool) -> FloatVector:
    """(m,) float64 values of a column, 0 where a row is not wanted.

    Args:
        column: numbers or text.
        unit: (m,) id of each row, for errors.
        wanted: (m,) rows that are read; what the others hold is not looked at.
        gaps: whether an empty cell is 0: nothing of the kind happened in this event.

    Raises:
        DataError: NaN, infinite, beyond 1e100, missing where that is not allowed, or no number at all.

    Example:
        >>> clicks = Column(pl.Series("clicks", ["3", "", "nan"]), "events.csv")
        >>> read_numbers(clicks, pl.Series([7, 7, 8]), np.array([True, True, False]), gaps=True).tolist()
        [3.0, 0.0, 0.0]
    """
    if not wanted.all():
        column = column.holding(column.values.set(~pl.Series(wanted), None))
    text = column.values.dtype == pl.String
    if text or column.values.dtype.is_float():
        plain = column.values.str.strip_chars().cast(pl.Float64, strict=False) if text else column.values
        _refuse(column, unit, plain.is_nan().fill_null(False), "that are not a number (NaN)")
        _refuse(column, unit, plain.is_infinite().fill_null(False), "that are infinite")
        beyond = (plain.abs() > LARGEST).fill_null(False)
        _refuse(column, unit, beyond, f"that are beyond {LARGEST:g}", "use another unit")
    values = numbers(column)
    if not gaps:
        missing = values.is_null() & pl.Series(wanted)
        _refuse(column, unit, missing, "missing", "fill them with what is known (0 where nothing happened)")
    return values.fill_null(0.0).to_numpy()


def check_numbers(
    columns: Mapping[str, FloatVector], wanted: MetricColumns, n: int, where: str, unit: pl.Series | None = None
) -> None:
    """Refuse columns of a unit table that no metric can be computed from.

    Args:
        columns: (n,) float64 each.
        wanted: the columns that must be there.
        n: units.
        where: what the table is called in errors.
        unit: (n,) ids, for errors.

    Raises:
        DataError: a column is missing or of another length, a value is not finite or beyond 1e100, a share is neither
            0 nor 1.

    Example:
        >>> bought = MetricColumns(("bought",), (), frozenset({"bought"}))
        >>> check_numbers({"bought": np.array([0.0, 2.0])}, bought, 2, "metrics")
        Traceback (most recent call last):
        ...
        encorec.errors.DataError: metrics: column 'bought' has 1 value that is neither 0 nor 1 (first: unit in row 1,
          2.0); a metric of kind 'share' needs 0 or 1 per unit
    """
    for name in wanted.all:
        if name not in columns:
            raise DataError(f"{where}: has no column {name!r}, which a metric needs; it has {', '.join(columns)}")
        values = columns[name]
        if values.shape != (n,):
            raise DataError(f"{where}: column {name!r} has the shape {values.shape}, allowed is ({n},), one per unit")
        refuse_units(name, values, ~np.isfinite(values), "that is not finite", "fix or drop these units", where, unit)
        beyond = np.abs(values) > LARGEST
        refuse_units(name, values, beyond, f"that is beyond {LARGEST:g}", "use another unit", where, unit)
        if 0 < np.abs(values).max(initial=0) < SMALLEST:
            told = f"that is not 0 and all below {SMALLEST:g}"
            refuse_units(name, values, values != 0, told, "use another unit", where, unit)
        if name in wanted.shares:
            odd = (values != 0) & (values != 1)
            remedy = "a metric of kind 'share' needs 0 or 1 per unit"
            refuse_units(name, values, odd, "that is neither 0 nor 1", remedy, where, unit)


def refuse_units(
    name: str,
    values: FloatVector,
    bad: BoolVector,
    fault: str,
    remedy: str,
    where: str,
    unit: pl.Series | None = None,
) -> None:
    """Complain about the units where ``bad`` (n,) is true, if there are any; names the first.

    Raises:
        DataError: at least one is bad.

    Example:
        >>> refuse_units("age", np.array([1.0]), np.array([False]), "below 0", "drop them", "metrics")
    """
    if not bad.any():
        return
    first, count = int(bad.argmax()), int(bad.sum())
    named = f"unit in row {first}" if unit is None else f"unit {unit[first]!r}"
    plural = fault if count == 1 else fault.replace("that is ", "that are ")
    raise DataError(
        f"{where}: column {name!r} has {counted(count, 'value')} {plural} (first: {named}, {values[first]}); {remedy}"
    )


def _refuse(column: Column, unit: pl.Series, bad: pl.Series, fault: str, remedy: str = "fix or drop them") -> None:
    if bad.any():
        first, count = bad.arg_max() or 0, int(bad.sum())
        fault = fault.replace("that are", "that is") if count == 1 else fault
        raise DataError(
            f"{column.where}: column {column.name!r} has {counted(count, 'value')} {fault} (first: unit "
            f"{unit[first]!r} in data row {first + 1}, {column.values[first]}); {remedy}"
        )
