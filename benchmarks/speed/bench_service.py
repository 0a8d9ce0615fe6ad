"""The service over HTTP beside a null handler and a lecture's service, beside its bare engine, and events into state.

Requests per second over eight connections and processor time of the server per request, sides in turns, every side
with the same users in a round; the load generator has a process of its own. The null handler is a bare application on
the same server settings that reads the body and gives as many bytes; ``encorec, shed`` are questions whose deadline has
passed, answered with popular items; the bare engine is called in this process, for the same users. The lecture's
service is FastAPI with pydantic and Annoy (``benchmarks/peers/lecture_service``) with the vectors of our own ALS. Ours
ranks with two stages and reads the state of the user; the lecture's looks up a vector. Events go into SQLite with a
sync to disk in every call.
"""

import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import numpy as np
from benchmarks.peers.environment import FOLDER, interpreter, versions
from benchmarks.record import Measurement, in_turns, ratio
from benchmarks.speed import prepared
from benchmarks.speed.answer_steps import some_users
from benchmarks.speed.load_generator import Load, ask_all
from benchmarks.speed.service_process import ServiceProcess
from benchmarks.speed.size import SEED, Size, parser, report
from threadpoolctl import threadpool_limits

from encorec.pipeline.engine import Engine, load_engine
from encorec.pipeline.query_building import stored_queries
from encorec.pipeline.requests import Request, UserState
from encorec.serving.state.sqlite_state import SqliteState
from encorec.serving.state.store import Event

ROUNDS, REQUESTS, CONNECTIONS = 5, 5000, 8
PEER_USERS, BATCHES, EVENTS = 100_000, (1, 100, 1000), 5000
PEER = FOLDER / "lecture_service"
OURS, NULL, PEER_ASYNC, PEER_THREAD = "encorec", "null handler", "lecture, async def", "lecture, def"
TOLD, SHED, ENGINE = "encorec, one event", "encorec, shed", "bare engine"


@dataclass(frozen=True)
class Side:
    """Who is asked, where, and with which bodies."""

    service: ServiceProcess
    path: str
    bodies: Path

    def run(self) -> tuple[Load, float]:
        """What the client saw, and milliseconds of the server's processor time per request."""
        before = self.service.processor_seconds
        load = ask_all(self.service.host, self.service.port, self.path, self.bodies, CONNECTIONS)
        return load, 1000 * (self.service.processor_seconds - before) / load.requests


def bodies(path: Path, users: Sequence[Any], items: Sequence[Any]) -> dict[str, Path]:
    """Files of one round by kind of question."""
    pairs = list(zip(users, items, strict=True))
    kinds: dict[str, list[Any]] = {
        "recommend": [{"user_id": user, "k": 10} for user in users],
        "shed": [{"user_id": user, "k": 10, "deadline_ms": 1e-4} for user in users],
        "lecture": [{"user_id": user, "item_whitelist": []} for user in users],
        "event": [{"events": [{"event_id": uuid4().hex, "user_id": one, "item_id": item}]} for one, item in pairs],
    }
    files = {kind: path.with_name(f"{path.name}-{kind}.jsonl") for kind in kinds}
    for kind, file in files.items():
        file.write_bytes(b"\n".join(map(msgspec.json.encode, kinds[kind])))
    return files


def write_vectors(served: Engine, users: np.ndarray, folder: Path) -> None:
    """What the lecture's service holds: vectors of our ALS, those of the users folded in."""
    artifact = served.artifact
    als: Any = artifact.pipeline.first.retrievers["als"]
    np.save(folder / "items.npy", artifact.items.ids)
    np.save(folder / "item_vectors.npy", np.ascontiguousarray(als.arrays()["factors"].T))
    np.save(folder / "users.npy", artifact.users.ids[users])
    np.save(folder / "user_vectors.npy", als.encode(stored_queries(artifact, users, artifact.data_end)))
    np.save(folder / "popular.npy", served.popular(10))


@contextmanager
def services(served: Engine, folder: Path, share: float) -> Iterator[tuple[ServiceProcess, ...]]:
    """Ours, the null handler and the lecture's, all running."""
    options = ("--port", "0", "--clock", "data-end", "--state", folder / "state.sqlite")
    ours = [sys.executable, "-m", "encorec", "serve", prepared.wide(share), *options]
    size = len(msgspec.json.encode(served.recommend([Request()], now=served.artifact.data_end)[0]))
    null = [sys.executable, "-m", "benchmarks.speed.null_service", str(size)]
    theirs = [interpreter(PEER), PEER / "service.py", folder]
    with ServiceProcess(ours) as our, ServiceProcess(null) as nothing, ServiceProcess(theirs) as their:
        yield our, nothing, their


