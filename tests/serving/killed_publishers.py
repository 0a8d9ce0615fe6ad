"""Publishes in child processes that are killed (-9) at random moments; a program, not a test.

Usage: python -m tests.serving.killed_publishers FOLDER ROUNDS. It prints as JSON what was found after the kills.
"""

import os
import random
import signal
import sys
import time
from pathlib import Path

import msgspec
import numpy as np

from encorec.errors import ArtifactError
from encorec.pipeline.artifact_files import write_array
from encorec.pipeline.manifest import FORMAT, DataEntry, Manifest, read_manifest, write_manifest
from encorec.serving.snapshots.store import SnapshotStore

NAMES = ("one", "two", "three")
FILES = 12


def write_artifact(folder: Path, name: str) -> Path:
    """Arrays full of one number, which stands for the artifact."""
    number = NAMES.index(name)
    array = np.full(2000, number)
    files = {
        f"part{place % 3}/{place}.npy": write_array(folder / f"part{place % 3}/{place}.npy", array)
        for place in range(FILES)
    }
    manifest = Manifest(
        format=FORMAT,
        snapshot_id=name,
        name=name,
        created="",
        encorec="",
        seed=0,
        data=DataEntry(source="", fingerprint="", users=0, items=0, interactions=0, end=0),
        config={},
        features={},
        user_schema={},
        files=files,
    )
    write_manifest(folder, manifest)
    return folder


def check(folder: Path) -> None:
    """Every file is of the artifact that the manifest names."""
    manifest = read_manifest(folder)
    for path in manifest.files:
        if set(np.load(folder / path, allow_pickle=False)) != {NAMES.index(manifest.snapshot_id)}:
            raise ArtifactError(f"{path} is not of {manifest.snapshot_id}")


def publish_without_end(store: SnapshotStore, artifacts: list[Path], start: int) -> None:
    while True:
        for place in range(len(artifacts)):
            store.publish(artifacts[(start + place) % len(artifacts)], check, keep=2)


def fault(store: SnapshotStore, artifacts: list[Path]) -> str | None:
    """What is wrong with the store; it must hold the current snapshot and the one before, whole."""
    from encorec.pipeline.artifact_files import verify_files

    try:
        current = store.current()
        for one in (current, *store.before(current)[:1]):
            verify_files(store.path(one), read_manifest(store.path(one)).files)
            check(store.path(one))
    except ArtifactError as error:
        return str(error)
    return None


def main(folder: Path, rounds: int) -> None:
    artifacts = [write_artifact(folder / "artifacts" / name, name) for name in NAMES]
    store, rng = SnapshotStore(folder / "store"), random.Random(0)
    store.publish(artifacts[0], check)
    began = time.perf_counter()
    store.publish(artifacts[1], check)
    takes = time.perf_counter() - began
    broken: list[str] = []
    served: list[str] = []
    for place in range(rounds):
        child = os.fork()
        if not child:
            publish_without_end(store, artifacts, place)
        time.sleep(rng.uniform(0.0, 4 * takes))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        if (found := fault(store, artifacts)) is not None:
            broken.append(found)
        served.append(store.current())
    store.publish(artifacts[0], check)
    left = [path.name for path in (store.folder / "snapshots").iterdir() if path.name.startswith(".")]
    print(msgspec.json.encode({"broken": broken, "served": served, "left": left}).decode())


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
