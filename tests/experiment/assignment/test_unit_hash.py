"""The compiled hash against the standard library's, on every length that pads otherwise."""

import hashlib

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from encorec.experiment.assignment.unit_hash import bucket_of, buckets_of


def twin(salt: str, unit: str) -> float:
    """The first 53 bits, read off the hexadecimal digits."""
    digits = hashlib.sha256(f"{salt}:{unit}".encode()).hexdigest()
    return int(bin(int(digits, 16) | 1 << 256)[3:56], 2) / 2**53


@pytest.mark.parametrize("salt", ["", "s", "é" * 10, "x" * 54, "x" * 55, "x" * 63, "x" * 64, "x" * 200])
def test_every_length_of_salt_and_unit_gives_the_hash_of_the_standard_library(salt: str) -> None:
    units = ["u" * length for length in range(1, 300)] + ["ü" * length for length in range(1, 80)]
    assert buckets_of([salt], pl.Series(units))[0].tolist() == [twin(salt, one) for one in units]


@given(st.text(max_size=90), st.lists(st.text(min_size=1, max_size=90), max_size=5))
def test_any_text_gives_the_hash_of_the_standard_library(salt: str, units: list[str]) -> None:
    found = buckets_of([salt, "other"], pl.Series(units, dtype=pl.String))
    assert found.tolist() == [[twin(salt, one) for one in units], [twin("other", one) for one in units]]
    assert [bucket_of(salt, one) for one in units] == found[0].tolist()


def test_no_units_have_no_buckets() -> None:
    assert buckets_of(["salt"], pl.Series([], dtype=pl.String)).shape == (1, 0)
