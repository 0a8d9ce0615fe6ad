"""Selection and calibration from the configuration to the answers: the command, its page, the artifact."""

import json
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest
from tests.browser import open_page
from tests.conftest import Command
from tests.end_to_end.project import write_project
from tests.worlds import Trained

from encorec.errors import ArtifactError
from encorec.pipeline.artifact import load_artifact, save_artifact
from encorec.pipeline.engine import load_engine
from encorec.pipeline.requests import Request
from encorec.pipeline.selectors import fit_selector
from encorec.pipeline.varied_selector import SelectionConfig, VariedSelector

TABLES = """
[selection]
kind = "mmr"
strength = 0.2
pool = 30
popularity = 0.1
caps = {kind = 6}
"""


def test_a_trained_selection_and_calibration_answer_as_they_were_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run_encorec: Command
) -> None:
    write_project(tmp_path)
    monkeypatch.chdir(tmp_path)
    text = 'calibration = "platt"\n' + (tmp_path / "films.toml").read_text() + TABLES
    (tmp_path / "varied.toml").write_text(text)
    code, told, _ = run_encorec("train", "varied.toml", "--out", "shop", "--curve", "--json", "--html", "report.html")
    assert code == 0
    report = json.loads(told)
    assert list(report["variety"]["curves"]) == ["mmr"]
    assert report["probabilities"]["kind"] == "platt"
    for width in (390, 1200):
        opened = open_page(f"file://{tmp_path / 'report.html'}", width=width)
        assert opened.console == []
        assert "What variety costs" in opened.document
    engine = load_engine(tmp_path / "shop")
    kinds = engine.artifact.item_features
    assert kinds is not None
    together = engine.recommend([Request(user_id=f"v{one:03d}", k=10) for one in range(40)])
    for answer in together:
        series = [kinds.categorical["kind"].code[engine.artifact.items.row(one.item_id)] for one in answer.items]
        assert max(np.bincount(series)) <= 6
        assert all(0 < one.score < 1 for one in answer.items)
    [alone] = engine.recommend([Request(user_id=together[7].user_id, k=10)])
    assert alone.items == together[7].items


def saved(trained: Trained, folder: Path, selection: SelectionConfig) -> Path:
    pipeline = replace(trained.exam.pipeline, selector=fit_selector(selection, trained.data))
    config = msgspec.structs.replace(trained.run.pipeline, selection=selection)
    return save_artifact(folder, pipeline, config, trained.data, name="varied", seed=0)


def test_another_strength_is_another_snapshot(trained: Trained, tmp_path: Path) -> None:
    """Though no file of arrays differs."""
    snapshots = {
        load_artifact(saved(trained, tmp_path / str(one), SelectionConfig(kind="dpp", strength=one))).snapshot_id
        for one in (0.2, 0.4)
    }
    assert len(snapshots) == 2


def test_selectors_come_back_from_their_files(trained: Trained, tmp_path: Path) -> None:
    selection = SelectionConfig(kind="calibrated", strength=0.5, caps={"kind": 5}, freshness=0.2)
    loaded = load_artifact(saved(trained, tmp_path / "artifact", selection)).pipeline.selector
    assert isinstance(loaded, VariedSelector)
    wanted = VariedSelector.fit(selection, trained.data).arrays()
    for name, array in loaded.arrays().items():
        np.testing.assert_array_equal(array, wanted[name])


def test_an_artifact_without_the_arrays_of_its_selection_is_refused(trained: Trained, tmp_path: Path) -> None:
    config = msgspec.structs.replace(trained.run.pipeline, selection=SelectionConfig(kind="mmr"))
    folder = save_artifact(
        tmp_path / "torn", trained.exam.pipeline, config, trained.data, name="torn", seed=0
    )  # its selector is the best k
    with pytest.raises(ArtifactError, match="not understood here"):
        load_artifact(folder)
