"""Killed (-9) at any step of saving over an artifact, the folder holds the old or the new one, never half or none."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def kills(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("kills") / "artifact"
    run = subprocess.run(
        [sys.executable, "-m", "tests.pipeline.killed_savers", str(folder)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}", "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def test_killed_at_any_step_the_old_artifact_is_there_or_from_one_step_on_the_new_one(kills: dict[str, Any]) -> None:
    found = kills["at_steps"]
    assert len(found) > 20
    assert set(found) == {"old", "new"}
    assert found == sorted(found, reverse=True)


def test_killed_at_any_moment_a_whole_artifact_is_there(kills: dict[str, Any]) -> None:
    assert set(kills["at_random"]) <= {"old", "new"}


def test_after_all_that_saving_works(kills: dict[str, Any]) -> None:
    assert kills["last"] == "last"
