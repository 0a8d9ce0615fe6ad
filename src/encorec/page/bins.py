"""Where the bins of a histogram begin and end."""

import numpy as np

from encorec.types import FloatVector

__all__ = ["bin_edges"]

_COARSE = 8  # so many doublings show a shape; where there are fewer, bins begin between them as well


def bin_edges(values: FloatVector, bins: int, *, ratio: bool) -> FloatVector:
    """(b + 1,) edges around all values; a bin of whole numbers holds whole numbers only.

    Args:
        values: (n,) finite; positive for ``ratio``.
        bins: number of them at most.
        ratio: equal ratios instead of equal widths; of whole numbers 1, 2 to 3, 4 to 7, 8 to 15 and so on.

    Example:
        >>> bin_edges(np.array([1.0, 50.0]), 30, ratio=True).tolist()
        [1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0, 24.0, 32.0, 48.0, 64.0]
        >>> bin_edges(np.array([1.0, 5.0]), 3, ratio=False).tolist()
        [0.5, 2.5, 4.5, 6.5]
    """
    if not len(values):
        return np.array([0.0, 1.0])
    low, high = float(values.min()), float(values.max())
    whole = bool(np.all(values == np.floor(values)))
    if ratio and whole:
        return _doublings(low, high, bins)
    if ratio:
        return np.geomspace(low, max(high, low * 1.01) * 1.0001, bins + 1)
    if whole:
        step = np.ceil((high - low + 1) / bins)
        return low - 0.5 + step * np.arange(np.ceil((high - low + 1) / step) + 1)
    return np.linspace(low, high if high > low else low + 1, bins + 1)


def _doublings(low: float, high: float, bins: int) -> FloatVector:
    """1, 2, 4, 8 and so on around ``low`` and ``high``, with 3, 6, 12 between where there are few."""
    edges = 2.0 ** np.arange(np.floor(np.log2(low)), np.floor(np.log2(high)) + 2)
    if len(edges) < _COARSE:
        edges = np.sort(np.concatenate([edges, 1.5 * edges[(edges > 1) & (edges <= high)]]))
        edges = edges[np.searchsorted(edges, low, side="right") - 1 : np.searchsorted(edges, high, side="right") + 1]
    step = -(-(len(edges) - 1) // bins)
    return edges if step == 1 else np.unique(np.append(edges[::step], edges[-1]))
