"""Neural retrievers in a two-stage, from the command to the service: epochs told, killed and resumed, without torch."""

import json
import re
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from tests.end_to_end.project import ROOT, encorec, environment, succeeded, write_project
from tests.end_to_end.service import Service
from tests.end_to_end.test_training import content

from encorec.nn.checkpoint import read_checkpoint
from encorec.pipeline.engine import load_engine
from encorec.pipeline.requests import Request

K, EPOCHS, FITS = 12, 3, 3  # a network is fitted on the past of one label fold, on that of the exam, and on everything
NEURAL = """
[retrievers.sasrec]
kind = "sasrec"
embedding_size = 16
time_gaps = true
item_features = ["genres"]
{training}

[retrievers.towers]
kind = "two-tower"
embedding_size = 16
history = "attention"
user_features = ["age", "sex"]
item_features = ["genres", "kind"]
{training}

[retrievers.pairs]
kind = "neumf"
embedding_size = 8
hidden = 16
pretraining = 1
{training}
"""
TRAINING = "training = {{ epochs = {epochs}, batch_size = 32, patience = 100{folder} }}"
NO_TORCH = 'raise ImportError("no torch here")'
ANSWER = """
import json, sys
from encorec.pipeline.engine import load_engine
from encorec.pipeline.requests import Request

try:
    import torch
except ImportError as error:
    print(error, file=sys.stderr)
engine = load_engine(sys.argv[1])
told = {}
for user in [*engine.artifact.users.ids.tolist(), "somebody new"]:
    [answer] = engine.recommend([Request(user_id=user, k=int(sys.argv[2]))])
    told[user] = [(item.item_id, item.score) for item in answer.items]
print(json.dumps(told))
"""
Lists = dict[str, list[tuple[Any, float]]]


def write_neural(folder: Path, name: str, epochs: int, runs: str | None = None) -> None:
    """``name``.toml: the retrievers of ``films`` and three neural ones; ``runs``: the folder of their checkpoints."""
    training = TRAINING.format(epochs=epochs, folder="" if runs is None else f', folder = "{runs}"')
    text = (folder / "films.toml").read_text().replace("folds = 3", "folds = 1")
    (folder / f"{name}.toml").write_text(text + NEURAL.format(training=training))


def epochs_told(stderr: str) -> list[str]:
    return re.findall(r"^· (fit \w+: epoch .*)$", stderr, re.M)


