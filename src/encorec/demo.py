"""The whole system once, on real data, as a newcomer should see it: ``encorec demo``."""

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from encorec.config import load_toml
from encorec.console import progress_bar, show_report
from encorec.data.sources import load
from encorec.errors import EncorecError
from encorec.pipeline.artifact import Artifact
from encorec.pipeline.checkpoints import Checkpoints
from encorec.pipeline.engine import Engine, load_engine
from encorec.pipeline.requests import Request
from encorec.workflow import RunConfig, examine, train

__all__ = ["default_config", "run_demo"]

REQUESTS = 1000
START_LIMIT = 60
NEWCOMER = "a-new-viewer"


def default_config() -> Path:
    """The reference configuration: beside the package when installed, in the checkout while developing.

    Example:
        >>> default_config().name
        'movielens-100k.toml'
    """
    package = Path(__file__).parent
    places = (package / "configs", package.parents[1] / "configs")
    return next((place for place in places if place.is_dir()), places[0]) / "movielens-100k.toml"


def run_demo(config: Path, folder: Path, console: Console) -> None:
    """Fetch, train, measure, save, serve; ask for a known and a new user, tell what the new one watched, ask again.

    Args:
        config: what to train.
        folder: where the artifact and the state of the service go.
        console: to draw on.
    """
    began = time.monotonic()
    artifact_folder = _train(config, folder, console)
    engine = load_engine(artifact_folder)
    with _service(artifact_folder, folder) as port:
        console.rule("service")
        console.print(f"http://127.0.0.1:{port}/docs while it runs; clock: the end of the data", highlight=False)
        client = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        _ask_known(client, engine, console)
        _ask_newcomer(client, engine.artifact, console)
        _measure(client, engine, console)
    console.print(f"done in {time.monotonic() - began:.0f} s; the artifact is in {artifact_folder}", highlight=False)


def _train(config: Path, folder: Path, console: Console) -> Path:
    run = load_toml(config, RunConfig)
    errors = Console(stderr=True)
    checkpoints = Checkpoints(folder / "checkpoints")
    with progress_bar(errors) as step:
        data = load(run.data, progress=lambda message: step(message, 0, 1))
        exam = examine(run, data, progress=step, checkpoints=checkpoints)
    show_report(console, exam.report)
    with progress_bar(errors) as step:
        saved = train(run, data, folder / "artifact", exam=exam, progress=step)
    checkpoints.clear()
    return saved


@contextmanager
def _service(artifact: Path, folder: Path) -> Iterator[int]:
    """The port of a service process that is ready, and stopped afterwards."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    for old in folder.glob("state.sqlite*"):
        old.unlink()
    command = [sys.executable, "-m", "encorec", "serve", str(artifact), "--port", str(port), "--clock", "data-end"]
    log = (folder / "service.log").open("wb")
    process = subprocess.Popen(
        [*command, "--state", str(folder / "state.sqlite")],
        stdout=log,
        stderr=log,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
    )
    try:
        _wait_ready(process, port, folder / "service.log")
        yield port
    finally:
        process.terminate()
        process.wait(timeout=30)
        log.close()


def _wait_ready(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    deadline = time.monotonic() + START_LIMIT
    while time.monotonic() < deadline and process.poll() is None:
        try:
            client = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
            client.request("GET", "/health/ready")
            if client.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.1)
    tail = log.read_text(errors="replace")[-2000:]
    raise EncorecError(f"the service did not get ready within {START_LIMIT} s; its log ends with:\n{tail}")


def _post(client: http.client.HTTPConnection, path: str, body: dict[str, Any]) -> dict[str, Any]:
    client.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
    response = client.getresponse()
    answer = json.loads(response.read())
    if response.status != 200:
        raise EncorecError(f"POST {path}: {response.status} {answer}")
    return answer


def _ask_known(client: http.client.HTTPConnection, engine: Engine, console: Console) -> None:
    artifact = engine.artifact
    user = int(np.argmax(artifact.histories.lengths > 20))
    user_id = artifact.users.externals([user])[0]
    answer = _post(client, "/v1/recommend", {"user_id": user_id, "k": 5})
    newest = [artifact.title(int(item)) for item in artifact.histories.items(user)[-3:]]
    console.print(f"\n[bold]user {user_id}[/], who watched {', '.join(newest)} last:", highlight=False)
    _show_items(answer["items"], artifact, console)


def _ask_newcomer(client: http.client.HTTPConnection, artifact: Artifact, console: Console) -> None:
    question = {"user_id": NEWCOMER, "k": 5, "explain": True}
    before = _post(client, "/v1/recommend", question)
    console.print("\n[bold]a brand-new user[/], nothing known:", highlight=False)
    _show_items(before["items"], artifact, console)
    watched = _three_alike(client, artifact)
    events = [
        {"event_id": f"demo-{place}", "user_id": NEWCOMER, "item_id": item, "type": "watch"}
        for place, item in enumerate(watched)
    ]
    accepted = _post(client, "/v1/events", {"events": events})["accepted"]
    titles = ", ".join(_title(artifact, item) for item in watched)
    after = _post(client, "/v1/recommend", question)
    console.print(
        f"\n[bold]the same user[/] after {accepted} events ({titles}), the very next request:", highlight=False
    )
    _show_items(after["items"], artifact, console)
    common = {one["item_id"] for one in before["items"]} & {one["item_id"] for one in after["items"]}
    changed = len(after["items"]) - len(common)
    console.print(f"{changed} of {len(after['items'])} items changed, without retraining", style="green")
    if not changed:
        raise EncorecError("the answer did not change after three events; the user's history did not arrive")


def _three_alike(client: http.client.HTTPConnection, artifact: Artifact) -> list[Any]:
    """An item of middling popularity and the two that are most alike: a taste that the popular list has not."""
    order = np.argsort(-artifact.popularity, kind="stable")
    middle = artifact.items.externals([int(order[len(order) // 8])])[0]
    alike = _post(client, "/v1/similar", {"item_id": middle, "k": 2})["items"]
    return [middle, *(one["item_id"] for one in alike)]


def _show_items(items: Sequence[dict[str, Any]], artifact: Artifact, console: Console) -> None:
    for one in items:
        reasons = (one.get("explanation") or {}).get("because") or []
        because = f"; because of {', '.join(_title(artifact, item) for item in reasons[:2])}" if reasons else ""
        source = ", ".join(one["source"])
        line = f"  {one['position']}. {_title(artifact, one['item_id'])}  ({one['score']:+.2f}; from {source}{because})"
        console.print(line, highlight=False, markup=False)


def _title(artifact: Artifact, item_id: Any) -> str:
    return artifact.title(artifact.items.row(item_id))


def _measure(client: http.client.HTTPConnection, engine: Engine, console: Console) -> None:
    """p50 and p99 of 1,000 requests, over HTTP and in this process."""
    users = engine.artifact.users.externals(np.arange(REQUESTS) % len(engine.artifact.users))
    over_http = [_timed(lambda user=user: _post(client, "/v1/recommend", {"user_id": user})) for user in users]
    now = engine.artifact.data_end
    inside = [_timed(lambda user=user: engine.recommend([Request(user_id=user)], now=now)) for user in users]
    console.print()
    for name, times in (("over HTTP", over_http), ("in process", inside)):
        p50, p99 = np.quantile(np.array(times) * 1000, [0.5, 0.99])
        console.print(f"{REQUESTS:,} requests {name}: p50 {p50:.2f} ms, p99 {p99:.2f} ms", highlight=False)


def _timed(call: Any) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began
