"""The log of interleaved lists: who was shown what of whose, and what they did with it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from encorec.data.sources.files import read_table
from encorec.data.sources.frames import read_frame
from encorec.data.sources.sheets import Sheet, counted
from encorec.data.sources.typed import ids, known_text, numbers
from encorec.errors import DataError, unknown_name
from encorec.types import FloatMatrix, IntVector

__all__ = ["InterleavingLog", "read_interleaving_log"]

_VALUES = ("click", "watch")
_REQUESTS = ("request", "session")
_NOBODY = "-1"


@dataclass(frozen=True)
class InterleavingLog:
    """What every unit credited every ranker with.

    Args:
        rankers: names.
        credit: (units, rankers) float64.
        places: (rankers,) int64 places that were each ranker's.
        first_places: (rankers,) int64 requests whose topmost owned place was that ranker's.
        rows: of the log.
        value: what a place is credited with: ``click``, ``watch`` or another column.
        weighted: whether the log says what a place is worth (``credit``).

    Example:
        >>> log = pl.DataFrame({"unit": [7, 7, 8], "team": ["new", "old", "old"], "click": [1, 0, 1]})
        >>> read_interleaving_log(log).credit.tolist()
        [[1.0, 0.0], [0.0, 1.0]]
    """

    rankers: tuple[str, ...]
    credit: FloatMatrix
    places: IntVector
    first_places: IntVector
    rows: int
    value: str
    weighted: bool


def read_interleaving_log(
    log: str | Path | Any, *, rankers: Sequence[str] | None = None, value: str | None = None
) -> InterleavingLog:
    """Read and check a log: one row per place that was shown.

    Columns: ``unit``; ``team``, the ranker of the place, empty or -1 for nobody; ``click`` and/or ``watch``; and, where
    they are there, ``request`` or ``session``, ``position`` and ``item``, which are checked, and ``credit``, what a
    click there is worth (1 where it is not there).

    Args:
        log: CSV or Parquet file, or a data frame.
        rankers: their names, in order; none = those of the log, by name.
        value: column that places are credited with; none = ``click``, or ``watch`` where there is no such column.

    Raises:
        DataError: a column or a value is missing, a value below 0 or not finite, a place or an item twice in a request,
            a request of two units, a team that is no ranker, or fewer than two rankers.
    """
    sheet = _open(log, value)
    column = _value_column(sheet, value)
    unit = ids(sheet.column("unit"))
    worth = _amounts(sheet, column) * (_amounts(sheet, "credit") if "credit" in sheet else 1.0)
    named = known_text(sheet.column("team"))
    named = named.set(named == _NOBODY, None)
    teams = _rankers(sheet, named, rankers)
    team = named.replace_strict(list(teams), range(len(teams)), default=-1, return_dtype=pl.Int64).to_numpy()
    request = _requests(sheet, unit)
    owned, row = team >= 0, _numbered(unit)
    credit = np.zeros((int(row.max()) + 1, len(teams)))
    np.add.at(credit, (row[owned], team[owned]), worth[owned])
    return InterleavingLog(
        teams, credit, np.bincount(team[owned], minlength=len(teams)), _first_places(sheet, request, team, len(teams)),
        len(sheet), column, "credit" in sheet,
    )  # fmt: skip


def _open(log: str | Path | Any, value: str | None) -> Sheet:
    wanted = ("unit", "team", *([value] if value else []))
    beside = (*_VALUES, *_REQUESTS, "position", "item", "credit")
    if isinstance(log, str | Path):
        return read_table(Path(log), wanted, beside)
    return read_frame(log, "log", wanted, beside)


def _value_column(sheet: Sheet, value: str | None) -> str:
    found = value or next((name for name in _VALUES if name in sheet), None)
    if found is None:
        raise DataError(f"{sheet.where}: neither a column 'click' nor 'watch'; one of both says what was liked")
    return found


def _numbered(unit: pl.Series) -> IntVector:
    """(m,) int64 number of each row's unit, in ascending order of the ids."""
    distinct = unit.unique().sort()
    return unit.replace_strict(distinct, range(len(distinct)), return_dtype=pl.Int64).to_numpy()


def _amounts(sheet: Sheet, name: str) -> np.ndarray:
    """(m,) float64, 0 or more."""
    column = sheet.column(name)
    amount = numbers(column)
    column.refuse(amount.is_null(), "missing", "write 0 where nothing was done")
    column.refuse(amount < 0, "below 0", "fix or drop them")
    return amount.to_numpy()


def _rankers(sheet: Sheet, named: pl.Series, given: Sequence[str] | None) -> tuple[str, ...]:
    met = sorted(named.drop_nulls().unique().to_list())
    teams = tuple(given) if given else tuple(met)
    strange = [one for one in met if one not in teams]
    if strange:
        raise DataError(f"{sheet.where}: {unknown_name('team', strange[0], teams)}")
    if len(set(teams)) < max(2, len(teams)):
        raise DataError(
            f"{sheet.where}: the rankers are {', '.join(teams) or 'none'}; at least two different ones are compared; "
            "name one that was never shown with --rankers"
        )
    return teams


def _requests(sheet: Sheet, unit: pl.Series) -> pl.Series | None:
    """Request of each row, checked; none where the log does not tell requests apart."""
    name = next((one for one in _REQUESTS if one in sheet), None)
    if name is None:
        return None
    request = ids(sheet.column(name))
    table = pl.DataFrame({"request": request, "unit": unit})
    shared = table.unique().filter(pl.col("request").is_duplicated())
    if len(shared):
        raise DataError(
            f"{sheet.where}: {counted(shared['request'].n_unique(), name)} with two units "
            f"(first: {shared['request'].sort()[0]!r}); give every {name} an id of its own"
        )
    for what in ("position", "item"):
        if what in sheet:
            found = pl.DataFrame({"request": request, what: ids(sheet.column(what))})
            sheet.column(what).refuse(found.is_duplicated(), f"twice in a {name}", "log every place once")
    return request


def _first_places(sheet: Sheet, request: pl.Series | None, team: IntVector, rankers: int) -> IntVector:
    if request is None or "position" not in sheet:
        return np.zeros(rankers, np.int64)
    table = pl.DataFrame({"request": request, "position": numbers(sheet.column("position")), "team": team})
    top = table.filter(pl.col("team") >= 0).sort("position").group_by("request").first()
    return np.bincount(top["team"].to_numpy(), minlength=rankers)
