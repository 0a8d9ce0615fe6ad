"""The score of a submission, as the KION competition computed it: MAP@10 over the users of the truth.

Average precision is the sum over hits of the precision at their rank, divided by the number of *all* test items of
the user, also where there are more than ten. A user without recommendations counts as 0.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from encorec.data.sources.sheets import Column, Sheet, counted
from encorec.data.sources.typed import known_text
from encorec.errors import ConfigError, DataError
from encorec.evaluation.evaluate import evaluate
from encorec.evaluation.frames.inputs import ITEM, USER, Input, TableLike, open_input
from encorec.evaluation.frames.numbering import agreed, rows_of
from encorec.evaluation.frames.tables import Tables, number_tables
from encorec.evaluation.leaderboard.check import check_submission
from encorec.evaluation.leaderboard.submission import Submission, read_submission
from encorec.evaluation.uncertainty import Estimate, interval
from encorec.types import BoolVector, FloatVector

__all__ = ["Score", "score_submission"]

_PART_COLUMNS = ("part", "public")
_PUBLIC = {"public": True, "private": False, "true": True, "false": False, "1": True, "0": False}


@dataclass(frozen=True)
class Score:
    """What the leaderboard shows.

    Args:
        metric: ``map@10``.
        total: over all users of the truth.
        parts: ``public`` and ``private``, where the truth is split.
        split: what the parts come from, none if there are none.
        covered_users: users of the truth who have a list.
        ignored_users: users with a list who are not in the truth.
        seed: of the intervals, and of the split if it is drawn.

    Example:
        >>> lists = pl.DataFrame({"user_id": [1, 2], "item_id": ["[5, 6]", "[5]"]})
        >>> truth = pl.DataFrame({"user_id": [1, 1, 2], "item_id": [6, 7, 5], "part": ["public", "public", "private"]})
        >>> score = score_submission(lists, truth)
        >>> score.total.mean, score.parts["public"].mean, score.parts["private"].mean
        (0.625, 0.25, 1.0)
    """

    metric: str
    total: Estimate
    parts: dict[str, Estimate]
    split: str | None
    covered_users: int
    ignored_users: int
    seed: int

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON: the score, each part, and how they came about."""
        return {
            self.metric: _figure(self.total),
            **{name: _figure(one) for name, one in self.parts.items()},
            "split": self.split,
            "users": self.total.users,
            "covered_users": self.covered_users,
            "ignored_users": self.ignored_users,
            "seed": self.seed,
        }


def _figure(one: Estimate) -> dict[str, Any]:
    return {"mean": one.mean, "ci95": [one.low, one.high], "users": one.users}


def score_submission(
    given: TableLike,
    truth: TableLike,
    *,
    k: int = 10,
    public_share: float | None = None,
    split: TableLike | None = None,
    seed: int = 0,
    resamples: int = 1000,
) -> Score:
    """MAP@k of a submission, in all and for the public and the private users.

    The parts are those of a column ``part`` (public, private) or ``public`` (true, false) of the truth, of such a
    column in ``split``, or a draw: with ``public_share``, that share of the users, rounded, by ``seed``.

    Args:
        given: the submission: user_id and item_id with ``[1, 2]`` in a cell, or user_id, item_id and rank.
        truth: user_id and item_id, and maybe the part; a pair that stands twice counts once.
        k: longest list allowed, and the cut-off.
        public_share: share of the users who are drawn to be public.
        split: user_id and part or public.
        seed: of the draw and of the intervals.
        resamples: of the intervals.

    Raises:
        DataError: a submission with faults in its lists, a user in both parts or in none, or a table that cannot be
            used.
        ConfigError: parts from two sources at once, or a share outside 0..1.

    Example:
        >>> lists = pl.DataFrame({"user_id": [1], "item_id": ["[5, 6]"]})
        >>> score_submission(lists, pl.DataFrame({"user_id": [1, 2], "item_id": [6, 5]})).total.mean
        0.25
    """
    opened = open_input(truth, "truth", (USER, ITEM), _PART_COLUMNS)
    _check_parts(opened.sheet, public_share, split)
    tables = Tables({"submission": _checked_lists(read_submission(given), k)}, opened, None, None)
    evidence = number_tables(tables, k)
    shown = evidence.shown["submission"]
    metric = f"map@{k}"
    found = evaluate(shown.item, evidence.wanted.lists, [metric])
    values = found.per_user[metric]
    public, told = _public(evidence.users, opened, split, public_share, seed)
    parts = {} if public is None else {"public": values[public], "private": values[~public]}
    return Score(
        metric,
        _estimate(values, seed, resamples),
        {name: _estimate(one, seed, resamples) for name, one in parts.items()},
        told,
        found.covered_users,
        shown.ignored_users,
        seed,
    )


