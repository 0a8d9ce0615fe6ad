"""Who met which variant, and when first: the log of an experiment, one row per unit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl

from encorec.data.sources.sheets import Column, Sheet, counted
from encorec.data.sources.times import seconds
from encorec.data.sources.typed import known_text, texts
from encorec.errors import DataError
from encorec.evaluation.frames.inputs import Ids, Input, TableLike, open_input
from encorec.experiment.intake.planned_window import planned_finish
from encorec.experiment.spec import ExperimentSpec
from encorec.types import IntVector

__all__ = ["FIRST_SEEN", "UNIT", "VARIANT", "Exposures", "open_units", "read_exposures"]

UNIT, VARIANT, FIRST_SEEN = "unit", "variant", "first_exposed_at"


@dataclass(frozen=True)
class Exposures:
    """The units of an experiment, each once, in ascending order of their ids.

    Args:
        ids: (n,) of the units.
        variants: names, as the specification orders them.
        variant: (n,) int8 place in ``variants``; int16 beyond 127 variants.
        first_seen: (n,) int64 seconds since 1970 of the first exposure, fractions cut off; none = not logged.
        segments: column of the specification's segments -> (n,) text at the first exposure, where the file has it.
        rows: of the file.
        two_arms: units that met two variants or more; they are left out everywhere.
        where: name of the file.
        until: seconds since 1970 from which on nothing is looked at; none = the whole log.
        later: rows at or after it, left out.
        testers: units that the specification overrides; they are left out everywhere, chance did not draw them.

    Example:
        >>> from encorec.experiment.spec import MetricSpec
        >>> clicks = MetricSpec(name="clicks", value="clicks", role="primary")
        >>> spec = ExperimentSpec(name="shelf", variants={"a": 0.5, "b": 0.5}, metric=(clicks,))
        >>> log = pl.DataFrame({"unit": [3, 1, 3, 2, 2], "variant": ["a", "b", "a", "a", "b"]})
        >>> found = read_exposures(log, spec)
        >>> found.ids.values.to_list(), found.variant.tolist(), found.two_arms
        ([1, 3], [1, 0], 1)
    """

    ids: Ids
    variants: tuple[str, ...]
    variant: IntVector
    first_seen: IntVector | None
    segments: Mapping[str, pl.Series] = field(default_factory=dict[str, pl.Series])
    rows: int = 0
    two_arms: int = 0
    where: str = "exposures"
    until: int | None = None
    later: int = 0
    testers: int = 0

    def __len__(self) -> int:
        return len(self.variant)

    @property
    def counts(self) -> dict[str, int]:
        """Units of every variant."""
        found = np.bincount(self.variant, minlength=len(self.variants))
        return dict(zip(self.variants, found.tolist(), strict=True))

    def planned(self, spec: ExperimentSpec) -> "Exposures":
        """Without units that came when the planned end was over, and looked at no later than at that end.

        Raises:
            DataError: all of them came later.
        """
        finish = planned_finish(spec, self.first_seen)
        if finish is None or self.first_seen is None:
            return self
        until = finish if self.until is None else min(self.until, finish)
        there = self.first_seen < finish
        if not there.any():
            raise DataError(
                f"{self.where}: all {counted(len(self), 'unit')} came after the planned end ({spec.start} and "
                f"{spec.days} days); is 'start' of the specification right?"
            )
        kept = pl.Series(there)
        return replace(
            self,
            ids=replace(self.ids, values=self.ids.values.filter(kept)),
            variant=self.variant[there],
            first_seen=self.first_seen[there],
            segments={name: labels.filter(kept) for name, labels in self.segments.items()},
            until=until,
        )


def read_exposures(given: TableLike, spec: ExperimentSpec, *, until: int | None = None) -> Exposures:
    """The exposures of a CSV or Parquet file, or of a data frame.

    Columns: the units under the specification's own name or ``unit``; ``variant``; maybe ``first_exposed_at`` (ISO 8601
    or unix time) and the segments of the specification. Of several rows of a unit the earliest counts, or the first
    row where no times are logged. Units under ``overrides`` are left out: their variant was chosen, not drawn.

    Args:
        given: path or frame.
        spec: of the experiment.
        until: seconds since 1970; rows at or after it are left out as if they were not written yet, so that an early
            look sees nothing of the future. Without times nothing can be left out.

    Raises:
        DataError: a table that cannot be read, without rows, or with a missing unit, a missing or unknown variant, a
            broken time; no row before ``until``; testers alone; a variant that no unit has.

    Example:
        >>> from encorec.experiment.spec import MetricSpec
        >>> clicks = MetricSpec(name="clicks", value="clicks", role="primary")
        >>> spec = ExperimentSpec(name="shelf", variants={"a": 0.5, "b": 0.5}, metric=(clicks,))
        >>> read_exposures(pl.DataFrame({"unit": [1, 2], "variant": ["a", "x"]}), spec)
        Traceback (most recent call last):
        ...
        encorec.errors.DataError: exposures: column 'variant' has 1 value that names no variant (first: data row 2,
          'x'); variants of the experiment are a, b
    """
    opened, unit = open_units(given, "exposures", spec, (VARIANT,), (FIRST_SEEN, *spec.analysis.segments))
    sheet, variants, ids, timed = opened.sheet, tuple(spec.variants), opened.ids(unit), FIRST_SEEN in opened.sheet
    labels = [name for name in spec.analysis.segments if name in sheet and name != unit]
    rows = _rows(sheet, ids, variants, labels)
    seen = rows.filter(pl.col("time") < until) if timed and until is not None else rows
    if not len(seen):
        raise DataError(f"{sheet.where}: all of its {counted(len(rows), 'row')} lie at or after the time of the look")
    drawn = seen.filter(~pl.col("id").cast(pl.String).is_in(list(spec.overrides)))
    if not len(drawn):
        raise DataError(f"{sheet.where}: all of its units are testers, named under 'overrides' of the specification")
    units = _per_unit(drawn)
    kept = units.filter(pl.col("low") == pl.col("high"))
    found = Exposures(
        Ids(ids.column, kept["id"], ids.either),
        variants,
        kept["low"].to_numpy().astype(spec.code_type),
        kept["time"].to_numpy() if timed else None,
        {name: kept[f"={name}"] for name in labels},
        len(rows),
        len(units) - len(kept),
        sheet.where,
        until,
        len(rows) - len(seen),
        seen["id"].n_unique() - len(units),
    )
    _refuse_empty_arms(found)
    return found


def open_units(
    given: TableLike, where: str, spec: ExperimentSpec, required: tuple[str, ...], optional: tuple[str, ...] | None
) -> tuple[Input, str]:
    """A table of units, and the name of its column of units: the specification's own, else ``unit``.

    Args:
        given: path or frame.
        where: what a frame is called in errors.
        spec: of the experiment.
        required: columns that must be there.
        optional: columns that are read where they are there; none = all of them.

    Raises:
        DataError: a table that cannot be read, without rows, or without a required column.

    Example:
        >>> from encorec.experiment.spec import MetricSpec
        >>> clicks = MetricSpec(name="clicks", value="clicks", role="primary")
        >>> spec = ExperimentSpec(name="shelf", variants={"a": 0.5, "b": 0.5}, metric=(clicks,))
        >>> open_units(pl.DataFrame({"user_id": [1]}), "units", spec, (), ())[1]
        'user_id'
    """
    names = (spec.unit, UNIT)
    opened = open_input(given, where, required, None if optional is None else (*names, *optional))
    for name in names:
        if name in opened.sheet:
            return opened, name
    fault = f"has no column of units; it must be called {spec.unit!r} (as 'unit' in the specification says) or {UNIT!r}"
    try:
        open_input(given, where, (spec.unit,))  # says which columns there are
    except DataError as error:
        raise DataError(f"{error}; the table {fault}") from None
    raise DataError(f"{opened.sheet.where}: {fault}")


def _rows(sheet: Sheet, ids: Ids, variants: tuple[str, ...], labels: Sequence[str]) -> pl.DataFrame:
    """Unit, place of the variant, time (0 where there is none) and segments of every row."""
    rows = pl.DataFrame({"id": ids.values, "code": _codes(sheet.column(VARIANT), variants)})
    rows = rows.with_columns(time=_times(sheet.column(FIRST_SEEN)) if FIRST_SEEN in sheet else pl.lit(0, pl.Int64))
    return rows.with_columns(texts(sheet.column(name)).cast(pl.String).alias(f"={name}") for name in labels)


def _codes(column: Column, variants: tuple[str, ...]) -> pl.Series:
    """(m,) int16 place of every variant."""
    names = known_text(column)
    column.refuse(names.is_null(), "missing", "every exposed unit has a variant: drop the rows of units outside")
    unknown = ~names.is_in(list(variants))
    column.refuse(unknown, _naming_none(unknown), f"variants of the experiment are {', '.join(variants)}")
    return names.cast(pl.Enum(variants)).to_physical().cast(pl.Int16)


def _naming_none(unknown: pl.Series) -> str:
    return "that names no variant" if unknown.sum() == 1 else "that name no variant"


def _times(column: Column) -> pl.Series:
    """(m,) int64 seconds since 1970."""
    values = column.values
    gone = known_text(column).is_null() if values.dtype == pl.String else values.is_null()
    gone |= values.is_nan().fill_null(False) if values.dtype.is_float() else False
    column.refuse(gone, "missing", "every exposure needs a time: fill or drop these rows, or leave the column out")
    return seconds(column)


def _per_unit(rows: pl.DataFrame) -> pl.DataFrame:
    """One row per unit with the lowest and the highest variant, the first time and what stood in that row."""
    if rows["id"].n_unique() == len(rows):
        return rows.with_columns(low="code", high="code").sort("id")
    extra = [name for name in rows.columns if name.startswith("=")]
    groups = rows.sort("time", maintain_order=True) if extra else rows
    return (
        groups.group_by("id", maintain_order=bool(extra))
        .agg(
            pl.col("code").min().alias("low"),
            pl.col("code").max().alias("high"),
            pl.col("time").min(),
            *(pl.col(name).first() for name in extra),
        )
        .sort("id")
    )


def _refuse_empty_arms(found: Exposures) -> None:
    empty = [name for name, count in found.counts.items() if not count]
    if not empty:
        return
    dropped = f" ({counted(found.two_arms, 'unit')} in two arms left out)" if found.two_arms else ""
    shown = ", ".join(f"{name} {count:,}" for name, count in found.counts.items())
    raise DataError(
        f"{found.where}: no unit has the variant {', '.join(map(repr, empty))}; units are {shown}{dropped}; "
        "is the log whole, and does the specification name its variants?"
    )
