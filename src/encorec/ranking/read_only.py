"""Named tuples of arrays as compiled loops take them: contiguous, and not to be written to."""

from typing import Any, TypeVar, cast

import numpy as np

__all__ = ["read_only"]

Record = TypeVar("Record", bound=tuple[Any, ...])


def read_only(values: Record) -> Record:
    """The same named tuple with read-only views of its arrays; copies where one is not contiguous.

    Args:
        values: arrays, and other values that stay as they are.

    Example:
        >>> from collections import namedtuple
        >>> tea = read_only(namedtuple("Tea", "cups sugar")(np.arange(3), 0.5))
        >>> tea.cups.flags.writeable, tea.sugar
        (False, 0.5)
    """
    sealed: list[Any] = []
    for one in values:
        if isinstance(one, np.ndarray):
            one = np.ascontiguousarray(one).view(np.ndarray)
            one.flags.writeable = False
        sealed.append(one)
    return cast(Record, cast(Any, type(values))(*sealed))
