"""The estimators of a policy's value from the log of another one, each as what every row adds to it.

Everywhere ``weight`` is (n,) float64, the target's probability of the logged action over the logged one; ``reward`` is
(n,) float64; ``q`` is (n,) float64, what a reward model says of the logged action; ``v`` is (n,) float64, what it says
of the target policy in that row's context.
"""

import numpy as np

from encorec.evaluation.offpolicy.terms import Terms
from encorec.types import FloatVector

__all__ = ["clipped_ips", "direct", "doubly_robust", "dros", "ips", "self_normalised_dr", "snips", "switch_dr"]


def ips(weight: FloatVector, reward: FloatVector) -> Terms:
    """Inverse propensity scoring: the mean of w r; without bias, of large variance.

    Args:
        weight: (n,) float64 target probability over logged one.
        reward: (n,) float64.

    Example:
        >>> ips(np.array([2.0, 0.0]), np.array([1.0, 1.0])).totals().value
        1.0
    """
    return _plain(np.zeros(len(reward)), weight * reward)  # horvitz1952


def clipped_ips(weight: FloatVector, reward: FloatVector, clip: float) -> Terms:
    """IPS whose weights are cut at ``clip``: less variance, and too low for rewards above 0.

    Args:
        weight: (n,) float64 target probability over logged one.
        reward: (n,) float64.
        clip: largest weight.

    Example:
        >>> clipped_ips(np.array([4.0, 0.0]), np.array([1.0, 1.0]), clip=3.0).totals().value
        1.5
    """
    return _plain(np.zeros(len(reward)), np.minimum(weight, clip) * reward)  # bottou2013


def snips(weight: FloatVector, reward: FloatVector) -> Terms:
    """Self-normalised IPS: the sum of w r over the sum of w; it moves with the rewards and stays between them.

    Args:
        weight: (n,) float64 target probability over logged one.
        reward: (n,) float64.

    Example:
        >>> snips(np.array([3.0, 1.0]), np.array([1.0, 0.0])).totals().value
        0.75
    """
    return Terms(np.zeros(len(reward)), weight * reward, weight)  # swaminathan2015


def direct(v: FloatVector) -> Terms:
    """The direct method: the reward model is believed, so its bias is the bias of the estimate.

    Args:
        v: (n,) float64 what the model expects of the target policy.

    Example:
        >>> direct(np.array([0.25, 0.75])).totals().value
        0.5
    """
    return _plain(v, np.zeros(len(v)))  # dudik2014


def doubly_robust(weight: FloatVector, reward: FloatVector, q: FloatVector, v: FloatVector) -> Terms:
    """The reward model, corrected by the weighted residuals; without bias whatever the model says.

    Example:
        >>> weight, reward, half = np.array([2.0, 0.0]), np.array([1.0, 1.0]), np.array([0.5, 0.5])
        >>> doubly_robust(weight, reward, half, half).totals().value
        1.0
    """
    return _plain(v, weight * (reward - q))  # dudik2014


def self_normalised_dr(weight: FloatVector, reward: FloatVector, q: FloatVector, v: FloatVector) -> Terms:
    """Doubly robust with the correction over the sum of the weights.

    Example:
        >>> weight, reward, half = np.array([3.0, 1.0]), np.array([1.0, 0.0]), np.array([0.5, 0.5])
        >>> self_normalised_dr(weight, reward, half, half).totals().value
        0.75
    """
    return Terms(v, weight * (reward - q), weight)  # thomas2016


def switch_dr(weight: FloatVector, reward: FloatVector, q: FloatVector, v: FloatVector, tau: float) -> Terms:
    """Doubly robust where the weight is at most ``tau``; the reward model alone elsewhere.

    Example:
        >>> weight, reward, half = np.array([4.0, 1.0]), np.array([1.0, 1.0]), np.array([0.5, 0.5])
        >>> switch_dr(weight, reward, half, half, tau=2.0).totals().value
        0.75
    """
    return _plain(v, np.where(weight <= tau, weight, 0.0) * (reward - q))  # wang2017


def dros(weight: FloatVector, reward: FloatVector, q: FloatVector, v: FloatVector, lam: float) -> Terms:
    """Doubly robust with optimistic shrinkage: weights w become lam w / (w² + lam); inf leaves them, 0 drops them.

    Example:
        >>> weight, reward, half = np.array([2.0, 0.0]), np.array([1.0, 1.0]), np.array([0.5, 0.5])
        >>> dros(weight, reward, half, half, lam=4.0).totals().value
        0.75
    """
    if np.isinf(lam):
        return doubly_robust(weight, reward, q, v)
    below = np.where(weight > 0, weight**2 + lam, 1.0)
    return _plain(v, lam * weight / below * (reward - q))  # su2020


def _plain(constant: FloatVector, correction: FloatVector) -> Terms:
    return Terms(constant, correction, np.ones(len(constant)))
