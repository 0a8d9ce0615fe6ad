"""What is saved answers as what was fitted did, to the last bit, in whatever process; nothing else is overwritten."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest
from tests.worlds import Trained

from encorec.data.dataset import Dataset
from encorec.errors import ArtifactError
from encorec.pipeline.artifact import Artifact, load_artifact, save_artifact
from encorec.pipeline.eligibility import fold_queries
from encorec.pipeline.manifest import read_manifest, write_manifest
from encorec.pipeline.requests import Request
from encorec.pipeline.two_stage import FirstStage, TwoStage
from encorec.types import Candidates, Queries

ROOT = Path(__file__).parents[2]
ANSWER = """
import sys
from pathlib import Path
import numpy as np
from encorec.pipeline.artifact import load_artifact
from encorec.pipeline.engine import Engine
from encorec.pipeline.requests import Request
import msgspec
engine = Engine(load_artifact(sys.argv[1]))
answers = engine.recommend([Request(user_id=user) for user in (*range(50), None)])
sys.stdout.buffer.write(msgspec.json.encode(answers))
assert "catboost" not in sys.modules, "to answer needs no training code"
"""


def save(trained: Trained, folder: Path, name: str = "exam") -> Path:
    """The pipeline of the exam, which is still in memory as it was fitted."""
    data = trained.exam.test.past
    return save_artifact(folder, trained.exam.pipeline, trained.run.pipeline, data, name=name, seed=0)


@pytest.fixture(scope="module")
def saved(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save(trained, tmp_path_factory.mktemp("saved") / "artifact")


def test_a_loaded_pipeline_gives_to_the_last_bit_what_the_fitted_one_gives(trained: Trained, saved: Path) -> None:
    queries = fold_queries(trained.exam.test)
    fitted, loaded = (one.recommend(queries, 10) for one in (trained.exam.pipeline, load_artifact(saved).pipeline))
    for name in ("item", "score", "source", "propensity"):
        np.testing.assert_array_equal(getattr(fitted, name), getattr(loaded, name), strict=True)


def test_a_fresh_process_gives_to_the_last_bit_the_same_answers(trained: Trained) -> None:
    run = subprocess.run(
        [sys.executable, "-c", ANSWER, str(trained.folder)],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr.decode()
    here = trained.engine.recommend([Request(user_id=user) for user in (*range(50), None)])
    assert run.stdout == msgspec.json.encode(here)


def test_what_is_known_of_the_data_comes_back(trained: Trained, saved: Path) -> None:
    artifact, data = load_artifact(saved), trained.exam.test.past
    assert artifact.users.ids.tolist() == data.users.ids.tolist()
    assert artifact.items.ids.tolist() == data.items.ids.tolist()
    assert artifact.data_end == data.interactions.end
    assert artifact.title(3) == "Part 3"
    assert artifact.config == trained.run.pipeline
    np.testing.assert_array_equal(artifact.user_features, data.user_features.dense())
    np.testing.assert_array_equal(artifact.catalogue, data.interactions.item_counts > 0)
    np.testing.assert_array_equal(artifact.popularity, data.interactions.item_users)
    for name in ("indptr", "item", "time", "weight"):
        np.testing.assert_array_equal(getattr(artifact.histories, name), getattr(data.interactions.histories, name))
    assert artifact.user_schema.encode({"sex": "M", "age": 3}).tolist() == [3, 1]


def test_without_titles_an_item_is_called_by_its_id(trained: Trained, tmp_path: Path) -> None:
    data = replace(trained.exam.test.past, titles=None)
    save_artifact(tmp_path / "a", trained.exam.pipeline, trained.run.pipeline, data, name="a", seed=0)
    assert load_artifact(tmp_path / "a").title(3) == "3"


def test_the_manifest_says_what_it_is_and_where_it_comes_from(trained: Trained) -> None:
    manifest = read_manifest(trained.folder)
    data = trained.data
    assert (manifest.name, manifest.seed, manifest.data.source) == ("small", 0, "small-world")
    assert manifest.data.fingerprint == data.fingerprint
    assert (manifest.data.users, manifest.data.items, manifest.data.interactions) == (300, 150, len(data.interactions))
    assert manifest.figures["measured_on"] == "test fold last-1, unseen by these models"
    assert manifest.figures["verdict"] == trained.exam.report["verdict"]
    files = {path.relative_to(trained.folder).as_posix() for path in trained.folder.rglob("*") if path.is_file()}
    assert files == {*manifest.files, "manifest.json"}


def test_arrays_are_mapped_from_disk_and_cannot_be_written(saved: Path) -> None:
    artifact = load_artifact(saved)
    for array in (artifact.histories.item, artifact.user_features, artifact.popularity):
        assert isinstance(array.base, np.memmap)
        assert not array.flags.writeable
    als = artifact.pipeline.first.retrievers["als"].arrays()  # pyright: ignore[reportAttributeAccessIssue]
    assert all(isinstance(array.base, np.memmap) for array in als.values())


def test_no_file_is_a_pickle_or_holds_objects(saved: Path) -> None:
    for path in saved.rglob("*.npy"):
        assert np.load(path, allow_pickle=False).dtype.kind in "biufU"
    assert {path.suffix for path in saved.rglob("*") if path.is_file()} == {".npy", ".json", ".cbm"}


def test_equal_content_has_an_equal_name(trained: Trained, saved: Path, tmp_path: Path) -> None:
    again = read_manifest(save(trained, tmp_path / "again", name="another name"))
    assert again.snapshot_id == read_manifest(saved).snapshot_id
    assert again.snapshot_id != read_manifest(trained.folder).snapshot_id


def test_an_artifact_is_replaced_and_nothing_is_left_beside_it(trained: Trained, tmp_path: Path) -> None:
    for name in ("old", "new"):
        save(trained, tmp_path / "deep" / "artifact", name)
    assert load_artifact(tmp_path / "deep" / "artifact").manifest.name == "new"
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["artifact"]


def test_where_folders_cannot_be_swapped_they_are_renamed(
    trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on other systems than Linux."""
    monkeypatch.setattr("encorec.pipeline.artifact_files._EXCHANGE", -1)  # a flag that the kernel refuses
    for name in ("old", "new"):
        save(trained, tmp_path / "artifact", name)
    assert load_artifact(tmp_path / "artifact").manifest.name == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["artifact"]


