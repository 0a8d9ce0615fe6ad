"""What every unit of an experiment did: one row per unit, read as such or summed from events."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from encorec.errors import DataError
from encorec.evaluation.frames.inputs import TableLike
from encorec.experiment.intake.event_sums import DailySums
from encorec.experiment.intake.exposures import Exposures
from encorec.experiment.intake.left_out import left_out_notes
from encorec.experiment.intake.metric_columns import MetricColumns, check_numbers
from encorec.experiment.intake.unit_rows import read_units
from encorec.experiment.spec import ExperimentSpec
from encorec.types import FloatVector, IntVector

__all__ = ["Segment", "UnitTable"]

Segment = tuple[IntVector, tuple[str, ...]]


@dataclass(frozen=True)
class UnitTable:
    """The material of an analysis: n units, each once.

    Args:
        variants: names, as the specification orders them.
        variant: (n,) int8 place in ``variants``; int16 beyond 127 variants.
        columns: values, numerators, denominators and covariates, (n,) float64 each, all finite.
        first_seen: (n,) int64 seconds since 1970 of the first exposure; none = not logged.
        segments: name -> ((n,) int32 codes, labels).
        daily: sums by day since first exposure; none = the table was not one of events.
        missing: exposed units of each variant that had no row and were left out; none = nothing could be missing.
        notes: what was done to the data, in words.

    Example:
        >>> from encorec.experiment.intake.exposures import read_exposures
        >>> from encorec.experiment.spec import MetricSpec
        >>> clicks = MetricSpec(name="clicks", value="clicks", role="primary")
        >>> spec = ExperimentSpec(name="shelf", variants={"a": 0.5, "b": 0.5}, metric=(clicks,))
        >>> exposures = read_exposures(pl.DataFrame({"unit": [1, 2, 3], "variant": ["a", "b", "b"]}), spec)
        >>> table = UnitTable.read(spec, exposures, pl.DataFrame({"unit": [3, 1, 9], "clicks": [4, 2, 7]}))
        >>> table.columns["clicks"].tolist(), table.variant.tolist(), table.missing
        ([2.0, 4.0], [0, 1], (0, 1))
    """

    variants: tuple[str, ...]
    variant: IntVector
    columns: Mapping[str, FloatVector]
    first_seen: IntVector | None = None
    segments: Mapping[str, Segment] = field(default_factory=dict[str, Segment])
    daily: DailySums | None = None
    missing: tuple[int, ...] | None = None
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.variant)

    @property
    def counts(self) -> dict[str, int]:
        """Units of every variant."""
        found = np.bincount(self.variant, minlength=len(self.variants))
        return dict(zip(self.variants, found.tolist(), strict=True))

    @classmethod
    def of(
        cls,
        spec: ExperimentSpec,
        variant: IntVector,
        columns: Mapping[str, FloatVector],
        first_seen: IntVector | None = None,
        segments: Mapping[str, Segment] | None = None,
        daily: DailySums | None = None,
        missing: tuple[int, ...] | None = None,
        notes: Iterable[str] = (),
        where: str = "unit table",
    ) -> "UnitTable":
        """From arrays, checked.

        Args:
            spec: of the experiment.
            variant: (n,) places of the variants in the specification.
            columns: (n,) numbers each; those that no metric needs are kept.
            first_seen: (n,) int64 seconds since 1970.
            segments: name -> ((n,) codes, labels).
            daily: sums by day.
            missing: exposed units of each variant without a row.
            notes: what was done to the data.
            where: what the table is called in errors.

        Raises:
            ConfigError: a covariate that is a metric's value at the same time.
            DataError: parts of unequal length, an unknown variant or one without units, a value that is not finite,
                a share that is neither 0 nor 1.
        """
        variants, codes, n = tuple(spec.variants), np.asarray(variant), len(variant)
        if n and not (np.issubdtype(codes.dtype, np.integer) and codes.min() >= 0 and codes.max() < len(variants)):
            raise DataError(
                f"{where}: variants must be whole numbers from 0 to {len(variants) - 1}, as the spec orders"
            )
        parts = {f"segment {name!r}": one[0] for name, one in (segments or {}).items()}
        parts |= {} if first_seen is None else {"first_seen": first_seen}
        for name, part in parts.items():
            if len(part) != n:
                raise DataError(f"{where}: {name} has {len(part):,} values for {n:,} units; give one per unit")
        numbers = {name: _numbers(name, one, where) for name, one in columns.items()}
        check_numbers(numbers, MetricColumns.of(spec.metric), n, where)
        table = cls(
            *(variants, codes.astype(spec.code_type), numbers, first_seen, dict(segments or {})),
            *(daily, missing, tuple(notes)),
        )
        for name, count in table.counts.items():
            if not count:
                raise DataError(f"{where}: no unit of the variant {name!r} has a row; an empty arm cannot be compared")
        return table

    @classmethod
    def read(cls, spec: ExperimentSpec, exposures: Exposures, given: TableLike) -> "UnitTable":
        """From a CSV or Parquet file, or a data frame.

        A table with a column ``timestamp`` holds events: they are summed per exposed unit from the second of its
        first exposure on, and strictly before it for covariates; a covariate ``x_before`` that is no column is the
        sum of ``x``. Units without events count with 0. Any other table has one row per unit; exposed units that
        are not in it are left out and counted by arm. Units that were first exposed after the planned end and events
        at or after it, or after ``exposures.until``, do not count.

        Args:
            spec: of the experiment.
            exposures: of the experiment.
            given: path or frame.

        Raises:
            ConfigError: a covariate that is a metric's value at the same time.
            DataError: a table that cannot be read or lacks a column, repeated units, a value that is NaN, infinite or
                missing, a share that is neither 0 nor 1, a covariate measured after the exposure, no exposed unit at
                all, an arm without units.
        """
        planned = exposures.planned(spec)
        rows = read_units(spec, planned, given)
        gone = np.bincount(planned.variant[~rows.kept], minlength=len(planned.variants))
        return cls.of(
            spec,
            planned.variant[rows.kept],
            rows.columns,
            None if planned.first_seen is None else planned.first_seen[rows.kept],
            {name: _coded(labels) for name, labels in rows.segments.items()},
            rows.daily,
            tuple(gone.tolist()),
            (*left_out_notes(exposures, planned, events=rows.events, where=rows.where), *rows.notes),
            rows.where,
        )


def _coded(labels: pl.Series) -> Segment:
    """Codes (n,) int32 and the labels in ascending order."""
    known = tuple(labels.unique().sort().to_list())
    return labels.cast(pl.Enum(known)).to_physical().cast(pl.Int32).to_numpy(), known


def _numbers(name: str, values: FloatVector, where: str) -> FloatVector:
    try:
        return np.ascontiguousarray(values, np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"{where}: column {name!r} holds no numbers ({error}); give one number per unit") from error
