"""The engine as the service sees it, and the one place that says which engine answers now."""

import asyncio
import logging
import random
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol, TypeVar

from numpy.typing import NDArray

from encorec.data.vocabulary import Vocabulary
from encorec.errors import ArtifactError, EncorecError
from encorec.pipeline.requests import Answer, Chance, ItemId, Request, Similar, UserState
from encorec.pipeline.watch import Watch
from encorec.types import Histories

__all__ = ["ServedArtifact", "ServedEngine", "SnapshotSource", "Snapshots"]

T = TypeVar("T")

_LOG = logging.getLogger(__name__)
_RECENT, _SMALL = 32, 500  # requests, and ids in the lists of one


class ServedArtifact(Protocol):
    """What the service reads of a trained pipeline besides its answers."""

    @property
    def items(self) -> Vocabulary:
        """Ids of items."""
        ...

    @property
    def users(self) -> Vocabulary:
        """Ids of users known from training."""
        ...

    @property
    def histories(self) -> Histories | None:
        """(users,) histories of the training data; none = not kept."""
        ...

    @property
    def titles(self) -> NDArray[Any] | None:
        """(items,) str for people to read; none = the ids."""
        ...

    @property
    def shows_seen(self) -> bool:
        """Whether items of a user's history may be shown again."""
        ...

    @property
    def data_end(self) -> int:
        """Seconds since 1970 at which the training data ends."""
        ...

    @property
    def snapshot_id(self) -> str:
        """Name of exactly this artifact."""
        ...


class ServedEngine(Protocol):
    """Answers from one artifact: pure, synchronous, the same in a notebook and behind HTTP."""

    @property
    def artifact(self) -> ServedArtifact:
        """What the engine answers from."""
        ...

    def recommend(
        self,
        requests: Sequence[Request],
        states: Sequence[UserState | None] | None = None,
        *,
        now: int,
        chances: Sequence[Chance | None] | None = None,
        watch: Watch | None = None,
    ) -> list[Answer]:
        """One answer per request, in order; ``now`` in seconds since 1970.

        Under a watch a stage that fails or comes too late is skipped, and the answer says so.
        """
        ...

    def similar(
        self, item_id: ItemId, k: int, *, allow: Sequence[ItemId] | None = None, deny: Sequence[ItemId] = ()
    ) -> list[Similar]:
        """The ``min(k, eligible)`` items most alike; ``QueryError`` for an unknown item."""
        ...

    def popular(self, k: int) -> list[ItemId]:
        """The ``k`` most popular items."""
        ...


class SnapshotSource(Protocol):
    """Where snapshots come from: a store, or the folder of an artifact."""

    @property
    def shared(self) -> bool:
        """Whether other processes, and this one after a new start, are told which snapshot to serve."""
        ...

    def wanted(self) -> str:
        """Id of the snapshot to be served.

        Raises:
            ArtifactError: it cannot be read.
        """
        ...

    def token(self) -> object:
        """What changes whenever it is said anew what is to be served."""
        ...

    def load(self, snapshot_id: str, requests: Sequence[Request]) -> ServedEngine:
        """A snapshot, checked and warm; ``requests`` were asked lately and are asked of it first.

        Raises:
            EncorecError: it must not be served.
        """
        ...

    def step_back(self, snapshot_id: str) -> str:
        """Say that the snapshot before this one is to be served; returns its id, ``ArtifactError`` if there is none."""
        ...

    def choose(self, snapshot_id: str) -> None:
        """Say that this snapshot is to be served; ``ArtifactError`` if it is not there."""
        ...

    def known(self) -> list[str]:
        """Ids of the snapshots that could be served, newest first."""
        ...


