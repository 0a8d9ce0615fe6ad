"""What the logged action and the target policy would earn: a linear model of contexts and actions, cross-fitted."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import sparse

from encorec.config import Config, bounded
from encorec.errors import ConfigError, DataError
from encorec.types import FloatMatrix, FloatVector, IntVector

__all__ = ["RewardDesign", "RewardModelConfig", "cross_fitted"]

_SCORES_AT_ONCE = 1 << 22


class RewardModelConfig(Config):
    """A model of the reward by context and action, main effects and their pairs.

    Args:
        kind: ``ridge`` for any reward, ``logistic`` for rewards of 0 and 1.
        folds: every row is judged by a model that has not seen its fold; rows of one cluster share a fold.
        reg: of all coefficients but the intercept, in units of rows.

    Example:
        >>> RewardModelConfig(kind="logistic").folds
        5
    """

    kind: Literal["ridge", "logistic"] = "ridge"
    folds: int = 5
    reg: float = 3.0

    def __post_init__(self) -> None:
        bounded(self, folds=(2, 100), reg=(1e-6, 1e9))


@dataclass(frozen=True)
class RewardDesign:
    """What the model sees.

    Args:
        context: (n, p) float64 sparse features of each row.
        action: (n,) int64 logged action.
        actions: number of actions, those that are never logged among them.

    Example:
        >>> RewardDesign(sparse.csr_array(np.ones((2, 1))), np.array([0, 1]), actions=2).matrix(np.arange(2)).shape
        (2, 5)
    """

    context: sparse.csr_array
    action: IntVector
    actions: int

    @property
    def width(self) -> int:
        """Number of context features."""
        return int(self.context.shape[1])  # pyright: ignore[reportOptionalSubscript]

    def matrix(self, rows: IntVector) -> sparse.csr_array:
        """(m, p + a + p a) features of some rows: contexts, actions, and every pair of them."""
        context, action = self.context[rows], self.action[rows]
        one_hot = sparse.csr_array((np.ones(len(rows)), (np.arange(len(rows)), action)), (len(rows), self.actions))
        lengths = np.diff(context.indptr)
        column = context.indices + np.repeat(action, lengths) * self.width
        pairs = sparse.csr_array((context.data, column, context.indptr), (len(rows), self.width * self.actions))
        return sparse.csr_array(sparse.hstack([context, one_hot, pairs], format="csr"))


@dataclass(frozen=True)
class _Fitted:
    """One model: the score of a row and an action is ``context @ slope[:, action] + level[action]``."""

    slope: FloatMatrix
    level: FloatVector
    logistic: bool

    @classmethod
    def of(cls, coefficients: FloatVector, intercept: float, width: int, actions: int, *, logistic: bool) -> "_Fitted":
        main, levels, pairs = np.split(coefficients, [width, width + actions])
        slope = main[:, None] + pairs.reshape(actions, width).T
        return cls(slope, intercept + levels, logistic)

    def scores(self, context: sparse.csr_array) -> FloatMatrix:
        """(m, a) float64 expected rewards of all actions."""
        linear = np.asarray(context @ self.slope) + self.level
        return _sigmoid(linear) if self.logistic else linear


def cross_fitted(
    config: RewardModelConfig,
    design: RewardDesign,
    reward: FloatVector,
    fold: IntVector,
    expect: Callable[[IntVector, FloatMatrix], FloatVector],
    weight: FloatVector | None = None,
) -> tuple[FloatVector, FloatVector]:
    """What the model says of every row's logged action (n,) and of the target policy (n,), out of its fold.

    Args:
        config: of the model.
        design: features.
        reward: (n,) float64.
        fold: (n,) int64 below ``config.folds``.
        expect: rows (m,) and scores (m, a) of all actions -> (m,) what the target policy expects.
        weight: (n,) float64 of the rows in the fit; none = 1 each.

    Raises:
        ConfigError: a logistic model of rewards that are not 0 and 1.
        DataError: fewer than two folds have rows.

    Example:
        >>> design = RewardDesign(sparse.csr_array((4, 0)), np.array([0, 1, 0, 1]), actions=2)
        >>> reward, fold = np.array([1.0, 0.0, 1.0, 0.0]), np.array([0, 0, 1, 1])
        >>> q, v = cross_fitted(RewardModelConfig(folds=2, reg=1e-6), design, reward, fold, lambda rows, all: all[:, 0])
        >>> q.round(3).tolist(), v.round(3).tolist()
        ([1.0, 0.0, 1.0, 0.0], [1.0, 1.0, 1.0, 1.0])
    """
    if config.kind == "logistic" and not np.isin(reward, (0, 1)).all():
        raise ConfigError("a logistic reward model needs rewards of 0 and 1; take the kind ridge")
    present = np.unique(fold)
    if len(present) < 2:
        raise DataError("the reward model needs two requests or rows at least, to learn from one what the other earns")
    weight = np.ones(len(reward)) if weight is None else weight
    q, v = np.empty(len(reward)), np.empty(len(reward))
    at_once = max(1, _SCORES_AT_ONCE // max(design.actions, 1))
    for one in present.tolist():
        model = _fit(config, design, reward, weight, np.flatnonzero(fold != one))
        mine = np.flatnonzero(fold == one)
        for start in range(0, len(mine), at_once):
            rows = mine[start : start + at_once]
            scores = model.scores(design.context[rows])
            q[rows] = scores[np.arange(len(rows)), design.action[rows]]
            v[rows] = expect(rows, scores)
    return q, v


def _fit(
    config: RewardModelConfig, design: RewardDesign, reward: FloatVector, weight: FloatVector, rows: IntVector
) -> _Fitted:
    matrix, y, w = design.matrix(rows), reward[rows], weight[rows]
    total = float(w.sum())
    w = w * (len(rows) / total) if total > 0 else np.ones(len(rows))
    mean = float(np.average(y, weights=w))
    solve = _logistic if config.kind == "logistic" else _ridge
    coefficients, intercept = solve(matrix, y, w, mean, config.reg)
    return _Fitted.of(coefficients, intercept, design.width, design.actions, logistic=config.kind == "logistic")


def _ridge(
    matrix: sparse.csr_array, y: FloatVector, w: FloatVector, mean: float, reg: float
) -> tuple[FloatVector, float]:
    from scipy.sparse.linalg import lsqr

    root = np.sqrt(w)
    scaled = sparse.csr_array(sparse.diags_array(root) @ matrix)
    found = lsqr(scaled, root * (y - mean), damp=np.sqrt(reg), atol=1e-10, btol=1e-10, iter_lim=1000)
    return found[0], mean  # hoerl1970


def _logistic(
    matrix: sparse.csr_array, y: FloatVector, w: FloatVector, mean: float, reg: float
) -> tuple[FloatVector, float]:
    from scipy.optimize import minimize

    turned = sparse.csr_array(matrix.T)

    def loss(x: FloatVector) -> tuple[float, FloatVector]:
        linear = matrix @ x[1:] + x[0]
        residual = w * (_sigmoid(linear) - y)
        value = float(np.sum(w * (np.logaddexp(0, linear) - y * linear)) + reg / 2 * np.sum(x[1:] ** 2))
        return value, np.concatenate([[residual.sum()], turned @ residual + reg * x[1:]])

    bounded_mean = min(max(mean, 1e-6), 1 - 1e-6)
    start = np.zeros(matrix.shape[1] + 1)  # pyright: ignore[reportOptionalSubscript]
    start[0] = np.log(bounded_mean / (1 - bounded_mean))
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 500})
    return found.x[1:], float(found.x[0])


def _sigmoid(linear: FloatMatrix) -> FloatMatrix:
    return np.exp(-np.logaddexp(0, -linear))
