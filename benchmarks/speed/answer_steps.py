"""Steps of answering many users at once, for ``fresh.measure``. Every one tells its users."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from benchmarks.speed import prepared
from benchmarks.speed.size import SEED
from threadpoolctl import threadpool_limits

from encorec.pipeline.batch import recommend_to_file
from encorec.pipeline.engine import Engine, load_engine
from encorec.pipeline.query_building import stored_queries
from encorec.pipeline.two_stage import in_blocks
from encorec.types import IntVector, Queries
from encorec.workflow import RunConfig

__all__ = ["asked", "engine", "recommend", "retrieve", "some_users", "write_file"]

K = 10


def retrieve(share: float, name: str, users: int, threads: int) -> Callable[[], int]:
    """The top 10 of one retriever of the reference run alone."""
    _one_thread_of_blas(threads)
    served = engine(share)
    queries, retriever = asked(served, users), served.artifact.pipeline.first.retrievers[name]

    def run() -> int:
        in_blocks(lambda block: retriever.retrieve(queries.take(block), K), queries, threads)
        return len(queries)

    return run


def recommend(share: float, users: int, threads: int, quick: bool = False) -> Callable[[], int]:
    """The top 10 of the two-stage, as arrays."""
    _one_thread_of_blas(threads)
    served = engine(share, prepared.quick() if quick else None)
    ids = served.artifact.users.externals(some_users(served, users))

    def run() -> int:
        return len(served.slates(ids, K, now=served.artifact.data_end, threads=threads))

    return run


def write_file(share: float, users: int, threads: int) -> Callable[[], int]:
    """The same as ``encorec recommend`` does it, Parquet file included."""
    served = engine(share)
    ids = served.artifact.users.externals(some_users(served, users))

    def run() -> int:
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder, "top.parquet")
            recommend_to_file(served, ids, K, out, now=served.artifact.data_end, threads=threads)
        return len(ids)

    return run


def engine(share: float, run: RunConfig | None = None) -> Engine:
    """Over the artifact of ``run``, or of the reference run."""
    return load_engine(prepared.artifact(share, run), verify=False)


def some_users(served: Engine, n: int) -> IntVector:
    """(n,) rows of different users with a history, or of all of them where they are fewer."""
    active = np.flatnonzero(np.diff(served.artifact.histories.indptr))
    return np.random.default_rng(SEED).choice(active, min(n, len(active)), replace=False)


def asked(served: Engine, n: int) -> Queries:
    """Queries of such users at the end of the data."""
    return stored_queries(served.artifact, some_users(served, n), served.artifact.data_end)


def _one_thread_of_blas(threads: int) -> None:
    """Where one thread is asked for, linear algebra has one too; else it has what it takes."""
    if threads == 1:
        threadpool_limits(limits=1)