def _estimate(values: FloatVector, seed: int, resamples: int) -> Estimate:
    return interval(values, rng=np.random.default_rng(seed), resamples=resamples)


def _checked_lists(given: Submission, k: int) -> Input:
    """The lists as a table with ranks; a submission with faults is refused whole."""
    problems = check_submission(given, k).problems
    if problems:
        raise DataError("\n".join(one.sentence for one in problems))
    entries = given.entries
    frame = pl.DataFrame({USER: entries["user"], ITEM: entries["item"], "rank": entries["place"] + 1})
    return Input(Sheet(frame, given.where), typed=False)


def _check_parts(truth: Sheet, share: float | None, split: TableLike | None) -> None:
    """At most one source of the parts."""
    column = next((name for name in _PART_COLUMNS if name in truth), None)
    sources = {
        f"the column {column!r} of the truth": column is not None,
        "a split file": split is not None,
        "a public share": share is not None,
    }
    named = [name for name, there in sources.items() if there]
    if len(named) > 1:
        raise ConfigError(f"public and private users are given by {' and by '.join(named)}; keep one of them")
    if share is not None and not 0 < share < 1:
        raise ConfigError(f"the public share is {share}, allowed is between 0 and 1, both excluded")


def _public(
    users: pl.Series, truth: Input, split: TableLike | None, share: float | None, seed: int
) -> tuple[BoolVector | None, str | None]:
    """(n,) true for the public users, and what says so."""
    if share is not None:
        drawn = np.random.default_rng(seed).permutation(len(users)) < round(share * len(users))
        return _two_parts(drawn, "a draw"), f"drawn by user: public share {share}, seed {seed}"
    source = truth if split is None else open_input(split, "split", (USER,), _PART_COLUMNS)
    name = next((one for one in _PART_COLUMNS if one in source.sheet), None)
    if name is None:
        if split is not None:
            raise DataError(f"{source.sheet.where}: has neither a column 'part' nor a column 'public'")
        return None, None
    public = _by_column(users, truth, source, source.sheet.column(name))
    return _two_parts(public, source.sheet.where), f"column {name!r} of {source.sheet.where}"


def _two_parts(public: BoolVector, where: str) -> BoolVector:
    if public.all() or not public.any():
        raise DataError(f"{where}: all users are {'public' if public.all() else 'private'}; both parts need somebody")
    return public


def _by_column(users: pl.Series, truth: Input, source: Input, column: Column) -> BoolVector:
    """(n,) the part of every user, who is in one part only."""
    given = agreed([source.ids(USER), truth.ids(USER)])[0]
    text = known_text(column).str.to_lowercase()
    column.refuse(~text.is_in(list(_PUBLIC)).fill_null(False), "that name no part", "write public or private")
    public = text.replace_strict(_PUBLIC, return_dtype=pl.Boolean).to_numpy()
    row = rows_of(given, users.cast(given.dtype))
    here = np.flatnonzero(row >= 0)
    first, place = np.unique(row[here], return_index=True)
    part = np.zeros(len(users), bool)
    part[first] = public[here[place]]
    torn = np.zeros(len(row), bool)
    torn[here] = public[here] != part[row[here]]
    column.refuse(pl.Series(torn), "that put a user into the other part as well", "keep every user in one part")
    lost = np.setdiff1d(np.arange(len(users)), first)
    if len(lost):
        who = f"{counted(len(lost), 'user')} of the truth without a part (first: {users[int(lost[0])]!r})"
        raise DataError(f"{column.where}: {who}; put every user into one")
    return part
