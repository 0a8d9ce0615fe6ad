"""The log of what a policy did: read, checked column by column, rows of one request found."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from encorec.data.sources.sheets import Column
from encorec.data.sources.typed import ids, numbers
from encorec.errors import ConfigError, DataError, unknown_name
from encorec.evaluation.frames.inputs import Input, TableLike, open_input
from encorec.types import FloatVector, IntVector

__all__ = ["LogTable", "probabilities", "read_log"]

_NEEDED = ("action", "reward", "propensity")
_NUMBERS = ("q_logged", "v_target")
_MARGINAL = ("item_propensity", "item_target_probability")
_NAMED = (*_NEEDED, "position", "request_id", "target_probability", *_NUMBERS, *_MARGINAL)
_NO_CONTEXT = ("unit", "user_id", "timestamp", "time")


@dataclass(frozen=True)
class LogTable:
    """A checked log.

    Args:
        source: as read.
        action: (n,) text.
        reward: (n,) float64, finite.
        propensity: (n,) float64 logged probability of the action, above 0 and at most 1.
        position: (n,) int64, or none.
        cluster: (n,) int64 number of what is resampled as one: the request, else the unit; none = every row alone.
        slates: whether rows of one request are positions of one slate.
        target: (n,) float64 the target's probability of the action, or none.
        q: (n,) float64 a reward model's value of the action, or none.
        v: (n,) float64 its value of the target policy, or none.
        marginal: (n,) float64 target over logged probability of the item at its position, whatever stands above it,
            or none.
        context: names of the columns that tell contexts apart.

    Example:
        >>> log = read_log(pl.DataFrame({"action": ["a"], "reward": [1], "propensity": [0.5], "city": ["Riga"]}))
        >>> log.propensity.tolist(), log.context
        ([0.5], ('city',))
    """

    source: Input
    action: pl.Series
    reward: FloatVector
    propensity: FloatVector
    position: IntVector | None
    cluster: IntVector | None
    slates: bool
    target: FloatVector | None
    q: FloatVector | None
    v: FloatVector | None
    marginal: FloatVector | None
    context: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.reward)

    @property
    def where(self) -> str:
        """Name of the file."""
        return self.source.sheet.where


def read_log(log: TableLike, context: Sequence[str] | None = None) -> LogTable:
    """A log from a CSV or Parquet file or a data frame: ``action``, ``reward``, ``propensity`` and what else there is.

    Args:
        log: path or frame.
        context: columns that tell contexts apart; none = all that have no other meaning.

    Raises:
        DataError: a column is missing, or holds what cannot be right; names file, column, count and first row.
        ConfigError: a context column that is none.

    Example:
        >>> read_log(pl.DataFrame({"action": ["a", "b"], "reward": [1, 0], "propensity": [0.5, 0.0]}))
        Traceback (most recent call last):
        ...
        encorec.errors.DataError: log: column 'propensity' has 1 value outside 0..1 or 0 (first: data row 2, 0.0); the
          log must hold the probability with which its own policy took the action, above 0 and at most 1
    """
    source = open_input(log, "log", _NEEDED, None)
    sheet = source.sheet
    found = {name: sheet.column(name) for name in _NAMED if name in sheet}
    position = _positions(found["position"]) if "position" in found else None
    slates = position is not None and "request_id" in found
    cluster = _clusters(source)
    if slates:
        _refuse_repeated_places(found["position"], cluster, position)
    q, v = (_finite(found[name]) if name in found else None for name in _NUMBERS)
    if (q is None) != (v is None):
        raise DataError(f"{sheet.where}: q_logged and v_target belong together, one of them is missing; give both")
    return LogTable(
        source,
        ids(found["action"]).cast(pl.String),
        _finite(found["reward"]),
        _propensities(found["propensity"]),
        position,
        cluster,
        slates,
        probabilities(found["target_probability"]) if "target_probability" in found else None,
        q,
        v,
        _marginal(found),
        _contexts(sheet.frame.columns, context, sheet.where),
    )


def probabilities(column: Column) -> FloatVector:
    """(m,) float64 probabilities, 0 and 1 among them.

    Raises:
        DataError: one is missing, no number, or outside 0..1.

    Example:
        >>> probabilities(Column(pl.Series("probability", ["0.25", "1"]), "policy.csv")).tolist()
        [0.25, 1.0]
    """
    values = numbers(column)
    column.refuse(values.is_null(), "missing", "fill or drop these rows")
    column.refuse((values < 0) | (values > 1), "outside 0..1", "probabilities are at least 0 and at most 1")
    return values.to_numpy().astype(np.float64)


def _propensities(column: Column) -> FloatVector:
    values = numbers(column)
    column.refuse(values.is_null(), "missing", "fill or drop these rows")
    column.refuse(
        (values <= 0) | (values > 1),
        "outside 0..1 or 0",
        "the log must hold the probability with which its own policy took the action, above 0 and at most 1",
    )
    return values.to_numpy().astype(np.float64)


def _finite(column: Column) -> FloatVector:
    values = numbers(column)
    column.refuse(values.is_null(), "missing or NaN", "fill or drop these rows")
    return values.to_numpy().astype(np.float64)


def _positions(column: Column) -> IntVector:
    values = numbers(column)
    column.refuse(values.is_null(), "missing", "fill or drop these rows")
    column.refuse((values < 0) | (values != values.floor()), "that is no position", "positions are whole: 1, 2, 3, …")
    return values.cast(pl.Int64).to_numpy()


def _clusters(source: Input) -> IntVector | None:
    name = next((one for one in ("request_id", "unit") if one in source.sheet), None)
    if name is None:
        return None
    codes = ids(source.sheet.column(name)).rank("dense").cast(pl.Int64).to_numpy() - 1
    return codes if len(codes) > codes.max() + 1 else (codes if name == "request_id" else None)


def _refuse_repeated_places(column: Column, cluster: IntVector | None, position: IntVector | None) -> None:
    pairs = pl.DataFrame({"request": cluster, "position": position})
    column.refuse(
        pairs.select(again=pl.int_range(pl.len()).over("request", "position") > 0)["again"],
        "that a row of the same request_id has already",
        "a request shows one action at each position",
    )


def _marginal(found: dict[str, Column]) -> FloatVector | None:
    there = [name for name in _MARGINAL if name in found]
    if len(there) == 1:
        raise DataError(f"{found[there[0]].where}: {' and '.join(_MARGINAL)} belong together; give both")
    if not there:
        return None
    return probabilities(found[_MARGINAL[1]]) / _propensities(found[_MARGINAL[0]])


def _contexts(header: Sequence[str], asked: Sequence[str] | None, where: str) -> tuple[str, ...]:
    free = [name for name in header if name not in (*_NAMED, *_NO_CONTEXT)]
    for name in asked or ():
        if name not in header or name in _NAMED:
            raise ConfigError(f"{where}: {unknown_name('context column', name, free)}")
    return tuple(free if asked is None else asked)
