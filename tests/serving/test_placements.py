"""Exploration per placement, as an option writes it."""

import pytest

from encorec.errors import ConfigError
from encorec.pipeline.chances import ExplorationConfig
from encorec.serving.experiments.placements import explored_placements
from encorec.serving.settings import Settings


def test_a_temperature_and_maybe_a_head_per_placement() -> None:
    found = explored_placements(["main=0.5", "a=b=2:20", "side=0"])
    assert found == {
        "main": ExplorationConfig(temperature=0.5),
        "a=b": ExplorationConfig(temperature=2, head=20),
        "side": ExplorationConfig(),
    }


@pytest.mark.parametrize(
    "text", ["", "main", "main=", "=0.5", "main=warm", "main=nan", "main=inf", "main=-1", "main=1:", "main=1:x",
             "main=1:0", "main=0.0001", "main=1:-5", "main=1:2:3"],
)  # fmt: skip
def test_everything_else_is_refused_when_the_settings_are_made(text: str) -> None:
    with pytest.raises(ConfigError, match="explore"):
        Settings(explore=(text,))


def test_a_placement_stands_there_once() -> None:
    with pytest.raises(ConfigError, match="'main' is given twice"):
        explored_placements(["main=1", "main=2"])
