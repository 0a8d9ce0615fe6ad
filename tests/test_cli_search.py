"""`encorec similar` by any source, and `encorec ann-report`."""

import json
from pathlib import Path

import numpy as np
import pytest
from tests.conftest import Command
from tests.worlds import Trained


def test_items_alike_by_a_source_of_choice(run_encorec: Command, trained: Trained) -> None:
    answers = {}
    for source in ("knn", "als", "steps"):
        code, text, _ = run_encorec("similar", trained.folder, 6, "--source", source, "-k", 5, "--json")
        assert code == 0
        answers[source] = [row["item_id"] for row in json.loads(text)]
        assert answers[source] == [one.item_id for one in trained.engine.similar(6, 5, source=source)]
    assert len({tuple(one) for one in answers.values()}) == 3
    _, text, _ = run_encorec("similar", trained.folder, 6, "-k", 5, "--json")
    assert [row["item_id"] for row in json.loads(text)] == answers["knn"]


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("popular", "error: source 'popular' does not compare items; allowed: als, knn, steps"),
        ("kn", "error: unknown source 'kn': did you mean 'knn'? allowed: als, knn, steps"),
    ],
)
def test_a_source_that_compares_nothing_is_one_line(
    run_encorec: Command, trained: Trained, source: str, told: str
) -> None:
    code, text, error = run_encorec("similar", trained.folder, 6, "--source", source)
    assert (code, text, error.strip()) == (1, "", told)


@pytest.mark.parametrize("options", [(), (6, "--item", 6)])
def test_one_item_is_asked_for(run_encorec: Command, trained: Trained, options: tuple[object, ...]) -> None:
    code, _, told = run_encorec("similar", trained.folder, *options)
    assert code == 2
    assert "give the id of one ITEM" in told


def test_indexes_are_compared_on_an_artifact(run_encorec: Command, trained: Trained) -> None:
    code, text, told = run_encorec("ann-report", trained.folder, "--queries", 50, "-k", 5)
    assert code == 0
    items = np.count_nonzero(trained.engine.artifact.popularity)
    assert f"als: {items} vectors of 8 numbers; 50 queries" in text
    assert "recall@5" in text
    assert "ivf probes = 32" in text
    assert "· build hnsw" in told


def test_indexes_are_compared_on_a_file(run_encorec: Command, tmp_path: Path) -> None:
    np.save(tmp_path / "items.npy", np.random.default_rng(0).normal(size=(300, 6)), allow_pickle=False)
    code, text, _ = run_encorec("ann-report", "--vectors", tmp_path / "items.npy", "--queries", 20, "--json")
    assert code == 0
    report = json.loads(text)
    assert (report["items"], report["size"], report["queries"], report["k"]) == (300, 6, 20, 10)
    assert [row["index"] for row in report["rows"]] == ["exact", *["hnsw"] * 3, *["ivf"] * 3]
    assert report["rows"][0]["recall"] == 1
    assert report["recommendation"].endswith(".")


@pytest.mark.parametrize("options", [(), ("{artifact}", "--vectors", "x.npy"), ("{artifact}", "--queries-file", "x")])
def test_either_an_artifact_or_a_file(run_encorec: Command, trained: Trained, options: tuple[str, ...]) -> None:
    code, _, told = run_encorec("ann-report", *(one.format(artifact=trained.folder) for one in options))
    assert code == 2
    assert "give either ARTIFACT or --vectors FILE" in told


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("{artifact}", "--source", "als2"), "error: unknown source 'als2': did you mean 'als'? allowed: als"),
        (("--vectors", "none.npy"), "error: none.npy: cannot be read as a .npy file of numbers"),
    ],
)
def test_a_mistake_is_one_line(run_encorec: Command, trained: Trained, options: tuple[str, ...], told: str) -> None:
    code, text, error = run_encorec("ann-report", *(one.format(artifact=trained.folder) for one in options))
    assert (code, text) == (1, "")
    assert error.startswith(told)
