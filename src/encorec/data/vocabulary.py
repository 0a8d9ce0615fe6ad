"""External ids on one side, row numbers on the other. Ids never go further in than this."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encorec.errors import DataError
from encorec.types import IntVector

__all__ = ["Vocabulary"]

_AT_ONCE = 1000  # ids from which on many are looked up in another way than one

BISECTED_FROM = 100_000
"""Ids in order from this many on are searched where they lie; a table of a million would fill 100 MB per process."""


@dataclass(frozen=True)
class Vocabulary:
    """The ids of users or items, in row order.

    Args:
        ids: (n,) int64 or str ids; row i is ``ids[i]``.

    Raises:
        DataError: ids that are neither integers nor strings; on first look-up, an id that stands twice.

    Example:
        >>> items = Vocabulary(np.array([10, 20, 30]))
        >>> items.rows([30, 99]).tolist(), items.ids[0].item()
        ([2, -1], 10)
    """

    ids: NDArray[Any]

    def __post_init__(self) -> None:
        if self.ids.dtype.kind not in "iuU":
            raise DataError(f"ids must be integers or strings, got {self.ids.dtype}; convert the column first")

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def kind(self) -> type[int] | type[str]:
        """Type of the ids as the outside sees them."""
        return str if self.ids.dtype.kind == "U" else int

    @cached_property
    def _row_of(self) -> dict[Any, int]:
        row_of = {external: row for row, external in enumerate(self.ids.tolist())}
        if len(row_of) != len(self.ids):
            raise DataError(f"{len(self.ids) - len(row_of)} ids stand twice in a vocabulary; keep one row per id")
        return row_of

    def row(self, external: Any) -> int:
        """Row of one id, -1 if unknown. A number given as text (or the reverse) is the same id.

        Example:
            >>> Vocabulary(np.array([10, 20])).row("20")
            1
        """
        if isinstance(external, bool | list | dict):
            return -1
        look = self._search if self._in_order else self._look_up
        found = look(external)
        return found if found >= 0 else look(self._converted(external))

    def _look_up(self, external: Any) -> int:
        return self._row_of.get(external, -1)

    def _search(self, external: Any) -> int:
        """Row of an id in the type of the ids."""
        if isinstance(external, np.integer):
            external = int(external)
        if isinstance(external, int) and not self._first <= external <= self._last:
            return -1
        if not isinstance(external, self.kind):
            return -1
        row = int(self.ids.searchsorted(external))
        return row if row < len(self.ids) and self.ids[row].item() == external else -1

    @cached_property
    def _in_order(self) -> bool:
        return len(self.ids) >= BISECTED_FROM and bool((self.ids[1:] > self.ids[:-1]).all())

    @cached_property
    def _first(self) -> float:
        return int(self.ids[0]) if self.kind is int else np.inf

    @cached_property
    def _last(self) -> float:
        return int(self.ids[-1]) if self.kind is int else -np.inf

    def _converted(self, external: Any) -> Any:
        """``external`` in the type of the ids, where that loses nothing."""
        if self.kind is str:
            return str(external) if isinstance(external, int) else None
        if isinstance(external, str) and len(external) <= 20 and external.removeprefix("-").isdecimal():
            return int(external) if str(int(external)) == external else None
        return None

    def rows(self, external: Iterable[Any]) -> IntVector:
        """(n,) int32 rows of many ids, -1 where unknown.

        Example:
            >>> Vocabulary(np.array(["a", "b"])).rows(["b", "x"]).tolist()
            [1, -1]
        """
        asked = external.tolist() if isinstance(external, np.ndarray) else list(external)
        if self._in_order and len(asked) >= _AT_ONCE:
            if self.kind is int and all(type(one) is int and self._first <= one <= self._last for one in asked):
                return self._rows_in_order(np.array(asked, self.ids.dtype))
            if self.kind is str and all(isinstance(one, str) for one in asked):  # a table is made sooner than searched
                return np.fromiter(map(self._look_up, asked), np.int32)
        return np.fromiter((self.row(one) for one in asked), np.int32)

    def _rows_in_order(self, asked: NDArray[Any]) -> IntVector:
        row = self.ids.searchsorted(asked)
        return np.where(self.ids[row] == asked, row, -1).astype(np.int32)

    def externals(self, rows: IntVector | Sequence[int]) -> list[Any]:
        """Ids of known rows (n,), as Python integers or strings."""
        return self.ids[np.asarray(rows, np.int64)].tolist()
