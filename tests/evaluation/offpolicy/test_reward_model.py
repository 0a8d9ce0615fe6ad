"""The reward model against normal equations and a general optimiser, and that nobody judges himself."""

import numpy as np
import pytest
from scipy import optimize, sparse

from encorec.evaluation.offpolicy.reward_model import RewardDesign, RewardModelConfig, cross_fitted
from encorec.types import FloatMatrix, FloatVector, IntVector


def generated(seed: int) -> tuple[RewardDesign, FloatVector, IntVector, FloatVector]:
    rng = np.random.default_rng(seed)
    context = sparse.csr_array(rng.random((60, 2)) * (rng.random((60, 2)) < 0.7))
    design = RewardDesign(context, rng.integers(0, 3, 60), 3)
    return design, (rng.random(60) < 0.4).astype(float), rng.integers(0, 3, 60), rng.gamma(2.0, size=60)


def dense(design: RewardDesign, action: int) -> FloatMatrix:
    """Features of every row as if ``action`` had been taken, written out."""
    rows = []
    for context in design.context.toarray():
        pairs = np.zeros((design.actions, len(context)))
        pairs[action] = context
        rows.append([*context, *np.eye(design.actions)[action], *pairs.ravel()])
    return np.array(rows)


@pytest.mark.parametrize("kind", ["ridge", "logistic"])
def test_values_equal_a_slow_twin(kind: str) -> None:
    design, reward, fold, weight = generated(1)
    config = RewardModelConfig(kind=kind, folds=3, reg=2.0)  # pyright: ignore[reportArgumentType]
    q, v = cross_fitted(config, design, reward, fold, lambda _, scores: scores @ np.array([0.2, 0.3, 0.5]), weight)
    tables = [dense(design, action) for action in range(3)]
    mine = np.array([tables[action][row] for row, action in enumerate(design.action)])
    for one in range(3):
        rows, there = fold != one, fold == one
        w = weight[rows] * rows.sum() / weight[rows].sum()
        scores = np.column_stack([slow_scores(kind, mine[rows], reward[rows], w, table) for table in tables])[there]
        expected = scores[np.arange(there.sum()), design.action[there]]
        assert q[there] == pytest.approx(expected, abs=2e-4)
        assert v[there] == pytest.approx(scores @ np.array([0.2, 0.3, 0.5]), abs=2e-4)


def slow_scores(kind: str, seen: FloatMatrix, y: FloatVector, w: FloatVector, asked: FloatMatrix) -> FloatVector:
    if kind == "ridge":
        mean = np.average(y, weights=w)
        inner = seen.T @ (seen * w[:, None]) + 2.0 * np.eye(seen.shape[1])
        return asked @ np.linalg.solve(inner, seen.T @ (w * (y - mean))) + mean

    def loss(x: FloatVector) -> float:
        linear = seen @ x[1:] + x[0]
        return float(np.sum(w * (np.logaddexp(0, linear) - y * linear)) + np.sum(x[1:] ** 2))

    x = optimize.minimize(loss, np.zeros(seen.shape[1] + 1), method="BFGS").x
    return 1 / (1 + np.exp(-(asked @ x[1:] + x[0])))


def test_a_row_does_not_see_its_own_reward() -> None:
    design, reward, fold, _ = generated(2)
    config = RewardModelConfig(folds=3)
    q, _ = cross_fitted(config, design, reward, fold, lambda _, scores: scores[:, 0])
    changed, _ = cross_fitted(config, design, np.where(fold == 0, 9.0, reward), fold, lambda _, scores: scores[:, 0])
    assert changed[fold == 0].tolist() == q[fold == 0].tolist()
    assert not np.allclose(changed[fold == 1], q[fold == 1])
