"""The policy to be judged: probabilities or new lists from a table, or what the log itself tells of it."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from encorec.data.sources.sheets import Column, counted
from encorec.data.sources.typed import ids, known_text, numbers
from encorec.errors import DataError, unknown_name
from encorec.evaluation.frames.inputs import TableLike, open_input
from encorec.evaluation.offpolicy.log_table import LogTable, probabilities
from encorec.types import FloatVector, IntVector

__all__ = ["TargetPolicy", "read_policy", "recovered_policy"]

_ACTION, _PROBABILITY, _POSITION = "action", "probability", "position"
_TOLERANCE = 1e-3


@dataclass(frozen=True)
class TargetPolicy:
    """What the target does in every situation of a log.

    Args:
        logged: (n,) float64 probability of the logged action.
        cell: (n,) int64 situation of every row: contexts and positions in which the policy acts alike.
        starts: (cells + 1,) int64 first of the actions of each cell.
        action: (m,) text, what may be done, cell by cell.
        probability: (m,) float64 above 0.
        unseen: mean over the rows of the mass on actions that the log never shows, at that position if it has some.
        complaint: which action that is, for a refusal; empty if there is none.

    Example:
        >>> rows = pl.DataFrame({"action": ["a", "b"], "reward": [1, 0], "propensity": [0.5, 0.5]})
        >>> from encorec.evaluation.offpolicy.log_table import read_log
        >>> policy = read_policy(pl.DataFrame({"action": ["a", "b"], "probability": [0.9, 0.1]}), read_log(rows))
        >>> policy.logged.tolist(), policy.unseen
        ([0.9, 0.1], 0.0)
    """

    logged: FloatVector
    cell: IntVector
    starts: IntVector
    action: pl.Series
    probability: FloatVector
    unseen: float
    complaint: str = ""


def read_policy(policy: TableLike, log: LogTable) -> TargetPolicy:
    """A policy from a table.

    Columns ``action`` and ``probability``: probabilities, which add up to 1 within each combination of the other
    columns; these are ``position``, ``request_id`` or context columns of the log. Without ``probability`` the table is
    a new ranking: it shows ``action`` at ``position`` for sure.

    Args:
        policy: path or frame.
        log: that it is judged by.

    Raises:
        DataError: a column is missing, no column of the log, or holds what cannot be right; an action given twice;
            probabilities that do not add up to 1; situations of the log that the policy does not know.

    Example:
        >>> from encorec.evaluation.offpolicy.log_table import read_log
        >>> log = read_log(pl.DataFrame({"action": ["a"], "reward": [1], "propensity": [0.5]}))
        >>> read_policy(pl.DataFrame({"action": ["a", "b"], "probability": [0.5, 0.4]}), log)
        Traceback (most recent call last):
        ...
        encorec.errors.DataError: policy: column 'probability' adds up to something else than 1 in 1 of 1 situation
          (first: data row 1, 0.9); give the probability of every action that the policy may take
    """
    sheet = open_input(policy, "policy", [_ACTION], None).sheet
    keys = [name for name in sheet.frame.columns if name not in (_ACTION, _PROBABILITY)]
    for name in keys:
        if name not in log.source.sheet:
            known = [one for one in log.source.sheet.frame.columns if one not in (_ACTION, "reward", "propensity")]
            raise DataError(f"{sheet.where}: {unknown_name('column', name, known)} (columns of {log.where})")
    if _PROBABILITY in sheet:
        chance = probabilities(sheet.column(_PROBABILITY))
    elif _POSITION in keys:
        chance = np.ones(len(sheet))
    else:
        raise DataError(f"{sheet.where}: has neither a column 'probability' nor a column 'position'; give one of them")
    table = pl.DataFrame({_ACTION: ids(sheet.column(_ACTION)).cast(pl.String), _PROBABILITY: chance})
    mine, theirs = zip(*(_comparable(sheet.column(one), log.source.sheet.column(one)) for one in keys), strict=True) \
        if keys else ((), ())  # fmt: skip
    cell, cells = _cells([*mine], [*theirs], len(table), len(log))
    _check(sheet.column(_PROBABILITY if _PROBABILITY in sheet else _POSITION), sheet.column(_ACTION), table, cell)
    _refuse_unknown_rows(log, cells, keys, sheet.where)
    found = _policy(log, table.with_columns(cell=pl.Series(cell)), cells, sheet.where)
    if not found.logged.any():
        raise DataError(
            f"{sheet.where}: column 'action' gives no action of {log.where} any probability, such as "
            f"{log.action[0]!r}; here are such as {table[_ACTION][0]!r}: are the ids spelt alike?"
        )
    return found


def recovered_policy(log: LogTable) -> TargetPolicy | None:
    """The whole policy, where the column ``target_probability`` tells all of it; else none.

    It does if, in every context and at every position, the probabilities of the actions that the log shows add up to 1.

    Args:
        log: with target probabilities.

    Example:
        >>> from encorec.evaluation.offpolicy.log_table import read_log
        >>> rows = {"action": ["a", "b", "b"], "reward": [1, 0, 1], "propensity": [0.5] * 3}
        >>> whole = recovered_policy(read_log(pl.DataFrame({**rows, "target_probability": [0.9, 0.1, 0.1]})))
        >>> whole.probability.tolist()
        [0.9, 0.1]
        >>> recovered_policy(read_log(pl.DataFrame({**rows, "target_probability": [0.9, 0.01, 0.01]})))
    """
    if log.target is None:
        return None
    names = [*log.context, *([] if log.position is None else [_POSITION])]
    keys = [known_text(log.source.sheet.column(name)).fill_null("") for name in names]
    cell, _ = _cells(keys, keys, len(log), len(log))
    table = pl.DataFrame({_ACTION: log.action, _PROBABILITY: log.target, "cell": cell})
    every = table.unique(maintain_order=True)
    alone = not every.select("cell", _ACTION).is_duplicated().any()
    sums = every.group_by("cell").agg(pl.col(_PROBABILITY).sum())[_PROBABILITY]
    if not alone or ((sums - 1).abs() > _TOLERANCE).any():
        return None
    return _policy(log, every, cell, log.where)


def _comparable(mine: Column, theirs: Column) -> tuple[pl.Series, pl.Series]:
    """Two columns as numbers if both can be, else as text."""
    both = [known_text(one).fill_null("") for one in (mine, theirs)]
    plain = [one.cast(pl.Float64, strict=False) for one in both]
    if any(one.null_count() for one in plain):
        return both[0], both[1]
    return numbers(mine), numbers(theirs)


def _cells(mine: list[pl.Series], theirs: list[pl.Series], rows: int, logged: int) -> tuple[IntVector, IntVector]:
    """(rows,) and (logged,) int64 numbers of equal combinations; -1 where ``mine`` has no such one."""
    if not mine:
        return np.zeros(rows, np.int64), np.zeros(logged, np.int64)
    names = [f"key{place}" for place in range(len(mine))]
    left = pl.DataFrame(dict(zip(names, mine, strict=True)))
    right = pl.DataFrame(dict(zip(names, theirs, strict=True)))
    every = left.unique(maintain_order=True).with_row_index("cell")
    codes = [
        one.join(every, on=names, how="left", maintain_order="left")["cell"].cast(pl.Int64).fill_null(-1).to_numpy()
        for one in (left, right)
    ]
    return codes[0], codes[1]


def _check(column: Column, action: Column, table: pl.DataFrame, cell: IntVector) -> None:
    """Each action once in each situation, and probabilities that add up to 1."""
    pairs = table.select(_ACTION, pl.Series("cell", cell))
    action.refuse(
        pairs.select(again=pl.int_range(pl.len()).over("cell", _ACTION) > 0)["again"],
        "given twice in the same situation",
        "give every action once for each position and context",
    )
    sums = np.bincount(cell, table[_PROBABILITY].to_numpy())
    bad = np.flatnonzero(np.abs(sums - 1) > _TOLERANCE)
    if len(bad):
        first, situations = int(bad[0]), counted(len(sums), "situation")
        row = int(np.argmax(cell == first)) + 1
        raise DataError(
            f"{column.where}: column {column.name!r} adds up to something else than 1 in {len(bad):,} of {situations} "
            f"(first: data row {row}, {sums[first]:.6g}); give the probability of every action that the policy may take"
        )


def _refuse_unknown_rows(log: LogTable, cells: IntVector, keys: list[str], where: str) -> None:
    lost = np.flatnonzero(cells < 0)
    if len(lost):
        first = int(lost[0])
        shown = ", ".join(f"{name} {log.source.sheet.frame[name][first]!r}" for name in keys)
        raise DataError(
            f"{where}: says nothing for {counted(len(lost), 'row')} of {log.where} "
            f"(first: data row {first + 1}, {shown}); "
            "give the policy for every situation in the log, or judge it by the rows that it knows"
        )


def _policy(log: LogTable, table: pl.DataFrame, cells: IntVector, where: str) -> TargetPolicy:
    """The policy in compact form, with its probability of every logged action."""
    kept = table.with_row_index("row").filter(pl.col(_PROBABILITY) > 0).sort("cell", maintain_order=True)
    rows = pl.DataFrame({"cell": cells, _ACTION: log.action})
    logged = rows.join(kept, on=["cell", _ACTION], how="left", maintain_order="left")[_PROBABILITY].fill_null(0.0)
    starts = np.searchsorted(kept["cell"].to_numpy(), np.arange(int(table["cell"].to_numpy().max()) + 2))
    unseen, complaint = _unseen(log, kept, cells, where)
    return TargetPolicy(
        logged.to_numpy(), cells, starts, kept[_ACTION], kept[_PROBABILITY].to_numpy(), unseen, complaint
    )


def _unseen(log: LogTable, kept: pl.DataFrame, cells: IntVector, where: str) -> tuple[float, str]:
    """Mean mass on actions that the log never shows at that position, and which is the first of them."""
    place = np.zeros(len(log), np.int64) if log.position is None else log.position
    rows = pl.DataFrame({"cell": cells, "place": place}).group_by("cell", "place", maintain_order=True).len()
    shown = pl.DataFrame({"place": place, _ACTION: log.action}).unique()
    lost = rows.join(kept, on="cell").join(shown, on=["place", _ACTION], how="anti")
    if lost.is_empty():
        return 0.0, ""
    mass = float((lost["len"] * lost[_PROBABILITY]).sum()) / len(log)
    first = lost.sort("row").row(0, named=True)
    named = counted(lost["row"].n_unique(), "value")
    at = "" if log.position is None else f" at position {first['place']}"
    return mass, (
        f"{where}: column 'action' has {named} that {log.where} never shows{at} "
        f"(first: data row {first['row'] + 1}, {first[_ACTION]!r})"
    )
