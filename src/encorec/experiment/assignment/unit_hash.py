"""SHA-256 of ``salt:unit`` as a number in [0, 1): one unit by the standard library, a million by a compiled loop."""

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import polars as pl

from encorec.compiled import FLOAT64, INT32, INT64, compiled, read, write
from encorec.errors import DataError
from encorec.types import FloatMatrix, FloatVector, IntMatrix, IntVector

__all__ = ["bucket_of", "buckets_of"]

_BITS, _LANES = 53, 16
_ROUND = np.array(
    [
        0x428A2F98, 0x71374491, 0xB5C0FBCF, 0xE9B5DBA5, 0x3956C25B, 0x59F111F1, 0x923F82A4, 0xAB1C5ED5,
        0xD807AA98, 0x12835B01, 0x243185BE, 0x550C7DC3, 0x72BE5D74, 0x80DEB1FE, 0x9BDC06A7, 0xC19BF174,
        0xE49B69C1, 0xEFBE4786, 0x0FC19DC6, 0x240CA1CC, 0x2DE92C6F, 0x4A7484AA, 0x5CB0A9DC, 0x76F988DA,
        0x983E5152, 0xA831C66D, 0xB00327C8, 0xBF597FC7, 0xC6E00BF3, 0xD5A79147, 0x06CA6351, 0x14292967,
        0x27B70A85, 0x2E1B2138, 0x4D2C6DFC, 0x53380D13, 0x650A7354, 0x766A0ABB, 0x81C2C92E, 0x92722C85,
        0xA2BFE8A1, 0xA81A664B, 0xC24B8B70, 0xC76C51A3, 0xD192E819, 0xD6990624, 0xF40E3585, 0x106AA070,
        0x19A4C116, 0x1E376C08, 0x2748774C, 0x34B0BCB5, 0x391C0CB3, 0x4ED8AA4A, 0x5B9CCA4F, 0x682E6FF3,
        0x748F82EE, 0x78A5636F, 0x84C87814, 0x8CC70208, 0x90BEFFFA, 0xA4506CEB, 0xBEF9A3F7, 0xC67178F2,
    ],
    np.uint32,
)  # fmt: skip
_START = np.array(
    [0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19], np.uint32
)
_32 = np.uint32


def bucket_of(salt: str, unit: str) -> float:
    """Where one unit lies in [0, 1): the first 53 bits of SHA-256 of ``salt:unit`` in UTF-8, times 2**-53.

    Raises:
        DataError: text that UTF-8 cannot hold.

    Example:
        >>> bucket_of("2026-11-two-stage", "17")
        0.9309897160674605
    """
    try:
        digest = hashlib.sha256(f"{salt}:{unit}".encode()).digest()  # fips180
    except UnicodeEncodeError as error:
        raise DataError(
            f"{error.object!r} cannot be written as UTF-8 ({error.reason}); give whole characters"
        ) from error
    return (int.from_bytes(digest[:8], "big") >> 11) * 2.0**-_BITS


def buckets_of(salts: Sequence[str], units: pl.Series) -> FloatMatrix:
    """(salts, n) float64 ``bucket_of`` every salt and unit, one thread per salt.

    Args:
        salts: one at least.
        units: (n,) text without missing values.

    Example:
        >>> buckets_of(["2026-11-two-stage"], pl.Series(["17", "18"])).tolist()
        [[0.9309897160674605, 0.051819080046337285]]
    """
    start = np.zeros(len(units) + 1, np.int64)
    np.cumsum(units.str.len_bytes().to_numpy(), out=start[1:])
    text = _numbers(units.str.join("").item().encode() if len(units) else b"")
    bucket = np.empty((len(salts), len(units)))
    prefixes = [_numbers(f"{salt}:".encode()) for salt in salts]
    with ThreadPoolExecutor(len(salts)) as threads:
        list(threads.map(_fill_buckets, prefixes, [text] * len(salts), [start] * len(salts), bucket))
    return bucket


def _numbers(text: bytes) -> IntVector:
    return np.frombuffer(text, np.uint8).astype(np.int32)


@compiled()
def _spread(words: IntMatrix) -> None:
    """Rows 16 to 63 of a block of 64 bytes from its own 16, for every lane; fips180, section 6.2.2, step 1."""
    for i in range(16, 64):
        for lane in range(_LANES):
            near, far = words[i - 2, lane], words[i - 15, lane]
            low = (far >> _32(7) | far << _32(25)) ^ (far >> _32(18) | far << _32(14)) ^ (far >> _32(3))
            high = (near >> _32(17) | near << _32(15)) ^ (near >> _32(19) | near << _32(13)) ^ (near >> _32(10))
            words[i, lane] = words[i - 16, lane] + low + words[i - 7, lane] + high


