"""Where the service finds its snapshots: a store with a ``CURRENT``, or the folder of one artifact."""

import logging
import random
from collections.abc import Callable, Sequence
from pathlib import Path

from encorec.errors import ArtifactError, EncorecError
from encorec.pipeline.manifest import MANIFEST, read_manifest
from encorec.pipeline.requests import Request
from encorec.serving.snapshots.holder import ServedEngine, Snapshots, SnapshotSource
from encorec.serving.snapshots.loading import load_snapshot
from encorec.serving.snapshots.store import SnapshotStore, is_store, token_of

__all__ = ["ArtifactSource", "StoreSource", "open_snapshots", "served_end"]

_LOG = logging.getLogger(__name__)


class ArtifactSource:
    """One artifact, which training may replace.

    Args:
        folder: that training saved.

    Example:
        >>> ArtifactSource(Path("artifact")).shared
        False
    """

    shared = False

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def wanted(self) -> str:
        """Id of what is in the folder now."""
        return read_manifest(self._folder).snapshot_id

    def token(self) -> object:
        """Changes when the artifact is replaced."""
        return token_of(self._folder / MANIFEST)

    def load(self, snapshot_id: str, requests: Sequence[Request]) -> ServedEngine:
        """What is in the folder, checked and warm."""
        return load_snapshot(self._folder, requests)

    def step_back(self, snapshot_id: str) -> str:
        """Refused: a folder keeps nothing older."""
        raise ArtifactError(f"{self._folder}: holds one artifact only; `encorec publish` keeps several in a store")

    def choose(self, snapshot_id: str) -> None:
        """Nothing is chosen where there is one."""

    def known(self) -> list[str]:
        """What is in the folder."""
        try:
            return [self.wanted()]
        except ArtifactError:
            return []


class StoreSource:
    """A store, which all processes that serve from it follow.

    Args:
        store: of snapshots.

    Example:
        >>> StoreSource(SnapshotStore("store")).known()
        []
    """

    shared = True

    def __init__(self, store: SnapshotStore) -> None:
        self._store = store

    def wanted(self) -> str:
        """What ``CURRENT`` says."""
        return self._store.current()

    def token(self) -> object:
        """Changes when ``CURRENT`` is written."""
        return self._store.token()

    def load(self, snapshot_id: str, requests: Sequence[Request]) -> ServedEngine:
        """A snapshot of the store, checked and warm."""
        engine = load_snapshot(self._store.path(snapshot_id), requests)
        if engine.artifact.snapshot_id != snapshot_id:
            raise ArtifactError(f"{self._store.path(snapshot_id)}: holds snapshot {engine.artifact.snapshot_id}")
        return engine

    def step_back(self, snapshot_id: str) -> str:
        """Let ``CURRENT`` say the snapshot that was served before this one."""
        before = self._store.before(snapshot_id)
        if not before or before[0] == snapshot_id:
            raise ArtifactError(f"{self._store.folder}: no snapshot was served before {snapshot_id}; publish another")
        self._store.select(before[0])
        return before[0]

    def choose(self, snapshot_id: str) -> None:
        """Let ``CURRENT`` say this snapshot."""
        self._store.select(snapshot_id)

    def known(self) -> list[str]:
        """Snapshots in the order of service, newest first."""
        return self._store.history()

    def boot(self) -> tuple[ServedEngine, EncorecError | None]:
        """The newest snapshot that can be served, and why it is not the one of ``CURRENT``.

        Raises:
            EncorecError: none can be served.
        """
        try:
            wanted = self.wanted()
            return self.load(wanted, ()), None
        except EncorecError as error:
            fault, older = error, self._older()
        for one in older:
            _LOG.error("%s; trying the snapshot before it, %s", fault, one)
            try:
                return self.load(one, ()), fault
            except EncorecError as error:
                _LOG.error("refused: %s", error)
        raise fault

    def _older(self) -> list[str]:
        try:
            return self._store.before(self.wanted())
        except ArtifactError:
            return self._store.history()


def open_snapshots(
    folder: Path, *, jitter: float = 0.0, rng: random.Random | None = None, tell: Callable[[str], None] = _LOG.error
) -> Snapshots:
    """The engine of an artifact, or of what a store serves, ready to follow what is published.

    Args:
        folder: an artifact or a store; a store whose current snapshot is damaged is served from the one before.
        jitter: most seconds that a later load waits by chance.
        rng: of the waiting.
        tell: hears loudly that a store is served from an older snapshot.

    Raises:
        EncorecError: nothing there can be served.
    """
    if not is_store(folder):
        source: SnapshotSource = ArtifactSource(folder)
        return Snapshots(load_snapshot(folder), source, jitter=jitter, rng=rng)
    source = StoreSource(SnapshotStore(folder))
    engine, fault = source.boot()
    snapshots = Snapshots(engine, source, jitter=jitter, rng=rng)
    if fault is not None:
        tell(f"{fault}; snapshot {snapshots.model} is served in its place")
        snapshots.start_with_fault(fault)
    return snapshots


def served_end(folder: Path) -> int:
    """Where the data end of what would be served, seconds since 1970; nothing but a manifest is read.

    Args:
        folder: an artifact or a store.

    Raises:
        ArtifactError: nothing there can be served.
    """
    if not is_store(folder):
        return read_manifest(folder).data.end
    store = SnapshotStore(folder)
    fault: ArtifactError | None = None
    for one in _candidates(store):
        try:
            return read_manifest(store.path(one)).data.end
        except ArtifactError as error:
            fault = fault or error
    raise fault or ArtifactError(f"{folder}: no snapshot there; run `encorec publish ARTIFACT STORE`")


def _candidates(store: SnapshotStore) -> list[str]:
    """What a store would have served, best first."""
    try:
        current = store.current()
    except ArtifactError:
        return store.history()
    return [current, *store.before(current)]
