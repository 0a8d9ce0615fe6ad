"""A step in a process of its own: how long it takes, how much it does, and how much memory the process needs for it.

    python -m benchmarks.speed.fresh benchmarks.speed.data_steps:fold '{"share": 0.1}'

The peak is the ``VmHWM`` of Linux, set back when the runs begin, so that it tells what the step needs with its input in
memory. ``getrusage`` stands in elsewhere; it would count the parent too, whose memory a child shares until it begins.
"""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.record import ROOT, Measurement
from benchmarks.speed.size import SEED

__all__ = ["Timed", "measure"]

Step = Callable[[], float]
RUNS = ((5.0, 5), (20.0, 3), (float("inf"), 1))
"""(seconds of the first run, runs): as many as are measured of a step that takes less. The first run of a step that
takes less than 5 s warms up and is not among them."""
STATUS, FORGET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


@dataclass(frozen=True)
class Timed:
    """What a step took.

    Args:
        seconds: one per run.
        work: rows, users or what else one run went through.
        held: megabytes that the process held when the runs began.
        peak: most megabytes that it held during the runs.
    """

    seconds: list[float]
    work: float
    held: float
    peak: float

    def took(self, case: str) -> Measurement:
        """The seconds as a row."""
        return Measurement(case, "s", self.seconds, SEED)

    def rate(self, case: str, unit: str) -> Measurement:
        """Work in each second as a row."""
        return Measurement(case, unit, [self.work / one for one in self.seconds], SEED)

    def memory(self, case: str) -> Measurement:
        """The peak as a row."""
        return Measurement(f"{case}: peak memory", "MB", [self.peak], SEED)


def measure(step: Callable[..., Step], *, runs: int | None = None, **arguments: Any) -> Timed:
    """Run a step of a module in a fresh process.

    Args:
        step: prepares, and returns a function that runs once and tells how much it did.
        runs: that many, none of them to warm up; none = as ``RUNS`` says.
        arguments: of ``step``, as far as JSON can hold them.
    """
    name = f"{step.__module__}:{step.__qualname__}"
    command = [sys.executable, "-m", __name__, name, json.dumps(arguments), str(runs or 0)]
    print(f"== {step.__qualname__} {arguments}", file=sys.stderr, flush=True)
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    return Timed(**json.loads(done.stdout.splitlines()[-1]))


def _megabytes(name: str) -> float:
    """``VmRSS`` or ``VmHWM`` of this process."""
    if not STATUS.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    lines = STATUS.read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{name}:"))


def _seconds(run: Step) -> tuple[float, float]:
    began = time.perf_counter()
    work = run()
    return time.perf_counter() - began, work


def _runs(run: Step, wanted: int) -> tuple[list[float], float]:
    first, work = _seconds(run)
    if wanted:
        return [first, *(_seconds(run)[0] for _ in range(wanted - 1))], work
    count = next(count for longest, count in RUNS if first < longest)
    kept = [] if first < RUNS[0][0] else [first]
    return [*kept, *(_seconds(run)[0] for _ in range(count - len(kept)))], work


def main(arguments: Sequence[str]) -> None:
    name, given, wanted = arguments
    module, _, step = name.partition(":")
    run = getattr(import_module(module), step)(**json.loads(given))
    if FORGET.exists():
        FORGET.write_text("5", encoding="ascii")
    held = _megabytes("VmRSS")
    seconds, work = _runs(run, int(wanted))
    print(json.dumps(asdict(Timed(seconds, work, held, _megabytes("VmHWM")))))


if __name__ == "__main__":
    main(sys.argv[1:])
