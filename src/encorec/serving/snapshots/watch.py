"""What a process does besides answering: look whether another snapshot is wanted, and whether it is itself."""

import asyncio
import os
import random
import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

from encorec.errors import EncorecError
from encorec.serving.settings import Settings
from encorec.serving.snapshots.holder import Snapshots
from encorec.serving.workers.board import WorkerBoard, answer_of

__all__ = ["following"]

_TICK = 0.1  # seconds between two looks at the board


@asynccontextmanager
async def following(
    snapshots: Snapshots, settings: Settings, board: WorkerBoard | None = None, rng: random.Random | None = None
) -> AsyncGenerator[None]:
    """Follow the source of the snapshots and the calls of the board, as long as the block runs.

    Args:
        snapshots: of this process.
        settings: whether the source is watched, and how often.
        board: of the workers; none = this process is the only one.
        rng: of the time between two looks.
    """
    tasks: list[asyncio.Task[None]] = []
    if board is not None:
        call = board.called()
        board.put(answer_of(snapshots, board.worker, os.getpid(), call))
        tasks.append(asyncio.create_task(_follow_calls(snapshots, board, call, os.getppid())))
    if settings.watch and snapshots.source is not None:
        chance = rng or random.Random()
        tasks.append(asyncio.create_task(_follow_source(snapshots, settings.watch_seconds, chance)))
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()


async def _follow_source(snapshots: Snapshots, every: float, rng: random.Random) -> None:
    while True:
        await asyncio.sleep(every * rng.uniform(0.8, 1.2))
        with suppress(EncorecError):  # it has been logged and counted
            await snapshots.sync()


async def _follow_calls(snapshots: Snapshots, board: WorkerBoard, done: int, parent: int) -> None:
    said = answer_of(snapshots, board.worker, os.getpid(), done)
    while True:
        await asyncio.sleep(_TICK)
        if os.getppid() != parent:  # nobody would start this worker again or stop it
            os.kill(os.getpid(), signal.SIGTERM)
            return
        if (call := board.called()) != done:
            with suppress(EncorecError):
                await snapshots.sync(anew=True)
            done = call
        now = answer_of(snapshots, board.worker, os.getpid(), done)
        if now != said:
            with suppress(OSError):  # a full disk; said again at the next change
                board.put(now)
            said = now
