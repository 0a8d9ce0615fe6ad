"""The whole system once, as a newcomer runs it, on a small world of its own."""

import re
import subprocess
from pathlib import Path

import pytest
from tests.end_to_end.project import succeeded


@pytest.fixture(scope="module")
def demo(project: Path, tmp_path_factory: pytest.TempPathFactory) -> "tuple[Path, subprocess.CompletedProcess[str]]":
    folder = tmp_path_factory.mktemp("demo")
    return folder, succeeded(project, "demo", "--config", "films.toml", "--folder", folder / "here")


def test_it_tells_the_whole_story(demo: "tuple[Path, subprocess.CompletedProcess[str]]") -> None:
    told = demo[1].stdout
    for part in (
        "the two-stage WINS.",
        r"user v\d+, who watched (Part|Film) \d+, .* last:",
        "a brand-new user, nothing known:",
        r"the same user after 3 events \(.*\), the very next request:",
        r"[1-5] of 5 items changed, without retraining",
        r"1,000 requests over HTTP: p50 \d+\.\d\d ms, p99 \d+\.\d\d ms",
        r"1,000 requests in process: p50 \d+\.\d\d ms",
        r"done in \d+ s; the artifact is in",
    ):
        assert re.search(part, told), f"{part!r} is not in\n{told}"
    after = told.partition("the very next request:")[2]
    assert "because of" in after


def test_it_leaves_an_artifact_and_no_service_behind(demo: "tuple[Path, subprocess.CompletedProcess[str]]") -> None:
    here = demo[0] / "here"
    assert (here / "artifact" / "manifest.json").exists()
    assert not (here / "checkpoints").exists()
    log = (here / "service.log").read_text()
    assert "Finished server process" in log
    assert "Traceback" not in log
