"""Result rows of the benchmarks: every number with its spread, seed, commit, versions and machine.

A run replaces the whole file, so the rows of one file come from one run and may be compared with each other.
"""

import csv
import os
import platform
import statistics
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

__all__ = ["Measurement", "in_turns", "ratio", "write"]

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
PACKAGES = ("numpy", "scipy", "polars", "implicit", "catboost")


@dataclass(frozen=True, slots=True)
class Measurement:
    """What was measured, once per run.

    Args:
        case: what was measured.
        unit: of the values.
        values: one per run.
        seed: of the generator that drew the data; none where nothing is drawn.

    Example:
        >>> Measurement("brew", "s", [3.0, 2.0, 7.0]).summary
        {'case': 'brew', 'unit': 's', 'median': '3', 'min': '2', 'max': '7', 'runs': 3, 'seed': ''}
    """

    case: str
    unit: str
    values: Sequence[float]
    seed: int | None = None

    @property
    def summary(self) -> dict[str, str | int]:
        """Median and range over the runs, four digits."""
        middle, low, high = statistics.median(self.values), min(self.values), max(self.values)
        return {
            "case": self.case,
            "unit": self.unit,
            "median": f"{middle:.4g}",
            "min": f"{low:.4g}",
            "max": f"{high:.4g}",
            "runs": len(self.values),
            "seed": "" if self.seed is None else self.seed,
        }


def in_turns(sides: Mapping[str, Callable[[], float]], rounds: int = 5) -> dict[str, list[float]]:
    """What every side returns in each round, one side after the other; a first round, which warms up, is thrown away.

    Args:
        sides: name -> a function that runs once and returns what it measured, such as its seconds.
        rounds: that count.

    Example:
        >>> in_turns({"tea": lambda: 3.0, "coffee": lambda: 4.0}, rounds=2)
        {'tea': [3.0, 3.0], 'coffee': [4.0, 4.0]}
    """
    values: dict[str, list[float]] = {name: [] for name in sides}
    for place in range(rounds + 1):
        for name, measure in sides.items():
            value = measure()
            if place:
                values[name].append(value)
    return values


def ratio(case: str, upper: Sequence[float], lower: Sequence[float], seed: int | None = None) -> Measurement:
    """How many times ``upper`` is ``lower``, round by round of one run.

    Example:
        >>> ratio("coffee / tea", [4.0, 6.0, 5.0], [2.0, 2.0, 2.0]).summary["median"]
        '2.5'
    """
    return Measurement(case, "times", [above / below for above, below in zip(upper, lower, strict=True)], seed)


def write(
    name: str, measurements: Sequence[Measurement], *, folder: Path = RESULTS, peers: Mapping[str, str] | None = None
) -> Path:
    """Print the measurements and write them to ``folder/name.csv``, one row each.

    Args:
        name: of the file.
        measurements: rows.
        folder: of the file.
        peers: versions of what else took part; they get a column of their own.

    Example:
        >>> from tempfile import mkdtemp
        >>> file = write("tea", [Measurement("brew", "s", [3.0, 2.0, 7.0])], folder=Path(mkdtemp()))
        brew: 3 s (2 to 7, 3 runs)
        >>> file.read_text().splitlines()[0]
        'case,unit,median,min,max,runs,seed,commit,versions,cpu,cores'
    """
    summaries = [one.summary for one in measurements]
    for row in summaries:
        print("{case}: {median} {unit} ({min} to {max}, {runs} runs)".format_map(row))
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{name}.csv"
    others = {} if peers is None else {"peers": " ".join(f"{name}={number}" for name, number in peers.items())}
    _write_rows(file, [{**row, **circumstances(), **others} for row in summaries])
    return file


def circumstances() -> dict[str, str | int]:
    """Commit, versions and machine of this run.

    Example:
        >>> sorted(circumstances())
        ['commit', 'cores', 'cpu', 'versions']
    """
    versions = {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}}
    return {
        "commit": _commit(),
        "versions": " ".join(f"{name}={number}" for name, number in versions.items()),
        "cpu": _cpu(),
        "cores": os.cpu_count() or 0,
    }


def _write_rows(file: Path, rows: Sequence[Mapping[str, str | int]]) -> None:
    with file.open("w", encoding="utf-8", newline="") as stream:
        table = csv.DictWriter(stream, rows[0].keys(), lineterminator="\n")
        table.writeheader()
        table.writerows(rows)


def _commit() -> str:
    """The commit, with ``-dirty`` where the tree differs from it but for results; ``unknown`` outside a checkout."""
    try:
        commit = _git("rev-parse", "--short=12", "HEAD")
        changed = _git("status", "--porcelain", "--", ".", ":!benchmarks/results", ":!README.md")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return f"{commit}-dirty" if changed else commit


def _git(*command: str) -> str:
    return subprocess.run(["git", *command], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


def _cpu() -> str:
    """The processor's own name where the system tells it, else its architecture."""
    table = Path("/proc/cpuinfo")
    lines = table.read_text(encoding="utf-8").splitlines() if table.exists() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())
