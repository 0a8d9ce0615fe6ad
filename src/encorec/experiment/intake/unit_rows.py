"""A table of metrics brought onto the exposed units: one row per unit as it stands, events summed."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from encorec.data.sources.sheets import Column, Sheet, counted
from encorec.data.sources.times import seconds
from encorec.data.sources.typed import texts
from encorec.errors import DataError
from encorec.evaluation.frames.inputs import Input, TableLike, open_input
from encorec.evaluation.frames.numbering import agreed, rows_of
from encorec.experiment.intake.event_sums import DailySums, Events, sum_by_day, sum_events
from encorec.experiment.intake.exposures import Exposures, open_units
from encorec.experiment.intake.metric_columns import MetricColumns, check_numbers, read_numbers
from encorec.experiment.spec import ExperimentSpec
from encorec.types import BoolVector, FloatVector, IntVector

__all__ = ["TIME", "UnitRows", "read_units"]

TIME = "timestamp"
"""The column that makes a table one of events."""
_MEASURED, _BEFORE, _UNKNOWN = "_at", "_before", "unknown"


@dataclass(frozen=True)
class UnitRows:
    """What is known of the exposed units; see ``read_units``.

    Args:
        kept: (n,) exposed units that are in the table; the other fields speak of these only.
        columns: values and covariates.
        segments: name -> labels.
        daily: sums by day since first exposure, of a table of events.
        notes: what was done, in words.
        where: name of the file.
        events: whether it is a table of events.

    Example:
        >>> UnitRows(np.array([True]), {"clicks": np.array([2.0])}, {}, None, (), "metrics.csv").where
        'metrics.csv'
    """

    kept: BoolVector
    columns: Mapping[str, FloatVector]
    segments: Mapping[str, pl.Series]
    daily: DailySums | None
    notes: tuple[str, ...]
    where: str
    events: bool = False


def read_units(spec: ExperimentSpec, exposures: Exposures, given: TableLike) -> UnitRows:
    """The rows of the exposed units, or the sums of their events; ``UnitTable.read`` says how.

    Args:
        spec: of the experiment.
        exposures: of the experiment.
        given: path or frame.

    Raises:
        ConfigError: a covariate that is a metric's value at the same time.
        DataError: a table that cannot be used, as ``UnitTable.read`` says.

    Example:
        >>> from encorec.experiment.intake.exposures import read_exposures
        >>> from encorec.experiment.spec import MetricSpec
        >>> clicks = MetricSpec(name="clicks", value="clicks", role="primary")
        >>> spec = ExperimentSpec(name="shelf", variants={"a": 0.5, "b": 0.5}, metric=(clicks,))
        >>> log = pl.DataFrame({"unit": [1, 2], "variant": ["a", "b"], "first_exposed_at": [50, 50]})
        >>> events = pl.DataFrame({"unit": [1, 1, 1], "timestamp": [49, 50, 60], "clicks": [4, 2, 1]})
        >>> read_units(spec, read_exposures(log, spec), events).columns["clicks"].tolist()
        [3.0, 0.0]
    """
    wanted = MetricColumns.of(spec.metric)
    opened, unit = open_units(given, "metrics", spec, (), _columns(spec, wanted))
    _refuse_lacking(opened, unit, given, spec, exposures, wanted)
    known, mine = agreed([exposures.ids, opened.ids(unit)])
    row, where = rows_of(mine, known), opened.sheet.where
    if (row < 0).all():
        raise DataError(
            f"{where}: none of its units was exposed (it has such as {mine[0]!r}, exposed are such as {known[0]!r}); "
            "are these other units, or ids that are spelt otherwise?"
        )
    read = _from_events if TIME in opened.sheet else _from_rows
    found = read(spec, exposures, opened.sheet, wanted, mine, row)
    check_numbers(found.columns, wanted, int(found.kept.sum()), where, known.filter(pl.Series(found.kept)))
    return found


def _columns(spec: ExperimentSpec, wanted: MetricColumns) -> tuple[str, ...]:
    """Every column that may be of use."""
    stems = (name.removesuffix(_BEFORE) for name in wanted.covariates)
    stamps = (name + _MEASURED for name in wanted.covariates)
    return (*wanted.all, *stems, *stamps, *spec.analysis.segments, TIME)


def _refuse_lacking(
    opened: Input,
    unit: str,
    given: TableLike,
    spec: ExperimentSpec,
    exposures: Exposures,
    wanted: MetricColumns,
) -> None:
    """Refuse a table without a column that is needed, or events without the times of exposure."""
    sheet, segments = opened.sheet, [name for name in spec.analysis.segments if name not in exposures.segments]
    if TIME not in sheet:
        needed = [name for name in (*wanted.all, *segments) if name not in sheet]
    else:
        needed = [name for name in wanted.values if name not in sheet]
        needed += [name for name in wanted.covariates if _source(name, sheet) not in sheet]
        _refuse_untimed(sheet, exposures, segments)
    if needed:
        open_input(given, "metrics", (unit, *needed))  # says which columns there are


def _refuse_untimed(sheet: Sheet, exposures: Exposures, segments: list[str]) -> None:
    if segments:
        raise DataError(
            f"{exposures.where}: has no column {segments[0]!r}, by which effects are to be shown; beside a table of "
            "events, segments stand in the exposures: they are known when a unit is exposed"
        )
    if exposures.first_seen is None:
        raise DataError(
            f"{exposures.where}: has no column 'first_exposed_at', but {sheet.where} holds events (it has a column "
            f"{TIME!r}), which count from the first exposure on; add the times, or give one row per unit"
        )


def _source(covariate: str, sheet: Sheet) -> str:
    """The column of events that a covariate is the sum of."""
    return covariate if covariate in sheet else covariate.removesuffix(_BEFORE)


def _from_rows(
    spec: ExperimentSpec, exposures: Exposures, sheet: Sheet, wanted: MetricColumns, unit: pl.Series, row: IntVector
) -> UnitRows:
    """A table with one row per unit."""
    _refuse_repeated(sheet, unit)
    mine = row >= 0
    place = np.full(len(exposures), -1, np.int64)
    place[row[mine]] = np.flatnonzero(mine)
    kept = place >= 0
    rows = place[kept]
    for name in wanted.covariates:
        if name + _MEASURED in sheet:
            _refuse_late(sheet.column(name + _MEASURED), exposures, unit, row)
    columns = {name: read_numbers(sheet.column(name), unit, mine, gaps=False)[rows] for name in wanted.all}
    segments = {
        name: exposures.segments[name].filter(pl.Series(kept))
        if name in exposures.segments
        else texts(sheet.column(name)).cast(pl.String).gather(rows)
        for name in spec.analysis.segments
    }
    notes = [f"not exposed, so not counted: {counted(int((~mine).sum()), 'unit')} of {sheet.where}"]
    notes = notes if (~mine).any() else []
    if not kept.all():
        notes.append(f"left out: {counted(int((~kept).sum()), 'exposed unit')} without a row in {sheet.where}")
    return UnitRows(kept, columns, _named(segments), None, tuple(notes), sheet.where)


def _refuse_repeated(sheet: Sheet, unit: pl.Series) -> None:
    if unit.n_unique() == len(unit):
        return
    twice = unit.is_duplicated()
    raise DataError(
        f"{sheet.where}: {counted(unit.filter(twice).n_unique(), 'unit')} with more than one row (first: "
        f"{unit[twice.arg_max() or 0]!r}); rows of one unit, such as views, are not independent: give one row per unit "
        f"with sums, or a table of events with a column {TIME!r}"
    )


def _refuse_late(column: Column, exposures: Exposures, unit: pl.Series, row: IntVector) -> None:
    """Refuse a covariate that was measured when its unit had been exposed already."""
    if exposures.first_seen is None:
        return
    mine = row >= 0
    measured = seconds(column)
    late = pl.Series(mine & (measured.to_numpy() >= exposures.first_seen[np.where(mine, row, 0)]))
    if late.any():
        raise DataError(
            f"{column.where}: column {column.name!r} has {counted(int(late.sum()), 'time')} at or after the first "
            f"exposure of the unit (first: unit {unit[late.arg_max() or 0]!r}); a covariate must be known before the "
            "exposure: measure it again, or leave it out of the specification"
        )


def _from_events(
    spec: ExperimentSpec, exposures: Exposures, sheet: Sheet, wanted: MetricColumns, unit: pl.Series, row: IntVector
) -> UnitRows:
    """A table of events."""
    time, others = seconds(sheet.column(TIME)).to_numpy(), int((row < 0).sum())
    mine = (row >= 0) & (time < (np.iinfo(np.int64).max if exposures.until is None else exposures.until))
    sources = {name: _source(name, sheet) for name in wanted.covariates}
    read = {
        name: read_numbers(sheet.column(name), unit, mine, gaps=True)[mine]
        for name in dict.fromkeys((*wanted.values, *sources.values()))
    }
    events = Events(row[mine], time[mine], read)
    for name in wanted.shares:
        odd = (read[name] != 0) & (read[name] != 1)
        _refuse_odd_share(sheet, name, read[name], odd, unit.filter(pl.Series(mine)))
    first_seen = exposures.first_seen
    if first_seen is None:
        raise DataError(f"{exposures.where}: has no column 'first_exposed_at', which events need")
    return UnitRows(
        np.ones(len(exposures), bool),
        sum_events(events, first_seen, wanted, sources),
        _named(exposures.segments),
        sum_by_day(events, first_seen, exposures.variant, len(exposures.variants), spec),
        tuple(_event_notes(events, first_seen, sources, exposures, sheet, others)),
        sheet.where,
        events=True,
    )


def _refuse_odd_share(sheet: Sheet, name: str, values: FloatVector, odd: BoolVector, unit: pl.Series) -> None:
    check_numbers(
        {name: np.where(odd, values, 0)}, MetricColumns((name,), (), frozenset({name})), len(values), sheet.where, unit
    )


def _event_notes(
    events: Events, first_seen: IntVector, sources: Mapping[str, str], exposures: Exposures, sheet: Sheet, others: int
) -> list[str]:
    """What was done with the events, in words."""
    notes = [f"not counted: {counted(others, 'event')} of units that were not exposed"] if others else []
    later = len(sheet) - others - len(events.time)
    if later:
        notes.append(f"not counted: {counted(later, 'event')} at or after the time of the look or the planned end")
    early = events.time < first_seen[events.unit]
    silent = len(exposures) - int(np.count_nonzero(np.bincount(events.unit[~early], minlength=len(exposures))))
    notes.append(f"before the first exposure, so for covariates only: {counted(int(early.sum()), 'event')}")
    notes.append(
        f"counted with 0: {counted(silent, 'exposed unit')} without an event in {sheet.where} after the exposure"
    )
    for name, source in sources.items():
        late = int(np.count_nonzero(events.columns[source][~early])) if name == source else 0
        if late:
            notes.append(f"not counted for covariate {name!r}: {counted(late, 'event')} at or after the exposure")
    return notes


def _named(segments: Mapping[str, pl.Series]) -> dict[str, pl.Series]:
    return {name: labels.fill_null(_UNKNOWN) for name, labels in segments.items()}
