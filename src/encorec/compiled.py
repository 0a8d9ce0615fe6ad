"""How loops are compiled: explicit signatures, cached on disk, free of the interpreter lock.

Inputs may be read-only, such as memory-mapped arrays. Every sum in a compiled loop runs in the order of its inputs, so
a batch gives to the last bit what single requests give.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import numba
from numba.core.types import Array, NamedTuple, Type

__all__ = ["BOOL", "FLOAT32", "FLOAT64", "INT32", "INT64", "compiled", "read", "record", "write"]

Loop = TypeVar("Loop", bound=Callable[..., Any])

BOOL, INT32, INT64, FLOAT32, FLOAT64 = numba.bool_, numba.int32, numba.int64, numba.float32, numba.float64


def read(kind: Type, dimensions: int = 1) -> Array:
    """A C-contiguous array that the loop only reads.

    Example:
        >>> read(INT32).mutable
        False
    """
    return Array(kind, dimensions, "C", readonly=True)


def write(kind: Type, dimensions: int = 1) -> Array:
    """A C-contiguous array that the loop writes.

    Example:
        >>> write(FLOAT32, 2).ndim
        2
    """
    return Array(kind, dimensions, "C")


def record(kind: type, *fields: Type) -> NamedTuple:
    """Values that belong together, as one argument: a named tuple with fields of these types.

    Example:
        >>> from collections import namedtuple
        >>> record(namedtuple("Tea", "cups"), INT64).count
        1
    """
    return NamedTuple(fields, kind)


def compiled(*arguments: Type, returns: Type = numba.void) -> Callable[[Loop], Loop]:
    """Compile a loop for exactly these arguments; without arguments, into the loops that call it.

    The result is cached beside the module or in the user's cache folder; where neither can be written, it is compiled
    again in every process.

    Example:
        >>> def twice(number):
        ...     return 2 * number
        >>> compiled(INT64, returns=INT64)(twice)(21)
        42
    """
    signature: Any = (returns(*arguments),) if arguments else ()
    njit: Any = numba.njit if arguments else partial(numba.njit, inline="always")

    def compile_loop(loop: Loop) -> Loop:
        try:
            return njit(*signature, cache=True, nogil=True)(loop)
        except RuntimeError as error:
            if "cannot cache" not in str(error):
                raise
            return njit(*signature, nogil=True)(loop)

    return compile_loop
