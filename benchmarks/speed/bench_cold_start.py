"""From ``encorec serve`` to its first answers, what the artifact takes on disk, and what the service takes of memory.

At a tenth of the size and at the size; files in the page cache. The clock starts before the process. ``ready`` is
the first 200 of ``/health/ready``, ``answered`` the first recommendation. Memory that the service shares with other
processes over the same artifact (mapped files) is told apart.
"""

import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from benchmarks.record import Measurement
from benchmarks.speed import prepared
from benchmarks.speed.answer_steps import engine, some_users
from benchmarks.speed.service_process import ServiceProcess
from benchmarks.speed.size import SEED, Size, parser, report

ROUNDS, ASKED = 5, 500


class Start(NamedTuple):
    """Seconds until ready and until the first answer; megabytes after the start, and after some requests."""

    ready: float
    answered: float
    memory: float
    memory_in_use: float
    shared_in_use: float


def started(artifact: Path, users: list[int], state: Path) -> Start:
    """One start of the service."""
    began = time.perf_counter()
    command = [sys.executable, "-m", "encorec", "serve", artifact, "--port", "0", "--clock", "data-end"]
    with ServiceProcess([*command, "--state", state]) as service:
        service.ask("/health/ready")
        ready = time.perf_counter() - began
        service.ask("/v1/recommend", {"user_id": users[0]})
        answered = time.perf_counter() - began
        memory = service.memory()
        for user in users:
            service.ask("/v1/recommend", {"user_id": user})
        return Start(ready, answered, memory, service.memory(), service.memory("RssFile"))


def measured(share: float, folder: Path) -> list[Measurement]:
    """Starts of the service over the artifact of one size."""
    artifact, case = prepared.artifact(share), str(Size(share))
    served = engine(share)
    users = served.artifact.users.externals(some_users(served, ASKED))
    on_disk = sum(file.stat().st_size for file in artifact.rglob("*") if file.is_file()) / 2**20
    starts = [started(artifact, users, folder / f"{share}-{place}.sqlite") for place in range(ROUNDS + 1)][1:]
    columns = {name: [getattr(one, name) for one in starts] for name in Start._fields}
    return [
        Measurement(f"{case}: artifact on disk", "MB", [on_disk], SEED),
        Measurement(f"{case}: process start to ready", "s", columns["ready"], SEED),
        Measurement(f"{case}: process start to first answer", "s", columns["answered"], SEED),
        Measurement(f"{case}: memory after the first answer", "MB", columns["memory"], SEED),
        Measurement(f"{case}: memory after {ASKED} requests", "MB", columns["memory_in_use"], SEED),
        Measurement(f"{case}: of that mapped files and libraries", "MB", columns["shared_in_use"], SEED),
    ]


def main() -> None:
    share = parser(__doc__).parse_args().scale
    with tempfile.TemporaryDirectory() as folder:
        rows = [row for one in (share / 10, share) for row in measured(one, Path(folder))]
    report("cold_start", share, rows)


if __name__ == "__main__":
    main()
