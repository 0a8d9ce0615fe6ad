"""Training examples of models that pool a history: an event, and the events of its user before it."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from encorec.data.interactions import Interactions
from encorec.types import BoolVector, FloatVector, IntVector, ragged_positions

__all__ = ["Pool", "example_rows", "pool_before", "shuffled"]


class Pool(NamedTuple):
    """Ragged weighted items of m histories: ``offset`` (m,) int64 where each begins, ``item`` and ``weight`` (e,).

    The weights of a history sum to 1; an empty one sums to 0.
    """

    offset: IntVector
    item: IntVector
    weight: FloatVector


def example_rows(table: Interactions, users: IntVector, held_out: IntVector, first: int) -> IntVector:
    """(m,) rows of the table that are to be foretold, user after user in the order of ``users``.

    Args:
        table: of all interactions.
        users: (n,) whose events are trained on.
        held_out: (v,) users whose newest event is kept aside.
        first: events at the beginning of a history that are not to be foretold: 1 where there is nothing else to go by.

    Example:
        >>> table = Interactions.of([0, 0, 0, 1], [5, 6, 7, 5], [1, 2, 3, 4])
        >>> example_rows(table, np.array([1, 0]), np.array([0]), first=0).tolist()
        [3, 0, 1]
    """
    stops = table.indptr[1:].copy()
    stops[held_out] -= 1
    starts = table.indptr[:-1][users] + first
    return ragged_positions(starts, np.maximum(stops[users] - starts, 0))


def shuffled(rows: IntVector, size: int, rng: np.random.Generator) -> Iterator[IntVector]:
    """All rows in batches of ``size``, in an order that ``rng`` draws; the last batch may be smaller.

    Args:
        rows: (m,) rows of the table.
        size: of a batch.
        rng: of the order.

    Example:
        >>> [len(batch) for batch in shuffled(np.arange(5), 2, np.random.default_rng(0))]
        [2, 2, 1]
    """
    order = rng.permutation(rows)
    for first in range(0, len(order), size):
        yield order[first : first + size]


def pool_before(table: Interactions, rows: IntVector, last: int, decay: float, empty: BoolVector) -> Pool:
    """The newest events before each row, weighted by ``decay`` for every newer one.

    Args:
        table: of all interactions.
        rows: (m,) rows of the table.
        last: events that are read, at most.
        decay: in (0, 1].
        empty: (m,) where the history is left out.

    Example:
        >>> table = Interactions.of([0, 0, 0, 1], [5, 6, 7, 5], [1, 2, 3, 4])
        >>> pool = pool_before(table, np.array([2, 3]), 9, 0.5, np.zeros(2, bool))
        >>> pool.item.tolist(), pool.weight.round(2).tolist(), pool.offset.tolist()
        ([5, 6], [0.33000001311302185, 0.6700000166893005], [0, 2])
    """
    starts = np.where(empty, rows, np.maximum(rows - last, table.indptr[table.user[rows]]))
    lengths = rows - starts
    position = ragged_positions(starts, lengths)
    weight = float(decay) ** (np.repeat(rows, lengths) - 1 - position)
    owner = np.repeat(np.arange(len(rows)), lengths)
    weight /= np.bincount(owner, weight, len(rows))[owner]
    return Pool(np.cumsum(lengths) - lengths, table.item[position].astype(np.int64), weight.astype(np.float32))
