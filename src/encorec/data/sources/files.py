"""Files on disk and inside zips: opened here and nowhere else in the sources."""

import io
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import polars as pl

from encorec.data.sources.csv_text import parse_csv
from encorec.data.sources.sheets import Sheet, choose
from encorec.errors import DataError

__all__ = ["list_members", "parse_parquet", "read_member", "read_table"]

_BROKEN_ZIP = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)


def read_table(path: Path, required: Sequence[str] = (), optional: Sequence[str] | None = None) -> Sheet:
    """A CSV (``.csv``, ``.tsv``, ``.txt``) or Parquet (``.parquet``, ``.pq``) file.

    Args:
        path: of the file.
        required: columns that must be there.
        optional: columns that are read where they are there; none = all of them.

    Raises:
        DataError: no such file, another kind of file, a broken one, or a required column is missing.

    Example:
        >>> read_table(Path("no-such-log.csv"))
        Traceback (most recent call last):
        ...
        encorec.errors.DataError: no-such-log.csv: cannot be read (No such file or directory); check the path
    """
    suffix = path.suffix.lower()
    if suffix not in (".csv", ".tsv", ".txt", ".parquet", ".pq"):
        raise DataError(f"{path}: unknown kind of file {suffix!r}; allowed: .csv, .tsv, .txt, .parquet, .pq")
    parse = parse_parquet if suffix in (".parquet", ".pq") else parse_csv
    return parse(_content(path), str(path), required, optional)


def parse_parquet(raw: bytes, where: str, required: Sequence[str] = (), optional: Sequence[str] | None = None) -> Sheet:
    """A Parquet file with the types it has.

    Args:
        raw: content of the file.
        where: name of the file, for errors.
        required: columns that must be there.
        optional: columns that are read where they are there; none = all of them.

    Raises:
        DataError: not Parquet, cut off, without rows, or a required column is missing.

    Example:
        >>> parse_parquet(b"PAR1", "log.parquet")
        Traceback (most recent call last):
        ...
        encorec.errors.DataError: log.parquet: is not a whole Parquet file; fetch or write it again
    """
    try:
        header = pl.read_parquet_schema(io.BytesIO(raw))
        frame = pl.read_parquet(io.BytesIO(raw), columns=choose(where, header, required, optional))
    except (pl.exceptions.PolarsError, OSError) as error:
        raise DataError(f"{where}: is not a whole Parquet file; fetch or write it again") from error
    if frame.is_empty():
        raise DataError(f"{where}: has columns but no rows; is it the right file?")
    return Sheet(frame, where)


def list_members(path: Path) -> list[str]:
    """Files of a zip, or of a folder and the folders in it, as relative paths; hidden ones are left out.

    Raises:
        DataError: neither a folder nor a whole zip.

    Example:
        >>> list_members(Path("no-such.zip"))
        Traceback (most recent call last):
        ...
        encorec.errors.DataError: no-such.zip: cannot be read (No such file or directory); check the path
    """
    if path.is_dir():
        found = [*path.glob("*"), *path.glob("*/*")]
        names = [one.relative_to(path).as_posix() for one in found if one.is_file()]
    else:
        with _opened(path) as archive:
            names = [name for name in archive.namelist() if not name.endswith("/")]
    return sorted(name for name in names if not any(part[0] in "._" for part in PurePosixPath(name).parts))


def read_member(path: Path, name: str) -> bytes:
    """The content of one file of a zip or a folder; see ``list_members``.

    Raises:
        DataError: it is not there, or the zip is cut off or altered.
    """
    if path.is_dir():
        return _content(path / name)
    with _opened(path) as archive:
        try:
            return archive.read(name)
        except KeyError as error:
            raise DataError(f"{path}: holds no file {name!r}; is it the right zip?") from error
        except _BROKEN_ZIP as error:
            raise DataError(f"{path}: {name!r} cannot be unpacked ({error}); fetch the zip again") from error


def _opened(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); check the path") from error
    except _BROKEN_ZIP as error:
        raise DataError(f"{path}: is not a whole zip ({error}); fetch it again, or give the folder") from error


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); check the path") from error
