"""p-values of several tests, corrected for their number."""

from collections.abc import Sequence

import numpy as np

from encorec.errors import ConfigError, DataError, unknown_name
from encorec.evaluation.uncertainty import holm
from encorec.experiment.spec import Correction

__all__ = ["benjamini_hochberg", "corrected"]

_KINDS = ("bh", "holm", "none")


def corrected(p: Sequence[float | None], kind: Correction) -> list[float | None]:
    """Corrected p of a family of tests; tests that could not be made have none and do not count.

    Args:
        p: of each test, 0..1.
        kind: ``holm``: the chance of any false alarm; ``bh``: the share of false alarms; ``none``.

    Raises:
        ConfigError: an unknown kind.
        DataError: a p outside 0..1.

    Example:
        >>> corrected([0.01, None, 0.04], "holm")
        [0.02, None, 0.04]
    """
    if kind not in _KINDS:
        raise ConfigError(unknown_name("correction", kind, _KINDS))
    made = [one for one in p if one is not None]
    found = iter({"holm": holm, "bh": benjamini_hochberg, "none": list}[kind](made))
    return [None if one is None else next(found) for one in p]


def benjamini_hochberg(p: Sequence[float]) -> list[float]:
    """p of several tests, corrected so that among the alarms the expected share of false ones stays below the level.

    Args:
        p: of each test, 0..1.

    Raises:
        DataError: a p outside 0..1.

    Example:
        >>> [round(one, 6) for one in benjamini_hochberg([0.01, 0.04, 0.03, 0.005])]
        [0.02, 0.04, 0.04, 0.02]
    """
    given = np.asarray(p, np.float64)
    if not ((given >= 0) & (given <= 1)).all():
        raise DataError(f"p must be between 0 and 1, got {[one for one in given.tolist() if not 0 <= one <= 1]}")
    order = np.argsort(given, kind="stable")[::-1]
    count = len(given)
    adjusted = np.empty_like(given)
    adjusted[order] = np.minimum.accumulate(given[order] * count / np.arange(count, 0, -1))  # benjamini1995
    return np.minimum(adjusted, 1.0).tolist()
