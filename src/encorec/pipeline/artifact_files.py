"""Files of an artifact: written whole, synced, replaced in one step; opened only as what they are said to be."""

import ctypes
import hashlib
import os
import shutil
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from encorec.errors import ArtifactError

__all__ = [
    "FileEntry",
    "entry_of",
    "open_array",
    "replace_folder",
    "verify_file",
    "verify_files",
    "write_array",
    "write_bytes",
]

_READERS = 4  # files that are hashed side by side
_HERE, _EXCHANGE = -100, 2  # AT_FDCWD of fcntl.h, RENAME_EXCHANGE of linux/fs.h


class FileEntry(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a file of the artifact must be; ``shape`` and ``dtype`` for arrays only."""

    sha256: str
    shape: tuple[int, ...] | None = None
    dtype: str | None = None


def entry_of(path: Path) -> FileEntry:
    """What a file that is not an array is."""
    return FileEntry(_sha256(path))


def write_array(path: Path, array: NDArray[Any]) -> FileEntry:
    """Write ``array`` (any, shape) as a plain .npy file and say what it is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        np.save(file, np.ascontiguousarray(array), allow_pickle=False)
        file.flush()
        os.fsync(file.fileno())
    return FileEntry(_sha256(path), array.shape, array.dtype.str)


def open_array(folder: Path, path: str, entry: FileEntry) -> NDArray[Any]:
    """The array of a file, memory-mapped and read-only, of the shape and dtype that ``entry`` says.

    Raises:
        ArtifactError: not a plain array, or another one than the manifest says.
    """
    _refuse_outside(folder, path)
    try:
        array = np.lib.format.open_memmap(folder / path, mode="r")  # of arrays only: it knows no pickles and no zips
    except (OSError, ValueError) as error:
        raise ArtifactError(f"{folder / path}: not a plain array ({error}); train again") from error
    if array.shape != entry.shape or array.dtype.str != entry.dtype:
        raise ArtifactError(
            f"{folder / path}: is {array.dtype.str} {array.shape}, the manifest says {entry.dtype} {entry.shape}"
        )
    return array.view(np.ndarray)


def verify_file(folder: Path, path: str, entry: FileEntry) -> None:
    """Refuse a file that is missing, altered, or outside the folder.

    Raises:
        ArtifactError: names the file.
    """
    _refuse_outside(folder, path)
    if not (folder / path).is_file():
        raise ArtifactError(f"{folder / path}: missing; the artifact is torn, copy or train it again")
    if _sha256(folder / path) != entry.sha256:
        raise ArtifactError(f"{folder / path}: altered or torn (its SHA-256 differs from the manifest); train again")


def verify_files(folder: Path, files: Mapping[str, FileEntry]) -> None:
    """``verify_file`` of all, a few at a time: reading and hashing let other threads work.

    Raises:
        ArtifactError: names the first file that is not what its entry says.
    """
    with ThreadPoolExecutor(_READERS) as readers:
        for _ in readers.map(verify_file, repeat(folder), files, files.values()):
            pass


def _refuse_outside(folder: Path, path: str) -> None:
    if Path(path).is_absolute() or ".." in Path(path).parts:
        raise ArtifactError(f"{folder}: file {path!r} of the manifest lies outside the artifact")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file so that it is there whole, also after a crash, or as it was before."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.draft")
    with draft.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(draft, path)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def replace_folder(folder: Path, draft: Path) -> None:
    """Put ``draft`` in the place of ``folder``; at no moment is there half an artifact, and under Linux never none."""
    old = folder.parent / f".{folder.name}.{os.getpid()}.old"
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists() and _exchanged(draft, folder):
        os.rename(draft, old)
    else:
        if folder.exists():
            os.rename(folder, old)
        os.rename(draft, folder)
    _sync_folder(folder.parent)
    shutil.rmtree(old, ignore_errors=True)


def _exchanged(one: Path, other: Path) -> bool:
    """Swap two folders in one step, and whether the system could: Linux has a call for it that Python has not."""
    try:
        rename = ctypes.CDLL(None).renameat2
    except (AttributeError, OSError, TypeError):
        return False
    return rename(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _EXCHANGE) == 0
