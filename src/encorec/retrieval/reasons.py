"""Why an item scored as it did: what every item of the history added, strongest first."""

import numpy as np

from encorec.compiled import FLOAT32, INT32, INT64, compiled, read, write
from encorec.protocols import Arrays, Reasons
from encorec.types import FloatVector, IntVector

__all__ = ["entry_weights", "ranked_reasons"]


def ranked_reasons(indptr: IntVector, item: IntVector, share: FloatVector) -> Reasons:
    """Each item of a history once with the sum of its shares, the largest first; what added nothing is left out.

    Args:
        indptr: (n + 1,) int64 offsets of the queries' events.
        item: (m,) int32 items of the events.
        share: (m,) float32 what each event added to the score of the item that its query asks about.

    Example:
        >>> events = np.array([4, 2, 4, 7], np.int32), np.array([0.5, 0.75, 0.5, 0], np.float32)
        >>> reasons = ranked_reasons(np.array([0, 4]), *events)
        >>> reasons.item.tolist(), reasons.share.tolist()
        ([4, 2], [1.0, 0.75])
    """
    query = np.repeat(np.arange(len(indptr) - 1), np.diff(indptr))
    order = np.lexsort((item, query))  # stable: the shares of one item are added in the order of its events
    first = np.ones(len(order), bool)
    first[1:] = (np.diff(item[order]) != 0) | (np.diff(query[order]) != 0)
    total = np.add.reduceat(share[order], np.flatnonzero(first)) if len(order) else share[:0]
    owner, one = query[order[first]], item[order[first]]
    best = np.lexsort((one, -total, owner))
    best = best[total[best] != 0]
    offsets = np.searchsorted(owner[best], np.arange(len(indptr))).astype(np.int64)
    return Reasons(offsets, one[best].astype(np.int32), total[best].astype(np.float32))


def entry_weights(indptr: IntVector, row: IntVector, learnt: Arrays, item: IntVector) -> FloatVector:
    """(m,) float32 entry of a sparse matrix in the row of every event and the column that its query asks about.

    Args:
        indptr: (n + 1,) int64 offsets of the queries' events.
        row: (m,) int32 rows of the matrix.
        learnt: the matrix in CSR form, ``indptr``, ``item`` and ``value``, each column once per row, in any order.
        item: (n,) columns.

    Example:
        >>> learnt = {"indptr": np.array([0, 1, 1]), "item": np.array([1], np.int32), "value": np.ones(1, np.float32)}
        >>> entry_weights(np.array([0, 2]), np.array([1, 0], np.int32), learnt, np.array([1])).tolist()
        [0.0, 1.0]
    """
    out = np.zeros(len(row), np.float32)
    matrix = learnt["indptr"], learnt["item"], learnt["value"]
    _entries(np.asarray(indptr, np.int64), row, *matrix, np.ascontiguousarray(item, np.int32), out)
    return out


@compiled(
    read(INT64), read(INT32), read(INT64), read(INT32), read(FLOAT32), read(INT32), write(FLOAT32)
)  # fmt: skip
def _entries(
    indptr: IntVector,
    row: IntVector,
    matrix_indptr: IntVector,
    matrix_item: IntVector,
    matrix_value: FloatVector,
    item: IntVector,
    out: FloatVector,
) -> None:
    """``entry_weights``; ``out`` (m,) is filled with 0."""
    for query in range(len(indptr) - 1):
        for event in range(indptr[query], indptr[query + 1]):
            for place in range(matrix_indptr[row[event]], matrix_indptr[row[event] + 1]):
                if matrix_item[place] == item[query]:
                    out[event] = matrix_value[place]
