"""The layers of ``encorec.nn.layers`` as numpy computes them, for one query, in float32."""

import numpy as np

from encorec.protocols import Arrays
from encorec.types import FloatMatrix, FloatVector

__all__ = ["normed", "residual", "softmax"]

FLAT = np.float32(1e-5)  # added to a variance, as torch does


def normed(x: FloatMatrix, scale: FloatVector, shift: FloatVector) -> FloatMatrix:
    """Every row to mean 0 and variance 1, then scaled and shifted: ba2016.

    Args:
        x: (m, size) float32.
        scale: (size,) float32.
        shift: (size,) float32.

    Example:
        >>> one, zero = np.ones(2, np.float32), np.zeros(2, np.float32)
        >>> normed(np.array([[0, 2]], np.float32), one, zero).round(3).tolist()
        [[-1.0, 1.0]]
    """
    share = np.float32(1 / x.shape[1])
    centred = x - x.sum(axis=1, keepdims=True) * share
    variance = np.einsum("ij,ij->i", centred, centred)[:, None] * share
    return centred / np.sqrt(variance + FLAT) * scale + shift


def residual(x: FloatMatrix, learnt: Arrays, name: str, block: int) -> FloatMatrix:
    """``x + second(relu(first(norm(x))))`` with the arrays ``name_...`` of this block.

    Args:
        x: (m, size) float32.
        learnt: arrays (blocks, ...) named ``name_norm_scale``, ``name_first_weight`` and so on.
        name: what their names begin with.
        block: which.

    Example:
        >>> parts = ("norm_scale", "norm_shift", "first_bias", "second_bias")
        >>> learnt = {f"a_{part}": np.zeros((1, 2), np.float32) for part in parts}
        >>> learnt |= {f"a_{part}_weight": np.zeros((1, 2, 2), np.float32) for part in ("first", "second")}
        >>> residual(np.ones((1, 2), np.float32), learnt, "a", 0).tolist()
        [[1.0, 1.0]]
    """
    y = normed(x, learnt[f"{name}_norm_scale"][block], learnt[f"{name}_norm_shift"][block])
    y = np.maximum(y @ learnt[f"{name}_first_weight"][block] + learnt[f"{name}_first_bias"][block], 0)
    return x + (y @ learnt[f"{name}_second_weight"][block] + learnt[f"{name}_second_bias"][block])


def softmax(x: FloatMatrix) -> FloatMatrix:
    """Positive numbers that sum to 1 along the last axis; ``-inf`` becomes 0.

    Example:
        >>> softmax(np.array([0, 0, -np.inf], np.float32)).tolist()
        [0.5, 0.5, 0.0]
    """
    raised = np.exp(x - x.max(axis=-1, keepdims=True))
    return raised / raised.sum(axis=-1, keepdims=True)
