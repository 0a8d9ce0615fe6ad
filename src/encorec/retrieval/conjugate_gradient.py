"""A few steps towards the solution of linear equations: what a query's vector gets where training took such steps."""

import numpy as np

from encorec.types import FloatMatrix, FloatVector

__all__ = ["stepped"]

SMALLEST = 1e-20  # squared length of a rest that counts as none


def stepped(square: FloatMatrix, right: FloatVector, steps: int, other: FloatVector | None = None) -> FloatVector:
    """(s,) float64 after so many steps from zero; they are a polynomial in ``square`` applied to ``right``.

    Source: hestenes1952.

    Args:
        square: (s, s) symmetric, positive definite.
        right: (s,) right side; it decides the polynomial.
        steps: how many; fewer where nothing is left.
        other: (s,) vector that the same polynomial is applied to, in place of ``right``: the inner product of the
            answer with ``right`` is that of ``other`` with the solution.

    Example:
        >>> square, right = np.array([[2.0, 0.0], [0.0, 1.0]]), np.array([2.0, 3.0])
        >>> stepped(square, right, 2).round(6).tolist()
        [1.0, 3.0]
        >>> other = np.array([1.0, 0.0])
        >>> bool(np.isclose(stepped(square, right, 1, other) @ right, other @ stepped(square, right, 1)))
        True
    """
    rest = np.asarray(right, np.float64)
    left = rest if other is None else np.asarray(other, np.float64)
    way, turn, found = rest, left, np.zeros_like(left)
    before = rest @ rest
    for _ in range(steps):
        if before < SMALLEST:
            break
        turned = square @ way
        length = before / (way @ turned)
        found = found + length * turn
        rest, left = rest - length * turned, left - length * (square @ turn)
        after = rest @ rest
        way, turn = rest + (after / before) * way, left + (after / before) * turn
        before = after
    return found
