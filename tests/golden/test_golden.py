"""Artifacts of every format version still load and still give the answers that were recorded when they were made."""

import json
from pathlib import Path

import pytest
from tests.golden.regenerate import REQUESTS, answers

from encorec.pipeline.engine import Engine, load_engine
from encorec.pipeline.manifest import FORMAT
from encorec.pipeline.requests import Request

HERE = Path(__file__).parent
VERSIONS = sorted(folder.name for folder in HERE.glob("v*/"))


@pytest.fixture(scope="module", params=VERSIONS)
def version(request: pytest.FixtureRequest) -> Path:
    return HERE / request.param


@pytest.fixture(scope="module")
def engine(version: Path) -> Engine:
    return load_engine(version)


def test_every_format_up_to_the_current_one_has_its_golden_artifact() -> None:
    assert [f"v{number}" for number in range(1, FORMAT + 1)] == VERSIONS


def test_golden_answers_are_still_given(version: Path, engine: Engine) -> None:
    """The same items in the same order; scores may differ in the last digits of another processor."""
    recorded, given = json.loads(version.with_suffix(".json").read_text()), answers(engine)
    assert given["popular"] == recorded["popular"]
    for now, then in zip(
        [*given["recommend"], given["similar"]], [*recorded["recommend"], recorded["similar"]], strict=True
    ):
        assert [item for item, _ in now] == [item for item, _ in then]
        assert [score for _, score in now] == pytest.approx([score for _, score in then], rel=1e-4, abs=1e-5)


def test_golden_answers_can_still_be_explained(engine: Engine) -> None:
    [answer] = engine.recommend([Request(user_id=REQUESTS[0].user_id, explain=True)])
    for item in answer.items:
        assert item.explanation is not None
        assert len(item.explanation["contributions"]) == 5


def test_a_golden_artifact_is_small_enough_to_live_with_the_source(version: Path) -> None:
    assert sum(file.stat().st_size for file in version.rglob("*") if file.is_file()) < 300_000
