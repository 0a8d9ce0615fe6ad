"""How long ago, on a scale that tells seconds from minutes and days from months; without torch."""

import numpy as np

from encorec.types import IntVector

__all__ = ["GAP_BUCKETS", "gap_bucket"]

GAP_BUCKETS = 32


def gap_bucket(seconds: IntVector) -> IntVector:
    """int64 ``floor(log2(1 + seconds))``, at most 31; what lies ahead counts as now.

    Args:
        seconds: of any shape.

    Example:
        >>> gap_bucket(np.array([-5, 0, 1, 2, 86_400])).tolist()
        [0, 0, 1, 1, 16]
    """
    exponent = np.frexp((np.maximum(seconds, 0) + 1).astype(np.float64))[1]
    return np.minimum(exponent - 1, GAP_BUCKETS - 1).astype(np.int64)
