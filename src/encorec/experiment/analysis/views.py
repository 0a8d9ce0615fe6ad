"""Tables with several rows per unit, such as views: summed per unit, with what they would say if taken for units."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from encorec.data.sources.times import seconds
from encorec.errors import ConfigError, DataError
from encorec.evaluation.frames.inputs import Input, TableLike
from encorec.evaluation.frames.numbering import agreed, numbered, rows_of
from encorec.experiment.analysis.effect import Effect
from encorec.experiment.analysis.effects import effect_of
from encorec.experiment.analysis.outcome import Outcome
from encorec.experiment.intake.exposures import Exposures, open_units
from encorec.experiment.intake.metric_columns import MetricColumns, check_numbers, read_numbers
from encorec.experiment.intake.unit_table import UnitTable
from encorec.experiment.spec import ExperimentSpec, MetricSpec
from encorec.types import BoolVector, FloatVector, IntVector

__all__ = ["VIEWS", "WARNING", "Views", "per_view_spec"]

VIEWS = "rows per unit"
"""Column of the sums: how many rows a unit has."""
WARNING = (
    "the table has several rows per unit: metrics are per row, summed per unit and compared as ratios (delta method), "
    "since rows of one unit are not independent; 'naive' is what comes out if they are taken for independent"
)
_TIME = "timestamp"


@dataclass(frozen=True)
class Views:
    """Rows of units.

    Args:
        unit: (m,) int64 number of the unit of each row, 0 to n - 1.
        units: n; a unit may have no row.
        columns: (m,) float64 by name.
        timed: whether the rows had times.

    Example:
        >>> views = Views(np.array([0, 0, 1]), 2, {"minutes": np.array([1.0, 2.0, 4.0])})
        >>> views.sums()["minutes"].tolist(), views.sums()[VIEWS].tolist()
        ([3.0, 4.0], [2.0, 1.0])
    """

    unit: IntVector
    units: int
    columns: Mapping[str, FloatVector]
    timed: bool = False

    @classmethod
    def read(cls, spec: ExperimentSpec, given: TableLike, exposures: Exposures | None = None) -> "Views":
        """From a CSV or Parquet file, or a data frame.

        Args:
            spec: of the experiment; its metrics are meant per row.
            given: path or frame; with a column ``timestamp``, rows before the first exposure do not count, nor do
                those from ``exposures.until`` on.
            exposures: whose units count; none = all units of the table.

        Raises:
            ConfigError: a quantile, which is not analysed per row.
            DataError: a table that cannot be read, lacks a column or holds broken numbers.
        """
        _refuse_quantiles(spec)
        wanted = MetricColumns.of(spec.metric)
        opened, name = open_units(given, "metrics", spec, wanted.all, (_TIME,))
        row, units, mine = _numbers_of(opened, name, exposures)
        ids = opened.sheet.frame[name]
        columns = {one: read_numbers(opened.sheet.column(one), ids, mine, gaps=False)[mine] for one in wanted.all}
        check_numbers(columns, wanted, int(mine.sum()), opened.sheet.where)
        return cls(row[mine], units, columns, _TIME in opened.sheet)

    @property
    def repeated(self) -> bool:
        """Whether a unit has more than one row."""
        return bool((np.bincount(self.unit, minlength=self.units) > 1).any())

    def sums(self, fixed: tuple[str, ...] = ()) -> dict[str, FloatVector]:
        """(n,) float64 per column: sums over the rows of a unit, and their number under ``VIEWS``.

        Args:
            fixed: columns that are one value per unit, repeated in its rows.

        Raises:
            DataError: such a column has several values for a unit.
        """
        found: dict[str, FloatVector] = {
            name: np.bincount(self.unit, column, self.units).astype(np.float64)
            for name, column in self.columns.items()
            if name not in fixed
        }
        found[VIEWS] = np.bincount(self.unit, minlength=self.units).astype(np.float64)
        return found | {name: self._once(name) for name in fixed}

    def _once(self, name: str) -> FloatVector:
        value = np.zeros(self.units)
        value[self.unit] = self.columns[name]
        odd = value[self.unit] != self.columns[name]
        if odd.any():
            raise DataError(
                f"covariate {name!r} has several values for {len(set(self.unit[odd].tolist())):,} units; what is known "
                "of a unit before its exposure is one value, repeated in its rows"
            )
        return value

    def table(self, spec: ExperimentSpec, exposures: Exposures, notes: Sequence[str] = ()) -> UnitTable:
        """The unit table for ``per_view_spec(spec)``.

        Args:
            spec: of the experiment, metrics per row.
            exposures: with which the rows were read.
            notes: what was done to the data, in words.

        Raises:
            DataError: a unit table that cannot be analysed.
        """
        covariates = MetricColumns.of(spec.metric).covariates
        capped = Views(self.unit, self.units, {**self.columns, **self._capped(spec)})
        sums = capped.sums(covariates)
        told = (WARNING, *notes)
        return UnitTable.of(
            per_view_spec(spec), exposures.variant, sums, exposures.first_seen, notes=told, where="metrics"
        )

    def naive(self, spec: ExperimentSpec, variant: IntVector) -> dict[tuple[str, str], Effect]:
        """Effects as if every row were a unit, by metric and variant: wrong, to be shown as such.

        Args:
            spec: of the experiment, metrics per row.
            variant: (n,) place of each unit's variant.
        """
        names, arm = list(spec.variants), variant[self.unit]
        control = np.flatnonzero(arm == names.index(spec.control_variant))
        found: dict[tuple[str, str], Effect] = {}
        for metric in (one for one in spec.metric if one.kind in ("mean", "share")):
            outcome = Outcome.of(msgspec.structs.replace(metric, covariate=()), self.columns)
            for name in spec.treatments:
                treatment = np.flatnonzero(arm == names.index(name))
                if len(control) and len(treatment):
                    found[metric.name, name] = effect_of(outcome, control, treatment)
        return found

    def _capped(self, spec: ExperimentSpec) -> dict[str, FloatVector]:
        """Values of winsorised means, capped row by row."""
        capped = [one for one in spec.metric if one.winsorize is not None and one.kind == "mean" and one.value]
        bare = {one.value or "": msgspec.structs.replace(one, covariate=()) for one in capped}
        return {name: Outcome.of(one, self.columns).values[0] for name, one in bare.items()}


def per_view_spec(spec: ExperimentSpec) -> ExperimentSpec:
    """The same experiment with means and shares per row as what they are over units: ratios of sums.

    Args:
        spec: whose means and shares are meant per row.

    Raises:
        ConfigError: a quantile.

    Example:
        >>> metric = MetricSpec(name="watched", kind="share", value="watched", role="primary")
        >>> found = per_view_spec(ExperimentSpec(name="x", variants={"a": 0.5, "b": 0.5}, metric=(metric,)))
        >>> found.metric[0].kind, found.metric[0].columns
        ('ratio', ('watched', 'rows per unit'))
    """
    _refuse_quantiles(spec)
    return msgspec.structs.replace(spec, metric=tuple(_as_ratio(one) for one in spec.metric))


def _as_ratio(metric: MetricSpec) -> MetricSpec:
    if metric.kind == "ratio":
        return metric
    return msgspec.structs.replace(
        metric, kind="ratio", value=None, numerator=metric.value, denominator=VIEWS, winsorize=None
    )


def _refuse_quantiles(spec: ExperimentSpec) -> None:
    for metric in spec.metric:
        if metric.kind == "quantile":
            raise ConfigError(
                f"metric {metric.name!r}: a quantile over rows of units is not analysed; take a quantile of one value "
                "per unit"
            )


def _numbers_of(opened: Input, name: str, exposures: Exposures | None) -> tuple[IntVector, int, BoolVector]:
    """Number of the unit of every row, how many units there are, and which rows count."""
    if exposures is None:
        found = numbered([opened.ids(name).values])
        return found.rows[0].astype(np.int64), len(found.ids), np.ones(len(opened.sheet), bool)
    known, mine = agreed([exposures.ids, opened.ids(name)])
    row = rows_of(mine, known).astype(np.int64)
    counts = row >= 0
    if not counts.any():
        raise DataError(f"{opened.sheet.where}: none of its units was exposed; are the ids spelt otherwise?")
    if _TIME in opened.sheet and exposures.first_seen is not None:
        time = seconds(opened.sheet.column(_TIME)).to_numpy()
        counts &= time >= exposures.first_seen[np.where(counts, row, 0)]
        counts &= time < (np.iinfo(np.int64).max if exposures.until is None else exposures.until)
    return row, len(known), counts
