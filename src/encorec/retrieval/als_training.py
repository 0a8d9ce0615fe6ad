"""Alternating least squares where some numbers of the vectors are known beforehand: features and biases."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import numpy as np
from scipy import linalg, sparse
from threadpoolctl import threadpool_limits

from encorec.compiled import FLOAT64, INT32, INT64, compiled, read, write
from encorec.retrieval.als_layout import Layout
from encorec.types import BoolVector, FloatMatrix, FloatVector, IntVector

__all__ = ["attribute_map", "mapped", "solve_sides"]

THREADS = 4
SPREAD = 0.01  # of the starting numbers, as in implicit
RIDGE = 1.0


def solve_sides(
    matrix: sparse.csr_array,
    known: tuple[FloatMatrix, FloatMatrix],
    layout: Layout,
    reg: float,
    epochs: int,
    rng: np.random.Generator,
    steps: int = 0,
) -> tuple[FloatMatrix, FloatMatrix]:
    """(n, size) and (m, size) float64 vectors of users and items; the known numbers stay as they are.

    Each row is the least squares of hu2008, equation 4, in the numbers that are to be solved, given the known: exactly,
    or by a few steps of conjugate gradient from where it stood (takacs2011), which also keeps rows of few entries from
    being fitted too closely.

    Args:
        matrix: (n, m) confidence, positive where the user took the item.
        known: features of the users (n, user) and of the items (m, item).
        layout: of the vectors.
        reg: L2 penalty.
        epochs: alternations.
        rng: source of the starting numbers of the items; those of the users are solved from them.
        steps: of conjugate gradient for each row and alternation; 0 = exact.

    Example:
        >>> nothing = np.zeros((3, 0))
        >>> layout = Layout(0, 2, 0, True)
        >>> users, items = solve_sides(
        ...     sparse.csr_array(np.eye(3)), (nothing, nothing), layout, 0.1, 9, np.random.default_rng(0)
        ... )
        >>> (users @ items.T).argmax(axis=1).tolist()
        [0, 1, 2]
    """
    users, items = layout.users(known[0]), layout.items(known[1])
    latent = slice(layout.user, layout.user + layout.latent)
    items[:, latent] = SPREAD * rng.random((len(items), layout.latent))
    turned = sparse.csr_array(matrix.T.tocsr())
    with threadpool_limits(limits=1, user_api="blas"), ThreadPoolExecutor(THREADS) as pool:
        for _ in range(epochs):
            _solve(pool.submit, matrix, items, users, layout.user_fixed, reg, steps)
            _solve(pool.submit, turned, users, items, layout.item_fixed, reg, steps)
    return users, items


def attribute_map(known: FloatMatrix, solved: FloatMatrix) -> FloatMatrix:
    """(1 + c, s) float64: the solved numbers of an entity from its features, by ridge regression.

    Source: gantner2010.

    Args:
        known: (n, c) features.
        solved: (n, s) numbers of the same entities.

    Example:
        >>> attribute_map(np.array([[0.0], [1.0]]), np.array([[2.0], [2.0]])).round(6).tolist()
        [[2.0], [0.0]]
    """
    inputs = np.concatenate([np.ones((len(known), 1)), known], axis=1).astype(np.float64)
    penalty = np.full(inputs.shape[1], RIDGE)
    penalty[0] = 1e-9
    return np.asarray(linalg.solve(inputs.T @ inputs + np.diag(penalty), inputs.T @ solved, assume_a="pos"))


def mapped(known: FloatMatrix, weights: FloatMatrix) -> FloatMatrix:
    """(n, s) what ``attribute_map`` says of (n, c) features; each row summed by itself in one order.

    Example:
        >>> mapped(np.array([[3.0]]), np.array([[1.0], [2.0]])).tolist()
        [[7.0]]
    """
    total = np.tile(weights[0], (len(known), 1))
    for column in range(known.shape[1]):
        total += known[:, column, None] * weights[column + 1]
    return total


def _solve(
    submit: Callable[..., Any],
    matrix: sparse.csr_array,
    others: FloatMatrix,
    own: FloatMatrix,
    fixed: BoolVector,
    reg: float,
    steps: int,
) -> None:
    """Solve every row of ``own`` (n, size) from ``others`` (m, size), in place; rows do not depend on each other."""
    free, given = np.flatnonzero(~fixed), np.flatnonzero(fixed)
    gram = others.T @ others
    square = gram[np.ix_(free, free)] + reg * np.eye(len(free))
    cross = np.ascontiguousarray(gram[np.ix_(free, given)])
    solved, met = np.ascontiguousarray(others[:, free]), np.ascontiguousarray(others[:, given])
    theirs = np.ascontiguousarray(own[:, given])
    parts = matrix.indptr.astype(np.int64), matrix.indices.astype(np.int32), matrix.data.astype(np.float64)
    out = np.ascontiguousarray(own[:, free])
    bounds = np.linspace(0, len(own), THREADS + 1).astype(np.int64)
    jobs = [
        submit(_solve_rows, *parts, solved, met, theirs, np.ascontiguousarray(square), cross, start, stop, steps, out)
        for start, stop in pairwise(bounds.tolist())
    ]
    for job in jobs:
        job.result()
    own[:, free] = out


@compiled()
def _towards(
    square: FloatMatrix, weighted: FloatMatrix, taken: FloatMatrix, right: FloatVector, vector: FloatVector, steps: int
) -> None:
    """Steps of conjugate gradient (hestenes1952) on (square + weighted.T taken) x = right, from ``vector``."""
    rest = right - np.dot(square, vector) - np.dot(weighted.T, np.dot(taken, vector))
    way, before = rest.copy(), np.dot(rest, rest)
    for _ in range(steps):
        if before < 1e-20:
            break
        turned = np.dot(square, way) + np.dot(weighted.T, np.dot(taken, way))
        length = before / np.dot(way, turned)
        vector += length * way
        rest -= length * turned
        after = np.dot(rest, rest)
        way = rest + (after / before) * way
        before = after


@compiled(
    read(INT64), read(INT32), read(FLOAT64), read(FLOAT64, 2), read(FLOAT64, 2), read(FLOAT64, 2), read(FLOAT64, 2),
    read(FLOAT64, 2), INT64, INT64, INT64, write(FLOAT64, 2),
)  # fmt: skip
def _solve_rows(
    indptr: IntVector,
    item: IntVector,
    confidence: FloatVector,
    solved: FloatMatrix,
    met: FloatMatrix,
    theirs: FloatMatrix,
    square: FloatMatrix,
    cross: FloatMatrix,
    start: int,
    stop: int,
    steps: int,
    out: FloatMatrix,
) -> None:
    """Rows ``start`` to ``stop`` of the least squares.

    Args:
        indptr: (n + 1,) int64 offsets of the rows' entries.
        item: (e,) int32 the other side of each entry.
        confidence: (e,) float64.
        solved: (m, s) numbers of the other side that meet those to be solved.
        met: (m, g) numbers of the other side that meet the known ones.
        theirs: (n, g) the known numbers.
        square: (s, s) Gram matrix of ``solved``, with the penalty.
        cross: (s, g) product of ``solved`` and ``met``.
        start: first row.
        stop: one past the last row.
        steps: of conjugate gradient; 0 = exact.
        out: (n, s) filled; holds where the steps begin.
    """
    size, given = solved.shape[1], met.shape[1]
    for row in range(start, stop):
        first, count = indptr[row], indptr[row + 1] - indptr[row]
        taken, weighted = np.empty((count, size)), np.empty((count, size))
        right = np.zeros(size)
        for one in range(given):
            for place in range(size):
                right[place] -= cross[place, one] * theirs[row, one]
        for entry in range(count):
            other, weight = item[first + entry], confidence[first + entry]
            reached = 0.0
            for one in range(given):
                reached += met[other, one] * theirs[row, one]
            for place in range(size):
                taken[entry, place] = solved[other, place]
                weighted[entry, place] = (weight - 1) * solved[other, place]
                right[place] += (weight - (weight - 1) * reached) * solved[other, place]
        if steps > 0:
            _towards(square, weighted, taken, right, out[row], steps)
        else:
            out[row] = np.linalg.solve(square + np.dot(weighted.T, taken), right)