@pytest.fixture(scope="module")
def neural(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project, and ``artifact``: trained by the command, with what it told in ``train.txt``."""
    folder = tmp_path_factory.mktemp("neural")
    write_project(folder)
    write_neural(folder, "neural", EPOCHS)
    (folder / "train.txt").write_text(succeeded(folder, "train", "neural.toml", "--out", "artifact").stderr)
    return folder


@pytest.fixture(scope="module")
def batch(neural: Path) -> Lists:
    """What the batch command gives to everybody."""
    (neural / "users.txt").write_text("\n".join([*(f"v{row:03d}" for row in range(300)), "somebody new"]))
    options = ("--users", "users.txt", "--out", "all.parquet", "-k", K, "--clock", "data-end")
    succeeded(neural, "recommend", "artifact", *options)
    frame = pl.read_parquet(neural / "all.parquet").group_by("user_id", maintain_order=True).agg("item_id", "score")
    return {user: list(zip(items, scores, strict=True)) for user, items, scores in frame.rows()}


def without_torch(folder: Path) -> Path:
    """A working folder in which ``import torch`` fails: Python looks there first."""
    (folder / "torch.py").write_text(NO_TORCH)
    return folder


def test_every_epoch_is_a_line_where_nobody_watches(neural: Path) -> None:
    told = epochs_told((neural / "train.txt").read_text())
    numbers = {"sasrec": EPOCHS, "towers": EPOCHS, "pairs": EPOCHS + 2}
    expected = [(name, number) for name, epochs in numbers.items() for number in range(1, epochs + 1)] * FITS
    form = r"fit (\w+): epoch (\d+), loss \d+\.\d{4}, ndcg@10 0\.\d{4} on events kept aside"
    found = [re.fullmatch(form, line) for line in told]
    assert [(one[1], int(one[2])) for one in found if one] == expected
    assert len(told) == len(expected)


def test_an_artifact_answers_where_there_is_no_torch(neural: Path, batch: Lists, tmp_path: Path) -> None:
    command = [sys.executable, "-c", ANSWER, str(neural / "artifact"), str(K)]
    folder = without_torch(tmp_path)
    run = subprocess.run(command, cwd=folder, env=environment(), capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert run.stderr.strip() == "no torch here"
    answers = {user: [tuple(one) for one in items] for user, items in json.loads(run.stdout).items()}
    assert answers == batch
    assert len(answers) == 301


def test_the_neural_retrievers_propose_and_their_scores_are_features(neural: Path) -> None:
    engine = load_engine(neural / "artifact")
    answers = engine.recommend([Request(user_id=f"v{row:03d}", k=K) for row in range(0, 300, 3)])
    sources = {source for answer in answers for item in answer.items for source in item.source}
    assert {"sasrec", "towers", "pairs"} <= sources
    names = engine.artifact.pipeline.first.features.names
    assert {"sasrec_score", "towers_score", "pairs_score"} <= set(names)


def test_the_service_needs_no_torch(neural: Path, batch: Lists, tmp_path: Path) -> None:
    users = [f"v{row:03d}" for row in range(0, 300, 17)]
    with Service(without_torch(tmp_path), neural / "artifact", "--clock", "data-end") as service:
        given = {user: service.items(user_id=user, k=K) for user in users}
        assert service.post("/v1/similar", {"item_id": "f006", "k": 3})["items"]
    assert given == {user: batch[user] for user in users}


def test_the_image_of_the_service_installs_no_torch() -> None:
    [extras] = re.findall(r"'\.\[([\w,]+)\]'", (ROOT / "Dockerfile").read_text(encoding="utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    optional = project["optional-dependencies"]
    installed = [*project["dependencies"], *(line for extra in extras.split(",") for line in optional[extra])]
    assert not [line for line in installed if line.startswith(("torch", "encorec["))]
    assert [line for line in optional["neural"] if line.startswith("torch")]


def test_learning_without_torch_says_what_to_install(neural: Path, tmp_path: Path) -> None:
    for file in ("log.csv", "viewers.csv", "films.csv", "neural.toml"):
        (tmp_path / file).write_bytes((neural / file).read_bytes())
    run = encorec(without_torch(tmp_path), "train", "neural.toml", "--out", "artifact")
    assert run.returncode == 1
    assert run.stderr.splitlines()[-1] == "error: this needs the package 'torch': pip install 'encorec[neural]'"


def test_a_killed_training_goes_on_after_its_last_epoch(tmp_path: Path) -> None:
    """Killed in the second network: the first is not trained again, the second goes on, and nothing is different."""
    epochs = 6
    write_project(tmp_path)
    write_neural(tmp_path, "killed", epochs, runs="runs")
    write_neural(tmp_path, "whole", epochs, runs="others")
    command = [sys.executable, "-m", "encorec", "train", "killed.toml", "--out", "artifact"]
    with (tmp_path / "killed.txt").open("w") as told:
        process = subprocess.Popen(command, cwd=tmp_path, env=environment(), stderr=told, stdout=told)
        while len(list(tmp_path.glob("runs/*/checkpoint.pt"))) < 2:
            assert process.poll() is None, (tmp_path / "killed.txt").read_text()
            time.sleep(0.002)
        process.kill()
        process.wait()
    states = [read_checkpoint(path.parent) for path in tmp_path.glob("runs/*/checkpoint.pt")]
    done = sorted(len(state.epochs) for state in states if state is not None)
    assert done[1] == epochs
    assert 1 <= done[0] < epochs
    resumed = epochs_told(succeeded(tmp_path, "train", "killed.toml", "--out", "artifact").stderr)
    whole = epochs_told(succeeded(tmp_path, "train", "whole.toml", "--out", "whole").stderr)
    assert len(whole) == FITS * (3 * epochs + 2)
    assert resumed == whole[sum(done) :]
    assert resumed[0].startswith(f"fit towers: epoch {done[0] + 1}, ")
    assert content(tmp_path / "artifact") == content(tmp_path / "whole")
