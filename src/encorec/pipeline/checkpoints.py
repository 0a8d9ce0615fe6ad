"""Finished label folds on disk, so that an interrupted training goes on where it stopped."""

import hashlib
import os
import shutil
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import numpy as np

from encorec import __version__
from encorec.pipeline.fit import FoldRows, RetrievalCeiling
from encorec.ranking.training_set import TrainingSet

__all__ = ["Checkpoints"]


class Checkpoints:
    """A folder of folds; a fold is reused only for the very same configuration, data and version.

    Args:
        folder: made at the first write.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)

    def kept(self, key: Sequence[str | bytes], make: Callable[[], FoldRows]) -> FoldRows:
        """The fold kept under ``key``, else the one that ``make`` returns, which is then kept.

        Args:
            key: everything that the fold depends on.
            make: does the work.
        """
        parts = [__version__, *key]
        name = hashlib.sha256(b"\0".join(one.encode() if isinstance(one, str) else one for one in parts)).hexdigest()
        path = self.folder / f"{name[:24]}.npz"
        kept = _read(path)
        if kept is None:
            kept = make()
            self.folder.mkdir(parents=True, exist_ok=True)
            _write(path, kept)
        return kept

    def clear(self) -> None:
        """Remove the folder: the work is finished."""
        shutil.rmtree(self.folder, ignore_errors=True)


def _read(path: Path) -> FoldRows | None:
    """The fold at ``path``; none where there is none or the file is torn."""
    try:
        with np.load(path, allow_pickle=False) as kept:
            rows = TrainingSet(kept["features"], kept["label"], kept["group"], kept["user"])
            return FoldRows(rows, msgspec.json.decode(kept["ceiling"].tobytes(), type=RetrievalCeiling))
    except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile, msgspec.DecodeError):
        return None


def _write(path: Path, fold: FoldRows) -> None:
    draft = path.with_suffix(f".{os.getpid()}.draft")
    with draft.open("wb") as file:
        np.savez(
            file,
            features=fold.rows.features,
            label=fold.rows.label,
            group=fold.rows.group,
            user=fold.rows.user,
            ceiling=np.frombuffer(msgspec.json.encode(fold.ceiling), np.uint8),
        )
    os.replace(draft, path)
