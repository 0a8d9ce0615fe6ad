"""Services killed in a process of its own: a fork of the test's own process would take its threads' locks along."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec

ROOT = Path(__file__).parents[2]


def crash_rounds(folder: Path, *, rounds: int, seed: int) -> dict[str, Any]:
    """What ``tests.serving.crashing`` found."""
    command = [sys.executable, "-m", "tests.serving.crashing", str(folder), str(rounds), str(seed)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])}
    run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return msgspec.json.decode(run.stdout.splitlines()[-1])
