"""What each feature added to a score: complete, so that the parts of a row add up to what the ranker gave."""

from typing import Any, Protocol, runtime_checkable

import numpy as np

from encorec.types import FloatMatrix, FloatVector

__all__ = ["Dividing", "contributions_of", "told_contributions"]


@runtime_checkable
class Dividing(Protocol):
    """A ranker whose scores can be taken apart.

    Example:
        >>> isinstance(object(), Dividing)
        False
    """

    def contributions(self, features: FloatMatrix) -> FloatMatrix:
        """(m, features) float32 -> (m, features + 1) parts of each score; the last column is the average."""
        ...


def contributions_of(ranker: Any, features: FloatMatrix) -> FloatMatrix | None:
    """(m, features + 1) float64 parts of the scores of m rows; none where there are no rows or they cannot be had.

    Args:
        ranker: fitted, or none.
        features: (m, F) float32.

    Example:
        >>> contributions_of(None, np.zeros((1, 2), np.float32)) is None
        True
    """
    if not isinstance(ranker, Dividing) or not len(features):
        return None
    return np.asarray(ranker.contributions(features), np.float64)


def told_contributions(names: tuple[str, ...], parts: FloatVector, most: int) -> dict[str, Any]:
    """The parts of one score for people to read: local accuracy (lundberg2018) holds to the last digit.

    Args:
        names: of the F features.
        parts: (F + 1,) what each feature added, and the average.
        most: features that are named.

    Returns:
        ``base`` + the sum of ``contributions`` (largest first) + ``others`` = ``raw_score``.

    Example:
        >>> told_contributions(("age", "rank"), np.array([0.25, -0.5, 1.0]), 1)
        {'base': 1.0, 'contributions': {'rank': -0.5}, 'others': 0.25, 'raw_score': 0.75}
    """
    own = parts[:-1]
    order = np.argsort(-np.abs(own), kind="stable")
    return {
        "base": float(parts[-1]),
        "contributions": {names[place]: float(own[place]) for place in order[:most]},
        "others": float(own[order[most:]].sum()),
        "raw_score": float(parts.sum()),
    }
