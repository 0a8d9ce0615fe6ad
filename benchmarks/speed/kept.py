"""What benchmarks share and would take minutes to make again: kept under a name that tells its content."""

import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from benchmarks.record import ROOT
from benchmarks.speed.size import CACHE

__all__ = ["code_of", "kept"]


def kept(name: str, *origins: str | bytes, make: Callable[[Path], object], suffix: str = "") -> Path:
    """The file or folder that ``make`` writes where it is told, made once for equal origins.

    Args:
        name: for people.
        origins: everything that the content depends on.
        make: writes to the path that it is given.
        suffix: of the file.
    """
    digest = hashlib.sha256()
    for one in origins:
        digest.update(hashlib.sha256(one if isinstance(one, bytes) else one.encode()).digest())
    path = CACHE / f"{name}-{digest.hexdigest()[:16]}{suffix}"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f"draft-{os.getpid()}-{path.name}")
        try:
            make(draft)
            if not path.exists():  # another process may have been faster
                os.replace(draft, path)  # last, so that what is interrupted is begun again
        finally:
            shutil.rmtree(draft, ignore_errors=True) if draft.is_dir() else draft.unlink(missing_ok=True)
    return path


def code_of(*packages: str) -> bytes:
    """Digest of all modules of these packages and modules of encorec, such as ``data/synthetic``."""
    digest = hashlib.sha256()
    for package in packages:
        for file in sorted((ROOT / "src" / "encorec" / package).rglob("*.py")):
            digest.update(str(file.relative_to(ROOT)).encode() + file.read_bytes())
    return digest.digest()
