"""Do probabilities keep their word? Of the rows said to be taken with 10 %, were 10 % taken?"""

import msgspec
import numpy as np

from encorec.types import FloatVector

__all__ = ["Reliability", "reliability"]

_CLOSEST = 1e-12


class Reliability(msgspec.Struct, frozen=True, kw_only=True):
    """How far probabilities are from what happened.

    Args:
        rows: judged.
        taken: share of them that was taken.
        predicted: mean probability.
        ece: expected calibration error, bins of equal width.
        log_loss: mean, nats.
        brier: mean squared error.
        bins: (mean probability, share taken, rows) of bins of equally many rows, ascending.

    Example:
        >>> reliability(np.array([0.2, 0.4]), np.array([0, 1]), bins=1).bins
        [(0.30000000000000004, 0.5, 2)]
    """

    rows: int
    taken: float
    predicted: float
    ece: float
    log_loss: float
    brier: float
    bins: list[tuple[float, float, int]]


def reliability(chance: FloatVector, label: FloatVector, *, bins: int = 15) -> Reliability:
    """Judge probabilities by what was taken.

    Args:
        chance: (r,) probabilities; NaN are left out.
        label: (r,) above 0 = taken.
        bins: of the expected calibration error, and of the curve.

    Example:
        >>> told = reliability(np.array([0.1, 0.1, 0.9, 0.9]), np.array([0, 0, 1, 0]))
        >>> round(told.ece, 3), round(told.brier, 3), round(told.log_loss, 3)
        (0.25, 0.21, 0.655)
    """
    known = ~np.isnan(chance)
    said, taken = np.asarray(chance, np.float64)[known], (np.asarray(label)[known] > 0).astype(np.float64)
    rows = max(len(said), 1)
    close = np.clip(said, _CLOSEST, 1 - _CLOSEST)
    return Reliability(
        rows=len(said),
        taken=float(taken.sum() / rows),
        predicted=float(said.sum() / rows),
        ece=_calibration_error(said, taken, bins) / rows,
        log_loss=float(-(taken * np.log(close) + (1 - taken) * np.log1p(-close)).sum() / rows),  # good1952
        brier=float(((said - taken) ** 2).sum() / rows),  # brier1950
        bins=_curve(said, taken, bins),
    )


def _calibration_error(said: FloatVector, taken: FloatVector, bins: int) -> float:
    """Sum over bins of |what was said - what was taken|, in rows; guo2017, equation 3."""
    bin_of = np.clip(np.ceil(said * bins).astype(np.int64) - 1, 0, bins - 1)
    return float(np.abs(np.bincount(bin_of, said - taken, minlength=bins)).sum())


def _curve(said: FloatVector, taken: FloatVector, bins: int) -> list[tuple[float, float, int]]:
    order = np.argsort(said, kind="stable")
    parts = [part for part in np.array_split(order, bins) if len(part)]
    return [(float(said[part].mean()), float(taken[part].mean()), len(part)) for part in parts]