def engine_cost(served: Engine, users: Sequence[Any]) -> float:
    """Milliseconds of processor time per request of the engine alone, one by one."""
    now, state = served.artifact.data_end, UserState()
    began = time.process_time()
    for user in users:
        served.recommend([Request(user_id=user)], [state], now=now)
    return 1000 * (time.process_time() - began) / len(users)


@dataclass(frozen=True)
class Seen:
    """What the rounds showed: of every side, and processor time of the bare engine."""

    sides: dict[str, list[tuple[Load, float]]]
    engine: list[float]


def rounds(served: Engine, share: float, folder: Path) -> Seen:
    """Every side in every round; the first round, which warms up, is thrown away."""
    users = some_users(served, PEER_USERS)
    write_vectors(served, users, folder)
    ids, rng = served.artifact.users.externals(users), np.random.default_rng(SEED)
    items = np.flatnonzero(served.artifact.catalogue)
    seen = Seen({}, [])
    with services(served, folder, share) as (our, nothing, their), threadpool_limits(limits=1):
        for place in range(ROUNDS + 1):
            some = [ids[one % len(ids)] for one in range(place * REQUESTS, (place + 1) * REQUESTS)]
            files = bodies(folder / str(place), some, served.artifact.items.externals(rng.choice(items, REQUESTS)))
            sides = {
                NULL: Side(nothing, "/null", files["recommend"]),
                OURS: Side(our, "/v1/recommend", files["recommend"]),
                SHED: Side(our, "/v1/recommend", files["shed"]),
                PEER_ASYNC: Side(their, "/api/v1/recommend_for_user", files["lecture"]),
                PEER_THREAD: Side(their, "/in_a_thread/recommend_for_user", files["lecture"]),
                TOLD: Side(our, "/v1/events", files["event"]),
            }
            found, alone = {name: side.run() for name, side in sides.items()}, engine_cost(served, some)
            if place:
                seen.engine.append(alone)
                for name, one in found.items():
                    seen.sides.setdefault(name, []).append(one)
    return seen


def http_rows(case: str, seen: Seen) -> list[Measurement]:
    """Throughput, processor time and latency of every side, and the ratios round by round."""
    speed = {name: [load.requests / load.seconds for load, _ in runs] for name, runs in seen.sides.items()}
    cost = {name: [milliseconds for _, milliseconds in runs] for name, runs in seen.sides.items()}
    cost[ENGINE] = seen.engine
    rows = [Measurement(f"{case}: {name}", "requests/s", values, SEED) for name, values in speed.items()]
    rows += [
        Measurement(f"{case}: {name}: processor time", "ms/request", values, SEED) for name, values in cost.items()
    ]
    for name, runs in seen.sides.items():
        rows.append(Measurement(f"{case}: {name}: p50", "ms", [load.p50 for load, _ in runs], SEED))
        rows.append(Measurement(f"{case}: {name}: p99", "ms", [load.p99 for load, _ in runs], SEED))
    for one, other in ((OURS, ENGINE), (OURS, NULL), (SHED, NULL)):
        more = [mine - yours for mine, yours in zip(cost[one], cost[other], strict=True)]
        rows.append(Measurement(f"{case}: processor time, {one} over {other}", "ms/request", more, SEED))
    for other in (NULL, PEER_ASYNC, PEER_THREAD):
        rows.append(ratio(f"{case}: processor time, {OURS} / {other}", cost[OURS], cost[other], SEED))
        rows.append(ratio(f"{case}: requests per second, {OURS} / {other}", speed[OURS], speed[other], SEED))
    return rows


def event_rate(folder: Path, batch: int) -> float:
    """Events per second into a new state, ``batch`` in each call."""
    rng = np.random.default_rng(SEED)
    count = EVENTS if batch > 1 else EVENTS // 10
    pairs = zip(rng.integers(100_000, size=count).tolist(), rng.integers(15_706, size=count).tolist(), strict=True)
    events = [
        Event(event_id=uuid4().hex, user_id=user, item_id=item, time=float(place))
        for place, (user, item) in enumerate(pairs)
    ]
    with closing(SqliteState(str(folder / f"{uuid4().hex}.sqlite"))) as state:
        began = time.perf_counter()
        for start in range(0, count, batch):
            state.append(events[start : start + batch], now=count)
        return count / (time.perf_counter() - began)


def event_rows(folder: Path) -> list[Measurement]:
    rates = in_turns({f"{one}": lambda one=one: event_rate(folder, one) for one in BATCHES}, ROUNDS)
    return [Measurement(f"state: {size} events per call", "events/s", values, SEED) for size, values in rates.items()]


def main() -> None:
    share = parser(__doc__).parse_args().scale
    served = load_engine(prepared.wide(share))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = event_rows(folder)
        rows += http_rows(f"HTTP, {Size(share)}, 300 candidates", rounds(served, share, folder))
    report("service", share, rows, peers=versions(PEER, ("annoy", "fastapi", "uvicorn", "pydantic")))


if __name__ == "__main__":
    main()