def test_an_artifact_of_another_format_is_replaced(trained: Trained, tmp_path: Path) -> None:
    folder = save(trained, tmp_path / "artifact", "old")
    write_manifest(folder, msgspec.structs.replace(read_manifest(folder), format=99))
    save(trained, folder, "new")
    assert load_artifact(folder).manifest.name == "new"


def test_an_empty_folder_is_used(trained: Trained, tmp_path: Path) -> None:
    (tmp_path / "artifact").mkdir()
    assert load_artifact(save(trained, tmp_path / "artifact")).manifest.name == "exam"


@pytest.mark.parametrize(
    "files",
    [
        {"thesis.txt": "ten years of work"},
        {"manifest.json": json.dumps({"name": "a web site", "icons": []})},
        {"manifest.json": "[]"},
        {"manifest.json": "torn"},
    ],
)
def test_a_folder_of_something_else_is_left_alone(trained: Trained, files: dict[str, str], tmp_path: Path) -> None:
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    with pytest.raises(ArtifactError, match="exists and is not an artifact; choose another folder or remove it"):
        save(trained, tmp_path)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == files


def test_a_file_is_left_alone(trained: Trained, tmp_path: Path) -> None:
    (tmp_path / "artifact").write_text("mine")
    with pytest.raises(ArtifactError, match="exists and is not an artifact"):
        save(trained, tmp_path / "artifact")
    assert (tmp_path / "artifact").read_text() == "mine"


class PlugIn:
    """A retriever that says nothing of what it has learnt."""

    def retrieve(self, queries: Queries, n: int) -> Candidates:
        raise NotImplementedError


def test_what_cannot_be_saved_leaves_nothing_behind(trained: Trained, tmp_path: Path) -> None:
    first = trained.exam.pipeline.first
    pipeline = TwoStage(FirstStage({"own": PlugIn()}, {"own": 1}, first.features))
    with pytest.raises(ArtifactError, match="retriever 'own' cannot be saved"):
        save_artifact(tmp_path / "a", pipeline, trained.run.pipeline, trained.data, name="a", seed=0)
    assert list(tmp_path.iterdir()) == []


def test_a_pipeline_without_a_ranker_is_saved_too(trained: Trained, tmp_path: Path) -> None:
    fused, data = TwoStage(trained.exam.pipeline.first), trained.exam.test.past
    folder = save_artifact(tmp_path / "a", fused, trained.run.pipeline, data, name="a", seed=0)
    artifact: Artifact = load_artifact(folder)
    assert artifact.pipeline.ranker is None
    queries = fold_queries(trained.exam.test)
    np.testing.assert_array_equal(artifact.pipeline.recommend(queries, 5).item, fused.recommend(queries, 5).item)


def test_data_without_any_features_are_saved_too(trained: Trained, tmp_path: Path) -> None:
    bare, first = Dataset.of(trained.data.interactions), trained.exam.pipeline.first
    save_artifact(tmp_path / "a", TwoStage(first), trained.run.pipeline, bare, name="a", seed=0)
    assert load_artifact(tmp_path / "a").user_features.shape == (300, 0)
