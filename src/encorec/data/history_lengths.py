"""How much is known of a user: new, 1 to 4, 5 to 19, 20 events or more, the same in every data set."""

import numpy as np

from encorec.types import IntVector

__all__ = ["LENGTHS", "length_places"]

LENGTHS: dict[str, tuple[int, int | None]] = {"new": (0, 0), "1-4": (1, 4), "5-19": (5, 19), "20+": (20, None)}
_BEGINS = np.array([least for least, _ in LENGTHS.values()][1:])


def length_places(lengths: IntVector) -> IntVector:
    """(n,) int64 place in ``LENGTHS`` of histories with ``lengths`` (n,) events.

    Example:
        >>> length_places(np.array([0, 1, 4, 5, 19, 20, 999])).tolist()
        [0, 1, 1, 2, 2, 3, 3]
    """
    return np.searchsorted(_BEGINS, lengths, side="right")
