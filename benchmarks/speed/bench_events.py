"""User state in SQLite and in Redis: events per second, microseconds of a read, milliseconds from event to next read.

Events go in one by one and in batches, and from 32 callers at once, whose calls share a transaction. SQLite syncs to
disk in every transaction; Redis is measured in memory (``redis``) and with ``appendfsync always`` (``redis, on disk``).
A read is measured for users of 5, 20 and 200 events. The last rows are one event told to one worker until another
worker's read shows it. Needs ``redis-server`` on the path; every server is started and ended here.
"""

import asyncio
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from itertools import count
from pathlib import Path

import numpy as np
from benchmarks.record import Measurement, in_turns, ratio, write

from encorec.serving.state.group_commit import GroupCommit
from encorec.serving.state.redis_settings import RedisSettings
from encorec.serving.state.redis_state import RedisState
from encorec.serving.state.sqlite_state import SqliteState
from encorec.serving.state.store import Event, StateError, UserStateStore

SEED, ROUNDS = 7, 5
EVENTS, USERS, ITEMS, CALLERS = 20_000, 100_000, 15_706, 32
BATCHES, HISTORIES, READS, STEPS = (1, 100, 1000), (5, 20, 200), 1000, 200
ON_DISK = ("--appendonly", "yes", "--appendfsync", "always")


@contextmanager
def redis_server(folder: Path, *options: str) -> Iterator[str]:
    """The address of a server that ends with the block."""
    program = shutil.which("redis-server")
    if program is None:
        sys.exit("this measures Redis too: apt-get install redis-server")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder.mkdir()
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder), *options]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        for _ in range(1000):
            with socket.socket() as asking:
                if not asking.connect_ex(("127.0.0.1", port)):
                    break
            time.sleep(0.01)
        yield f"redis://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def events(number: int, rng: np.random.Generator) -> list[Event]:
    users, items = rng.integers(USERS, size=number).tolist(), rng.integers(ITEMS, size=number).tolist()
    names = rng.bytes(8).hex()
    return [
        Event(event_id=f"{names}-{place}", user_id=user, item_id=item, time=float(place))
        for place, (user, item) in enumerate(zip(users, items, strict=True))
    ]


