"""One exam: what may be learnt from, who is asked when, and what is then to be foretold."""

from dataclasses import dataclass, replace

import msgspec
import numpy as np

from encorec.data.dataset import Dataset
from encorec.types import FloatVector, Histories, IntVector, ItemLists

__all__ = ["Fold", "FoldStatistics"]


class FoldStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """Counts of one fold before and after dropping; ``*_rows`` are test interactions."""

    fold: str
    train_rows: int
    train_users: int
    train_items: int
    test_rows: int
    test_users: int
    test_items: int
    cold_users: int
    cold_user_rows: int
    cold_items: int
    cold_item_rows: int
    seen_rows: int
    queries: int
    truth_items: int


@dataclass(frozen=True)
class Fold:
    """One exam: learn from ``past``, answer for n users, be judged by ``truth``.

    Args:
        name: for tables.
        past: the data set with nothing of the exam in it.
        user: (n,) int32 rows of the users asked for.
        now: (n,) int64 the second at which each of them is asked.
        history: n histories, taken from ``past``.
        truth: n lists of the distinct items that each user took afterwards.
        statistics: how many rows stand on either side, and how many were cold.
        strength: (t,) float32 summed weight of the interactions with each item of the truth; none = not known.
        shown: n lists of the distinct items that each user was shown from then on; none = there is no log of it.
    """

    name: str
    past: Dataset
    user: IntVector
    now: IntVector
    history: Histories
    truth: ItemLists
    statistics: FoldStatistics
    strength: FloatVector | None = None
    shown: ItemLists | None = None

    def __len__(self) -> int:
        return len(self.user)

    def take(self, rows: IntVector | slice) -> "Fold":
        """The same exam for the users at ``rows`` (n',); its statistics stay those of the whole."""
        places = ItemLists(self.truth.indptr, np.arange(len(self.truth.item))).take(rows).item
        return replace(
            self,
            user=self.user[rows],
            now=self.now[rows],
            history=self.history.take(rows),
            truth=self.truth.take(rows),
            strength=None if self.strength is None else self.strength[places],
            shown=None if self.shown is None else self.shown.take(rows),
        )
