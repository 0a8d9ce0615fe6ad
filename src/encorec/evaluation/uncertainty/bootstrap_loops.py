"""The loop of the bootstrap: random numbers, users, sums."""

from typing import Any

import numpy as np

from encorec.compiled import FLOAT64, INT64, compiled, read, write
from encorec.types import FloatMatrix, IntMatrix, IntVector

__all__ = ["LANES", "add_draws"]

LANES = 4

_STEP = np.uint64(0x9E3779B97F4A7C15)
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_LOW = np.uint64(0xFFFFFFFF)


@compiled()
def _mixed(state: Any) -> Any:
    """64 random bits from a counter: the finaliser of SplitMix64."""
    state = (state ^ (state >> np.uint64(30))) * _FIRST  # steele2014
    state = (state ^ (state >> np.uint64(27))) * _SECOND
    return state ^ (state >> np.uint64(31))


@compiled()
def _draw(state: Any, size: int, drawn: int, user: IntVector) -> None:
    """Fill ``user[:drawn]`` with numbers below ``size``, each equally likely; every 64 bits give two.

    A number is the high half of 32 bits times ``size``. Low halves that would make some numbers more likely than others
    are thrown away.
    """
    wide = np.uint64(size)
    unfair = (np.uint64(1) << np.uint64(32)) % wide  # lemire2019
    place = 0
    while place < drawn:
        state += _STEP
        bits = _mixed(state)
        for half in (bits >> np.uint64(32), bits & _LOW):
            product = half * wide
            if place < drawn and (product & _LOW) >= unfair:
                user[place] = np.int64(product >> np.uint64(32))
                place += 1


@compiled()
def _add_up(values: FloatMatrix, user: IntVector, drawn: int, total: FloatMatrix) -> None:
    """Add to ``total`` (lanes,) the rows of ``values`` (block, lanes) at ``user[:drawn]``."""
    last = len(values) - 1
    one, two, three, four = 0.0, 0.0, 0.0, 0.0
    same = True
    for lane in range(LANES):
        same = same and values[0, lane] == values[last, lane]
    if not same:
        for place in range(drawn):
            row = user[place]
            one += values[row, 0]
            two += values[row, 1]
            three += values[row, 2]
            four += values[row, 3]
    added = (one, two, three, four)
    for lane in range(LANES):
        constant = values[0, lane] == values[last, lane]
        total[lane] += drawn * values[0, lane] if constant else added[lane]


@compiled(
    read(FLOAT64, 3), read(INT64), read(INT64, 2), INT64, INT64, INT64, write(FLOAT64, 2)
)  # fmt: skip
def add_draws(
    values: FloatMatrix, offsets: IntVector, drawn: IntMatrix, key: int, start: int, stop: int, sums: FloatMatrix
) -> None:
    """Draw users from every block, for the resamples from ``start`` to ``stop``, and add up their values.

    The draws of a block in a resample depend on the key and their two numbers only, so resamples may be shared out to
    threads in any way.

    Args:
        values: (groups, n, lanes) float64, ascending along n.
        offsets: (blocks + 1,) int64 first user of each block.
        drawn: (resamples, blocks) int64 draws from each block.
        key: of all draws.
        start: first resample.
        stop: one past the last.
        sums: (resamples, groups * lanes) float64, added to.

    Example:
        >>> sums = np.zeros((1, 4))
        >>> values = np.array([[[0.0, 0.0, 2.0, 5.0], [0.0, 1.0, 2.0, 5.0]]])
        >>> add_draws(values, np.array([0, 2]), np.array([[2]]), 7, 0, 1, sums)
        >>> sums[0, [0, 2, 3]].tolist()
        [0.0, 4.0, 10.0]
    """
    user = np.empty(np.max(drawn), np.int64)
    for block in range(len(offsets) - 1):
        first, size = offsets[block], offsets[block + 1] - offsets[block]
        for resample in range(start, stop):
            count = drawn[resample, block]
            state = _mixed(_mixed(np.uint64(key) + np.uint64(resample) * _STEP) + np.uint64(block) * _STEP)
            _draw(state, size, count, user)
            for group in range(len(values)):
                total = sums[resample, group * LANES : (group + 1) * LANES]
                _add_up(values[group, first : first + size], user, count, total)
