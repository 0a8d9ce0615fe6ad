"""Histories cut into windows of bounded length, in which every event but the first is to be foretold."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from encorec.data.interactions import Interactions
from encorec.nn.time_gaps import gap_bucket
from encorec.types import BoolMatrix, IntMatrix, IntVector

__all__ = ["Batch", "Windows", "padded"]

POOL = 32  # batches that are sorted by length together, so that little is padded


class Batch(NamedTuple):
    """Windows side by side, each from its left.

    ``item`` (b, t) int64, the catalogue's size where there is no event; ``target`` (b, t) int64 the next item;
    ``real`` (b, t) true where there is an event; ``gap`` (b, t, t) int64 bucket of the time from event j to the moment
    at which the item after event i is asked for, or none.
    """

    item: IntMatrix
    target: IntMatrix
    real: BoolMatrix
    gap: IntVector | None


class Windows(NamedTuple):
    """Slices of a table of interactions.

    ``start`` (w,) and ``stop`` (w,) int64 rows. The events ``start .. stop - 2`` are read, each to foretell the next.

    Example:
        >>> table = Interactions.of([0] * 5 + [1], [0, 1, 2, 3, 4, 0], [1, 2, 3, 4, 5, 6])
        >>> windows = Windows.of(table, np.array([0, 1]), np.array([], int), length=3)
        >>> windows.start.tolist(), windows.stop.tolist()
        ([1, 0], [5, 2])
    """

    start: IntVector
    stop: IntVector

    @classmethod
    def of(cls, table: Interactions, users: IntVector, held_out: IntVector, length: int) -> "Windows":
        """Of ``users`` (n,), newest first; where a user is held out, without the newest event.

        Args:
            table: of all interactions.
            users: whose events are trained on, in their order.
            held_out: (v,) users whose newest event is kept aside.
            length: events that are read of one window.
        """
        stops = table.indptr[1:].copy()
        stops[held_out] -= 1
        counts = stops[users] - table.indptr[users]
        pieces = np.maximum(-(-(counts - 1) // length), 0)
        owner = np.repeat(users, pieces)
        place = np.arange(pieces.sum()) - np.repeat(np.cumsum(pieces) - pieces, pieces)
        stop = stops[owner] - place * length
        return cls(np.maximum(stop - length - 1, table.indptr[owner]), stop)

    def batches(self, size: int, rng: np.random.Generator) -> Iterator["Windows"]:
        """All windows in batches of ``size``, in an order that ``rng`` draws, like lengths together."""
        order = rng.permutation(len(self.start))
        lengths = self.stop - self.start
        for first in range(0, len(order), POOL * size):
            pool = order[first : first + POOL * size]
            pool = pool[np.argsort(lengths[pool], kind="stable")]
            for block in rng.permutation(-(-len(pool) // size)):
                rows = pool[block * size : (block + 1) * size]
                yield Windows(self.start[rows], self.stop[rows])


def padded(table: Interactions, windows: Windows, gaps: bool) -> Batch:
    """The windows as one batch.

    Args:
        table: that they are slices of.
        windows: (b,).
        gaps: whether the network reads how long ago events were. An item is asked for in the second after it was
            taken, as in the exams of ``data.splits``.

    Example:
        >>> table = Interactions.of([0, 0, 0], [5, 6, 7], [1, 2, 3])
        >>> batch = padded(table, Windows(np.array([0]), np.array([3])), gaps=False)
        >>> batch.item.tolist(), batch.target.tolist()
        ([[5, 6]], [[6, 7]])
    """
    lengths = windows.stop - windows.start - 1
    place = np.arange(lengths.max(initial=0))
    real = place < lengths[:, None]
    row = np.where(real, windows.start[:, None] + place, 0)
    item = np.where(real, table.item[row], table.items).astype(np.int64)
    target = np.where(real, table.item[np.where(real, row + 1, 0)], 0).astype(np.int64)
    asked = table.time[np.where(real, row + 1, 0)] + 1
    gap = gap_bucket(asked[:, :, None] - table.time[row][:, None, :]) if gaps else None
    return Batch(item, target, real, gap)
