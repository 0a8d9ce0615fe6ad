"""From a ranker's scores to probabilities: learnt maps that never change an order."""

from collections.abc import Mapping
from typing import Any, Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from encorec.errors import DataError
from encorec.protocols import Arrays
from encorec.ranking.isotonic import IsotonicCalibration
from encorec.ranking.platt import PlattCalibration
from encorec.types import FloatVector

__all__ = ["Calibration", "CalibrationKind", "fit_calibration", "restore_calibration"]

CalibrationKind: TypeAlias = Literal["none", "isotonic", "platt"]
_MAPS = {"isotonic": IsotonicCalibration, "platt": PlattCalibration}


class Calibration(Protocol):
    """A non-decreasing map from scores to probabilities."""

    def probability(self, score: FloatVector) -> FloatVector:
        """(any shape) float64 probabilities; NaN where the score is NaN."""
        ...

    def arrays(self) -> Arrays:
        """Everything learnt, as named arrays."""
        ...


def fit_calibration(
    kind: CalibrationKind, score: FloatVector, label: FloatVector, weight: FloatVector | None = None
) -> Calibration | None:
    """Learn the map from rows that the scores were not learnt from.

    Where rows were drawn with a known chance, one that stands for w rows has the weight w: then the probabilities
    are those of the rows before the draw (king2001, weighting).

    Args:
        kind: which map; "none" gives none.
        score: (r,) raw scores; NaN are left out.
        label: (r,) above 0 = taken.
        weight: (r,) positive; none = 1 each.

    Raises:
        DataError: no row with a finite score.

    Example:
        >>> score, taken = np.repeat([0.0, 1.0], 200), np.tile([0, 0, 0, 1], 100)
        >>> found = fit_calibration("platt", score, taken, np.where(taken == 1, 1.0, 5.0))
        >>> found.probability(np.array([0.5, 1.0])).round(3).tolist()
        [0.063, 0.063]
    """
    if kind == "none":
        return None
    known = np.isfinite(score)
    if not known.any():
        raise DataError(f"calibration: none of {len(score)} rows has a finite score")
    weights = np.ones(len(score)) if weight is None else np.asarray(weight, np.float64)
    taken = (np.asarray(label) > 0).astype(np.float64)
    return _MAPS[kind].fit(np.asarray(score, np.float64)[known], taken[known], weights[known])


def restore_calibration(kind: CalibrationKind, arrays: Mapping[str, NDArray[Any]]) -> Calibration | None:
    """The map that ``arrays()`` was taken from; none where nothing was kept.

    Args:
        kind: which map.
        arrays: of the map.

    Raises:
        ArtifactError: arrays that are no such map.

    Example:
        >>> restore_calibration("platt", {"curve": np.array([1.0, 0.0])}).probability(np.array([0.0])).tolist()
        [0.5]
    """
    return None if kind == "none" or not arrays else _MAPS[kind].from_arrays(arrays)
