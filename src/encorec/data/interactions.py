"""Who did what when: one table of numbered interactions in one canonical order."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from encorec.compiled import INT32, INT64, compiled, read, write
from encorec.data.row_order import sorted_rows
from encorec.errors import DataError
from encorec.types import BoolVector, FloatVector, Histories, IntVector

__all__ = ["Interactions", "distinct"]


@dataclass(frozen=True)
class Interactions:
    """Interactions ordered by user, then time, then their order in the source.

    Args:
        user: (m,) int32 user rows, non-decreasing.
        item: (m,) int32 item rows.
        time: (m,) int64 seconds since 1970, non-decreasing within a user.
        weight: (m,) float32 strength, positive.
        row: (m,) int64 row of the source table.
        users: size of the user vocabulary.
        items: size of the item vocabulary.

    Example:
        >>> table = Interactions.of(user=[1, 0, 1], item=[2, 2, 0], time=[30, 10, 20])
        >>> table.item.tolist(), table.row.tolist()
        ([2, 0, 2], [1, 2, 0])
    """

    user: IntVector
    item: IntVector
    time: IntVector
    weight: FloatVector
    row: IntVector
    users: int
    items: int

    @classmethod
    def of(
        cls,
        user: IntVector | list[int],
        item: IntVector | list[int],
        time: IntVector | list[int],
        weight: FloatVector | list[float] | None = None,
        *,
        users: int | None = None,
        items: int | None = None,
    ) -> "Interactions":
        """From columns of shape (m,) in any order; equal times keep the order given.

        Raises:
            DataError: columns of unequal length, a row outside its vocabulary, or a weight that is not positive.

        Example:
            >>> len(Interactions.of([0], [0], [0]))
            1
        """
        user, item, time = np.asarray(user, np.int32), np.asarray(item, np.int32), np.asarray(time, np.int64)
        strength = np.ones(len(user), np.float32) if weight is None else np.asarray(weight, np.float32)
        if not len(user) == len(item) == len(time) == len(strength):
            raise DataError(f"columns differ in length: {len(user)}, {len(item)}, {len(time)}, {len(strength)}")
        n_users = int(user.max(initial=-1)) + 1 if users is None else users
        n_items = int(item.max(initial=-1)) + 1 if items is None else items
        _check_range("user", user, n_users)
        _check_range("item", item, n_items)
        if not np.all(strength > 0):
            raise DataError(f"{int(np.sum(~(strength > 0)))} weights are not positive; drop these interactions")
        return cls(*sorted_rows(user, item, time, strength, n_users), n_users, n_items)

    def __len__(self) -> int:
        return len(self.item)

    def take(self, kept: IntVector | BoolVector) -> "Interactions":
        """The interactions at ``kept``: (m',) increasing positions, or (m,) booleans."""
        return Interactions(
            self.user[kept], self.item[kept], self.time[kept], self.weight[kept], self.row[kept], self.users, self.items
        )

    def joined(self, events: "Interactions") -> "Interactions":
        """These interactions and new ones, in canonical order: of equal times of one user, the new ones come last.

        Args:
            events: in the same numbers; of as many users and items or more. Their rows are counted on from these.

        Raises:
            DataError: the new interactions know fewer users or items.

        Example:
            >>> old, new = Interactions.of([0, 0], [0, 1], [5, 7]), Interactions.of([0, 1], [2, 2], [5, 6])
            >>> table = old.joined(new)
            >>> table.item.tolist(), table.row.tolist(), table.users
            ([0, 2, 1, 2], [0, 2, 1, 3], 2)
        """
        if events.users < self.users or events.items < self.items:
            raise DataError(
                f"the new interactions are of {events.users} users and {events.items} items, allowed are at least the "
                f"{self.users} and {self.items} known; number new ones behind them"
            )
        user, item, time, weight, place = sorted_rows(
            np.concatenate([self.user, events.user]),
            np.concatenate([self.item, events.item]),
            np.concatenate([self.time, events.time]),
            np.concatenate([self.weight, events.weight]),
            events.users,
        )
        row = np.concatenate([self.row, events.row + int(self.row.max(initial=-1)) + 1])[place]
        return Interactions(user, item, time, weight, row, events.users, events.items)

    @cached_property
    def indptr(self) -> IntVector:
        """(users + 1,) offsets of each user's interactions."""
        return np.concatenate([np.zeros(1, np.int64), np.cumsum(np.bincount(self.user, minlength=self.users))])

    @cached_property
    def histories(self) -> Histories:
        """The history of every user of the vocabulary, sharing memory with the table."""
        return Histories(self.indptr, self.item, self.time, self.weight)

    @cached_property
    def user_counts(self) -> IntVector:
        """(users,) interactions of each user."""
        return np.diff(self.indptr)

    @cached_property
    def item_counts(self) -> IntVector:
        """(items,) interactions of each item."""
        return np.bincount(self.item, minlength=self.items)

    @cached_property
    def pairs(self) -> IntVector:
        """(p,) int64 ``user * items + item`` of every user and item that met, ascending, each once."""
        return distinct(self.user.astype(np.int64) * self.items + self.item)

    @cached_property
    def item_users(self) -> IntVector:
        """(items,) distinct users of each item."""
        users, newest = np.zeros(self.items, np.int64), np.full(self.items, -1, np.int32)
        _count_users(self.user, self.item, newest, users)
        return users

    @property
    def end(self) -> int:
        """The first second after the newest interaction."""
        return int(self.time.max(initial=-1)) + 1


def distinct(numbers: IntVector) -> IntVector:
    """(p,) ascending, each once, by sorting: ``np.unique`` hashes, which takes a hundred times as long.

    Args:
        numbers: (m,) integers.

    Example:
        >>> distinct(np.array([3, 1, 3])).tolist()
        [1, 3]
    """
    ordered = np.sort(numbers)
    return ordered[np.concatenate([ordered[:1] == ordered[:1], ordered[1:] != ordered[:-1]])]


@compiled(read(INT32), read(INT32), write(INT32), write(INT64))
def _count_users(user: IntVector, item: IntVector, newest: IntVector, users: IntVector) -> None:
    """Add to ``users`` (items,) how many distinct users each item has.

    Args:
        user: (m,) int32 non-decreasing.
        item: (m,) int32.
        newest: (items,) int32 filled with -1; scratch.
        users: (items,) int64, added to.
    """
    for row in range(len(user)):
        if newest[item[row]] != user[row]:
            newest[item[row]] = user[row]
            users[item[row]] += 1


def _check_range(what: str, rows: IntVector, size: int) -> None:
    if len(rows) and not 0 <= rows.min() <= rows.max() < size:
        raise DataError(f"{what} rows run from {rows.min()} to {rows.max()}, allowed is 0 to {size - 1}")
