"""Lists of users to recommend to."""

from pathlib import Path

from encorec.data.sources.files import read_table
from encorec.data.sources.typed import ids
from encorec.errors import DataError

__all__ = ["read_user_ids"]


def read_user_ids(path: str | Path) -> list[int | str]:
    r"""Ids from the column ``user_id`` of a CSV or Parquet file, or from a text file with one id per line.

    Raises:
        DataError: no such file, no such column, or no ids.

    Example:
        >>> import tempfile
        >>> file = Path(tempfile.mkdtemp(), "users.txt")
        >>> _ = file.write_text("17\n18\n")
        >>> read_user_ids(file)
        [17, 18]
    """
    path = Path(path)
    if path.suffix.lower() in (".parquet", ".pq") or "user_id" in _first_line(path):
        return ids(read_table(path, ["user_id"], []).column("user_id")).to_list()
    lines = [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
    if not lines:
        raise DataError(f"{path}: no ids in it; write one per line, or a column user_id")
    if all(line.lstrip("-").isdecimal() and str(int(line)) == line for line in lines):
        return [int(line) for line in lines]
    return list(lines)


def _first_line(path: Path) -> str:
    try:
        with path.open(encoding="utf-8-sig") as file:
            return file.readline()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); check the path") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8 text (byte {error.start}); save it as UTF-8") from error
