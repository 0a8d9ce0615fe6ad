"""One number per user on disk, so that an interrupted ablation goes on where it stopped."""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from encorec import __version__
from encorec.types import FloatVector

__all__ = ["KeptValues"]


class KeptValues:
    """A folder of judged users; values are reused only for the very same work and version.

    Args:
        folder: made at the first write.

    Example:
        >>> KeptValues("no-such-folder").read(["key"]) is None
        True
    """

    def __init__(self, folder: str | Path) -> None:
        self._folder = Path(folder)

    def read(self, key: Sequence[str | bytes]) -> FloatVector | None:
        """(n,) what was kept under ``key``; none where there is nothing or the file is torn."""
        try:
            return np.load(self._path(key), allow_pickle=False)
        except (OSError, ValueError, EOFError):
            return None

    def write(self, key: Sequence[str | bytes], values: FloatVector) -> None:
        """Keep (n,) values under ``key``, whole or not at all."""
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(f".{os.getpid()}.draft")
        with draft.open("wb") as file:
            np.save(file, values, allow_pickle=False)
        os.replace(draft, path)

    def _path(self, key: Sequence[str | bytes]) -> Path:
        parts = [__version__, *key]
        content = b"\0".join(one.encode() if isinstance(one, str) else one for one in parts)
        return self._folder / f"{hashlib.sha256(content).hexdigest()[:24]}.values.npy"