def batch_rate(store: UserStateStore, batch: int) -> float:
    """Events per second, ``batch`` in each call."""
    told = events(EVENTS if batch > 1 else EVENTS // 20, np.random.default_rng())
    began = time.perf_counter()
    for start in range(0, len(told), batch):
        store.append(told[start : start + batch], now=EVENTS)
    return len(told) / (time.perf_counter() - began)


def shared_rate(store: UserStateStore) -> float:
    """Events per second of callers that each wait for the one before."""
    told = iter(events(EVENTS // 4, np.random.default_rng()))

    async def call(commits: GroupCommit) -> None:
        for event in told:
            await commits.append([event], now=EVENTS)

    async def all_callers(commits: GroupCommit) -> None:
        await asyncio.gather(*(call(commits) for _ in range(CALLERS)))

    with GroupCommit(store) as commits:
        began = time.perf_counter()
        asyncio.run(all_callers(commits))
        return EVENTS // 4 / (time.perf_counter() - began)


def read_time(store: UserStateStore, history: int) -> float:
    """Microseconds of a read, users in turns."""
    began = time.perf_counter()
    for place in range(READS):
        store.read(f"{history}-{place % 50}", before=EVENTS)
    return 1e6 * (time.perf_counter() - began) / READS


def remember(store: UserStateStore, rng: np.random.Generator) -> None:
    """Fifty users of every length of history."""
    for history in HISTORIES:
        for user in range(50):
            name, items = f"{history}-{user}", rng.choice(ITEMS, history, replace=False).tolist()
            told = [
                Event(event_id=f"{name}-{i}", user_id=name, item_id=item, time=i + 0.25) for i, item in enumerate(items)
            ]
            store.append(told, now=EVENTS)


def next_read(one: UserStateStore, other: UserStateStore, names: Iterator[int]) -> float:
    """Milliseconds from telling one worker to the read of the other that shows it, 99th percentile."""
    passed: list[float] = []
    for name in (next(names) for _ in range(STEPS)):
        told = Event(event_id=f"step-{name}", user_id="walker", item_id=name, time=float(name))
        began = time.perf_counter()
        one.append([told], now=EVENTS)
        shown = other.read("walker", before=2**31).events[-1].item_id
        passed.append(1000 * (time.perf_counter() - began))
        if shown != name:
            sys.exit(f"the other worker was shown {shown}, not {name}")
    return float(np.quantile(passed, 0.99))


def away_time(pause_ms: float) -> float:
    """Microseconds of a read while the breaker leaves the server alone."""
    with closing(RedisState("redis://127.0.0.1:1", RedisSettings(pause_ms=pause_ms))) as store:

        def refused() -> None:
            try:
                store.read("walker", before=EVENTS)
            except StateError:
                return

        for _ in range(RedisSettings().failures):
            refused()
        began = time.perf_counter()
        for _ in range(READS):
            refused()
        return 1e6 * (time.perf_counter() - began) / READS


def measured(stores: Mapping[str, Sequence[UserStateStore]]) -> list[Measurement]:
    rows: list[Measurement] = []
    for batch in BATCHES:
        rates = in_turns({name: partial(batch_rate, own[0], batch) for name, own in stores.items()}, ROUNDS)
        rows += [Measurement(f"{name}: {batch} per call", "events/s", values, SEED) for name, values in rates.items()]
    rates = in_turns({name: partial(shared_rate, own[0]) for name, own in stores.items()}, ROUNDS)
    rows += [Measurement(f"{name}: 1 per call, {CALLERS} callers", "events/s", v, SEED) for name, v in rates.items()]
    for own in stores.values():
        remember(own[0], np.random.default_rng(SEED))
    for history in HISTORIES:
        times = in_turns({name: partial(read_time, own[1], history) for name, own in stores.items()}, ROUNDS)
        rows += [Measurement(f"{name}: read of {history} events", "us", v, SEED) for name, v in times.items()]
        rows.append(ratio(f"read of {history} events, redis / sqlite", times["redis"], times["sqlite"], SEED))
    names = count(EVENTS)
    times = in_turns({name: partial(next_read, *own, names) for name, own in stores.items()}, ROUNDS)
    rows += [Measurement(f"{name}: event to next read elsewhere, p99", "ms", v, SEED) for name, v in times.items()]
    away = in_turns({"redis": lambda: away_time(pause_ms=60_000)}, ROUNDS)["redis"]
    return [*rows, Measurement("redis: read while it is left alone", "us", away, SEED)]


def sync_row(folder: Path) -> Measurement:
    """Milliseconds that this disk takes to sync a page, for comparison."""

    def sync() -> float:
        began = time.perf_counter()
        with (folder / "page").open("wb", buffering=0) as page:
            for _ in range(STEPS):
                page.write(bytes(4096))
                os.fdatasync(page.fileno())
        return 1000 * (time.perf_counter() - began) / STEPS

    return Measurement("disk: write and sync 4 KiB", "ms", in_turns({"disk": sync}, ROUNDS)["disk"], SEED)


def main() -> None:
    with tempfile.TemporaryDirectory() as name, ExitStack() as opened:
        folder, patient = Path(name), RedisSettings(read_ms=5000, write_ms=5000)
        memory = opened.enter_context(redis_server(folder / "memory"))
        disk = opened.enter_context(redis_server(folder / "disk", *ON_DISK))
        openers: dict[str, Callable[[], UserStateStore]] = {
            "sqlite": lambda: SqliteState(str(folder / "state.sqlite")),
            "redis": lambda: RedisState(memory, patient),
            "redis, on disk": lambda: RedisState(disk, patient),
        }
        stores = {kind: [opened.enter_context(closing(one())) for _ in range(2)] for kind, one in openers.items()}
        write("events", [sync_row(folder), *measured(stores)])


if __name__ == "__main__":
    main()
