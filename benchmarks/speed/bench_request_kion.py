"""One two-stage request in process at the size of KION, on one thread: ids in, ids out, as the service asks.

The promise: p50 at most 1 ms, p99 at most 4 ms. Every round asks 1,000 users whom no other round asks. The parts of a
request are timed in rounds of their own.
"""

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from benchmarks.record import Measurement
from benchmarks.speed.answer_steps import engine, some_users
from benchmarks.speed.size import SEED, Size, parser, report
from threadpoolctl import threadpool_limits

from encorec.pipeline.engine import Engine
from encorec.pipeline.query_building import build_queries
from encorec.pipeline.requests import Request

ROUNDS, REQUESTS, K = 7, 1000, 10
PARTS = ("query", "candidates", "features", "ranking", "selection")


def latencies(served: Engine, users: Sequence[Any]) -> list[float]:
    """Milliseconds of each request."""
    now, times = served.artifact.data_end, []
    for user in users:
        began = time.perf_counter()
        served.recommend([Request(user_id=user, k=K)], now=now)
        times.append(1000 * (time.perf_counter() - began))
    return times


def parts(served: Engine, user: Any) -> list[float]:
    """Milliseconds of each part of one request, then its candidates."""
    pipeline, now, ticks = served.artifact.pipeline, served.artifact.data_end, [time.perf_counter()]
    queries, _ = build_queries(served.artifact, [Request(user_id=user, k=K)], [None], now)
    ticks.append(time.perf_counter())
    found = pipeline.candidates(queries, K)
    ticks.append(time.perf_counter())
    features = pipeline.first.features.compute(queries, found, pipeline.first.retrievers)
    ticks.append(time.perf_counter())
    relevance = found.score[:, 0] if pipeline.ranker is None else pipeline.ranker.score(features)
    ticks.append(time.perf_counter())
    pipeline.selector.select(queries, replace(found, relevance=relevance), K)
    ticks.append(time.perf_counter())
    return [*(1000 * np.diff(ticks)).tolist(), float(len(found))]


def main() -> None:
    share = parser(__doc__).parse_args().scale
    with threadpool_limits(limits=1):
        served = engine(share)
        users = served.artifact.users.externals(some_users(served, (ROUNDS + 1) * REQUESTS))
        warm, *rounds = [users[start : start + REQUESTS] for start in range(0, len(users), REQUESTS)]
        latencies(served, warm)
        times = [latencies(served, some) for some in rounds]
        medians = np.array([np.median([parts(served, user) for user in some], axis=0) for some in rounds])
    case = f"{Size(share)}, {len(served.artifact.pipeline.first.retrievers)} retrievers"
    rows = [Measurement(f"{case}: candidates", "items", medians[:, -1].tolist(), SEED)]
    for name, share_of in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99)):
        rows.append(
            Measurement(f"{case}: request {name}", "ms", [float(np.quantile(one, share_of)) for one in times], SEED)
        )
    rows.append(Measurement(f"{case}: request mean", "ms", [float(np.mean(one)) for one in times], SEED))
    for name, column in zip(PARTS, medians.T, strict=False):
        rows.append(Measurement(f"{case}: {name} p50", "ms", column.tolist(), SEED))
    report("request_kion", share, rows)


if __name__ == "__main__":
    main()