class Snapshots:
    """The engine that answers now, the one before it, and the way from one to the next.

    A new engine is loaded, checked and warmed in a thread of its own while the old one answers; then one reference
    changes, between two requests. Who is refused changes nothing but ``refused`` and ``fault``. All methods are for
    the thread of the event loop; calls at the same time share one load.

    Args:
        engine: checked and warm.
        source: where others come from; none = this engine is all there is.
        jitter: most seconds that a load waits by chance, so that processes which share a machine take turns.
        rng: of the waiting.

    Attributes:
        current: the engine that answers.
        previous: the one before it, for a rollback without a load.
        swaps: changes so far.
        refused: snapshots that could not be served so far.
        fault: why the last look at the source ended without what it wants; none = it is served.
        recent: requests of late, asked of a new engine before it is trusted.

    Example:
        >>> from types import SimpleNamespace
        >>> Snapshots(SimpleNamespace(artifact=SimpleNamespace(snapshot_id="4af1"))).model
        '4af1'
    """

    def __init__(
        self,
        engine: ServedEngine,
        source: SnapshotSource | None = None,
        *,
        jitter: float = 0.0,
        rng: random.Random | None = None,
    ) -> None:
        self.current = engine
        self.previous: ServedEngine | None = None
        self.swaps = self.refused = 0
        self.fault: str | None = None
        self.recent: deque[Request] = deque(maxlen=_RECENT)
        self._source, self._jitter, self._rng = source, jitter, rng or random.Random()
        self._passed: object = None
        self._told: list[Callable[[ServedEngine], None]] = []
        self._checks: list[Callable[[ServedEngine], None]] = []
        self._one_at_a_time = asyncio.Lock()
        self._aside = ThreadPoolExecutor(1, "snapshots")

    @property
    def model(self) -> str:
        """Id of the snapshot that answers."""
        return self.current.artifact.snapshot_id

    @property
    def source(self) -> SnapshotSource | None:
        """Where others come from."""
        return self._source

    def subscribe(self, told: Callable[[ServedEngine], None]) -> None:
        """Call ``told`` with every engine that takes over, before it answers its first request."""
        self._told.append(told)

    def require(self, check: Callable[[ServedEngine], None]) -> None:
        """Refuse every later engine for which ``check`` raises an ``EncorecError``; called where it is loaded."""
        self._checks.append(check)

    def remember(self, request: Request) -> None:
        """Keep a request that was answered in full for the warm-up of the next engine, if it is small and ordinary."""
        ids = len(request.deny) + len(request.allow or ()) + len(request.history or ())
        if ids <= _SMALL and not request.explain:
            self.recent.append(request)

    def start_with_fault(self, fault: EncorecError) -> None:
        """Say that the engine is not what the source wanted, and why; it is not tried again until said anew."""
        self._refuse(fault, self._token())

    async def aside(self, work: Callable[[], T]) -> T:
        """Run ``work`` in the thread for what may take long; one at a time."""
        return await asyncio.get_running_loop().run_in_executor(self._aside, work)

    async def sync(self, *, anew: bool = False) -> None:
        """Serve what the source wants; nothing happens where that is what answers already.

        Args:
            anew: try also what was refused before.

        Raises:
            EncorecError: it cannot be served; the old engine still answers.
        """
        if self._source is None:
            raise ArtifactError("this engine was not loaded from a folder; serve an artifact or a store to reload")
        async with self._one_at_a_time:
            token = self._token()
            if token == self._passed and not anew:
                return
            try:
                wanted = self._source.wanted()
                if wanted != self.model:
                    self._swap(await self._engine_of(wanted, self._source))
                self.fault, self._passed = None, None
            except EncorecError as error:
                self._refuse(error, token)
                raise

    async def rollback(self) -> None:
        """Serve the snapshot before this one.

        Raises:
            EncorecError: there is none, or it cannot be served any more.
        """
        if self._source is not None and self._source.shared:
            await self._step_back(self._source)
            return
        async with self._one_at_a_time:
            if self.previous is None:
                raise ArtifactError(f"there is no snapshot before {self.model} in memory")
            self._swap(self.previous)
            # Neither the watch nor a second rollback goes forth again to the one that was left; a reload does.
            self.previous, self._passed = None, self._token()

    async def _step_back(self, source: SnapshotSource) -> None:
        left = self.model
        await self.aside(lambda: source.step_back(left))
        try:
            await self.sync(anew=True)
        except EncorecError:
            await self.aside(lambda: source.choose(left))
            raise

    async def _engine_of(self, wanted: str, source: SnapshotSource) -> ServedEngine:
        if self.previous is not None and self.previous.artifact.snapshot_id == wanted:
            return self.previous
        if self._jitter:
            await asyncio.sleep(self._rng.uniform(0, self._jitter))
        requests = tuple(self.recent)
        return await self.aside(lambda: self._checked(source.load(wanted, requests)))

    def _checked(self, engine: ServedEngine) -> ServedEngine:
        for check in self._checks:
            check(engine)
        return engine

    def _swap(self, engine: ServedEngine) -> None:
        """No request is between its first look at the engine and its answer: handlers compute without waiting."""
        _LOG.warning("snapshot %s answers from now on, before it was %s", engine.artifact.snapshot_id, self.model)
        self.previous, self.current = self.current, engine
        self.swaps += 1
        for told in self._told:
            told(engine)

    def _refuse(self, error: EncorecError, token: object) -> None:
        if str(error) != self.fault or token != self._passed:
            _LOG.error("refused, %s still answers: %s", self.model, error)
        self.refused += 1
        self.fault, self._passed = str(error), token

    def _token(self) -> object:
        return None if self._source is None else self._source.token()
