"""One request in process: MovieLens-100K, three retrievers, about 300 candidates, CatBoost, one thread.

The promise: p50 at most 1 ms, p99 at most 3 ms.
"""

import tempfile
import time
from pathlib import Path

import msgspec
import numpy as np
from benchmarks.record import Measurement, write
from threadpoolctl import threadpool_limits

from encorec.config import load_toml
from encorec.data.sources import load
from encorec.pipeline.engine import Engine, load_engine
from encorec.pipeline.fit import CandidatesConfig
from encorec.pipeline.requests import Request
from encorec.workflow import RunConfig, examine, train

CONFIG = Path(__file__).parents[2] / "configs" / "movielens-100k.toml"
THREE = ("covisitation", "ease_recent", "als")
ROUNDS, REQUESTS = 7, 1000


def three_retrievers(run: RunConfig) -> RunConfig:
    """The reference run with three retrievers and a quota that makes about 300 candidates of them."""
    kept = {name: run.retrievers[name] for name in THREE}
    return msgspec.structs.replace(run, retrievers=kept, candidates=CandidatesConfig(per_source=170))


def trained(run: RunConfig, folder: Path) -> Engine:
    """The engine over a saved and loaded artifact of ``run``."""
    data = load(run.data)
    train(run, data, folder, exam=examine(run, data))
    return load_engine(folder)


def milliseconds(engine: Engine) -> tuple[float, float, float]:
    """p50, p99 and mean number of candidates over one round of requests of different users."""
    now, users = engine.artifact.data_end, engine.artifact.users.externals(np.arange(REQUESTS) % 943)
    times = []
    for user in users:
        began = time.perf_counter()
        engine.recommend([Request(user_id=user)], now=now)
        times.append(1000 * (time.perf_counter() - began))
    return float(np.quantile(times, 0.5)), float(np.quantile(times, 0.99)), float(np.mean(times))


def candidates(engine: Engine) -> float:
    """Mean number of candidates over the training users."""
    from encorec.pipeline.query_building import build_queries

    users = engine.artifact.users.externals(np.arange(200))
    requests = [Request(user_id=user) for user in users]
    queries, _ = build_queries(engine.artifact, requests, [None] * len(users), engine.artifact.data_end)
    return len(engine.artifact.pipeline.first.candidates(queries, at_least=10)) / len(users)


def main() -> None:
    run = load_toml(CONFIG, RunConfig)
    variants = {"3 retrievers": three_retrievers(run), f"{len(run.retrievers)} retrievers": run}
    rows = []
    with tempfile.TemporaryDirectory() as folder, threadpool_limits(limits=1):
        for name, variant in variants.items():
            engine = trained(variant, Path(folder, name))
            milliseconds(engine)
            p50, p99, mean = zip(*(milliseconds(engine) for _ in range(ROUNDS)), strict=True)
            rows.append(Measurement(f"{name}: candidates", "items", [candidates(engine)], run.seed))
            rows.append(Measurement(f"{name}: request p50", "ms", p50, run.seed))
            rows.append(Measurement(f"{name}: request p99", "ms", p99, run.seed))
            rows.append(Measurement(f"{name}: request mean", "ms", mean, run.seed))
        write("request", rows)


if __name__ == "__main__":
    main()
