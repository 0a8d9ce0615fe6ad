"""What a second worker adds, what rate both sustain and how late answers are then, and when an event counts.

One worker and two are asked in turns, as fast as they answer; the load generator shares their cores. The highest
sustained rate is that of ``encorec loadtest --find-max`` (99th percentile within 50 ms), and 60 % of it is sent for
half a minute, in a steady stream and at random (Poisson), beside the middle latency of single requests when quiet. An
event counts from its answer to the first list, over a new connection to whatever worker takes it, in which the item
that was taken is missing.
"""

import json
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from subprocess import PIPE, run
from typing import Any
from uuid import uuid4

import msgspec
import numpy as np
from benchmarks.record import ROOT, Measurement, ratio
from benchmarks.speed import prepared
from benchmarks.speed.answer_steps import some_users
from benchmarks.speed.load_generator import Load, ask_all
from benchmarks.speed.service_process import ServiceProcess
from benchmarks.speed.size import SEED, Size, parser, report

from encorec.pipeline.engine import load_engine

ROUNDS, REQUESTS, CONNECTIONS = 5, 4000, 16
QUIET, TOLD = 1000, 200
SHARE, SECONDS, P99_MS = 0.6, 30, 50


@contextmanager
def service(share: float, folder: Path, workers: int) -> Iterator[ServiceProcess]:
    """The service with so many workers and a state of its own."""
    state = folder / f"state-{workers}.sqlite"
    options = ("--port", "0", "--clock", "data-end", "--state", state, "--workers", str(workers))
    with ServiceProcess([sys.executable, "-m", "encorec", "serve", prepared.wide(share), *options]) as process:
        yield process


def case_of(share: float) -> str:
    return f"{Size(share)}, 300 candidates"


def write_questions(path: Path, users: Sequence[Any]) -> Path:
    path.write_bytes(b"\n".join(msgspec.json.encode({"user_id": user, "k": 10}) for user in users))
    return path


def beside(share: float, ids: Sequence[Any], folder: Path) -> Iterator[Measurement]:
    """Requests per second of one worker and of two, in turns; the first round, which warms up, is thrown away."""
    rate: dict[int, list[float]] = {1: [], 2: []}
    with service(share, folder, 1) as one, service(share, folder, 2) as two:
        for place in range(ROUNDS + 1):
            some = [ids[number % len(ids)] for number in range(place * REQUESTS, (place + 1) * REQUESTS)]
            questions = write_questions(folder / f"{place}.jsonl", some)
            for workers, asked in ((1, one), (2, two)):
                load = ask_all(asked.host, asked.port, "/v1/recommend", questions, CONNECTIONS)
                rate[workers] += [load.requests / load.seconds] if place else []
    for workers, values in rate.items():
        yield Measurement(f"{case_of(share)}: {workers} worker{'s' * (workers > 1)}", "requests/s", values, SEED)
    yield ratio(f"{case_of(share)}: two workers / one", rate[2], rate[1], SEED)


def sustained(share: float, ids: Sequence[Any], folder: Path) -> Iterator[Measurement]:
    """The quiet service, the highest sustained rate, and latencies at a part of it."""
    size, users = case_of(share), folder / "users.txt"
    users.write_text("\n".join(map(str, ids)), encoding="utf-8")
    with service(share, folder, 2) as process:
        quiet = quiet_load(process, ids, folder)
        best = loadtest(process, users, "--find-max", "--p99", str(P99_MS), "--seconds", "5")["report"]
        most = best["rate"]
        options = ("--rate", f"{SHARE * most:.0f}", "--seconds", str(SECONDS))
        given = {"steady": (), "Poisson": ("--poisson",)}
        parts = {name: loadtest(process, users, *options, *more) for name, more in given.items()}
    yield Measurement(f"{size}, quiet, one at a time: p50", "ms", [quiet.p50], SEED)
    yield Measurement(f"{size}, 2 workers: highest sustained rate", "requests/s", [most], SEED)
    for name, part in parts.items():
        case, p99 = f"{size}, 2 workers, at {SHARE:.0%} of it, {name}", part["latency_ms"]["p99"]
        yield Measurement(f"{case}: p50", "ms", [part["latency_ms"]["p50"]], SEED)
        yield Measurement(f"{case}: p99", "ms", [p99], SEED)
        yield Measurement(f"{case}: p99 / p50 when quiet", "times", [p99 / quiet.p50], SEED)


def quiet_load(process: ServiceProcess, ids: Sequence[Any], folder: Path) -> Load:
    questions = write_questions(folder / "quiet.jsonl", [ids[place % len(ids)] for place in range(QUIET)])
    ask_all(process.host, process.port, "/v1/recommend", questions, 1)
    return ask_all(process.host, process.port, "/v1/recommend", questions, 1)


def loadtest(process: ServiceProcess, users: Path, *options: str) -> Any:
    """What ``encorec loadtest`` says."""
    url = f"http://{process.host}:{process.port}"
    command = [sys.executable, "-m", "encorec", "loadtest", url, "--users", str(users), "--json", *options]
    return json.loads(run(command, cwd=ROOT, stdout=PIPE, text=True, check=True).stdout)


def told(share: float, ids: Sequence[Any], folder: Path) -> Iterator[Measurement]:
    """Milliseconds from the answer to an event to the first list without its item, and how many asked but once."""
    waits, at_once = list[float](), 0
    with service(share, folder, 2) as process:
        for user in ids[:TOLD]:
            question = {"user_id": user, "k": 10}
            item = process.ask("/v1/recommend", question)["items"][0]["item_id"]
            process.ask("/v1/events", {"events": [{"event_id": uuid4().hex, "user_id": user, "item_id": item}]})
            began, asked = time.perf_counter(), 1
            while item in (one["item_id"] for one in process.ask("/v1/recommend", question)["items"]):
                asked += 1
            waits.append(1000 * (time.perf_counter() - began))
            at_once += asked == 1
    case = f"{case_of(share)}, 2 workers: event to the next list"
    p50, p99 = np.quantile(waits, (0.5, 0.99))
    yield Measurement(f"{case}, its answer included: p50", "ms", [float(p50)], SEED)
    yield Measurement(f"{case}, its answer included: p99", "ms", [float(p99)], SEED)
    yield Measurement(f"{case}: already in the first", "share", [at_once / TOLD], SEED)


def main() -> None:
    share = parser(__doc__).parse_args().scale
    served = load_engine(prepared.wide(share))
    ids = served.artifact.users.externals(some_users(served, REQUESTS * (ROUNDS + 1)))
    rows: list[Measurement] = []
    with tempfile.TemporaryDirectory() as name:
        for part in (beside, sustained, told):
            folder = Path(name, part.__name__)
            folder.mkdir()
            rows += part(share, ids, folder)
    report("workers", share, rows)


if __name__ == "__main__":
    main()
