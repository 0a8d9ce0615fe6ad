"""A service killed in the middle of its writing, over and over; prints what was acknowledged and is not there.

Each round is a process of its own (forked, so that it need not import anything): the whole application over the state
and the logs of the rounds before, told of events by several clients at once, killed at a random moment. What it
acknowledged it says through a pipe, which the parent reads.
"""

import asyncio
import os
import random
import signal
import sqlite3
import sys
import time
from pathlib import Path

import httpx
import msgspec
from tests.serving.toy_engine import ToyEngine

from encorec.serving.app import create_app
from encorec.serving.logs.event_log import calls_of
from encorec.serving.logs.frames import SegmentReader
from encorec.serving.logs.segments import is_open, segments_of
from encorec.serving.settings import Settings
from encorec.serving.state.sqlite_state import SqliteState

CLIENTS, PER_CALL, ROUNDS_PER_FOLDER, LONGEST = 4, 3, 25, 0.1


async def work(app, name: str, pipe: int) -> None:
    transport = httpx.ASGITransport(app)
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url="http://s") as client:
        os.write(pipe, b"ready\n")
        await asyncio.gather(*(tell(client, f"{name}-{number}", pipe) for number in range(CLIENTS)))


async def tell(client: httpx.AsyncClient, name: str, pipe: int) -> None:
    for count in range(100_000):
        ids = [f"{name}-{count}-{place}" for place in range(PER_CALL)]
        events = [{"event_id": one, "user_id": count % 7, "item_id": 242} for one in ids]
        answer = await client.post("/v1/events", json={"events": events})
        if answer.status_code != 200 or answer.json()["accepted"] != PER_CALL:
            os.write(pipe, b"FAILED " + answer.content + b"\n")
            return
        os.write(pipe, "".join(f"{one}\n" for one in ids).encode())


def begin(folder: Path, name: str) -> tuple[int, int]:
    """A child at its work, and where it says what it acknowledged."""
    ear, mouth = os.pipe()
    child = os.fork()
    if child:
        os.close(mouth)
        return child, ear
    try:
        os.close(ear)
        settings = Settings(logs=str(folder / "logs"), segment_bytes=20_000, docs=False)
        app = create_app(ToyEngine(), settings, SqliteState(str(folder / "state.sqlite"), patience=20))
        asyncio.run(work(app, name, mouth))
    finally:
        os._exit(1)


def killed(folder: Path, name: str, rng: random.Random) -> list[str]:
    """What a service acknowledged before it was killed."""
    child, ear = begin(folder, name)
    heard = os.read(ear, 6)
    time.sleep(rng.uniform(0, LONGEST))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    while part := os.read(ear, 2**20):
        heard += part
    os.close(ear)
    lines = heard.decode().split("\n")[:-1]  # a line that breaks off was not said
    if lines[:1] != ["ready"] or any(line.startswith("FAILED") for line in lines):
        raise SystemExit(f"round {name}: {lines[:1]} {[line for line in lines if line.startswith('FAILED')]}")
    return lines[1:]


def logged(folder: Path) -> tuple[set[str], int]:
    """Names in the log, and torn bytes of its files."""
    paths = segments_of(folder / "logs" / "events")
    readers = [SegmentReader(path) for path in paths]
    frames = sum(len([*reader]) for reader in readers)
    if any(is_open(path) for path in paths) or any(reader.corrupted for reader in readers):
        raise SystemExit(f"{folder}: files of the dead are open, or some of {frames} frames are damaged")
    names = {event.event_id for call in calls_of(folder / "logs" / "events") for event in call.events}
    return names, sum(reader.torn_bytes for reader in readers)


def remembered(folder: Path) -> set[str]:
    connection = sqlite3.connect(folder / "state.sqlite")
    found = {name for (name,) in connection.execute("SELECT event_id FROM received")}
    [[sound]] = connection.execute("PRAGMA integrity_check").fetchall()
    connection.close()
    if sound != "ok":
        raise SystemExit(f"{folder}: the state is damaged: {sound}")
    return found


def main(folder: Path, rounds: int, seed: int) -> None:
    rng, total, torn = random.Random(seed), 0, 0
    lost: list[str] = []
    for begun in range(0, rounds, ROUNDS_PER_FOLDER):
        inside, acknowledged = folder / str(begun), set[str]()
        inside.mkdir()
        for one in range(begun, min(begun + ROUNDS_PER_FOLDER, rounds)):
            acknowledged.update(killed(inside, f"r{one}", rng))
        names, bytes_torn = logged(inside)
        lost += [f"{name} not in the log" for name in acknowledged - names]
        lost += [f"{name} not in the state" for name in acknowledged - remembered(inside)]
        lost += [f"{name} only in the log" for name in names - remembered(inside)]
        total, torn = total + len(acknowledged), torn + bytes_torn
    report = {"rounds": rounds, "acknowledged": total, "torn_bytes": torn, "lost": len(lost), "first": lost[:5]}
    print(msgspec.json.encode(report).decode())


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
