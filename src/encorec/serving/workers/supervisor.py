"""Several processes that answer on one socket, and the one that starts them, starts them again, and stops them."""

import contextlib
import os
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from encorec.errors import ConfigError, EncorecError
from encorec.serving.settings import Settings
from encorec.serving.workers.board import WorkerBoard

__all__ = ["Worker", "listening_socket", "run_workers"]

_GRACE = 15.0  # seconds that workers get to end; one process gives its open requests ten
_LOOK = 0.05  # seconds between two looks at the workers
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 10.0  # seconds before a worker that ended is started again
_STEADY = 10.0  # seconds after which a worker counts as one that had started well
_BACKLOG = 2048
_STOPPING = (signal.SIGTERM, signal.SIGINT)


@dataclass(frozen=True)
class Worker:
    """What one worker process is given.

    Args:
        number: from 0.
        listener: the socket that all workers accept connections from.
        board: where they call each other.

    Example:
        >>> with socket.socket() as listener:
        ...     Worker(1, listener, WorkerBoard(Path("folder"), 1, 2)).number
        1
    """

    number: int
    listener: socket.socket
    board: WorkerBoard


@dataclass
class _Seat:
    """The place of a worker, whoever fills it."""

    number: int
    pid: int = 0
    began: float = 0.0
    pause: float = _FIRST_PAUSE
    due: float = 0.0


@dataclass
class _Supervisor:
    """Keeps every seat filled until it is told to stop."""

    work: Callable[[Worker], None]
    listener: socket.socket
    folder: Path
    seats: list[_Seat]
    stopping: bool = False
    code: int = 0
    ended: dict[int, int] = field(default_factory=dict[int, int])

    def run(self, told: Callable[[], None]) -> int:
        """Exit code of the service; calls ``told`` when all workers answer for the first time."""
        ready = False
        while not self.stopping:
            for seat in self.seats:
                if not seat.pid and time.monotonic() >= seat.due:
                    self._start(seat)
            self._reap(ready)
            if not ready and not self.board.missing(0):
                ready = True
                told()
            time.sleep(_LOOK)
        self._stop()
        return self.code

    @property
    def board(self) -> WorkerBoard:
        return WorkerBoard(self.folder, 0, len(self.seats))

    def stop(self, _signal: int = 0, _frame: FrameType | None = None) -> None:
        self.stopping = True

    def _start(self, seat: _Seat) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        # A signal that comes in between waits until the new process knows what to do with it.
        with _held_signals():
            seat.began, seat.pid = time.monotonic(), os.fork()
            if not seat.pid:
                for one in _STOPPING:
                    signal.signal(one, _leave)
        if not seat.pid:
            board = WorkerBoard(self.folder, seat.number, len(self.seats))
            _be_worker(self.work, Worker(seat.number, self.listener, board))

    def _reap(self, ready: bool) -> None:
        """See who ended. Before all have answered once that ends the service: the next would fare no better."""
        for seat in self.seats:
            if not seat.pid or (code := _ended(seat.pid)) is None:
                continue
            lived = time.monotonic() - seat.began
            seat.pid, seat.pause = 0, _FIRST_PAUSE if lived > _STEADY else min(seat.pause * 2, _LONGEST_PAUSE)
            seat.due = time.monotonic() + seat.pause
            if self.stopping:
                continue
            if not ready:
                self.code, self.stopping = code or 1, True
                return
            print(f"worker {seat.number} ended with {code}; another starts in {seat.pause:g} s", file=sys.stderr)

    def _stop(self) -> None:
        for seat in self.seats:
            _send(seat.pid, signal.SIGTERM)
        end = time.monotonic() + _GRACE
        while any(seat.pid for seat in self.seats):
            if time.monotonic() > end:
                for seat in self.seats:
                    _send(seat.pid, signal.SIGKILL)
            for seat in self.seats:
                if seat.pid and (code := _ended(seat.pid)) is not None:
                    seat.pid, self.code = 0, self.code or code
            time.sleep(_LOOK / 5)


def listening_socket(settings: Settings) -> socket.socket:
    """The socket that all workers accept connections from.

    Args:
        settings: host and port; 0 = any free one.

    Raises:
        ConfigError: the port is taken, or the host is none of this machine.

    Example:
        >>> with listening_socket(Settings(port=0)) as listener:
        ...     listener.getsockname()[0]
        '127.0.0.1'
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((settings.host, settings.port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise ConfigError(f"cannot listen on {settings.host}:{settings.port} ({error}); choose another port") from error
    return listener


def run_workers(work: Callable[[Worker], None], settings: Settings) -> int:
    """Keep ``settings.workers`` processes at work on one socket until told to stop (SIGTERM, SIGINT); the exit code.

    Each is a copy of this process, made before it has threads, so that they share what this one has loaded. One that
    ends is replaced, after a pause that grows while it ends early; all end when this one does.

    Args:
        work: what a worker does until SIGTERM; runs in the new process.
        settings: where to listen, how many.

    Raises:
        ConfigError: the port is taken, or this system cannot copy processes.
    """
    if not hasattr(os, "fork"):
        raise ConfigError(f"{settings.workers} workers: this system runs one process per port; leave workers at 1")
    with listening_socket(settings) as listener, tempfile.TemporaryDirectory(prefix="encorec-workers-") as folder:
        seats = [_Seat(number) for number in range(settings.workers)]
        supervisor = _Supervisor(work, listener, Path(folder), seats)
        before = {one: signal.signal(one, supervisor.stop) for one in _STOPPING}
        host, port = listener.getsockname()[:2]
        shown = f"[{host}]" if ":" in host else host
        try:
            return supervisor.run(
                lambda: print(f"{len(seats)} workers running on http://{shown}:{port}", file=sys.stderr, flush=True)
            )
        finally:
            for one, handler in before.items():
                signal.signal(one, handler)


def _be_worker(work: Callable[[Worker], None], worker: Worker) -> None:
    """The life of a new process; it never returns into the loop of the one it was copied from."""
    code = 70
    try:
        work(worker)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    except EncorecError as error:
        print(f"error: {error}", file=sys.stderr)
        code = 1
    except BaseException as error:
        sys.excepthook(type(error), error, error.__traceback__)
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


@contextlib.contextmanager
def _held_signals() -> Generator[None]:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _STOPPING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _leave(_signal: int, _frame: FrameType | None) -> None:
    sys.exit(0)


def _ended(pid: int) -> int | None:
    """Exit code of a child that has ended, negative where a signal ended it; none = it is at work."""
    try:
        found, status = os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return 1
    return None if found == 0 else os.waitstatus_to_exitcode(status)


def _send(pid: int, signal_number: int) -> None:
    if pid:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal_number)
