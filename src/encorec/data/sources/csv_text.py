"""Bytes of a CSV file in, a sheet of text out: a torn, ragged or foreign file is refused before anything is read."""

import io
from collections.abc import Sequence

import numpy as np
import polars as pl

from encorec.data.sources.sheets import Sheet, choose, counted
from encorec.errors import DataError
from encorec.types import IntVector

__all__ = ["parse_csv"]

_SEPARATORS = (",", "\t", ";")


def parse_csv(
    raw: bytes,
    where: str,
    required: Sequence[str] = (),
    optional: Sequence[str] | None = None,
    *,
    quoted: bool = True,
) -> Sheet:
    r"""A CSV file with a header, every value as text and empty ones as none.

    The separator (comma, tab or semicolon) is the one that stands most often in the header.

    Args:
        raw: content of the file, UTF-8.
        where: name of the file, for errors.
        required: columns that must be there.
        optional: columns that are read where they are there; none = all of them.
        quoted: whether ``"`` protects separators and line ends.

    Raises:
        DataError: empty, not UTF-8, lines of unequal length, stray quotes, or a required column is missing.

    Example:
        >>> parse_csv(b"user_id,age\n7,30\n", "users.csv").frame.rows()
        [('7', '30')]
        >>> parse_csv(b"a,b\n1,2\n3\n", "log.csv")
        Traceback (most recent call last):
        ...
        encorec.errors.DataError: log.csv: 1 line differs from the header in length (first: data row 2 with 1 value,
          the header has 2); is the file cut off, a separator unquoted or a quote mark unpaired?
    """
    raw = _trimmed(raw, where)
    top = raw[: raw.find(b"\n")] if b"\n" in raw else raw
    separator = max(_SEPARATORS, key=lambda one: top.count(one.encode()))
    _check_widths(raw, where, separator, quoted)
    header = _parse(top, where, separator, quoted, None).columns
    kept = choose(where, [name.strip() for name in header], required, optional)
    places = [place for place, name in enumerate(header) if name.strip() in kept]
    frame = _parse(raw, where, separator, quoted, places or [0])
    if frame.is_empty():
        raise DataError(f"{where}: has a header but no rows; is it the right file?")
    return Sheet(frame.rename(str.strip), where)


def _trimmed(raw: bytes, where: str) -> bytes:
    """Without a byte order mark and without empty lines at the end."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise DataError(f"{where}: is UTF-16 text, allowed is UTF-8; convert it: iconv -f utf-16 -t utf-8")
    raw = raw.removeprefix(b"\xef\xbb\xbf")
    if raw.endswith((b"\n\n", b"\n\r\n")):
        raw = raw.rstrip(b"\r\n")
    if not raw or raw.isspace():
        raise DataError(f"{where}: is empty; a header and at least one row are needed")
    return raw


def _check_widths(raw: bytes, where: str, separator: str, quoted: bool) -> None:
    separators = _separators_per_line(raw, separator, quoted)
    bad = np.flatnonzero(separators != separators[0])
    if len(bad):
        first = int(bad[0])
        values = counted(int(separators[first]) + 1, "value")
        lines = "1 line differs" if len(bad) == 1 else f"{len(bad):,} lines differ"
        raise DataError(
            f"{where}: {lines} from the header in length (first: data row {first} with {values}, "
            f"the header has {separators[0] + 1}); is the file cut off, a separator unquoted or a quote mark unpaired?"
        )


def _separators_per_line(raw: bytes, separator: str, quoted: bool) -> IntVector:
    """(lines,) separators in each line; those between an odd and an even quote mark are part of a value."""
    data = np.frombuffer(raw, np.uint8)
    quotes = np.flatnonzero(data == ord('"')) if quoted else np.empty(0, np.int64)
    ends = _outside(quotes, np.flatnonzero(data == ord("\n")))
    if not raw.endswith(b"\n"):
        ends = np.append(ends, len(raw))
    return np.diff(np.searchsorted(_outside(quotes, np.flatnonzero(data == ord(separator))), ends), prepend=0)


def _outside(quotes: IntVector, places: IntVector) -> IntVector:
    return places[np.searchsorted(quotes, places) % 2 == 0] if len(quotes) else places


def _parse(raw: bytes, where: str, separator: str, quoted: bool, places: list[int] | None) -> pl.DataFrame:
    try:
        return pl.read_csv(
            io.BytesIO(raw),
            columns=places,
            separator=separator,
            quote_char='"' if quoted else None,
            infer_schema=False,
        )
    except pl.exceptions.PolarsError as error:
        raise DataError(f"{where}: {_diagnosis(raw, error)}") from error


def _diagnosis(raw: bytes, error: pl.exceptions.PolarsError) -> str:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError as fault:
        row = raw.count(b"\n", 0, fault.start)
        return (
            f"is not UTF-8 text (first: data row {row}, byte 0x{raw[fault.start]:02X}); "
            "convert it, for example: iconv -f windows-1251 -t utf-8"
        )
    odd = [line for line, text in enumerate(raw.split(b"\n")) if text.count(b'"') % 2]
    if odd:
        return f'has a quote mark without its partner (first: data row {odd[0]}); write it twice ("") inside quotes'
    return f"cannot be read as CSV: {str(error).splitlines()[0]}"
