# pyright: reportArgumentType=false, reportReturnType=false, reportCallIssue=false
"""Random numbers inside compiled loops: one stream per user, so that neither blocks nor threads change the outcome.

SplitMix64: integers only, hence the same bits on every machine.
"""

import numpy as np

from encorec.compiled import compiled
from encorec.types import IntVector

__all__ = ["generator", "mixed", "start_stream", "uniform"]

_GOLDEN = np.int64(-7046029254386353131)
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31, _S11 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(11)


def generator(seed: int, purpose: int) -> np.random.Generator:
    """A generator of its own for every purpose of a seed; only its integers and uniforms are to be used.

    Example:
        >>> int(generator(7, 1).integers(100)) == int(generator(7, 1).integers(100))
        True
    """
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, purpose])))


@compiled()
def mixed(number: int) -> int:
    """A 64-bit integer scrambled (the finaliser of SplitMix64).

    Example:
        >>> mixed(1) == mixed(1), mixed(1) == mixed(2)
        (True, False)
    """
    bits = np.uint64(number)
    bits = (bits ^ (bits >> _S30)) * _FIRST  # steele2014
    bits = (bits ^ (bits >> _S27)) * _SECOND
    return np.int64(bits ^ (bits >> _S31))


@compiled()
def start_stream(state: IntVector, seed: int, index: int) -> None:
    """Begin the stream ``index`` of a seed.

    Args:
        state: (1,) int64, written.
        seed: of the world.
        index: number of the stream.

    Example:
        >>> state = np.empty(1, np.int64)
        >>> start_stream(state, 7, 0)
        >>> 0 <= uniform(state) < 1
        True
    """
    state[0] = mixed(mixed(np.int64(seed) + _GOLDEN) ^ np.int64(index))


@compiled()
def uniform(state: IntVector) -> float:
    """The next number of a stream, in [0, 1), a multiple of 2 ** -53.

    Args:
        state: (1,) int64, moved on.

    Example:
        >>> state = np.zeros(1, np.int64)
        >>> uniform(state) == uniform(state)
        False
    """
    state[0] += _GOLDEN
    return np.float64(np.uint64(mixed(state[0])) >> _S11) * (1.0 / 9007199254740992.0)
