"""The dual form of EASE, for fewer users than items: the same scores from a users x users inverse."""

import numpy as np
from scipy import sparse

from encorec.compiled import FLOAT32, FLOAT64, INT32, INT64, compiled, read, write
from encorec.protocols import Arrays
from encorec.retrieval.ease_inverse import csr_parts, inverse_gram
from encorec.retrieval.ease_penalty import Penalty, column_power
from encorec.retrieval.row_sums import add_dense_rows, add_sparse_rows
from encorec.retrieval.scoring import WeightedItems
from encorec.types import FloatMatrix, FloatVector, IntVector

__all__ = ["dual_arrays", "dual_rows", "dual_shares"]

ONE = np.float32(1)


def dual_arrays(matrix: sparse.csr_array, penalty: Penalty) -> Arrays:
    """With D = reg / penalties, M = inverse(X D X' + reg I): the inverse of EASE is P = (D - D X' M X D) / reg.

    Learnt are M as ``inverse``, the ``diagonal`` of P / D, X by rows (``indptr``, ``item``, ``value``) and X D by
    columns (``user_*``). With dropout 1 / D is learnt as ``ratio`` (items,), with relaxation ``kept`` (items,), by
    which scores are multiplied.

    Args:
        matrix: X, (users, items).
        penalty: of the items.

    Example:
        >>> learnt = dual_arrays(sparse.csr_array(np.array([[1.0, 1.0, 0.0]])), Penalty(1.0))
        >>> learnt["inverse"].round(2).tolist(), learnt["diagonal"].round(2).tolist()
        ([[0.33000001311302185]], [0.6700000166893005, 0.6700000166893005, 1.0])
    """
    columns, ratio = csr_parts(matrix.T.tocsr()), penalty.of_items(column_power(matrix)) / penalty.reg
    inverse = inverse_gram(_divided(matrix, np.sqrt(ratio)).T.tocsr(), penalty.reg)
    quadratic = np.zeros(len(columns[0]) - 1)
    _add_quadratic(*columns, inverse, quadratic)
    without_itself = 1 - quadratic / ratio
    rest = {"ratio": ratio} if penalty.dropout else {}
    rest |= {"kept": penalty.kept(without_itself)} if penalty.relaxation else {}
    return {
        "inverse": inverse.astype(np.float32),
        "diagonal": (without_itself / penalty.reg).astype(np.float32),
        "reg": np.array([penalty.reg], np.float32),
        "indptr": matrix.indptr.astype(np.int64),
        "item": matrix.indices.astype(np.int32),
        "value": matrix.data.astype(np.float32),
        "user_indptr": columns[0],
        "user": columns[1],
        "user_value": (columns[2] / np.repeat(ratio, np.diff(columns[0]))).astype(np.float32),
        **{name: values.astype(np.float32) for name, values in rest.items()},
    }


def dual_rows(events: WeightedItems, learnt: Arrays, items: int) -> FloatMatrix:
    """(n, items) float32 ``h B = kept * (h - (h P) / diag(P))`` of n histories, each with every item once; P as above.

    Example:
        >>> learnt = dual_arrays(sparse.csr_array(np.array([[1.0, 1.0, 0.0]])), Penalty(1.0))
        >>> events = WeightedItems(np.array([0, 1]), np.zeros(1, np.int32), np.ones(1, np.float32))
        >>> dual_rows(events, learnt, 3).round(2).tolist()
        [[0.0, 0.5, 0.0]]
    """
    n = len(events.indptr) - 1
    solved, spread = _solved(events, learnt), np.zeros((n, items), np.float32)
    everybody, offsets = _all_users(n, len(learnt["inverse"]))
    add_sparse_rows(offsets, everybody, solved.ravel(), learnt["indptr"], learnt["item"], learnt["value"], spread)
    own, places = np.zeros((n, items), np.float32), (np.repeat(np.arange(n), np.diff(events.indptr)), events.item)
    own[places] = events.weight
    scores = own - (own - spread) / (learnt["reg"] * learnt["diagonal"])
    rounding = np.abs(scores[places]) < 1e-5 * events.weight  # of the difference: the primal form gives exactly 0 there
    scores[places] = np.where(rounding, np.float32(0), scores[places])
    scores *= learnt.get("kept", ONE)
    return scores


