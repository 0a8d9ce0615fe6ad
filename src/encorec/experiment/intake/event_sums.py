"""Events summed per unit: values from the first exposure on, covariates strictly before it; and by day since then."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from encorec.experiment.intake.metric_columns import MetricColumns
from encorec.experiment.spec import ExperimentSpec
from encorec.types import BoolVector, FloatMatrix, FloatVector, IntMatrix, IntVector

__all__ = ["DAY_SECONDS", "DailySums", "Events", "sum_by_day", "sum_events"]

DAY_SECONDS = 86_400


@dataclass(frozen=True)
class Events:
    """Events of exposed units.

    Args:
        unit: (m,) int32 row of the unit.
        time: (m,) int64 seconds since 1970.
        columns: (m,) float64 each.

    Example:
        >>> len(Events(np.array([0, 0]), np.array([5, 9]), {"clicks": np.array([1.0, 2.0])}).time)
        2
    """

    unit: IntVector
    time: IntVector
    columns: Mapping[str, FloatVector]


@dataclass(frozen=True)
class DailySums:
    """What units did on each day since their first exposure, summed by arm: the material of a novelty curve.

    A day counts for a unit only if the log covers all of it, so the later days have fewer units.

    Args:
        units: (days, arms) int64 units whose day is covered, active or not.
        sums: column -> (days, arms) float64 sums of the units' values.
        squares: column -> (days, arms) float64 sums of their squares.
        products: metric of kind ratio -> (days, arms) float64 sums of numerator times denominator.

    Example:
        >>> day = DailySums(np.array([[4, 4]]), {"clicks": np.array([[8.0, 12.0]])}, {}, {})
        >>> (day.sums["clicks"] / day.units).tolist()
        [[2.0, 3.0]]
    """

    units: IntMatrix
    sums: Mapping[str, FloatMatrix]
    squares: Mapping[str, FloatMatrix]
    products: Mapping[str, FloatMatrix]


def sum_events(
    events: Events, first_seen: IntVector, wanted: MetricColumns, sources: Mapping[str, str]
) -> dict[str, FloatVector]:
    """(n,) float64 per column: sums from the first exposure on, for covariates strictly before it.

    A unit without events has 0. A share is 1 where any event says 1.

    Args:
        events: of all units, in any order.
        first_seen: (n,) int64 seconds since 1970.
        wanted: columns.
        sources: covariate -> the column of the events that it is the sum of.

    Example:
        >>> events = Events(np.array([0, 0, 0]), np.array([5, 7, 9]), {"clicks": np.array([1.0, 2.0, 4.0])})
        >>> found = sum_events(events, np.array([7, 7]), MetricColumns(("clicks",), ("before",), frozenset()),
        ...                    {"before": "clicks"})
        >>> found["clicks"].tolist(), found["before"].tolist()
        ([6.0, 0.0], [1.0, 0.0])
    """
    after = events.time >= first_seen[events.unit]
    n, later, earlier = len(first_seen), events.unit[after], events.unit[~after]
    found = {name: _total(later, events.columns[name][after], n) for name in wanted.values}
    for name in wanted.shares:
        found[name] = (found[name] > 0).astype(np.float64)
    before = {name: _total(earlier, events.columns[sources[name]][~after], n) for name in wanted.covariates}
    return found | before


def sum_by_day(
    events: Events, first_seen: IntVector, variant: IntVector, arms: int, spec: ExperimentSpec
) -> DailySums | None:
    """Sums per day since first exposure and arm; none where the log covers no whole day of any unit.

    Args:
        events: of all units, in any order; the latest of them ends the log.
        first_seen: (n,) int64 seconds since 1970.
        variant: (n,) arm of each unit.
        arms: how many there are.
        spec: whose metrics are wanted.

    Example:
        >>> from encorec.experiment.spec import MetricSpec
        >>> clicks = MetricSpec(name="clicks", value="clicks", role="primary")
        >>> spec = ExperimentSpec(name="shelf", variants={"a": 0.5, "b": 0.5}, metric=(clicks,))
        >>> events = Events(np.array([0, 1, 1]), np.array([5, 90_000, 172_800]), {"clicks": np.array([1.0, 2.0, 4.0])})
        >>> found = sum_by_day(events, np.array([0, 0]), np.array([0, 1]), 2, spec)
        >>> found.units.tolist(), found.sums["clicks"].tolist()
        ([[1, 1], [1, 1]], [[1.0, 0.0], [0.0, 2.0]])
    """
    end = max(events.time.max(initial=0), first_seen.max(initial=0)) + 1
    covered = (end - first_seen) // DAY_SECONDS
    days = int(covered.max(initial=0))
    if not days:
        return None
    day = (events.time - first_seen[events.unit]) // DAY_SECONDS
    counted = (events.time >= first_seen[events.unit]) & (day < covered[events.unit])
    per_day = _per_unit_day(events, counted, day, spec)
    cell = per_day["day"].to_numpy() * arms + variant[per_day["unit"].to_numpy()]

    def total(values: FloatVector) -> FloatMatrix:
        return _total(cell, values, days * arms).reshape(days, arms)

    values = {name: per_day[f"={name}"].to_numpy() for name in MetricColumns.of(spec.metric).values}
    ratios = [one for one in spec.metric if one.kind == "ratio"]
    return DailySums(
        _units_by_day(covered, variant, days, arms),
        {name: total(one) for name, one in values.items()},
        {name: total(one * one) for name, one in values.items()},
        {one.name: total(values[one.columns[0]] * values[one.columns[1]]) for one in ratios},
    )


def _total(place: IntVector, values: FloatVector, n: int) -> FloatVector:
    """(n,) float64 sum of the values at each place."""
    found: Any = np.bincount(place, values, n)
    return found


def _per_unit_day(events: Events, counted: BoolVector, day: IntVector, spec: ExperimentSpec) -> pl.DataFrame:
    """One row per unit and day on which it did something, with its sums; a share is 1 where any event says 1."""
    wanted = MetricColumns.of(spec.metric)
    rows = pl.DataFrame(
        {"unit": events.unit[counted], "day": day[counted].astype(np.int32)}
        | {f"={name}": events.columns[name][counted] for name in wanted.values}
    )
    how = [pl.col(f"={name}").max() if name in wanted.shares else pl.col(f"={name}").sum() for name in wanted.values]
    return rows.group_by("unit", "day").agg(how).sort("unit", "day")


def _units_by_day(covered: IntVector, variant: IntVector, days: int, arms: int) -> IntMatrix:
    """(days, arms) units for which at least that day, counted from 0, is covered."""
    lasting = np.bincount(covered * arms + variant, minlength=(days + 1) * arms).reshape(days + 1, arms)
    return lasting[::-1].cumsum(axis=0)[::-1][1:]
