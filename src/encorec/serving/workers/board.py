"""Where the workers of one service call each other to look at what is to be served, and say what they serve."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from encorec.pipeline.artifact_files import write_bytes
from encorec.serving.snapshots.holder import Snapshots

__all__ = ["WorkerAnswer", "WorkerBoard", "answer_of"]

_CALL, _LOCK = "call", ".lock"


class WorkerAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What one worker process serves.

    Args:
        worker: its number, from 0.
        pid: its process.
        model: the snapshot that answers.
        previous: the one that is kept in memory besides.
        swaps: changes of snapshot since the process began.
        refused: snapshots that could not be served since then.
        error: why what is wanted is not served; none = it is.
        call: the last call that it followed.

    Example:
        >>> WorkerAnswer(worker=0, pid=7, model="4af1").error is None
        True
    """

    worker: int
    pid: int
    model: str
    previous: str | None = None
    swaps: int = 0
    refused: int = 0
    error: str | None = None
    call: int = 0


def answer_of(snapshots: Snapshots, worker: int, pid: int, call: int = 0) -> WorkerAnswer:
    """What a worker has to say.

    Args:
        snapshots: of the worker.
        worker: its number.
        pid: its process.
        call: the last call that it followed.
    """
    previous = snapshots.previous
    return WorkerAnswer(
        worker=worker,
        pid=pid,
        model=snapshots.model,
        previous=None if previous is None else previous.artifact.snapshot_id,
        swaps=snapshots.swaps,
        refused=snapshots.refused,
        error=snapshots.fault,
        call=call,
    )


class WorkerBoard:
    """A folder in which every worker has a file, and a number that whoever wants all to look raises.

    Args:
        folder: of this service alone.
        worker: number of this worker.
        workers: how many there are.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     board = WorkerBoard(Path(folder), 0, 2)
        ...     board.put(WorkerAnswer(worker=0, pid=7, model="4af1", call=board.call()))
        ...     board.called(), [one.model for one in board.answers()], board.missing(1)
        (1, ['4af1'], [1])
    """

    def __init__(self, folder: Path, worker: int, workers: int) -> None:
        self._folder, self.worker, self.workers = folder, worker, workers

    def called(self) -> int:
        """Number of the last call, 0 where there was none."""
        try:
            return int((self._folder / _CALL).read_bytes())
        except (OSError, ValueError):
            return 0

    def call(self) -> int:
        """Call all workers; returns the number of the call."""
        with self._lock():
            number = self.called() + 1
            write_bytes(self._folder / _CALL, str(number).encode())
        return number

    def put(self, answer: WorkerAnswer) -> None:
        """Say what this worker serves."""
        write_bytes(self._folder / f"{self.worker}.json", msgspec.json.encode(answer))

    def answers(self) -> list[WorkerAnswer]:
        """What every worker said last, those that said something."""
        found: list[WorkerAnswer] = []
        for worker in range(self.workers):
            try:
                found.append(msgspec.json.decode((self._folder / f"{worker}.json").read_bytes(), type=WorkerAnswer))
            except (OSError, msgspec.DecodeError):
                continue
        return found

    def missing(self, call: int) -> list[int]:
        """Workers that have not followed this call yet."""
        followed = {one.worker for one in self.answers() if one.call >= call}
        return [worker for worker in range(self.workers) if worker not in followed]

    @contextmanager
    def _lock(self) -> Generator[None]:
        import fcntl  # here: Windows has none, nor several workers

        with (self._folder / _LOCK).open("wb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
