"""The log as the estimators see it: weights, rewards and a reward model row by row, slates as tables."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from encorec.evaluation.frames.numbering import distinct, rows_of
from encorec.evaluation.offpolicy.features import context_features
from encorec.evaluation.offpolicy.log_table import LogTable
from encorec.evaluation.offpolicy.policy_table import TargetPolicy
from encorec.evaluation.offpolicy.reward_model import RewardDesign, RewardModelConfig, cross_fitted
from encorec.types import FloatMatrix, FloatVector, IntVector, ragged_positions

__all__ = ["ModelValues", "SlateGrid", "model_values", "slate_grid"]


@dataclass(frozen=True)
class ModelValues:
    """What a reward model says.

    Args:
        q: (n,) float64 of the logged action.
        v: (n,) float64 of the target policy in the same context.
        knows_actions: false if the model tells contexts apart only; then ``v`` is ``q``, which corrects but predicts
            nothing of the target.

    Example:
        >>> ModelValues(np.array([0.5]), np.array([0.6])).knows_actions
        True
    """

    q: FloatVector
    v: FloatVector
    knows_actions: bool = True


@dataclass(frozen=True)
class SlateGrid:
    """Where each row of a log stands among slates and positions.

    Args:
        slate: (n,) int64.
        place: (n,) int64.
        shape: slates and positions.

    Example:
        >>> grid = SlateGrid(np.array([0, 0, 1]), np.array([0, 1, 0]), (2, 2))
        >>> grid.laid_out(np.array([3.0, 4.0, 5.0]), 1.0).tolist()
        [[3.0, 4.0], [5.0, 1.0]]
    """

    slate: IntVector
    place: IntVector
    shape: tuple[int, int]

    def laid_out(self, values: FloatVector, missing: float) -> FloatMatrix:
        """(slates, positions) float64 with ``missing`` where a slate has no row."""
        table = np.full(self.shape, missing)
        table[self.slate, self.place] = values
        return table


def slate_grid(log: LogTable) -> SlateGrid | None:
    """Slates of a log with requests and positions; none for another one.

    Example:
        >>> import polars as pl
        >>> from encorec.evaluation.offpolicy.log_table import read_log
        >>> rows = {"action": ["a"], "reward": [1], "propensity": [0.5], "position": [1]}
        >>> slate_grid(read_log(pl.DataFrame({**rows, "request_id": [7]}))).shape
        (1, 1)
    """
    if not log.slates or log.cluster is None or log.position is None:
        return None
    places, place = np.unique(log.position, return_inverse=True)
    return SlateGrid(log.cluster, place, (int(log.cluster.max()) + 1, len(places)))


def model_values(
    config: RewardModelConfig,
    log: LogTable,
    policy: TargetPolicy | None,
    rng: np.random.Generator,
    *,
    weight: FloatVector | None = None,
    with_rest: bool = False,
) -> ModelValues:
    """The model's values of every row, fitted to the other folds.

    Args:
        config: of the model.
        log: what it learns from.
        policy: the target; none = known of the logged actions only, and the model tells contexts apart only.
        rng: deals clusters out to folds.
        weight: (n,) float64 of the rows in the fit; none = 1 each.
        with_rest: a row's reward is that of its position and all below it, the target choosing there; one model per
            position.

    Example:
        >>> import polars as pl
        >>> from encorec.evaluation.offpolicy.log_table import read_log
        >>> log = read_log(pl.DataFrame({"action": ["a", "b"] * 4, "reward": [1, 0] * 4, "propensity": [0.5] * 8}))
        >>> found = model_values(RewardModelConfig(reg=1e-6), log, None, np.random.default_rng(0))
        >>> found.knows_actions, found.q.tolist() == found.v.tolist()
        (False, True)
    """
    clusters = np.arange(len(log)) if log.cluster is None else log.cluster
    fold = (rng.permutation(int(clusters.max()) + 1) % config.folds)[clusters]
    design, expect = _design(log, policy)
    grid = slate_grid(log) if with_rest else None
    if grid is None:
        q, v = cross_fitted(config, design, log.reward, fold, expect, weight)
        return ModelValues(q, v, policy is not None)
    return _from_the_last(config, log, grid, design, expect, fold)


def _design(
    log: LogTable, policy: TargetPolicy | None
) -> tuple[RewardDesign, Callable[[IntVector, FloatMatrix], FloatVector]]:
    sheet = log.source.sheet
    placed = [*log.context, *(["position"] if log.position is not None else [])]
    context = context_features(sheet, placed)
    if policy is None:
        alone = np.zeros(len(log), np.int64)
        return RewardDesign(context, alone, 1), lambda _, scores: scores[:, 0]
    known = distinct(log.action, policy.action)
    code = rows_of(policy.action, known).astype(np.int64)

    def expect(rows: IntVector, scores: FloatMatrix) -> FloatVector:
        cell = policy.cell[rows]
        lengths = policy.starts[cell + 1] - policy.starts[cell]
        at = ragged_positions(policy.starts[cell], lengths)
        row = np.repeat(np.arange(len(rows)), lengths)
        expected = np.bincount(row, policy.probability[at] * scores[row, code[at]], minlength=len(rows))
        return expected.astype(np.float64)

    return RewardDesign(context, rows_of(log.action, known).astype(np.int64), len(known)), expect


def _from_the_last(
    config: RewardModelConfig,
    log: LogTable,
    grid: SlateGrid,
    design: RewardDesign,
    expect: Callable[[IntVector, FloatMatrix], FloatVector],
    fold: IntVector,
) -> ModelValues:
    """Position by position from the last: the reward there and what the target is expected to earn below it."""
    q, v = np.zeros(len(log)), np.zeros(len(log))
    below = np.zeros(grid.shape[0])
    for place in range(grid.shape[1] - 1, -1, -1):
        rows = np.flatnonzero(grid.place == place)
        slate = grid.slate[rows]
        part = RewardDesign(design.context[rows], design.action[rows], design.actions)
        here = partial(_expected_among, expect, rows)
        q[rows], v[rows] = cross_fitted(config, part, log.reward[rows] + below[slate], fold[rows], here)
        below[slate] = v[rows]
    return ModelValues(q, v)


def _expected_among(
    expect: Callable[[IntVector, FloatMatrix], FloatVector], among: IntVector, rows: IntVector, scores: FloatMatrix
) -> FloatVector:
    """What is expected of rows that are counted among others."""
    return expect(among[rows], scores)
