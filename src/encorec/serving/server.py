"""One service process, from artifact to listening socket to a clean end."""

import os
import signal
import sys
import tempfile
from pathlib import Path
from types import FrameType
from typing import Any

import msgspec
import uvicorn
from threadpoolctl import threadpool_limits  # pyright: ignore[reportMissingTypeStubs]

from encorec.errors import ConfigError
from encorec.serving.app import create_app
from encorec.serving.experiments.loading import open_variants
from encorec.serving.experiments.variants import Variants
from encorec.serving.http.api_key import read_api_key
from encorec.serving.limits.arrival import StampingProtocol
from encorec.serving.operations.request_log import log_config
from encorec.serving.settings import Settings
from encorec.serving.snapshots.holder import ServedEngine, Snapshots
from encorec.serving.snapshots.loading import load_models
from encorec.serving.snapshots.source import open_snapshots
from encorec.serving.state.choice import open_state
from encorec.serving.workers.server import WorkerServer
from encorec.serving.workers.supervisor import Worker, run_workers

__all__ = ["run", "serve", "server_config"]

_SWITCH = 0.0005  # seconds for which a busy thread keeps those waiting that store events or answer batches
_GRACE = 10  # seconds that open requests get to end
_JITTER = 1.0  # most seconds that workers wait by chance before they load, so that they take turns


def serve(folder: Path, settings: Settings) -> None:
    """Serve an artifact or a store of snapshots until told to stop (SIGTERM, SIGINT).

    Args:
        folder: an artifact that training saved, or a store that ``encorec publish`` fills.
        settings: where to listen, what to remember where, how many processes.

    Raises:
        EncorecError: the artifact cannot be trusted, the state or the port cannot be had.
        SystemExit: as ``run``.
    """
    if settings.workers == 1:
        run(open_snapshots(folder), settings, variants=open_variants(settings, folder))
        return
    if settings.state == ":memory:":
        raise ConfigError(f"state ':memory:' of {settings.workers} workers: each would have its own; name a file")
    load_models()
    with tempfile.TemporaryDirectory(prefix="encorec-metrics-", dir=_memory()) as counts:
        shared = msgspec.structs.replace(settings, metrics_folder=settings.metrics_folder or counts)
        code = run_workers(lambda worker: _work(folder, shared, worker), shared)
    sys.exit(code)


def _memory() -> str | None:
    """A folder in memory: counting into a file on disk stands still whenever the disk is busy with that page."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK | os.X_OK) else None


def _work(folder: Path, settings: Settings, worker: Worker) -> None:
    run(open_snapshots(folder, jitter=_JITTER), settings, worker=worker, variants=open_variants(settings, folder))


def run(
    engine: ServedEngine | Snapshots,
    settings: Settings,
    *,
    worker: Worker | None = None,
    variants: Variants | None = None,
) -> None:
    """Serve an engine until told to stop: requests under way are answered, the state is closed, the exit code is 0.

    Linear algebra runs on one thread: a request is too small to share, and processes share the cores. To be called
    from the main thread, which is the one that signals reach.

    Args:
        engine: answers questions.
        settings: where to listen, what to remember where.
        worker: which of several processes this one is; none = the only one.
        variants: of experiments; none = those of the settings, which may name no snapshots.

    Raises:
        ConfigError: the state cannot be opened.
        SystemExit: the port is taken, or the engine failed its warm-up (not 0); told to stop (0).
    """
    with threadpool_limits(limits=1), open_state(settings) as state:
        key = read_api_key(os.environ, settings.api_key_file)
        app = create_app(engine, settings, state, key=key, board=worker.board if worker else None, variants=variants)
        config = server_config(app, settings)
        server = WorkerServer(config, worker.listener if worker else None)
        # uvicorn raises the signal anew when it has shut down; that must not kill the process on its way out.
        signal.signal(signal.SIGTERM, _leave)
        sys.setswitchinterval(_SWITCH)
        server.run()
    if not server.started:
        sys.exit(3)


def server_config(app: Any, settings: Settings) -> uvicorn.Config:
    """How uvicorn serves the application.

    Args:
        app: of ASGI.
        settings: where to listen, and the form of log lines.

    Example:
        >>> server_config(None, Settings(port=0)).access_log
        False
    """
    return uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        access_log=False,
        http=StampingProtocol,
        log_config=log_config(settings.log_format),
        timeout_graceful_shutdown=_GRACE,
    )


def _leave(_signal: int, _frame: FrameType | None) -> None:
    sys.exit(0)
