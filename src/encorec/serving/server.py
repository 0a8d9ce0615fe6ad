"""One service process, from artifact to listening socket to a clean end."""

import signal
import sys
from contextlib import closing
from pathlib import Path
from types import FrameType

import uvicorn
from threadpoolctl import threadpool_limits  # pyright: ignore[reportMissingTypeStubs]

from encorec.serving.app import create_app
from encorec.serving.settings import Settings
from encorec.serving.snapshots import ServedEngine
from encorec.serving.sqlite_state import SqliteState

__all__ = ["run", "serve"]

_GRACE = 10  # seconds that open requests get to end


def serve(artifact: Path, settings: Settings) -> None:
    """Serve a saved pipeline until told to stop (SIGTERM, SIGINT).

    Args:
        artifact: folder that training saved.
        settings: where to listen, what to remember where.

    Raises:
        ArtifactError: the artifact cannot be trusted.
        ConfigError: the state cannot be opened.
    """
    from encorec.pipeline.engine import load_engine  # here, so that an engine of one's own needs none of the models

    run(load_engine(artifact), settings)


def run(engine: ServedEngine, settings: Settings) -> None:
    """Serve an engine until told to stop: requests under way are answered, the state is closed, the exit code is 0.

    Linear algebra runs on one thread: a request is too small to share, and processes share the cores. To be called
    from the main thread, which is the one that signals reach.

    Args:
        engine: answers questions.
        settings: where to listen, what to remember where.

    Raises:
        ConfigError: the state cannot be opened.
        SystemExit: the port is taken, or the engine failed its warm-up (not 0); told to stop (0).
    """
    with threadpool_limits(limits=1), closing(SqliteState(settings.state)) as state:
        app = create_app(engine, settings, state)
        config = uvicorn.Config(
            app,
            host=settings.host,
            port=settings.port,
            access_log=False,
            timeout_graceful_shutdown=_GRACE,
        )
        server = uvicorn.Server(config)
        # uvicorn raises the signal anew when it has shut down; that must not kill the process on its way out.
        signal.signal(signal.SIGTERM, _leave)
        server.run()
    if not server.started:
        sys.exit(3)


def _leave(_signal: int, _frame: FrameType | None) -> None:
    sys.exit(0)
