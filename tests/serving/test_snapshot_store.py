"""A store is always whole: what is published is there entirely, what is refused changes nothing, old ones go."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.serving.stores import accept, renamed
from tests.worlds import Trained

from encorec.errors import ArtifactError
from encorec.pipeline.artifact import load_artifact
from encorec.pipeline.manifest import read_manifest
from encorec.serving.snapshots.store import SnapshotStore, is_store

ROOT = Path(__file__).parents[2]


def refuse(_: Path) -> None:
    raise ArtifactError("not this one")


@pytest.fixture
def artifacts(trained: Trained, tmp_path: Path) -> list[Path]:
    return [renamed(trained.folder, tmp_path, f"s{number}") for number in range(6)]


@pytest.fixture
def store(tmp_path: Path) -> SnapshotStore:
    return SnapshotStore(tmp_path / "store")


def test_what_is_published_is_current_and_whole(trained: Trained, store: SnapshotStore) -> None:
    name = store.publish(trained.folder, load_artifact)
    assert (store.folder / "CURRENT").read_text().strip() == store.current() == name
    assert name == read_manifest(trained.folder).snapshot_id
    assert load_artifact(store.path(name)).snapshot_id == name
    assert is_store(store.folder)
    assert not is_store(trained.folder)


def test_the_snapshot_does_not_change_with_the_artifact(trained: Trained, tmp_path: Path, store: SnapshotStore) -> None:
    copy = Path(shutil.copytree(trained.folder, tmp_path / "copy"))
    name = store.publish(copy, accept)
    (copy / "items/ids.npy").write_bytes(b"gone")
    load_artifact(store.path(name))


def test_links_are_made_where_they_are_asked_for(trained: Trained, tmp_path: Path, store: SnapshotStore) -> None:
    copy = Path(shutil.copytree(trained.folder, tmp_path / "copy"))
    name = store.publish(copy, accept, link=True)
    assert (store.path(name) / "items/ids.npy").samefile(copy / "items/ids.npy")


def test_old_snapshots_go_but_never_the_served_one_or_the_one_before(
    artifacts: list[Path], store: SnapshotStore
) -> None:
    for artifact in artifacts[:5]:
        store.publish(artifact, accept)
    assert store.history() == ["s4", "s3", "s2"]
    assert sorted(path.name for path in (store.folder / "snapshots").iterdir()) == ["s2", "s3", "s4"]
    store.select("s2")
    store.publish(artifacts[5], accept, keep=1)
    assert store.history() == ["s5", "s2"]
    assert store.before("s5") == ["s2"]


def test_the_order_is_that_of_service(artifacts: list[Path], store: SnapshotStore) -> None:
    for artifact in artifacts[:3]:
        store.publish(artifact, accept)
    store.select("s1")
    assert store.before(store.current()) == ["s0"]
    store.publish(artifacts[3], accept, keep=4)
    assert store.history() == ["s3", "s1", "s2", "s0"]


@pytest.mark.parametrize("keep", [1, 2, 3])
def test_publishing_the_same_again_changes_nothing(artifacts: list[Path], store: SnapshotStore, keep: int) -> None:
    for artifact in (*artifacts[:2], artifacts[1]):
        store.publish(artifact, accept, keep=keep)
    assert (store.current(), store.history()) == ("s1", ["s1", "s0"])


def test_publishing_again_repairs_a_damaged_snapshot(trained: Trained, store: SnapshotStore) -> None:
    name = store.publish(trained.folder, accept)
    before = store.token()
    (store.path(name) / "items/ids.npy").write_bytes(b"gone")
    store.publish(trained.folder, accept)
    load_artifact(store.path(name))
    assert store.token() != before


@pytest.mark.parametrize("harm", ["altered", "missing", "no manifest", "refused"])
def test_what_is_refused_changes_nothing(artifacts: list[Path], store: SnapshotStore, harm: str) -> None:
    store.publish(artifacts[0], accept)
    bad = artifacts[1]
    if harm == "altered":
        (bad / "items/ids.npy").write_bytes(b"gone")
    if harm == "missing":
        (bad / "items/ids.npy").unlink()
    if harm == "no manifest":
        (bad / "manifest.json").unlink()
    with pytest.raises(ArtifactError):
        store.publish(bad, refuse if harm == "refused" else accept)
    assert (store.current(), store.history()) == ("s0", ["s0"])
    assert [path.name for path in (store.folder / "snapshots").iterdir()] == ["s0"]


@pytest.mark.parametrize("text", ["", "../s0", "s0/../../x", ".hidden", "a" * 65, "\n\n", "\x00"])
def test_a_current_that_is_no_id_is_refused(artifacts: list[Path], store: SnapshotStore, text: str) -> None:
    store.publish(artifacts[0], accept)
    (store.folder / "CURRENT").write_text(text)
    with pytest.raises(ArtifactError, match="no id of a snapshot"):
        store.current()
    assert store.publish(artifacts[1], accept) == store.current()


def test_what_is_not_there_is_said(store: SnapshotStore, tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"no CURRENT there; run `encorec publish"):
        store.current()
    with pytest.raises(ArtifactError, match="no snapshot s9"):
        store.select("s9")
    (tmp_path / "file").write_text("")
    with pytest.raises(ArtifactError, match=r"no manifest\.json"):
        SnapshotStore(tmp_path / "file").publish(tmp_path / "nothing", accept)


def killed(tmp_path: Path, rounds: int) -> dict[str, list[str]]:
    run = subprocess.run(
        [sys.executable, "-m", "tests.serving.killed_publishers", str(tmp_path / "kills"), str(rounds)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}", "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def test_killed_at_any_moment_a_whole_snapshot_is_current(tmp_path: Path) -> None:
    found = killed(tmp_path, 60)
    assert found["broken"] == []
    assert len(set(found["served"])) > 1, "some publications were finished, some not"
    assert found["left"] == []