@compiled()
def _compress(words: IntMatrix, front: IntMatrix, back: IntMatrix) -> None:
    """Stir one block into the state of every lane; fips180, section 6.2.2, step 3.

    Its letters only move on from round to round, so they stand in rows that are filled one after the other: a, b, c, d
    of round i are rows i + 3, i + 2, i + 1, i of ``front`` (68, lanes), and e, f, g, h those of ``back``.
    """
    for i in range(64):
        for lane in range(_LANES):
            a, e = front[i + 3, lane], back[i + 3, lane]
            turned = (e >> _32(6) | e << _32(26)) ^ (e >> _32(11) | e << _32(21)) ^ (e >> _32(25) | e << _32(7))
            chosen = (e & back[i + 2, lane]) ^ (~e & back[i + 1, lane])
            first = back[i, lane] + turned + chosen + _ROUND[i] + words[i, lane]
            turned = (a >> _32(2) | a << _32(30)) ^ (a >> _32(13) | a << _32(19)) ^ (a >> _32(22) | a << _32(10))
            most = (a & front[i + 2, lane]) ^ (a & front[i + 1, lane]) ^ (front[i + 2, lane] & front[i + 1, lane])
            back[i + 4, lane] = front[i, lane] + first
            front[i + 4, lane] = first + turned + most


@compiled()
def _finish(message: IntMatrix, lane: int, length: int) -> int:
    """Pad a message of ``length`` bytes in place (fips180, section 5.1.1); says how many blocks it takes."""
    blocks = (length + 72) // 64
    message[lane, length] = 0x80
    for i in range(length + 1, 64 * blocks - 8):
        message[lane, i] = 0
    for i in range(8):
        message[lane, 64 * blocks - 1 - i] = (8 * length) >> (8 * i) & 255
    return blocks


@compiled()
def _hash_lanes(
    message: IntMatrix, blocks: IntVector, state: IntMatrix, words: IntMatrix, front: IntMatrix, back: IntMatrix
) -> None:
    """The hash of every lane's message into ``state`` (8, lanes); ``words``, ``front`` and ``back`` are overwritten."""
    most = 0
    for lane in range(_LANES):
        most = max(most, blocks[lane])
        for i in range(8):
            state[i, lane] = _START[i]
    for block in range(most):
        for lane in range(_LANES):
            for i in range(16):
                at = 64 * block + 4 * i
                high = message[lane, at] << 24 | message[lane, at + 1] << 16
                words[i, lane] = high | message[lane, at + 2] << 8 | message[lane, at + 3]
            for i in range(4):
                front[3 - i, lane], back[3 - i, lane] = state[i, lane], state[4 + i, lane]
        _spread(words)
        _compress(words, front, back)
        for i in range(4):
            for lane in range(_LANES):
                if block < blocks[lane]:
                    state[i, lane] += front[67 - i, lane]
                    state[4 + i, lane] += back[67 - i, lane]


@compiled(read(INT32), read(INT32), read(INT64), write(FLOAT64))
def _fill_buckets(prefix: IntVector, text: IntVector, start: IntVector, bucket: FloatVector) -> None:
    """Several units at a time, one per lane: the same steps on rows of numbers, which processors do at once."""
    longest, ahead = 0, len(prefix)
    for unit in range(len(bucket)):
        longest = max(longest, start[unit + 1] - start[unit])
    message, blocks = np.zeros((_LANES, ahead + longest + 136), np.int32), np.ones(_LANES, np.int64)
    state, words = np.empty((8, _LANES), np.uint32), np.empty((64, _LANES), np.uint32)
    front, back = np.empty((68, _LANES), np.uint32), np.empty((68, _LANES), np.uint32)
    for lane in range(_LANES):
        for i in range(ahead):
            message[lane, i] = prefix[i]
    for first in range(0, len(bucket), _LANES):
        for lane in range(min(_LANES, len(bucket) - first)):
            begin, end = start[first + lane], start[first + lane + 1]
            for i in range(end - begin):
                message[lane, ahead + i] = text[begin + i]
            blocks[lane] = _finish(message, lane, ahead + end - begin)
        _hash_lanes(message, blocks, state, words, front, back)
        for lane in range(min(_LANES, len(bucket) - first)):
            number = np.uint64(state[0, lane]) << np.uint64(32) | np.uint64(state[1, lane])
            bucket[first + lane] = np.float64(number >> np.uint64(11)) * 2.0**-53
