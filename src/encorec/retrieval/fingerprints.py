"""Numbers that look random and follow from what they are made of: one per history, one per item of it."""

from encorec.compiled import INT32, INT64, compiled, read, write
from encorec.types import IntVector

__all__ = ["history_fingerprints", "mixed", "mixed_number"]


@compiled()
def mixed(number: int) -> int:
    """64 bits whose every bit depends on every bit of ``number``: the finaliser of splitmix64, in signed arithmetic."""
    number = number + -7046029254386353131  # steele2014
    number = (number ^ ((number >> 30) & 0x3FFFFFFFF)) * -4658895280553007687
    number = (number ^ ((number >> 27) & 0x1FFFFFFFFF)) * -7723592293110705685
    return number ^ ((number >> 31) & 0x1FFFFFFFF)


@compiled(INT64, returns=INT64)
def mixed_number(number: int) -> int:
    """``mixed`` of one number, outside of loops.

    Example:
        >>> hex(mixed_number(0) % 2**64)
        '0xe220a8397b1dcdaf'
    """
    return mixed(number)


@compiled(read(INT64), read(INT64), read(INT32), read(INT64), read(INT64), write(INT64))
def history_fingerprints(
    starts: IntVector, stops: IntVector, item: IntVector, time: IntVector, seed: IntVector, out: IntVector
) -> None:
    """One number per history that follows from its items, their times, their order and a seed.

    Args:
        starts: (n,) int64 first event of each history.
        stops: (n,) int64 one past the last event of each history.
        item: (m,) int32.
        time: (m,) int64 seconds.
        seed: (n,) int64.
        out: (n,) int64, written.

    Example:
        >>> import numpy as np
        >>> out, items, times = np.empty(2, np.int64), np.array([3, 4, 4, 3], np.int32), np.zeros(4, np.int64)
        >>> history_fingerprints(np.array([0, 2]), np.array([2, 4]), items, times, np.zeros(2, np.int64), out)
        >>> bool(out[0] == out[1])
        False
    """
    for row in range(len(out)):
        number = mixed(seed[row])
        for event in range(starts[row], stops[row]):
            number = mixed(number ^ item[event])
            number = mixed(number ^ time[event])
        out[row] = number
