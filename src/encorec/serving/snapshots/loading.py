"""A folder becomes an engine that may answer users: everything that can be checked is checked first."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from encorec.errors import ArtifactError, EncorecError
from encorec.pipeline.artifact_files import open_array
from encorec.pipeline.manifest import read_manifest
from encorec.pipeline.requests import Request
from encorec.serving.snapshots.holder import ServedEngine
from encorec.serving.snapshots.warm_up import warm_up

if TYPE_CHECKING:
    from encorec.pipeline.artifact import Artifact

__all__ = ["check_numbers", "load_models", "load_snapshot"]

_MAY_MISS = ("users/features", "items/features/", "features/")  # where "not a number" stands for "not known"


def load_snapshot(folder: Path, requests: Sequence[Request] = ()) -> ServedEngine:
    """An engine whose checksums, shapes, numbers and golden answers are right, and which has answered ``requests``.

    Args:
        folder: an artifact.
        requests: that users asked lately, of another engine.

    Raises:
        EncorecError: the artifact must not be served; names the file.
    """
    from encorec.pipeline.engine import load_engine  # here, so that an engine of one's own needs none of the models

    try:
        engine = load_engine(folder)
        _check_people(folder, engine.artifact)
        check_numbers(folder)
        warm_up(engine, now=engine.artifact.data_end, requests=requests)
    except EncorecError:
        raise
    except Exception as error:  # whatever arrays may provoke that are not what they are said to be
        raise ArtifactError(f"{folder}: cannot answer ({error!r}); train again") from error
    return engine


def _check_people(folder: Path, artifact: "Artifact") -> None:
    """Refuse features of users in another shape than that of their names: not every pipeline looks at them at once."""
    found, expected = artifact.user_features.shape, (len(artifact.users), len(artifact.user_schema.dense_names))
    if found != expected:
        raise ArtifactError(f"{folder / 'users/features.npy'}: shape {found}, expected is {expected}; train again")


def load_models() -> None:
    """Load the code that engines of artifacts are made of, so that processes copied from this one share it.

    Example:
        >>> load_models()
    """
    import encorec.pipeline.engine  # noqa: F401 # pyright: ignore[reportUnusedImport]


def check_numbers(folder: Path) -> None:
    """Refuse arrays with values that are not numbers, but for features, where these mean "not known".

    Args:
        folder: an artifact.

    Raises:
        ArtifactError: names the file.
    """
    for path, entry in read_manifest(folder).files.items():
        if entry.dtype is None or np.dtype(entry.dtype).kind != "f" or path.startswith(_MAY_MISS):
            continue
        missing = int(np.isnan(open_array(folder, path, entry)).sum())
        if missing:
            raise ArtifactError(f"{folder / path}: {missing} values are not a number, allowed is none; train again")
