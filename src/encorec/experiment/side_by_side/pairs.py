"""Which lists are shown to judges, side by side and in which order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from encorec.data.sources.sheets import counted
from encorec.data.sources.times import seconds
from encorec.data.sources.typed import known_text
from encorec.errors import DataError
from encorec.evaluation.frames.inputs import ITEM, USER, TableLike, open_input
from encorec.evaluation.frames.numbering import agreed, distinct, numbered, rows_of
from encorec.evaluation.frames.shown import ORDER, lay_out

__all__ = ["Pair", "Pairs", "pair_lists"]

_TITLE, _ABOUT, _TIMESTAMP = "title", "about", "timestamp"


@dataclass(frozen=True)
class Pair:
    """The lists of one user.

    Args:
        user: id.
        a: titles of one system, best first.
        b: titles of the other.
        left: the system on the left, ``a`` or ``b``.
        about: who that is; empty = not told.
        history: titles that the user took before, the newest first.

    Example:
        >>> Pair("7", ("Tea",), ("Coffee",), left="b").sides
        (('Coffee',), ('Tea',))
    """

    user: str
    a: tuple[str, ...]
    b: tuple[str, ...]
    left: str
    about: str = ""
    history: tuple[str, ...] = ()

    @property
    def sides(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Titles on the left and on the right."""
        return (self.a, self.b) if self.left == "a" else (self.b, self.a)


@dataclass(frozen=True)
class Pairs:
    """The pairs of a page; see ``pair_lists``.

    Args:
        pairs: in the order of judging.
        k: places that are shown.
        seed: of the draw.
        identical: users with equal lists, who are not shown.
        one_sided: users with a list of one system only.

    Example:
        >>> lists = pl.DataFrame({"user_id": [7, 8], "item_id": ["tea", "jam"], "rank": [1, 1]})
        >>> found = pair_lists(lists, lists.with_columns(item_id=pl.Series(["tea", "ham"])), users=5, seed=0)
        >>> [one.user for one in found.pairs], found.identical
        (['8'], ('7',))
    """

    pairs: tuple[Pair, ...]
    k: int
    seed: int
    identical: tuple[str, ...]
    one_sided: int


def pair_lists(
    a: TableLike,
    b: TableLike,
    *,
    users: int = 30,
    k: int = 10,
    seed: int = 0,
    items: TableLike | None = None,
    people: TableLike | None = None,
    history: TableLike | None = None,
    history_items: int = 12,
) -> Pairs:
    """Draw users and lay their two lists side by side.

    Users of ``people`` come in any case; others are drawn at random until there are ``users`` of them. Both orders,
    that of the users and that of the sides, are drawn from ``seed``; each system stands on the left as often as on
    the right, or once more. A user whose lists are equal place by place leaves nothing to judge.

    Args:
        a: lists of one system: user_id, item_id and rank or score.
        b: lists of the other.
        users: how many are shown at most.
        k: places that are shown.
        seed: of the draw.
        items: the catalogue, item_id and title; none = ids are shown.
        people: personas, user_id and about.
        history: what users took before: user_id, item_id and maybe timestamp.
        history_items: so many of it are shown.

    Raises:
        DataError: a table that cannot be read, a broken list, a person without lists, or no lists that differ.
    """
    if users < 1 or k < 1:
        raise DataError(f"users is {users} and k is {k}; both must be 1 or more")
    lists, one_sided = _both(a, b, k)
    titles = {} if items is None else _texts(items, "items", ITEM, _TITLE)
    about = {} if people is None else _texts(people, "people", USER, _ABOUT)
    _refuse_absent(about, lists)
    identical = tuple(user for user, (one, other) in lists.items() if one == other)
    differing = [user for user in lists if user not in set(identical)]
    if not differing:
        raise DataError(f"the lists of all {counted(len(lists), 'user')} are equal place by place; nothing to judge")
    rng = np.random.default_rng(seed)
    chosen = _chosen(differing, about, users, rng)
    lefts = rng.permutation(np.arange(len(chosen)) % 2)
    known = {} if history is None else _histories(history, set(chosen), history_items)
    pairs = tuple(
        Pair(
            user,
            *(_titled(one, titles) for one in lists[user]),
            left="ab"[int(left)],
            about=about.get(user, ""),
            history=_titled(known.get(user, ()), titles),
        )
        for user, left in zip(chosen, lefts, strict=True)
    )
    return Pairs(pairs, k, seed, identical, one_sided)


