"""A team's own past: one row per unit, or events with their times, from which an experiment is planned."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from encorec.data.sources.sheets import Column
from encorec.data.sources.times import seconds
from encorec.data.sources.typed import numbers
from encorec.errors import DataError
from encorec.evaluation.frames.inputs import TableLike
from encorec.evaluation.frames.numbering import numbered
from encorec.experiment.intake.exposures import open_units
from encorec.experiment.spec import ExperimentSpec
from encorec.types import BoolVector, FloatVector, IntVector

__all__ = ["DAY", "TIME", "History", "read_history"]

DAY = 86_400
"""Seconds of a day."""
TIME = "timestamp"
"""Column of the time of an event."""


@dataclass(frozen=True)
class History:
    """Rows of units, by number.

    Args:
        unit: (m,) int64 number of the unit, 0 to n - 1; with times ordered by time.
        second: (m,) int64 seconds since 1970, ascending; none = one row per unit.
        columns: (m,) float64 each; values of events are summed per unit.
        sources: with times: covariate -> the column that it is the sum of, before the unit is first seen.
        shares: columns that say whether something happened: a unit has it once at most.

    Example:
        >>> seen = History(np.array([0, 1, 0]), np.array([0, 9, DAY]), {"clicks": np.array([1.0, 0, 2])})
        >>> seen.units, seen.days, seen.accrual().tolist(), seen.within(1)["clicks"].tolist()
        (2, 2, [2, 2], [1.0, 0.0])
    """

    unit: IntVector
    second: IntVector | None
    columns: Mapping[str, FloatVector]
    sources: Mapping[str, str] = field(default_factory=dict[str, str])
    shares: frozenset[str] = frozenset()

    @property
    def units(self) -> int:
        """Unique units."""
        return int(self.unit.max()) + 1

    @property
    def days(self) -> int | None:
        """Days begun from the first event to the last; none = without times."""
        return None if self.second is None else int(self._day()[-1]) + 1

    @property
    def known(self) -> frozenset[str]:
        """Columns and covariates that it has."""
        return frozenset((*self.columns, *self.sources))

    def accrual(self) -> IntVector:
        """(d,) int64 unique units seen by the end of each day.

        Raises:
            DataError: rows without times.
        """
        day = self._day()
        first = np.full(self.units, day[-1] + 1)
        np.minimum.at(first, self.unit, day)
        return np.cumsum(np.bincount(first, minlength=day[-1] + 1))[: day[-1] + 1]

    def within(self, days: int | None = None) -> dict[str, FloatVector]:
        """Columns of (k,) float64, one row per unit that came in the first days, with what it did until their end.

        Args:
            days: that many; none = all there are.
        """
        if self.second is None:
            return dict(self.columns)
        return self._summed(slice(0, len(self.unit) if days is None else int(np.searchsorted(self._day(), days))))

    def paired(self, days: int | None = None) -> dict[str, FloatVector]:
        """The same for the last days, with covariates beside them: what these units did before those days.

        Args:
            days: that many, but half of the history at most.
        """
        if self.second is None:
            return dict(self.columns)
        known = self.days or 1
        reach = max(min(known if days is None else days, known // 2), 1)
        cut = int(np.searchsorted(self._day(), known - reach))
        row, many = _renumbered(self.unit[cut:], self.units)
        found = self._summed(slice(cut, len(self.unit)))
        if not cut:
            return found
        number = row[self.unit[:cut]]
        back = number >= 0
        for name, source in self.sources.items():
            found[name] = np.bincount(number[back], self.columns[source][:cut][back], many).astype(np.float64)
        return found

    def _day(self) -> IntVector:
        if self.second is None:
            raise DataError(
                f"the history has no column {TIME!r}, so nobody knows how units come in; give units per day"
            )
        return (self.second - self.second[0]) // DAY

    def _summed(self, part: slice) -> dict[str, FloatVector]:
        row, many = _renumbered(self.unit[part], self.units)
        number, found = row[self.unit[part]], dict[str, FloatVector]()
        for name, column in self.columns.items():
            total: FloatVector = np.bincount(number, column[part], many).astype(np.float64)
            found[name] = np.minimum(total, 1.0) if name in self.shares else total
        return found


def read_history(given: TableLike, spec: ExperimentSpec) -> History:
    """A CSV or Parquet file, or a data frame: one row per unit, or, with a column ``timestamp``, one per event.

    Args:
        given: the units under the specification's own name or ``unit``, and those columns of its metrics that are
            there. A covariate of a table of units is a column; of events it is the sum of its column, or of ``x`` where
            it is called ``x_before``, over what lies before.
        spec: whose metrics are planned.

    Raises:
        DataError: no such file, no unit, a unit twice where there are no times, missing or broken numbers.

    Example:
        >>> from encorec.experiment.spec import MetricSpec
        >>> spec = ExperimentSpec(name="shelf", variants={"control": 0.5, "treatment": 0.5},
        ...                       metric=(MetricSpec(name="clicks", value="clicks", role="primary"),))
        >>> read_history(pl.DataFrame({"user_id": [7, 9], "clicks": [3, 0]}), spec).columns["clicks"].tolist()
        [3.0, 0.0]
    """
    covariates = {name for one in spec.metric for name in one.covariates}
    values = {name for one in spec.metric for name in one.columns}
    optional = values | covariates | {_earlier(name) for name in covariates}
    table, unit_column = open_units(given, "history", spec, (), (TIME, *sorted(optional)))
    sheet = table.sheet
    unit = numbered([table.ids(unit_column).values]).rows[0].astype(np.int64)
    timed = TIME in sheet
    if not timed:
        _refuse_repeated(sheet.column(unit_column), unit)
    named = [name for name in sheet.frame.columns if name in optional and name not in (unit_column, TIME)]
    columns = {name: _values(sheet.column(name), may_miss=timed) for name in named}
    shares = frozenset(one.value or "" for one in spec.metric if one.kind == "share")
    if not timed:
        return History(unit, None, columns, {}, shares)
    second = seconds(sheet.column(TIME)).to_numpy()
    order = np.argsort(second, kind="stable")
    ordered = {name: column[order] for name, column in columns.items()}
    sources = {name: name if name in columns else _earlier(name) for name in sorted(covariates)}
    there = {name: source for name, source in sources.items() if source in columns}
    return History(unit[order], second[order], ordered, there, shares)


def _earlier(covariate: str) -> str:
    """The column that a covariate such as ``minutes_before`` is the sum of."""
    return covariate.removesuffix("_before")


def _values(column: Column, *, may_miss: bool) -> FloatVector:
    """Numbers; an event without a value adds nothing."""
    found = numbers(column)
    if not may_miss:
        column.refuse(found.is_null(), "missing", "fill them, or drop these units")
    return found.fill_null(0.0).to_numpy().astype(np.float64)


def _refuse_repeated(column: Column, unit: IntVector) -> None:
    seen: BoolVector = np.ones(len(unit), bool)
    seen[np.unique(unit, return_index=True)[1]] = False
    remedy = f"give one row per unit, or events with a column {TIME!r}"
    column.refuse(pl.Series(seen), "repeated", remedy)


def _renumbered(unit: IntVector, units: int) -> tuple[IntVector, int]:
    """(units,) int64 new number of every unit, -1 = not there, and how many are there."""
    present = np.zeros(units, bool)
    present[unit] = True
    return np.where(present, np.cumsum(present) - 1, -1), int(present.sum())
