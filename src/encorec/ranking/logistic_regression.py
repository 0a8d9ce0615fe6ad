"""Logistic regression of binned features, with an L2 penalty."""

from collections.abc import Callable

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from encorec.compiled import FLOAT64, INT32, compiled, read, write
from encorec.types import FloatVector, IntMatrix

__all__ = ["fit_logistic"]


def fit_logistic(
    code: IntMatrix,
    size: int,
    taken: FloatVector,
    weight: FloatVector,
    *,
    reg: float,
    max_steps: int,
    told: Callable[[int], None] | None = None,
) -> tuple[FloatVector, float]:
    """Weights of indicator columns that minimise the weighted log loss plus ``reg / 2`` times their squares.

    The minimum is the only one, so the answer does not depend on where L-BFGS (liu1989) began.

    Args:
        code: (r, F) int32 the column that each value sets to 1; every row sets F of them.
        size: number of columns.
        taken: (r,) float64 what is foretold, 0 or 1.
        weight: (r,) float64 of the rows.
        reg: above 0.
        max_steps: of L-BFGS.
        told: hears how many steps are done.

    Returns:
        (size,) float64 weights, and the intercept, which is not penalised.

    Example:
        >>> code, taken = np.array([[0], [0], [1], [1]], np.int32), np.array([0.0, 1.0, 1.0, 1.0])
        >>> weights, intercept = fit_logistic(code, 2, taken, np.ones(4), reg=1e-6, max_steps=100)
        >>> bool(abs(weights[0] + intercept) < 1e-3)
        True
    """
    columns = np.ascontiguousarray(code, np.int32)
    share = np.clip(np.average(taken, weights=weight), 1e-6, 1 - 1e-6)

    def loss(at: FloatVector) -> tuple[float, FloatVector]:
        """Of the weights and the intercept, and its slope; cox1958."""
        odds = np.full(len(columns), at[-1])
        _add_columns(columns, at, odds)
        wrong = weight * (expit(odds) - taken)
        slope = np.zeros(size + 1)
        _add_rows(columns, wrong, slope)
        slope[-1] = wrong.sum()
        slope[:-1] += reg * at[:-1]
        value = float((weight * (np.logaddexp(0, odds) - odds * taken)).sum() + 0.5 * reg * (at[:-1] ** 2).sum())
        return value / len(columns), slope / len(columns)

    steps = iter(range(1, max_steps + 1))
    start = np.append(np.zeros(size), np.log(share / (1 - share)))
    found = minimize(
        loss,
        start,
        jac=True,
        method="L-BFGS-B",
        callback=(lambda _: told(next(steps, max_steps))) if told else None,
        options={"maxiter": max_steps, "maxfun": 4 * max_steps, "ftol": 1e-12, "gtol": 1e-8},
    ).x
    return found[:-1], float(found[-1])


@compiled(read(INT32, 2), read(FLOAT64), write(FLOAT64))
def _add_columns(code: IntMatrix, weight: FloatVector, total: FloatVector) -> None:
    """Add to ``total`` (r,) the weights of the columns that each row sets."""
    for row in range(code.shape[0]):
        for place in range(code.shape[1]):
            total[row] += weight[code[row, place]]


@compiled(read(INT32, 2), read(FLOAT64), write(FLOAT64))
def _add_rows(code: IntMatrix, value: FloatVector, total: FloatVector) -> None:
    """Add to ``total`` (columns,) the values (r,) of the rows that set each column."""
    for row in range(code.shape[0]):
        for place in range(code.shape[1]):
            total[code[row, place]] += value[row]
