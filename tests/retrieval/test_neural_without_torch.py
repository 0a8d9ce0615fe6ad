"""What torch learnt is answered where there is no torch, and only learning asks for it."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tests.contracts.worlds import world
from tests.retrieval.asking import HISTORIES, asks

from encorec.config import decode
from encorec.retrieval.registry import RetrieverConfig, make_retriever

SOURCE = Path(__file__).parents[2] / "src"
ANSWER = """
import sys
import numpy as np
from encorec.config import decode
from encorec.data.dataset import Dataset
from encorec.data.interactions import Interactions
from encorec.errors import MissingExtra
from encorec.retrieval.registry import RetrieverConfig, make_retriever, restore_retriever
from encorec.types import Eligibility, Histories, Queries

kind, file = sys.argv[1:]
config = decode({"kind": kind}, RetrieverConfig)
with np.load(file, allow_pickle=False) as arrays:
    model = restore_retriever(config, dict(arrays))
items = len(model.arrays()["prior"])
queries = Queries(Histories.of([([0, 3, 7], [1, 2, 3])]), np.array([9]), Eligibility(np.ones(items, bool)))
print(*model.retrieve(queries, 5).item)
try:
    make_retriever(config).fit(Dataset.of(Interactions.of([0, 0], [0, 1], [1, 2])), rng=np.random.default_rng(0))
except MissingExtra as error:
    print(error)
print("torch" in sys.modules)
"""


@pytest.mark.parametrize("kind", ["neumf", "sasrec", "two-tower"])
def test_a_fitted_model_answers_without_torch(kind: str, tmp_path: Path) -> None:
    data = world()
    model = make_retriever(decode({"kind": kind, "training": {"epochs": 1}}, RetrieverConfig))
    model.fit(data, rng=np.random.default_rng(0))
    np.savez(tmp_path / "arrays.npz", **model.arrays())  # pyright: ignore[reportArgumentType]
    (tmp_path / "torch.py").write_text("raise ImportError('no torch here')")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(SOURCE)])}
    command = [sys.executable, "-c", ANSWER, kind, str(tmp_path / "arrays.npz")]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    answer, told, loaded = run.stdout.splitlines()
    assert [int(one) for one in answer.split()] == model.retrieve(asks(data, HISTORIES[:1]), 5).item.tolist()
    assert told == "this needs the package 'torch': pip install 'encorec[neural]'"
    assert loaded == "False"
