"""Estimators of what a whole slate earns: the target policy shows other slates than the logged ones.

Everywhere ``weight`` is (n, k) float64: at each position, the target's probability of the logged item given the items
above it, over the logged one; ``reward`` is (n, k) float64; positions that a slate does not have hold weight 1 and
reward 0. What a slate adds is one row of ``Terms``.
"""

import numpy as np

from encorec.evaluation.offpolicy.terms import Terms
from encorec.types import FloatMatrix, FloatVector

__all__ = ["cascade_dr", "independent_ips", "reward_interaction_ips", "standard_ips"]


def standard_ips(weight: FloatMatrix, reward: FloatMatrix) -> Terms:
    """SIPS: the weight of the whole slate times all that it earned; right whatever users do, of huge variance.

    Args:
        weight: (n, k) float64 of the item at its position, given those above it.
        reward: (n, k) float64.

    Example:
        >>> standard_ips(np.array([[2.0, 0.5], [0.0, 1.0]]), np.array([[1.0, 1.0], [1.0, 0.0]])).totals().value
        1.0
    """
    return _per_slate(weight.prod(axis=1) * reward.sum(axis=1))  # swaminathan2017


def independent_ips(weight: FloatMatrix, reward: FloatMatrix) -> Terms:
    """IIPS: each position by its own weight; right if what an item earns depends on nothing but item and position.

    Args:
        weight: (n, k) float64 of the marginal probabilities: item at position, whatever stands above it.
        reward: (n, k) float64.

    Example:
        >>> independent_ips(np.array([[2.0, 0.5], [0.0, 1.0]]), np.array([[1.0, 1.0], [1.0, 0.0]])).totals().value
        1.25
    """
    return _per_slate((weight * reward).sum(axis=1))  # li2018


def reward_interaction_ips(weight: FloatMatrix, reward: FloatMatrix) -> Terms:
    """RIPS: each position by the weight of the list down to it; right if users read from the top.

    Args:
        weight: (n, k) float64 of the item at its position, given those above it.
        reward: (n, k) float64.

    Example:
        >>> rewards = np.array([[1.0, 1.0], [1.0, 0.0]])
        >>> reward_interaction_ips(np.array([[2.0, 0.5], [0.0, 1.0]]), rewards).totals().value
        1.5
    """
    return _per_slate((weight.cumprod(axis=1) * reward).sum(axis=1))  # mcinerney2020


def cascade_dr(weight: FloatMatrix, reward: FloatMatrix, q: FloatMatrix, v: FloatMatrix) -> Terms:
    """Cascade-DR: RIPS around a reward model of the rest of the slate; without bias where RIPS is.

    Args:
        weight: (n, k) float64.
        reward: (n, k) float64.
        q: (n, k) float64 what the model expects of the logged item and all below it.
        v: (n, k) float64 the same if the target policy chooses from this position on.

    Example:
        >>> weight, reward = np.array([[2.0, 0.5], [0.0, 1.0]]), np.array([[1.0, 1.0], [1.0, 0.0]])
        >>> nothing = np.zeros((2, 2))
        >>> cascade_dr(weight, reward, nothing, nothing).totals().value
        1.5
    """
    down_to = weight.cumprod(axis=1)
    above = np.column_stack([np.ones(len(weight)), down_to[:, :-1]])
    return _per_slate((down_to * (reward - q) + above * v).sum(axis=1))  # kiyohara2022


def _per_slate(earned: FloatVector) -> Terms:
    return Terms(np.zeros(len(earned)), earned, np.ones(len(earned)))
