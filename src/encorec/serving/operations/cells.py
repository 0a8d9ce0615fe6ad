"""Numbers that are counted by one process and read by all: a file of doubles per worker, mapped into memory.

A worker adds to its own cells only, so that nothing is locked, and what it counted outlives it.
"""

import mmap
import os
import time
from pathlib import Path

import msgspec

from encorec.errors import ConfigError

__all__ = ["CellName", "MetricCells", "WorkerCells", "read_workers"]

CAPACITY = 8192  # cells of a worker: 64 KiB


class CellName(msgspec.Struct, frozen=True):
    """Which cells hold what.

    Args:
        family: name of the metric.
        labels: its labels, as (name, value).
        start: first cell.
        size: how many cells.

    Example:
        >>> CellName("requests", (("route", "/"),), 0, 1).size
        1
    """

    family: str
    labels: tuple[tuple[str, str], ...]
    start: int
    size: int


class WorkerCells(msgspec.Struct, frozen=True):
    """What one worker counted.

    Args:
        worker: its name.
        alive: whether its process still runs.
        names: which cells hold what.
        values: of all cells.

    Example:
        >>> WorkerCells("7-1", True, (), memoryview(bytearray(8)).cast("d")).values[0]
        0.0
    """

    worker: str
    alive: bool
    names: tuple[CellName, ...]
    values: "memoryview[float]"


class MetricCells:
    """The cells of this process.

    Cells are handed out and never taken back. When there are none left, the rest share a range of their own that
    nobody reads: a label with too many values costs its own figures, not the memory of the service.

    Args:
        folder: that all workers share; none = only this process reads.

    Raises:
        ConfigError: the folder cannot be written.

    Example:
        >>> cells = MetricCells()
        >>> start = cells.allocate("requests", (("route", "/"),))
        >>> cells.values[start] += 1
        >>> [(one.names[0].family, one.values[start]) for one in cells.workers()]
        [('requests', 1.0)]
    """

    def __init__(self, folder: str | Path | None = None) -> None:
        self.worker = f"{os.getpid()}-{time.time_ns():x}"
        self._folder = None if folder is None else Path(folder)
        self._names: list[CellName] = []
        self._free, self.refused = 0, 0
        self.values = memoryview(self._mapped()).cast("d")

    def allocate(self, family: str, labels: tuple[tuple[str, str], ...] = (), size: int = 1) -> int:
        """The first of ``size`` consecutive cells, all 0.

        Args:
            family: name of the metric.
            labels: (name, value) pairs.
            size: at most 64.
        """
        if self._free + size > CAPACITY - 64:
            self.refused += 1
            return CAPACITY - 64
        name = CellName(family, labels, self._free, size)
        self._free += size
        self._names.append(name)
        if self._folder is not None:
            with (self._folder / f"{self.worker}.names").open("ab") as file:
                file.write(msgspec.json.encode(name) + b"\n")
        return name.start

    def workers(self) -> list[WorkerCells]:
        """What every worker of the folder counted, this one included."""
        if self._folder is None:
            return [WorkerCells(self.worker, True, tuple(self._names), self.values)]
        return read_workers(self._folder)

    def _mapped(self) -> mmap.mmap:
        size = CAPACITY * 8
        if self._folder is None:
            return mmap.mmap(-1, size)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with (self._folder / f"{self.worker}.cells").open("x+b") as file:
                file.truncate(size)
                return mmap.mmap(file.fileno(), size)
        except OSError as error:
            raise ConfigError(f"{self._folder}: metrics cannot be kept there ({error.strerror})") from error


def read_workers(folder: Path) -> list[WorkerCells]:
    """What every worker counted whose files are in ``folder``, in order of their names.

    Args:
        folder: that workers share.

    Example:
        >>> read_workers(Path("nowhere"))
        []
    """
    return [
        WorkerCells(
            file.stem, _alive(file.stem), tuple(_names(file.with_suffix(".names"))), memoryview(cells).cast("d")
        )
        for file in sorted(folder.glob("*.cells"))
        if len(cells := file.read_bytes()) == CAPACITY * 8
    ]


def _names(file: Path) -> tuple[CellName, ...]:
    """A line that is still being written is read next time."""
    lines = file.read_bytes().split(b"\n")[:-1] if file.exists() else []
    return tuple(msgspec.json.decode(line, type=CellName) for line in lines)


def _alive(worker: str) -> bool:
    if os.name != "posix":
        return True
    try:
        os.kill(int(worker.partition("-")[0]), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
