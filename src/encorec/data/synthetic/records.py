"""What compiled loops are handed: users, items, the workings of the world and its past, as named tuples of arrays."""

from typing import NamedTuple

from encorec.compiled import FLOAT32, FLOAT64, INT32, INT64, record, write
from encorec.types import FloatMatrix, FloatVector, IntMatrix, IntVector

__all__ = ["CROWD", "GRID", "SHELF", "STAGE", "VIEWS", "Crowd", "Shelf", "Stage", "Views"]

GRID = 64
"""Cells of the distribution of probabilities among what is watched."""


class Crowd(NamedTuple):
    """Users.

    Args:
        amount: (n,) int32 views in the window.
        arrival: (n,) int32 day of the first view, -1 for none.
        vector: (n, 20) float32 weights of the axes of taste.
        favourite: (n, 4) int32 axes: three for moods, one that the user moves towards.
        drift: (n,) float32 length of that way.

    Example:
        >>> Crowd._fields[0]
        'amount'
    """

    amount: IntVector
    arrival: IntVector
    vector: FloatMatrix
    favourite: IntMatrix
    drift: FloatVector


class Shelf(NamedTuple):
    """Items.

    Args:
        taste: (m, 20) float32 traits on the axes of taste.
        quality: (m,) float32 added to everybody's liking.
        kind: (m,) int32 what the hour matters to.
        release: (m,) int32 day from which it is there.
        previous: (m,) int32 part before, -1 for none.
        following: (m,) int32 part after, -1 for none.
        seconds: (m,) float64 length.

    Example:
        >>> Shelf._fields[-1]
        'seconds'
    """

    taste: FloatMatrix
    quality: FloatVector
    kind: IntVector
    release: IntVector
    previous: IntVector
    following: IntVector
    seconds: FloatVector


class Stage(NamedTuple):
    """What the world does.

    Args:
        ahead: (habits, 164) float64 weight of all days from a day on, by habit.
        hours: (24,) float64 cumulated share of sessions by hour.
        keep: (163, m) float64 probability of staying at a cell of the front page of a day.
        other: (163, m) int32 item to take otherwise.
        grid: (63,) float64 quantiles of the probabilities of what is watched.
        tenths: (10,) float64 cumulated share of views by tenth watched.
        plant_indptr: (n + 1,) int64 offsets of the users' certain views.
        plant: (p,) int32 items of certain views.

    Example:
        >>> Stage._fields[:2]
        ('ahead', 'hours')
    """

    ahead: FloatMatrix
    hours: FloatVector
    keep: FloatMatrix
    other: IntMatrix
    grid: FloatVector
    tenths: FloatVector
    plant_indptr: IntVector
    plant: IntVector


class Views(NamedTuple):
    """What was watched, by user and time.

    Args:
        item: (r,) int32.
        second: (r,) int32 since the beginning of the window.
        percent: (r,) int32 watched, 0 to 100.
        duration: (r,) int32 seconds watched.
        chance: (r,) float32 probability with which it was taken when proposed.

    Example:
        >>> Views._fields[:2]
        ('item', 'second')
    """

    item: IntVector
    second: IntVector
    percent: IntVector
    duration: IntVector
    chance: FloatVector


CROWD = record(Crowd, write(INT32), write(INT32), write(FLOAT32, 2), write(INT32, 2), write(FLOAT32))
SHELF = record(Shelf, write(FLOAT32, 2), write(FLOAT32), *[write(INT32)] * 4, write(FLOAT64))
STAGE = record(
    Stage, write(FLOAT64, 2), write(FLOAT64), write(FLOAT64, 2), write(INT32, 2), write(FLOAT64), write(FLOAT64),
    write(INT64), write(INT32),
)  # fmt: skip
VIEWS = record(Views, *[write(INT32)] * 4, write(FLOAT32))
