"""What is wrong with a submission: every kind of fault at once, with its count and its first row and user."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import polars as pl

from encorec.data.sources.sheets import counted
from encorec.data.sources.typed import missing_text
from encorec.errors import ConfigError
from encorec.evaluation.frames.inputs import ITEM, USER, TableLike, open_input
from encorec.evaluation.leaderboard.submission import Submission, SubmissionForm, read_submission, spelt_ids

__all__ = ["Problem", "SubmissionCheck", "check_submission", "validate_submission"]

_MOST_SHOWN = 60


@dataclass(frozen=True)
class Problem:
    """One kind of fault.

    Args:
        fault: its name.
        count: how often it is there.
        first_row: data row where it is first, from 1; none = it is in no row of the submission.
        user: of that row, none if missing.
        sentence: all of it, with what to do.

    Example:
        >>> found = validate_submission(pl.DataFrame({"user_id": [7], "item_id": ["[5, 5]"]}))
        >>> [(one.fault, one.first_row, one.user) for one in found.problems]
        [('item twice', 1, '7')]
    """

    fault: str
    count: int
    first_row: int | None
    user: str | None
    sentence: str


@dataclass(frozen=True)
class SubmissionCheck:
    """What was found.

    Args:
        form: ``lists`` in cells, or ``rows`` of single items.
        users: with a list.
        items: different ones that were recommended.
        recommendations: places filled.
        short_lists: lists of fewer than k items; allowed.
        problems: kinds of faults, none of them = valid.

    Example:
        >>> validate_submission(pl.DataFrame({"user_id": [7], "item_id": ["[5, 6]"]})).valid
        True
    """

    form: SubmissionForm
    users: int
    items: int
    recommendations: int
    short_lists: int
    problems: tuple[Problem, ...]

    @property
    def valid(self) -> bool:
        """Whether there are no problems."""
        return not self.problems

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"valid": self.valid} | asdict(self)


class _Fault(NamedTuple):
    """Rows at fault (row, user and maybe shown), and how to speak of them."""

    name: str
    rows: pl.DataFrame
    noun: str
    said: str
    remedy: str


def validate_submission(
    given: TableLike, sample: TableLike | None = None, items: TableLike | None = None, k: int = 10
) -> SubmissionCheck:
    """Hold a submission against the rules: everybody of the sample exactly once, at most k known items, none twice.

    Args:
        given: the submission: user_id and item_id with ``[1, 2]`` in a cell, or user_id, item_id and rank.
        sample: whose user_id are the users to recommend to; none = not checked.
        items: whose item_id are the known items; none = not checked.
        k: longest list allowed.

    Raises:
        DataError: a table that cannot be read or lacks a column.
        ConfigError: k below 1.

    Example:
        >>> sample = pl.DataFrame({"user_id": [7, 8]})
        >>> for one in validate_submission(pl.DataFrame({"user_id": [7], "item_id": ["[5, nan]"]}), sample).problems:
        ...     print(one.sentence)
        submission: 1 item that is missing (first: data row 1, user 7); leave it out of the list
        submission: 1 user of the sample without a list (first: user 8); recommend to every one of them
    """
    users = None if sample is None else _ids_of(sample, "sample", USER)
    known = None if items is None else _ids_of(items, "items", ITEM)
    return check_submission(read_submission(given), k, users, known)


def _ids_of(given: TableLike, where: str, column: str) -> pl.Series:
    return spelt_ids(open_input(given, where, (column,)).sheet, column).drop_nulls().unique(maintain_order=True)


def check_submission(
    submission: Submission, k: int = 10, users: pl.Series | None = None, items: pl.Series | None = None
) -> SubmissionCheck:
    """``validate_submission`` of one that has been read.

    Args:
        submission: as read.
        k: longest list allowed.
        users: (n,) text ids to recommend to; none = not checked.
        items: (m,) text ids of known items; none = not checked.

    Raises:
        ConfigError: k below 1.

    Example:
        >>> check_submission(read_submission(pl.DataFrame({"user_id": [7], "item_id": ["[5]"]})), k=10).short_lists
        1
    """
    if k < 1:
        raise ConfigError(f"k is {k}, allowed is 1 or more")
    entries = submission.entries
    owner = "row" if submission.form == "lists" else "user"
    lengths = entries.drop_nulls("user").group_by(owner).len()["len"]
    faults = [*_of_rows(submission), *_of_entries(entries, owner, k), *_of_others(submission, users, items)]
    return SubmissionCheck(
        submission.form,
        entries["user"].drop_nulls().n_unique(),
        entries["item"].drop_nulls().n_unique(),
        len(entries),
        int((lengths < k).sum()),
        tuple(_problem(submission.where, one) for one in faults if len(one.rows)),
    )


def _of_rows(given: Submission) -> Iterator[_Fault]:
    """Faults of single rows: users, cells, ranks."""
    rows = given.rows
    yield _Fault("user missing", rows.filter(pl.col("user").is_null()), "row", "without a user_id", "name the user")
    if given.form == "rows":
        yield from _of_ranks(given)
        return
    cell = rows["cell"]
    absent = ~given.listed & missing_text(cell)
    shown = rows.with_columns(shown="cell")
    filled = rows["row"].is_in(given.entries["row"].unique().implode())
    yield _Fault("list missing", rows.filter(absent), "row", "without a list", "recommend to every user")
    form = "write it as [1, 2, 3] or ['a', 'b']"
    yield _Fault("not a list", shown.filter(~given.listed & ~absent), "cell", "that cannot be read as a list", form)
    yield _Fault("list empty", rows.filter(given.listed & ~filled), "list", "without items", "recommend something")
    again = rows["user"].is_not_null() & ~rows["user"].is_first_distinct()
    yield _Fault("user twice", rows.filter(again), "row", "of a user who has one already", "keep one row per user")


def _of_ranks(given: Submission) -> Iterator[_Fault]:
    places = given.entries.with_columns(shown=given.rows["rank"])
    unread = places["place"].is_null() | (places["place"] < 0)
    whole = "number the places of every list 1, 2, 3 and so on"
    yield _Fault("rank not a place", places.filter(unread), "rank", "that is no whole number of 1 or more", whole)
    ranked = places.filter(~unread).drop_nulls("user")
    again = ~ranked.select("user", "place").to_struct("pair").is_first_distinct()
    yield _Fault("rank twice", ranked.filter(again), "rank", "that the user has already", whole)
    before = ranked.select("user", place=pl.col("place") + 1)
    gap = ranked.filter(pl.col("place") > 0).join(before, on=["user", "place"], how="anti", maintain_order="left")
    yield _Fault("rank left out", gap, "rank", "after a place that nobody holds", whole)


def _of_entries(entries: pl.DataFrame, owner: str, k: int) -> Iterator[_Fault]:
    """Faults within lists; ``owner`` is the column that tells them apart."""
    missing = entries["item"].is_null()
    yield _Fault("item missing", entries.filter(missing), "item", "that is missing", "leave it out of the list")
    named = entries.filter(~missing).drop_nulls(owner)
    again = ~named.select(owner, "item").to_struct("pair").is_first_distinct()
    twice = named.filter(again).with_columns(shown="item")
    yield _Fault("item twice", twice, "item", "that stands in the list already", "recommend it once")
    lengths = (
        entries.drop_nulls(owner)
        .group_by(owner, maintain_order=True)
        .agg(
            pl.col("row").min() if owner != "row" else pl.col("user").first(), shown=pl.len().cast(pl.String) + " items"
        )
    )
    long = lengths.filter(pl.col("shown").str.extract(r"(\d+)").cast(pl.Int64) > k).select("row", "user", "shown")
    yield _Fault("list too long", long, "list", f"of more than {k} items", f"keep the first {k}")


def _of_others(given: Submission, users: pl.Series | None, items: pl.Series | None) -> Iterator[_Fault]:
    """Users and items held against those that there are."""
    if items is not None:
        unknown = given.entries.drop_nulls("item").join(items.to_frame("item"), on="item", how="anti")
        unknown = unknown.sort("row", "place").with_columns(shown="item")
        yield _Fault("item unknown", unknown, "item", "that is not known", "recommend items of the catalogue")
    if users is None:
        return
    asked, named = users.to_frame("user"), given.rows.drop_nulls("user")
    strange = named.join(asked, on="user", how="anti", maintain_order="left")
    yield _Fault("user unknown", strange, "row", "of a user who is not in the sample", "leave such users out")
    forgotten = asked.join(named, on="user", how="anti", maintain_order="left")
    forgotten = forgotten.with_columns(row=pl.lit(None, pl.Int64))
    yield _Fault("user left out", forgotten, "user", "of the sample without a list", "recommend to every one of them")


def _problem(where: str, fault: _Fault) -> Problem:
    first = fault.rows.row(0, named=True)
    place = [] if first["row"] is None else [f"data row {first['row']}"]
    place += [] if first["user"] is None else [f"user {first['user']}"]
    if first.get("shown") is not None:
        text = str(first["shown"])
        place.append(text if len(text) <= _MOST_SHOWN else f"{text[: _MOST_SHOWN - 3]}...")
    count = len(fault.rows)
    sentence = f"{where}: {counted(count, fault.noun)} {fault.said} (first: {', '.join(place)}); {fault.remedy}"
    return Problem(fault.name, count, first["row"], first["user"], sentence)