def _both(a: TableLike, b: TableLike, k: int) -> tuple[dict[str, tuple[tuple[str, ...], tuple[str, ...]]], int]:
    """Item ids of both systems by user, and how many users have a list of one system only."""
    opened = [open_input(one, name, (USER, ITEM), ORDER) for one, name in ((a, "a"), (b, "b"))]
    users = agreed([one.ids(USER) for one in opened])
    items = agreed([one.ids(ITEM) for one in opened])
    known = [distinct(one) for one in users]
    shared = known[0].filter(known[0].is_in(known[1].implode()))
    if shared.is_empty():
        raise DataError(f"{opened[0].sheet.where} and {opened[1].sheet.where} have no user in common")
    catalogue = numbered(items)
    lists = [
        lay_out(one.sheet, rows_of(user, shared), rows, len(shared), k).item
        for one, user, rows in zip(opened, users, catalogue.rows, strict=True)
    ]
    spelt = catalogue.ids.cast(pl.String).to_list()
    listed = [[tuple(spelt[item] for item in row if item >= 0) for row in one.tolist()] for one in lists]
    names = shared.cast(pl.String).to_list()
    return dict(zip(names, zip(*listed, strict=True), strict=True)), sum(len(one) - len(shared) for one in known)


def _texts(given: TableLike, where: str, key: str, value: str) -> dict[str, str]:
    opened = open_input(given, where, (key, value))
    column = opened.sheet.column(key)
    spelt = opened.ids(key).values.cast(pl.String)
    column.refuse(~spelt.is_first_distinct(), "given before", "keep one row each")
    values = known_text(opened.sheet.column(value))
    return {one: text or one for one, text in zip(spelt.to_list(), values.to_list(), strict=True)}


def _refuse_absent(people: Mapping[str, str], lists: Mapping[str, object]) -> None:
    absent = [user for user in people if user not in lists]
    if absent:
        raise DataError(
            f"people: {counted(len(absent), 'person')} without a list of both systems (first: {absent[0]!r}); "
            "recommend for them as well, or leave them out"
        )


def _chosen(differing: Sequence[str], people: Mapping[str, str], users: int, rng: np.random.Generator) -> list[str]:
    """Users to show, in the order of the page."""
    named = [user for user in differing if user in people]
    others = [user for user in differing if user not in people]
    many = min(max(users - len(named), 0), len(others))
    drawn = [others[place] for place in rng.choice(len(others), many, replace=False)] if many else []
    together = named + drawn
    return [together[place] for place in rng.permutation(len(together))]


def _histories(given: TableLike, users: set[str], many: int) -> dict[str, tuple[str, ...]]:
    opened = open_input(given, "history", (USER, ITEM), (_TIMESTAMP,))
    timed = _TIMESTAMP in opened.sheet
    at = seconds(opened.sheet.column(_TIMESTAMP)) if timed else pl.int_range(len(opened.sheet), eager=True)
    columns = {name: opened.ids(name).values.cast(pl.String) for name in (USER, ITEM)}
    frame = pl.DataFrame({**columns, _TIMESTAMP: at}).filter(pl.col(USER).is_in(sorted(users)))
    newest = frame.sort(_TIMESTAMP, descending=True, maintain_order=True)
    grouped = newest.group_by(USER, maintain_order=True).agg(pl.col(ITEM).head(many))
    return {user: tuple(items) for user, items in grouped.iter_rows()}


def _titled(items: Sequence[str], titles: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(titles.get(one, one) for one in items)
