"""Vectors to compare indexes on, from an artifact and from files."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.worlds import USERS, Trained

from encorec.errors import DataError, QueryError
from encorec.pipeline.query_building import stored_queries
from encorec.pipeline.vector_sets import artifact_vectors, file_vectors
from encorec.retrieval.als import ALS

TABLE = np.random.default_rng(0).normal(size=(50, 4))


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    np.save(tmp_path / "items.npy", TABLE, allow_pickle=False)
    return tmp_path / "items.npy"


def test_an_artifact_is_asked_what_its_own_histories_ask(trained: Trained) -> None:
    artifact = trained.engine.artifact
    found = artifact_vectors(artifact, None, USERS, seed=0)
    model = artifact.pipeline.first.retrievers["als"]
    assert isinstance(model, ALS)
    active = np.flatnonzero(artifact.histories.lengths > 0)
    assert found.users.tolist() == model.encode(stored_queries(artifact, active, artifact.data_end)).tolist()
    assert (found.name, len(found.vectors.known)) == ("als", np.count_nonzero(artifact.popularity))


def test_some_users_are_drawn_by_the_seed(trained: Trained) -> None:
    artifact = trained.engine.artifact
    first, again, other = (artifact_vectors(artifact, "als", 20, seed).users.tolist() for seed in (1, 1, 2))
    assert len(first) == 20
    assert first == again != other


@pytest.mark.parametrize(
    ("source", "told"),
    [("knn", "source 'knn' has no vectors; allowed: als"), ("asl", "unknown source 'asl': did you mean 'als'")],
)
def test_a_source_without_vectors_is_refused(trained: Trained, source: str, told: str) -> None:
    with pytest.raises(QueryError, match=told):
        artifact_vectors(trained.engine.artifact, source, 5, seed=0)


def test_an_artifact_without_vectors_is_refused(trained: Trained) -> None:
    artifact = trained.engine.artifact
    first = artifact.pipeline.first
    pipeline = replace(artifact.pipeline, first=replace(first, retrievers={"knn": first.retrievers["knn"]}))
    with pytest.raises(QueryError, match="no retriever of this artifact has vectors"):
        artifact_vectors(replace(artifact, pipeline=pipeline), None, 5, seed=0)


def test_vectors_of_a_file_are_asked_for_themselves(saved: Path) -> None:
    found = file_vectors(saved, None, 1000, seed=0)
    assert found.users.tolist() == TABLE.astype(np.float32).tolist()
    assert found.vectors.factors.T.tolist() == TABLE.astype(np.float32).tolist()
    assert len(file_vectors(saved, None, 7, seed=0).users) == 7


def test_queries_may_come_from_a_file_of_their_own(saved: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "asked.npy", np.array([[0, 0, 0, 0], [1, 2, 3, 4]]), allow_pickle=False)
    assert file_vectors(saved, tmp_path / "asked.npy", 10, seed=0).users.tolist() == [[1, 2, 3, 4]]


CONTENTS: dict[str, tuple[Any, str]] = {
    "one vector": (np.ones(4), "allowed is a table of numbers"),
    "a cube": (np.ones((2, 2, 2)), "allowed is a table of numbers"),
    "nothing": (np.ones((0, 4)), "allowed is a table of numbers"),
    "text": (np.array([["a"]]), "allowed is a table of numbers"),
    "an unknown number": (np.array([[1, 2.0, 3, 4], [1, np.nan, 3, 4]]), "1 vectors are not finite.*first: row 1"),
    "a number beyond float32": (np.full((2, 4), 1e300), "2 vectors are not finite"),
    "zeros": (np.zeros((2, 4)), "all vectors are zeros"),
}


@pytest.mark.parametrize("content", CONTENTS)
def test_a_file_of_something_else_is_refused(tmp_path: Path, content: str) -> None:
    table, told = CONTENTS[content]
    np.save(tmp_path / "items.npy", table, allow_pickle=False)
    with pytest.raises(DataError, match=told):
        file_vectors(tmp_path / "items.npy", None, 5, seed=0)


def test_a_pickle_is_not_opened(tmp_path: Path) -> None:
    np.save(tmp_path / "items.npy", np.array([{"a": 1}], object), allow_pickle=True)
    with pytest.raises(DataError, match="cannot be read"):
        file_vectors(tmp_path / "items.npy", None, 5, seed=0)


@pytest.mark.parametrize("text", [b"", b"1,2\n3,4\n"])
def test_a_file_that_is_no_array_is_refused(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "items.npy").write_bytes(text)
    with pytest.raises(DataError, match="cannot be read as a"):
        file_vectors(tmp_path / "items.npy", None, 5, seed=0)


def test_a_missing_file_and_an_archive_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        file_vectors(tmp_path / "items.npy", None, 5, seed=0)
    np.savez(tmp_path / "items.npz", TABLE)
    with pytest.raises(DataError, match="allowed is a table of numbers"):
        file_vectors(tmp_path / "items.npz", None, 5, seed=0)


def test_queries_of_another_size_are_refused(saved: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "asked.npy", np.ones((3, 5)), allow_pickle=False)
    with pytest.raises(DataError, match=r"vectors of 5 numbers, those of .* have 4"):
        file_vectors(saved, tmp_path / "asked.npy", 5, seed=0)
