"""A folder of snapshots and the name of the served one: published whole, chosen in one step, old ones removed."""

import os
import re
import shutil
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from encorec.errors import ArtifactError
from encorec.pipeline.artifact_files import replace_folder, verify_files, write_bytes
from encorec.pipeline.manifest import MANIFEST, Manifest, read_manifest

__all__ = ["KEPT", "SnapshotStore", "is_store"]

KEPT = 3
"""Snapshots that stay after a publication, unless told otherwise."""

_CURRENT, _HISTORY, _SNAPSHOTS, _LOCK = "CURRENT", "HISTORY", "snapshots", ".lock"
_ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,63}")


def is_store(folder: Path) -> bool:
    """Whether ``folder`` is a store of snapshots, not an artifact.

    Example:
        >>> is_store(Path("nothing-there"))
        False
    """
    return not (folder / MANIFEST).exists() and ((folder / _CURRENT).exists() or (folder / _SNAPSHOTS).is_dir())


class SnapshotStore:
    """Snapshots in ``snapshots/<id>/``, the id of the served one in ``CURRENT``, the order of service in ``HISTORY``.

    Whoever reads sees the old snapshot or the new one, whenever a publisher is killed: files and folders are synced
    under another name, renamed, and only then does ``CURRENT`` change, in one step. Publishers wait for each other.

    Args:
        folder: where the store is; made by the first publication.

    Example:
        >>> SnapshotStore("nothing-there").history()
        []
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)

    def path(self, snapshot_id: str) -> Path:
        """Where a snapshot is.

        Raises:
            ArtifactError: what is no id of a snapshot.

        Example:
            >>> SnapshotStore("store").path("4af1").as_posix()
            'store/snapshots/4af1'
        """
        if not _ID.fullmatch(snapshot_id):
            raise ArtifactError(f"{self.folder}: {snapshot_id!r} is no id of a snapshot; publish an artifact")
        return self.folder / _SNAPSHOTS / snapshot_id

    def current(self) -> str:
        """Id of the snapshot that is to be served.

        Raises:
            ArtifactError: nothing was published yet, or ``CURRENT`` cannot be read.
        """
        path = self.folder / _CURRENT
        try:
            found = path.read_bytes()[:1024].decode().strip()
        except (FileNotFoundError, NotADirectoryError) as error:
            raise ArtifactError(f"{self.folder}: no {_CURRENT} there; run `encorec publish ARTIFACT STORE`") from error
        except (OSError, UnicodeDecodeError) as error:
            raise ArtifactError(f"{path}: cannot be read ({error}); publish an artifact") from error
        self.path(found)
        return found

    def token(self) -> tuple[int, int]:
        """Changes whenever ``CURRENT`` is written, also with the id that it had."""
        return token_of(self.folder / _CURRENT)

    def history(self) -> list[str]:
        """Ids of the snapshots that are there, in the order of service, newest first."""
        try:
            lines = (self.folder / _HISTORY).read_text(errors="replace").split()
        except OSError:
            return []
        return [one for one in dict.fromkeys(lines) if _ID.fullmatch(one) and self.path(one).is_dir()]

    def before(self, snapshot_id: str) -> list[str]:
        """Ids that were served before this one, newest first; all others where its place is not known.

        Example:
            >>> SnapshotStore("nothing-there").before("4af1")
            []
        """
        known = self.history()
        return known[known.index(snapshot_id) + 1 :] if snapshot_id in known else known

    def publish(
        self, artifact: str | Path, check: Callable[[Path], object], *, keep: int = KEPT, link: bool = False
    ) -> str:
        """Copy an artifact into the store and let it be served; returns its id.

        Args:
            artifact: folder that training saved.
            check: raises where the copy must not be served; its checksums are verified in any case.
            keep: snapshots that stay; the served one and the one before it always do.
            link: hard links in place of copies where the file system has them. Only for an artifact whose files
                nobody writes into: what changes there would change in the served snapshot.

        Raises:
            ArtifactError: no artifact, one that is torn or refused, or a store that cannot be written; what was
                served is still served.
        """
        manifest = read_manifest(Path(artifact))
        target = self.path(manifest.snapshot_id)
        try:
            (self.folder / _SNAPSHOTS).mkdir(parents=True, exist_ok=True)
            with self._lock():
                self._sweep()
                if not _same(target, manifest):
                    self._bring_in(Path(artifact), manifest, target, check, link)
                self._choose(manifest.snapshot_id)
                self._prune(keep)
        except OSError as error:
            raise ArtifactError(f"{self.folder}: {artifact} cannot be published ({error})") from error
        return manifest.snapshot_id

    def select(self, snapshot_id: str) -> None:
        """Let a snapshot be served that is in the store.

        Raises:
            ArtifactError: it is not there, or the store cannot be written.
        """
        if not self.path(snapshot_id).is_dir():
            raise ArtifactError(f"{self.folder}: no snapshot {snapshot_id}; there are {', '.join(self.history())}")
        try:
            with self._lock():
                write_bytes(self.folder / _CURRENT, f"{snapshot_id}\n".encode())
        except OSError as error:
            raise ArtifactError(f"{self.folder}: {_CURRENT} cannot be written ({error})") from error

    def _bring_in(
        self, artifact: Path, manifest: Manifest, target: Path, check: Callable[[Path], object], link: bool
    ) -> None:
        draft = target.with_name(f".{target.name}.{os.getpid()}.draft")
        try:
            for path in (*manifest.files, MANIFEST):
                _bring_file(artifact, draft, path, link)
            _sync_tree(draft)
            verify_files(draft, manifest.files)
            check(draft)
            replace_folder(target, draft)
        finally:
            shutil.rmtree(draft, ignore_errors=True)

    def _choose(self, snapshot_id: str) -> None:
        """``HISTORY`` first: killed in between, it names one that is not served yet, and ``CURRENT`` the old one."""
        try:
            served = [self.current()]
        except ArtifactError:
            served = []
        order = dict.fromkeys([snapshot_id, *served, *self.history()])
        write_bytes(self.folder / _HISTORY, "".join(f"{one}\n" for one in order).encode())
        write_bytes(self.folder / _CURRENT, f"{snapshot_id}\n".encode())

    def _prune(self, keep: int) -> None:
        current, known = self.current(), self.history()
        kept = {*known[:keep], current, *self.before(current)[:1]}
        for one in known:
            if one not in kept:
                self._remove(self.path(one))
        write_bytes(self.folder / _HISTORY, "".join(f"{one}\n" for one in known if one in kept).encode())

    def _remove(self, folder: Path) -> None:
        """Under another name first, so that nobody takes what is left of it for a snapshot."""
        away = folder.with_name(f".{folder.name}.{os.getpid()}.old")
        os.rename(folder, away)
        shutil.rmtree(away, ignore_errors=True)

    def _sweep(self) -> None:
        """Remove what killed publishers left behind; nobody else is at work under the lock."""
        for place in (self.folder, self.folder / _SNAPSHOTS):
            for left in place.glob(".*"):
                if left.name.endswith((".draft", ".old")):
                    shutil.rmtree(left) if left.is_dir() else left.unlink()

    @contextmanager
    def _lock(self) -> Generator[None]:
        import fcntl  # here: Windows has none, and reads stores all the same

        with (self.folder / _LOCK).open("wb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # let go of when the process ends, however it ends
            yield


def token_of(path: Path) -> tuple[int, int]:
    """Changes whenever the file is replaced; (0, 0) where there is none.

    Example:
        >>> token_of(Path("nothing-there"))
        (0, 0)
    """
    try:
        found = path.stat()
    except OSError:
        return 0, 0
    return found.st_mtime_ns, found.st_ino


def _same(target: Path, manifest: Manifest) -> bool:
    """Whether the very same snapshot is there already, unharmed."""
    try:
        if read_manifest(target) != manifest:
            return False
        verify_files(target, manifest.files)
    except ArtifactError:
        return False
    return True


def _bring_file(artifact: Path, draft: Path, path: str, link: bool) -> None:
    if Path(path).is_absolute() or ".." in Path(path).parts:
        raise ArtifactError(f"{artifact}: file {path!r} of the manifest lies outside the artifact")
    (draft / path).parent.mkdir(parents=True, exist_ok=True)
    try:
        if link and not (artifact / path).is_symlink():
            os.link(artifact / path, draft / path)
            return
    except OSError:
        pass  # another file system, or one without links
    try:
        shutil.copyfile(artifact / path, draft / path)
    except FileNotFoundError as error:
        raise ArtifactError(f"{artifact / path}: missing; the artifact is torn, copy or train it again") from error


def _sync_tree(folder: Path) -> None:
    for place, _, files in os.walk(folder):
        for one in (*(Path(place) / file for file in files), Path(place)):
            handle = os.open(one, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
