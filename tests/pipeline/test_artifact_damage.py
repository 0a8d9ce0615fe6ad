"""Whatever is torn, altered or smuggled in is refused by name, and nothing of it is loaded, let alone executed."""

import io
import pickle
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.worlds import Trained

from encorec.errors import ArtifactError
from encorec.pipeline.artifact import load_artifact
from encorec.pipeline.artifact_files import FileEntry, entry_of
from encorec.pipeline.engine import load_engine
from encorec.pipeline.manifest import Manifest, read_manifest, write_manifest

FILE = "retrievers/knn/value.npy"
BOTH = pytest.mark.parametrize("verify", [True, False])


@pytest.fixture
def artifact(trained: Trained, tmp_path: Path) -> Path:
    return Path(shutil.copytree(trained.folder, tmp_path / "artifact"))


@pytest.fixture(scope="module")
def shared(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy that every test leaves as it was."""
    return Path(shutil.copytree(trained.folder, tmp_path_factory.mktemp("shared") / "artifact"))


def refused(folder: Path, told: str, *, verify: bool = True) -> None:
    with pytest.raises(ArtifactError, match=told):
        load_artifact(folder, verify=verify)


def rewrite(folder: Path, change: Callable[[Manifest], Manifest]) -> None:
    """Alter the manifest as somebody would who knows how checksums are made."""
    write_manifest(folder, change(read_manifest(folder)))


def smuggle(folder: Path, path: str, content: bytes, **entry: Any) -> None:
    """Put other content into a file and its hash into the manifest."""
    (folder / path).write_bytes(content)
    old = read_manifest(folder).files[path]
    new = FileEntry(entry_of(folder / path).sha256, entry.get("shape", old.shape), entry.get("dtype", old.dtype))
    rewrite(folder, lambda manifest: msgspec.structs.replace(manifest, files={**manifest.files, path: new}))


@settings(max_examples=60)
@given(data=st.data())
def test_a_flipped_bit_anywhere_is_found(shared: Path, data: st.DataObject) -> None:
    files = sorted(path.relative_to(shared).as_posix() for path in shared.rglob("*") if path.is_file())
    path = shared / data.draw(st.sampled_from(files))
    content = path.read_bytes()
    place, bit = data.draw(st.integers(0, len(content) - 1)), data.draw(st.integers(0, 7))
    path.write_bytes(content[:place] + bytes([content[place] ^ 1 << bit]) + content[place + 1 :])
    try:
        refused(shared, str(path.name))
    finally:
        path.write_bytes(content)


def test_a_truncated_file_is_found(shared: Path) -> None:
    for path in (path for path in sorted(shared.rglob("*")) if path.is_file()):
        content = path.read_bytes()
        path.write_bytes(content[: len(content) // 2])
        try:
            refused(shared, path.name)
        finally:
            path.write_bytes(content)


def test_a_missing_file_is_found(shared: Path) -> None:
    for path in (path for path in sorted(shared.rglob("*")) if path.is_file()):
        path.rename(path.with_suffix(".away"))
        try:
            refused(shared, f"no {path.name} there" if path.name == "manifest.json" else f"{path.name}: missing")
        finally:
            path.with_suffix(".away").rename(path)


def test_truncated_arrays_are_found_without_a_look_at_their_hashes(shared: Path) -> None:
    for path in sorted(shared.rglob("*.npy")):
        content = path.read_bytes()
        path.write_bytes(content[: max(len(content) // 2, 60)])
        try:
            refused(shared, f"{path.name}: not a plain array", verify=False)
        finally:
            path.write_bytes(content)


class Bomb:
    """Goes off when it is unpickled."""

    def __reduce__(self) -> Any:
        return pytest.fail, ("a pickle was executed",)


def npy(array: Any) -> bytes:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=True)
    return file.getvalue()


def npz(array: Any) -> bytes:
    file = io.BytesIO()
    np.savez(file, array)
    return file.getvalue()


SMUGGLED: dict[str, bytes] = {
    "an array of objects": npy(np.array([Bomb()], object)),
    "a pickle": pickle.dumps(Bomb()),
    "an archive": npz(np.zeros(3)),
    "an archive with a pickle in it": npz(np.array([Bomb()], object)),
    "text": b"not an array",
    "nothing": b"",
    "a header without data": npy(np.zeros(9, np.float32))[:-20],
    "a header of another kind": b"\x93NUMPY\x01\x00\x10\x00{'descr': '<f4'}\n",
}


@BOTH
@pytest.mark.parametrize("kind", SMUGGLED)
def test_what_is_not_a_plain_array_is_refused(artifact: Path, kind: str, verify: bool) -> None:
    smuggle(artifact, FILE, SMUGGLED[kind])
    refused(artifact, r"value\.npy: not a plain array", verify=verify)


@BOTH
@pytest.mark.parametrize("array", [np.zeros((2, 3), np.float32), np.zeros(7, np.float64), np.array(["a"])])
def test_an_array_of_another_shape_or_type_is_refused(artifact: Path, array: Any, verify: bool) -> None:
    smuggle(artifact, FILE, npy(array))
    refused(artifact, rf"value\.npy: is {array.dtype.str} .*, the manifest says <f4 \(\d+,\)", verify=verify)


@BOTH
@pytest.mark.parametrize("path", ["../outside.npy", "users/../../outside.npy", "{folder}/outside.npy"])
def test_a_path_out_of_the_artifact_is_refused(artifact: Path, path: str, verify: bool) -> None:
    outside = artifact.parent / "outside.npy"
    shutil.copy(artifact / FILE, outside)
    path = path.format(folder=artifact.parent)
    moved = {path: read_manifest(artifact).files[FILE]}
    rewrite(artifact, lambda manifest: msgspec.structs.replace(manifest, files=manifest.files | moved))
    refused(artifact, r"outside\.npy' of the manifest lies outside the artifact", verify=verify)


@pytest.mark.parametrize("path", ["items/ids.npy", "histories/item.npy", "features/items.clock.npy"])
def test_an_array_that_the_manifest_forgets_is_missed(artifact: Path, path: str) -> None:
    def forget(manifest: Manifest) -> Manifest:
        return msgspec.structs.replace(manifest, files={one: at for one, at in manifest.files.items() if one != path})

    rewrite(artifact, forget)
    refused(artifact, "not understood here")


@pytest.mark.parametrize(("config", "told"), [
    ({"retrievers": {}}, "at least one is needed"),
    ({"retrievers": {"a": {"kind": "eaze"}}}, "did you mean 'ease'"),
    ({}, "missing required field `retrievers`"),
])  # fmt: skip
def test_a_configuration_that_is_not_understood_is_refused(artifact: Path, config: dict[str, Any], told: str) -> None:
    rewrite(artifact, lambda manifest: msgspec.structs.replace(manifest, config=config))
    refused(artifact, f"not understood here: .*{told}")


MANIFESTS: dict[str, tuple[bytes, str]] = {
    "of another format": (b'{"format": 2}', "format 2, this encorec reads 1; train again or update encorec"),
    "without a format": (b"{}", "format None, this encorec reads 1"),
    "of another program": (b'{"format": 1}', r"manifest\.json: not a manifest"),
    "a list": (b"[1]", r"manifest\.json: not a manifest"),
    "cut off": (b'{"format": 1, ', r"manifest\.json: not a manifest"),
    "not text": (b"\xff\xfe\x00", r"manifest\.json: not a manifest"),
    "empty": (b"", r"manifest\.json: not a manifest"),
}


@pytest.mark.parametrize("kind", MANIFESTS)
def test_a_manifest_that_is_none_is_refused(artifact: Path, kind: str) -> None:
    content, told = MANIFESTS[kind]
    (artifact / "manifest.json").write_bytes(content)
    refused(artifact, told)


def test_a_manifest_altered_by_hand_is_refused(artifact: Path) -> None:
    manifest = artifact / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"damping": 2', '"damping": 3'))
    refused(artifact, r"manifest\.json: altered or torn \(its checksum does not fit\)")


def places(folder: Path) -> Iterator[Path]:
    yield folder / "nothing"
    yield folder.parent
    yield folder / "manifest.json"
    yield folder / FILE


def test_where_there_is_no_artifact_one_is_told_what_to_give(artifact: Path) -> None:
    for place in places(artifact):
        refused(place, r"no manifest\.json there; give a folder that `encorec train` wrote")


def test_a_folder_in_place_of_the_manifest_is_refused(artifact: Path) -> None:
    (artifact / "manifest.json").unlink()
    (artifact / "manifest.json").mkdir()
    refused(artifact, r"manifest\.json: cannot be read \(Is a directory\)")


@pytest.mark.parametrize("content", [b"{}", b"[]", b"not JSON", b'{"oblivious_trees": [{}]}'])
def test_trees_that_are_none_are_refused(artifact: Path, content: bytes) -> None:
    smuggle(artifact, "ranker.json", content)
    refused(artifact, r"ranker\.json: not the trees of a ranker")


def test_an_engine_is_loaded_only_if_it_still_gives_the_golden_answers(artifact: Path) -> None:
    """For example after an update that ranks otherwise."""

    def alter(manifest: Manifest) -> Manifest:
        first, *others = manifest.golden
        return msgspec.structs.replace(manifest, golden=[{**first, "item_ids": first["item_ids"][::-1]}, *others])

    load_engine(artifact)
    rewrite(artifact, alter)
    with pytest.raises(ArtifactError, match=r"golden request of user 0 gives \[.*\], recorded was"):
        load_engine(artifact)
    load_engine(artifact, verify=False)


def test_what_cannot_answer_is_not_served(artifact: Path) -> None:
    """An array of the right name and hash, but of another catalogue."""
    path = "retrievers/popular/popularity.npy"
    cut = np.load(artifact / path)[:, :3]
    smuggle(artifact, path, npy(cut), shape=cut.shape)
    with pytest.raises(ArtifactError, match="retrievers/popular/popularity has 3 values for 150 items"):
        load_engine(artifact)
