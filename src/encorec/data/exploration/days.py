"""What happened day by day: how much, by how many, and how many of them were seen for the first time."""

from dataclasses import dataclass

import numpy as np

from encorec.data.interactions import Interactions
from encorec.types import FloatVector, IntVector

__all__ = ["SECONDS_PER_DAY", "Days", "Gap", "Rhythm"]

SECONDS_PER_DAY = 86_400
_SHARE_OF_SPARE_DAYS = 64  # a table of all days is made while there are fewer than so many days per interaction


@dataclass(frozen=True)
class Gap:
    """Days without an interaction between two that have some.

    Args:
        first: the first day without, days since 1970.
        days: how many in a row.

    Example:
        >>> Gap(first=3, days=2).days
        2
    """

    first: int
    days: int


@dataclass(frozen=True)
class Days:
    """One entry per day (UTC) that has interactions, in order.

    Args:
        day: (d,) int64 days since 1970.
        rows: (d,) interactions.
        users: (d,) users with an interaction.
        items: (d,) items with an interaction.
        new_users: (d,) of these, users who were never seen on an earlier day.
        new_items: (d,) of these, items that were never seen on an earlier day.
        new_user_rows: (d,) interactions of new users.
        new_item_rows: (d,) interactions with new items.

    Example:
        >>> days = Days.of(Interactions.of([0, 0, 1], [0, 1, 1], [0, 86_400, 86_401]))
        >>> days.users.tolist(), days.new_users.tolist(), days.new_items.tolist()
        ([1, 2], [1, 1], [1, 1])
    """

    day: IntVector
    rows: IntVector
    users: IntVector
    items: IntVector
    new_users: IntVector
    new_items: IntVector
    new_user_rows: IntVector
    new_item_rows: IntVector

    @classmethod
    def of(cls, table: Interactions) -> "Days":
        """Counted over all interactions."""
        day, place = _numbered(table.time // SECONDS_PER_DAY)
        size = len(day)
        begins = np.ones(len(table), bool)
        begins[1:] = (table.user[1:] != table.user[:-1]) | (place[1:] != place[:-1])
        pairs = np.sort(place.astype(np.int64) * max(table.items, 1) + table.item)
        pairs = pairs[np.diff(pairs, prepend=-1) > 0]
        active = table.indptr[:-1][table.user_counts > 0]
        user_first = np.repeat(place[active], table.user_counts[table.user_counts > 0])
        item_first = np.full(table.items, size, place.dtype)
        np.minimum.at(item_first, table.item, place)
        return cls(
            day=day,
            rows=np.bincount(place, minlength=size),
            users=np.bincount(place[begins], minlength=size),
            items=np.bincount(pairs // max(table.items, 1), minlength=size),
            new_users=np.bincount(place[active], minlength=size),
            new_items=np.bincount(item_first[item_first < size], minlength=size),
            new_user_rows=np.bincount(place[user_first == place], minlength=size),
            new_item_rows=np.bincount(place[item_first[table.item] == place], minlength=size),
        )

    def __len__(self) -> int:
        return len(self.day)

    def within(self, first: int, last: int) -> "Days":
        """Only the days from ``first`` to ``last``, days since 1970, both included.

        Example:
            >>> days = Days.of(Interactions.of([0, 0], [0, 1], [0, 864_000]))
            >>> days.within(1, 10).day.tolist()
            [10]
        """
        kept = (self.day >= first) & (self.day <= last)
        return Days(**{name: getattr(self, name)[kept] for name in self.__dataclass_fields__})

    def cold_shares(self) -> dict[str, FloatVector]:
        """Name -> (d,) share of each day's users, items and interactions that was never seen on an earlier day."""
        return {
            "users": self.new_users / self.users,
            "items": self.new_items / self.items,
            "interactions by new users": self.new_user_rows / self.rows,
            "interactions with new items": self.new_item_rows / self.rows,
        }

    def gaps(self) -> list[Gap]:
        """Every run of days without interactions, the longest first.

        Example:
            >>> Days.of(Interactions.of([0, 0], [0, 1], [0, 3 * 86_400])).gaps()
            [Gap(first=1, days=2)]
        """
        steps = np.diff(self.day)
        before = np.flatnonzero(steps > 1)
        order = before[np.argsort(-steps[before], kind="stable")]
        return [Gap(int(self.day[one]) + 1, int(steps[one]) - 1) for one in order]


def _numbered(day: IntVector) -> tuple[IntVector, IntVector]:
    """The distinct days (d,), and (m,) int32 the place of each interaction's day among them."""
    if not len(day):
        return np.empty(0, np.int64), np.empty(0, np.int32)
    first, last = int(day.min()), int(day.max())
    if last - first > _SHARE_OF_SPARE_DAYS * len(day):
        present, place = np.unique(day, return_inverse=True)
        return present, place.astype(np.int32)
    there = np.zeros(last - first + 1, bool)
    there[day - first] = True
    place_of = np.cumsum(there, dtype=np.int32) - 1
    return np.flatnonzero(there) + first, place_of[day - first]


@dataclass(frozen=True)
class Rhythm:
    """Interactions by weekday and hour (UTC).

    Args:
        rows: (7, 24) interactions; Monday first.
        days: (7,) how many such days had interactions.
        timed: whether times say more than the date: not all are midnight.

    Example:
        >>> rhythm = Rhythm.of(Interactions.of([0], [0], [3600]))
        >>> rhythm.rows[3, :3].tolist(), rhythm.timed
        ([0, 1, 0], True)
    """

    rows: IntVector
    days: IntVector
    timed: bool

    @classmethod
    def of(cls, table: Interactions) -> "Rhythm":
        """Counted over all interactions."""
        hour = table.time // 3600
        rows = np.bincount((hour + 3 * 24) % (7 * 24), minlength=7 * 24).reshape(7, 24)  # 1970 began on a Thursday
        day, _ = _numbered(table.time // SECONDS_PER_DAY)
        days = np.bincount((day + 3) % 7, minlength=7)
        return cls(rows, days, bool(np.any(table.time % SECONDS_PER_DAY)))

    def per_day(self) -> FloatVector:
        """(7,) interactions on a mean Monday, Tuesday and so on; 0 where there is no such day."""
        return self.rows.sum(axis=1) / np.maximum(self.days, 1)
