"""What an import adds to the start of a bare interpreter; the promise for ``import encorec`` is under 0.3 s."""

import os
import subprocess
import sys
import time

from benchmarks.record import Measurement, write

MODULES = ("encorec", "encorec.cli")
ROUNDS = 11
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def start_seconds(program: str) -> float:
    """Wall time of a fresh interpreter that runs ``program``, in seconds."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", program], env=ENVIRONMENT, check=True)
    return time.perf_counter() - began


def one_round() -> list[float]:
    """Seconds that a bare interpreter takes, then those that each module adds to it."""
    bare = start_seconds("pass")
    return [bare, *(start_seconds(f"import {module}") - bare for module in MODULES)]


def main() -> None:
    one_round()  # compiles the bytecode and fills the file cache
    columns = zip(*(one_round() for _ in range(ROUNDS)), strict=True)
    cases = ("bare python", *(f"import {module}" for module in MODULES))
    write("import", [Measurement(case, "s", column) for case, column in zip(cases, columns, strict=True)])


if __name__ == "__main__":
    main()
