"""What only its keeper may ask of the service: which snapshots there are, to load what is wanted, to go back."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from encorec.errors import ArtifactError, EncorecError
from encorec.serving.http.api_key import ApiKey
from encorec.serving.http.openapi import Endpoint
from encorec.serving.http.wire import respond
from encorec.serving.snapshots.holder import Snapshots
from encorec.serving.workers.board import WorkerAnswer, WorkerBoard, answer_of

__all__ = ["Admin", "SnapshotsAnswer", "admin_endpoints"]

_LOOK = 0.05  # seconds between two looks at the answers of the workers


class SnapshotsAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What is served, by whom, and what could be.

    Args:
        model: the snapshot of the process that answers this request.
        wanted: the snapshot that the store or the folder asks for; none = it cannot be read.
        known: snapshots that are kept there, newest first.
        workers: what every worker process serves.
        silent: numbers of the workers that did not answer in time.
        error: why the request was not followed, or not by all; none = it was.

    Example:
        >>> SnapshotsAnswer(model="4af1", wanted="4af1", known=["4af1"], workers=[]).silent
        []
    """

    model: str
    wanted: str | None
    known: list[str]
    workers: list[WorkerAnswer]
    silent: list[int] = []
    error: str | None = None


class Admin:
    """The admin routes; all workers of a service follow what one of them is told.

    Args:
        snapshots: of this process.
        key: that every request must bring.
        board: of the workers; none = this process is the only one.
        patience: seconds that all workers get to follow.
    """

    def __init__(
        self, snapshots: Snapshots, key: ApiKey, board: WorkerBoard | None = None, *, patience: float = 60.0
    ) -> None:
        self._snapshots, self._key, self._board, self._patience = snapshots, key, board, patience

    async def reload(self, request: Request) -> Response:
        """``POST /admin/reload``: serve what the store or the folder asks for, also if it was refused before."""
        self._key.check(request)
        silent: list[int] = []
        error: str | None = None
        try:
            silent = await self._all_look()
        except EncorecError as fault:
            error = str(fault)
        return self._told(silent, error)

    async def rollback(self, request: Request) -> Response:
        """``POST /admin/rollback``: serve the snapshot before this one."""
        self._key.check(request)
        silent: list[int] = []
        error: str | None = None
        try:
            if self._board is None:
                await self._snapshots.rollback()
            else:
                silent = await self._all_step_back(self._board)
        except EncorecError as fault:
            error = str(fault)
        return self._told(silent, error)

    async def snapshots(self, request: Request) -> Response:
        """``GET /admin/snapshots``."""
        self._key.check(request)
        return respond(self._answer([], None))

    async def _all_look(self) -> list[int]:
        """Numbers of the workers that did not answer in time."""
        if self._board is None:
            await self._snapshots.sync(anew=True)
            return []
        call, end = self._board.call(), time.monotonic() + self._patience
        while (silent := self._board.missing(call)) and time.monotonic() < end:
            await asyncio.sleep(_LOOK)
        return silent

    async def _all_step_back(self, board: WorkerBoard) -> list[int]:
        source = self._snapshots.source
        if source is None or not source.shared:
            raise ArtifactError("workers roll back together only where they serve a store; `encorec publish` makes one")
        left = self._snapshots.model
        await self._snapshots.aside(lambda: source.step_back(left))
        silent = await self._all_look()
        faults = [one.error for one in board.answers() if one.error is not None]
        if faults:
            await self._snapshots.aside(lambda: source.choose(left))
            await self._all_look()
            raise ArtifactError(f"{faults[0]}; {left} is served as before")
        return silent

    def _told(self, silent: list[int], error: str | None) -> Response:
        answer = self._answer(silent, error)
        faults = [one.error for one in answer.workers if one.error is not None]
        if error is None and faults:
            answer = msgspec.structs.replace(answer, error=faults[0])
        status = 409 if answer.error is not None else 504 if silent else 200
        return respond(answer, status)

    def _answer(self, silent: list[int], error: str | None) -> SnapshotsAnswer:
        source = self._snapshots.source
        wanted: str | None = self._snapshots.model
        try:
            wanted = wanted if source is None else source.wanted()
        except ArtifactError:
            wanted = None
        return SnapshotsAnswer(
            model=self._snapshots.model,
            wanted=wanted,
            known=[self._snapshots.model] if source is None else source.known(),
            workers=self._workers(),
            silent=silent,
            error=error,
        )

    def _workers(self) -> list[WorkerAnswer]:
        if self._board is None:
            return [answer_of(self._snapshots, 0, os.getpid())]
        return self._board.answers()


def admin_endpoints(
    snapshots: Snapshots, key: ApiKey | None, board: WorkerBoard | None, patience: float
) -> tuple[Endpoint, ...]:
    """The admin routes; none where there is no key, so that nobody reaches what nobody guards.

    Args:
        snapshots: of this process.
        key: that every request must bring.
        board: of the workers; none = this process is the only one.
        patience: seconds that all workers get to follow.
    """
    if key is None:
        return ()
    on = Admin(snapshots, key, board, patience=patience)
    return (
        _change("POST /admin/reload", "Serve what the store or the folder asks for", on.reload),
        _change("POST /admin/rollback", "Serve the snapshot before this one", on.rollback),
        Endpoint(
            "GET /admin/snapshots", "What is served, and what could be", on.snapshots, SnapshotsAnswer, keyed=True
        ),
    )


def _change(route: str, summary: str, handler: Callable[[Request], Awaitable[Response]]) -> Endpoint:
    return Endpoint(route, summary, handler, SnapshotsAnswer, answering=(200, 409, 504), keyed=True)
