"""Who met which variant, and when first: the log of an experiment, one row per unit."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from encorec.data.sources.sheets import Column, counted
from encorec.data.sources.times import seconds
from encorec.data.sources.typed import known_text, texts
from encorec.errors import DataError
from encorec.evaluation.frames.inputs import Ids, Input, TableLike, open_input
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
        variant: (n,) int8 place in ``variants``.
        first_seen: (n,) int64 seconds since 1970 of the first exposure, fractions cut off; none = not logged.
        segments: column of the specification's segments -> (n,) text at the first exposure, where the file has it.
        rows: of the file.
        two_arms: units that met two variants or more; they are left out everywhere.
        where: name of the file.

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

    def __len__(self) -> int:
        return len(self.variant)

    @property
    def counts(self) -> dict[str, int]:
        """Units of every variant."""
        found = np.bincount(self.variant, minlength=len(self.variants))
        return dict(zip(self.variants, found.tolist(), strict=True))


def read_exposures(given: TableLike, spec: ExperimentSpec) -> Exposures:
    """The exposures of a CSV or Parquet file, or of a data frame.

    Columns: the units under the specification's own name or ``unit``; ``variant``; maybe ``first_exposed_at`` (ISO 8601
    or unix time) and the segments of the specification. Of several rows of a unit the earliest counts, or the first
    row where no times are logged.

    Args:
        given: path or frame.
        spec: of the experiment.

    Raises:
        DataError: a table that cannot be read, without rows, or with a missing unit, a missing or unknown variant, a
            broken time; a variant that no unit has.

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
    sheet, variants = opened.sheet, tuple(spec.variants)
    ids = opened.ids(unit)
    rows = pl.DataFrame({"id": ids.values, "code": _codes(sheet.column(VARIANT), variants)})
    timed = FIRST_SEEN in sheet
    rows = rows.with_columns(time=_times(sheet.column(FIRST_SEEN)) if timed else pl.lit(0, pl.Int64))
    labels = [name for name in spec.analysis.segments if name in sheet and name != unit]
    rows = rows.with_columns(texts(sheet.column(name)).cast(pl.String).alias(f"={name}") for name in labels)
    units = _per_unit(rows)
    kept = units.filter(pl.col("low") == pl.col("high"))
    found = Exposures(
        Ids(ids.column, kept["id"], ids.either),
        variants,
        kept["low"].to_numpy(),
        kept["time"].to_numpy() if timed else None,
        {name: kept[f"={name}"] for name in labels},
        len(rows),
        len(units) - len(kept),
        sheet.where,
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
    raise DataError(
        f"{opened.sheet.where}: has no column of units; it must be called {spec.unit!r} (as 'unit' in the "
        f"specification says) or {UNIT!r}"
    )


def _codes(column: Column, variants: tuple[str, ...]) -> pl.Series:
    """(m,) int8 place of every variant."""
    names = known_text(column)
    column.refuse(names.is_null(), "missing", "every exposed unit has a variant: drop the rows of units outside")
    unknown = ~names.is_in(list(variants))
    column.refuse(unknown, _naming_none(unknown), f"variants of the experiment are {', '.join(variants)}")
    return names.cast(pl.Enum(variants)).to_physical().cast(pl.Int8)


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