def dual_shares(events: WeightedItems, learnt: Arrays, item: IntVector) -> FloatVector:
    """(m,) float32 what each event adds to the score of the item its query asks about: its weight times ``B[., item]``.

    Args:
        events: of n histories.
        learnt: of ``dual_arrays``.
        item: (n,) the item that each query asks about.

    Example:
        >>> learnt = dual_arrays(sparse.csr_array(np.array([[1.0, 1.0, 0.0]])), Penalty(1.0))
        >>> events = WeightedItems(np.array([0, 2]), np.array([0, 1], np.int32), np.ones(2, np.float32))
        >>> dual_shares(events, learnt, np.array([1])).round(2).tolist()
        [0.5, 0.0]
    """
    asked = np.ascontiguousarray(item, np.int32)
    ones = WeightedItems(np.arange(len(asked) + 1), asked, np.ones(len(asked), np.float32))
    solved, query = _solved(ones, learnt), np.repeat(np.arange(len(asked)), np.diff(events.indptr))
    product = np.zeros(len(events.item), np.float32)
    _add_entries(query, events.item, learnt["user_indptr"], learnt["user"], learnt["user_value"], solved, product)
    factor = learnt.get("kept", ONE) * learnt.get("ratio", ONE)  # both items of a pair are divided by their ratio
    weights = product / (learnt["reg"] * learnt["diagonal"] / factor)[asked[query]]
    return np.where(events.item == asked[query], np.float32(0), events.weight * weights).astype(np.float32)


def _divided(matrix: sparse.csr_array, columns: FloatVector) -> sparse.csr_array:
    """(n, m) matrix of which every column is divided by its number of ``columns`` (m,)."""
    return sparse.csr_array((matrix.data / columns[matrix.indices], matrix.indices, matrix.indptr), matrix.shape)


def _solved(events: WeightedItems, learnt: Arrays) -> FloatMatrix:
    """(n, users) float32 ``M X h`` of n histories h."""
    n, users = len(events.indptr) - 1, len(learnt["inverse"])
    alike, solved = np.zeros((n, users), np.float32), np.zeros((n, users), np.float32)
    add_sparse_rows(*events, learnt["user_indptr"], learnt["user"], learnt["user_value"], alike)
    everybody, offsets = _all_users(n, users)
    add_dense_rows(offsets, everybody, alike.ravel(), learnt["inverse"], solved)
    return solved


def _all_users(n: int, users: int) -> tuple[IntVector, IntVector]:
    """All users once for each of n queries, and the offsets of the queries."""
    return np.tile(np.arange(users, dtype=np.int32), n), np.arange(n + 1, dtype=np.int64) * users


@compiled(read(INT64), read(INT32), read(FLOAT64), read(FLOAT64, 2), write(FLOAT64))
def _add_quadratic(
    indptr: IntVector, user: IntVector, value: FloatVector, inverse: FloatMatrix, out: FloatVector
) -> None:
    """``out[i] += x' M x`` for the column x of every item i; ``user`` ascends in every column."""
    for item in range(len(out)):
        for first in range(indptr[item], indptr[item + 1]):
            row, strength = inverse[user[first]], value[first]
            total = 0.5 * strength * row[user[first]]
            for second in range(first + 1, indptr[item + 1]):
                total += value[second] * row[user[second]]
            out[item] += 2 * strength * total


@compiled(
    read(INT64), read(INT32), read(INT64), read(INT32), read(FLOAT32), read(FLOAT32, 2), write(FLOAT32)
)  # fmt: skip
def _add_entries(
    query: IntVector,
    item: IntVector,
    user_indptr: IntVector,
    user: IntVector,
    user_value: FloatVector,
    solved: FloatMatrix,
    out: FloatVector,
) -> None:
    """``out[e] += x' solved[query[e]]`` for the column x of the item of every event e."""
    for event in range(len(item)):
        target = solved[query[event]]
        for place in range(user_indptr[item[event]], user_indptr[item[event] + 1]):
            out[event] += user_value[place] * target[user[place]]
