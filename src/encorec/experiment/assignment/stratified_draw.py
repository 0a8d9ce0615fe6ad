"""Variants dealt evenly within strata: for populations so small that chance alone would leave them uneven."""

from collections.abc import Sequence

import numpy as np

from encorec.types import FloatVector, IntVector

__all__ = ["deal"]


def deal(stratum: IntVector, bucket: FloatVector, offset: FloatVector, ends: Sequence[float]) -> IntVector:
    """(n,) int16 variant of every unit: those of a stratum take even places in [0, 1), in the order of the buckets.

    A stratum of m units gives a variant of share s either the whole part of m·s units or one more (systematic
    sampling, cochran1977, chapter 8); over the offset, every unit has the variant with probability s.

    Args:
        stratum: (n,) whole numbers from 0.
        bucket: (n,) float64 hash of each unit.
        offset: (strata,) float64 hash of each stratum, in [0, 1): where its first place lies.
        ends: where each variant ends in [0, 1], ascending, the last one at 1.

    Example:
        >>> bucket = np.array([0.9, 0.1, 0.7, 0.3, 0.2, 0.5])
        >>> deal(np.array([0, 0, 1, 0, 1, 0]), bucket, np.array([0.5, 0.5]), [0.5, 1.0]).tolist()
        [1, 0, 1, 0, 0, 1]
    """
    order = np.lexsort((bucket, stratum))
    size = np.bincount(stratum, minlength=len(offset))
    first = np.cumsum(size) - size
    ordered = stratum[order]
    rank = np.arange(len(order)) - first[ordered]
    place = (rank + offset[ordered]) / size[ordered]
    variant = np.empty(len(order), np.int16)
    variant[order] = np.searchsorted(np.asarray(ends[:-1]), place, side="right")
    return variant
