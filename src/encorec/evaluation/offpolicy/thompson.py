"""How often Bernoulli Thompson Sampling puts an action at a position: counted over many draws of its beliefs."""

import numpy as np

from encorec.errors import DataError
from encorec.types import FloatMatrix, FloatVector

__all__ = ["thompson_probabilities"]

_AT_ONCE = 10_000


def thompson_probabilities(
    alpha: FloatVector,
    beta: FloatVector,
    positions: int,
    rng: np.random.Generator | np.random.RandomState,
    *,
    draws: int = 100_000,
) -> FloatMatrix:
    """(actions, positions) float64 shares of the draws in which an action comes out at a position.

    Every action's reward rate is drawn from its Beta distribution; the highest come first.

    Args:
        alpha: (actions,) float64 above 0.
        beta: (actions,) float64 above 0.
        positions: at most the number of actions.
        rng: of the draws; a ``RandomState`` repeats what older programs drew.
        draws: that many lists.

    Raises:
        DataError: parameters not above 0 or of two lengths, or more positions than actions.

    Example:
        >>> sure = thompson_probabilities(np.array([900.0, 1.0]), np.array([1.0, 900.0]), 2, np.random.default_rng(0))
        >>> sure.tolist()
        [[1.0, 0.0], [0.0, 1.0]]
    """
    if alpha.shape != beta.shape or not (np.all(alpha > 0) and np.all(beta > 0)):
        raise DataError("alpha and beta of Thompson Sampling must be of one length and above 0")
    if not 0 < positions <= len(alpha) or draws < 1:
        raise DataError(f"{positions} positions and {draws} draws of {len(alpha)} actions; give 1 or more of each")
    counts = np.zeros((len(alpha), positions))
    for start in range(0, draws, _AT_ONCE):
        rates = rng.beta(alpha, beta, size=(min(_AT_ONCE, draws - start), len(alpha)))  # chapelle2011
        order = np.argsort(rates, axis=1)[:, ::-1][:, :positions]
        for position in range(positions):
            counts[:, position] += np.bincount(order[:, position], minlength=len(alpha))
    return counts / draws
