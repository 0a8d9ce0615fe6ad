"""Where the points of a beeswarm stand: apart where there are many of a kind, on the line where there are few."""

import numpy as np

from encorec.types import FloatVector

__all__ = ["swarm_places"]

BINS = 100


def swarm_places(values: FloatVector, half_height: float) -> FloatVector:
    """(p,) distance of each point from the middle line, as the shap package sets them: lundberg2018.

    Points of one of 100 bins are stacked to both sides of the line in turn; the fullest bin fills the height.

    Args:
        values: (p,) along the axis, finite.
        half_height: of the fullest bin.

    Example:
        >>> swarm_places(np.array([0.0, 0.0, 0.0, 1.0]), 0.4).round(2).tolist()
        [0.0, 0.36, -0.36, 0.0]
    """
    if not len(values):
        return np.zeros(0)
    span = values.max() - values.min()
    bins = np.round(BINS * (values - values.min()) / (span + 1e-8))
    order = np.argsort(bins, kind="stable")
    ordered = bins[order]
    layer = np.arange(len(ordered)) - np.searchsorted(ordered, ordered)
    places = np.empty(len(values))
    places[order] = np.where(layer % 2 == 1, (layer + 1) // 2, -(layer // 2))
    most = np.abs(places).max()
    return places * (0.9 * half_height / most) if most > 0 else np.zeros(len(values))
