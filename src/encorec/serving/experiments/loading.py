"""The experiments and the exploration that the settings name, ready to be asked."""

from functools import partial
from pathlib import Path

from encorec.errors import ArtifactError
from encorec.pipeline.manifest import is_artifact
from encorec.serving.experiments.placements import explored_placements
from encorec.serving.experiments.rollouts import load_rollouts
from encorec.serving.experiments.variants import Variants
from encorec.serving.settings import Settings
from encorec.serving.snapshots.holder import ServedEngine
from encorec.serving.snapshots.loading import load_snapshot
from encorec.serving.snapshots.store import SnapshotStore, is_store

__all__ = ["open_variants"]


def open_variants(settings: Settings, folder: Path | None = None) -> Variants:
    """What experiments and exploration change.

    Args:
        settings: name files of experiments, and temperatures by placement.
        folder: the artifact or the store that is served; none = variants may not name a snapshot.

    Raises:
        ConfigError: an experiment that cannot be served, or a snapshot that cannot be loaded.

    Example:
        >>> from types import SimpleNamespace
        >>> from encorec.serving.http.bodies import RecommendBody
        >>> engine = SimpleNamespace(artifact=SimpleNamespace(snapshot_id="4af1"))
        >>> variants = open_variants(Settings(explore=("main=0.5",)))
        >>> variants.plan(RecommendBody(user_id=17), "r-1", engine, moment=0).chance.temperature
        0.5
    """
    load = None if folder is None else partial(_load, folder)
    return Variants(load_rollouts(settings.experiments), explored_placements(settings.explore), load)


def _load(folder: Path, name: str) -> ServedEngine:
    """The snapshot ``name`` of the store at ``folder``, or the artifact at ``name``."""
    if is_store(folder) and name == Path(name).name and is_artifact(SnapshotStore(folder).path(name)):
        return load_snapshot(SnapshotStore(folder).path(name))
    if not is_artifact(Path(name)):
        raise ArtifactError(f"neither a snapshot of the store {folder} nor the folder of an artifact")
    return load_snapshot(Path(name))
