"""Saves an artifact over another one in child processes that are killed (-9) on the way; a program, not a test.

Usage: python -m tests.pipeline.killed_savers FOLDER. It prints as JSON what was found after every kill.
"""

import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from tests.worlds import small_run, small_world

from encorec.errors import ArtifactError
from encorec.pipeline.artifact import load_artifact, save_artifact
from encorec.pipeline.fit import fit_first_stage
from encorec.pipeline.two_stage import TwoStage

STEPS = ("open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "shutil.rmtree")
DATA, CONFIG = small_world(), small_run().pipeline
PIPELINE = TwoStage(fit_first_stage(CONFIG, DATA, seed=0))
ROUNDS = 8


def save(folder: Path, name: str) -> None:
    save_artifact(folder, PIPELINE, CONFIG, DATA, name=name, seed=0)


def found(folder: Path) -> str:
    """Name of the artifact that is there, whole."""
    try:
        return load_artifact(folder).manifest.name
    except ArtifactError as error:
        return f"refused: {error}"


def in_child(work: Callable[[], Any]) -> int:
    """Process number of a child that does the work and ends."""
    child = os.fork()
    if child:
        return child
    work()
    os._exit(0)


def killed(child: int) -> bool:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


def die() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise SystemExit


def watch_steps(told: Callable[[int, str], None]) -> None:
    """Be told the number and name of every step in the file system before it is taken."""
    count = 0

    def hook(event: str, arguments: Any) -> None:
        nonlocal count
        if event in STEPS:
            count += 1
            told(count, event)

    sys.addaudithook(hook)


def steps_of_a_save(folder: Path) -> list[str]:
    """Names of all steps that saving takes."""
    log = folder.with_name("steps.log")

    def work() -> None:
        names: list[str] = []
        watch_steps(lambda _, name: names.append(name))
        save(folder, "new")
        log.write_text(json.dumps(names))

    os.waitpid(in_child(work), 0)
    return json.loads(log.read_text())


def killed_at(folder: Path, step: int) -> str:
    """What is there after a save was killed before its step of that number."""
    save(folder, "old")

    def work() -> None:
        watch_steps(lambda count, _: die() if count == step else None)
        save(folder, "new")

    return found(folder) if killed(in_child(work)) else "not killed"


def killed_in_between(folder: Path, seconds: float) -> str:
    """What is there after a process that saves without end was killed at some moment."""

    def work() -> None:
        while True:
            save(folder, "new")
            save(folder, "old")

    child = in_child(work)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return found(folder)


def main(folder: Path) -> None:
    """Kill at steps spread over the whole save, at every one around a renaming, and at random moments."""
    save(folder, "old")
    steps = list(enumerate(steps_of_a_save(folder), 1))
    renamings = [step for step, name in steps if name == "os.rename"]
    chosen = [step for step, _ in steps if step % 12 == 1 or any(abs(step - one) < 4 for one in renamings)]
    at_steps = [killed_at(folder, step) for step in chosen]
    rng = random.Random(0)
    save(folder, "old")
    at_random = [killed_in_between(folder, rng.uniform(0.02, 0.3)) for _ in range(ROUNDS)]
    save(folder, "last")
    print(json.dumps({"at_steps": at_steps, "at_random": at_random, "last": found(folder)}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
