"""Finished label folds on disk, so that an interrupted training goes on where it stopped."""

import hashlib
import os
import shutil
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from encorec import __version__
from encorec.data.features import FeatureTable
from encorec.data.splits import Fold
from encorec.pipeline.fit import FoldRows, RetrievalCeiling
from encorec.pipeline.routing_rows import RoutingRows
from encorec.pipeline.score_calibration import CalibrationRows
from encorec.ranking.training_set import TrainingSet

__all__ = ["Checkpoints", "fold_digest"]

CALIBRATION = tuple(one.name for one in fields(CalibrationRows))
ROUTING = tuple(one.name for one in fields(RoutingRows))


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


def fold_digest(fold: Fold) -> str:
    """SHA-256 over all that the rows of a fold come from: its past, who is asked when, the truth, and what was shown.

    Args:
        fold: a label fold.

    Example:
        >>> from encorec.data.dataset import Dataset
        >>> from encorec.data.interactions import Interactions
        >>> from encorec.data.splits import LastN
        >>> one, other = (Dataset.of(Interactions.of([0] * 3, [0, 1, last], [5, 6, 7], items=9)) for last in (2, 3))
        >>> fold_digest(LastN().folds(one)[0]) == fold_digest(LastN().folds(other)[0])
        False
    """
    digest = hashlib.sha256(fold.past.fingerprint.encode())
    shown = () if fold.shown is None else (fold.shown.indptr, fold.shown.item)
    strength = () if fold.strength is None else (fold.strength,)
    for array in (fold.user, fold.now, fold.truth.indptr, fold.truth.item, *strength, *shown):
        digest.update(np.ascontiguousarray(array).tobytes())
    for table in (fold.past.user_features, fold.past.item_features):
        for part in _feature_parts(table):
            digest.update(part)
    return digest.hexdigest()


def _feature_parts(table: FeatureTable) -> Iterator[bytes]:
    """Names, values and codes of every feature."""
    named = {**table.categorical, **table.tags}
    yield repr((table.dense_names, [(name, one.values) for name, one in named.items()])).encode()
    yield table.dense().tobytes()
    for one in table.tags.values():
        yield one.lists.indptr.tobytes()
        yield one.lists.item.tobytes()


def _read(path: Path) -> FoldRows | None:
    """The fold at ``path``; none where there is none or the file is torn."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as kept:
            weight = kept.get("weight")
            rows = TrainingSet(kept["features"], kept["label"], kept["group"], kept["user"], weight)
            drawn, judged = (
                [kept[f"{part}.{name}"] for name in names if f"{part}.{name}" in kept]
                for part, names in (("calibration", CALIBRATION), ("routing", ROUTING))
            )
            ceiling = msgspec.json.decode(kept["ceiling"].tobytes(), type=RetrievalCeiling)
            return FoldRows(
                rows,
                ceiling,
                CalibrationRows(*drawn) if drawn else None,
                int(kept["asked"]),
                RoutingRows(*judged) if judged else None,
            )
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
            asked=np.int64(fold.asked),
            **({} if fold.rows.weight is None else {"weight": fold.rows.weight}),
            ceiling=np.frombuffer(msgspec.json.encode(fold.ceiling), np.uint8),
            **_named("calibration", fold.calibration, CALIBRATION),
            **_named("routing", fold.routing, ROUTING),
        )
    os.replace(draft, path)


def _named(part: str, rows: CalibrationRows | RoutingRows | None, names: Sequence[str]) -> dict[str, Any]:
    """The arrays of ``rows`` as ``part.name``; those that are there."""
    found = {name: getattr(rows, name, None) for name in names}
    return {f"{part}.{name}": one for name, one in found.items() if one is not None}
