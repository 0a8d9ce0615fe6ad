"""Every shipped configuration is one: nothing in it is misspelt or of the wrong kind."""

import tomllib
from pathlib import Path

import pytest

from encorec.config import Config, load_toml
from encorec.experiment.spec import ExperimentSpec
from encorec.personas.persona import PersonaFile
from encorec.workflow import RunConfig

FOLDER = Path(__file__).parents[1] / "configs"
NEURAL = {"movielens-100k-neural": {"sasrec", "two-tower"}, "synthetic-kion-neural": {"sasrec", "two-tower"}}


def kind_of(file: Path) -> type[Config]:
    content = tomllib.loads(file.read_text(encoding="utf-8"))
    return RunConfig if "retrievers" in content else PersonaFile if "personas" in content else ExperimentSpec


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.toml")), ids=lambda file: file.stem)
def test_it_decodes(file: Path) -> None:
    found = load_toml(file, kind_of(file))
    if isinstance(found, RunConfig):
        assert found.name == file.stem


@pytest.mark.parametrize("name", NEURAL)
def test_the_neural_examples_have_neural_retrievers_beside_others(name: str) -> None:
    run = load_toml(FOLDER / f"{name}.toml", RunConfig)
    kinds = {str(type(one).__struct_config__.tag) for one in run.retrievers.values()}
    assert NEURAL[name] < kinds
