"""Whether an index of the items is worth it: what it finds and how fast it is, beside exact search."""

import time
from collections.abc import Callable

import msgspec
import numpy as np
from threadpoolctl import threadpool_limits

from encorec.retrieval.index import IndexConfig, ItemIndex, learn_index, restore_index
from encorec.retrieval.item_vectors import ItemVectors
from encorec.retrieval.vector_scores import VectorScores
from encorec.types import FloatMatrix, IntMatrix

__all__ = ["IndexReport", "IndexRow", "compare_indexes", "recommendation"]

Progress = Callable[[str, int, int], None]

EF_SEARCH, PROBES = (32, 128, 512), (8, 32, 128)
ENOUGH, FAST_MS, TIMES = 0.95, 1.0, 2.0  # recall to ask for, time that needs no index, speed-up that is worth one


class IndexRow(msgspec.Struct, frozen=True, kw_only=True):
    """One way to search.

    Args:
        index: exact, hnsw or ivf.
        setting: name of what says how far it looks, and its value; empty for exact.
        recall: mean share of the exact best k that it finds.
        p50_ms: median milliseconds of one query alone, on one thread.
        p99_ms: of the slowest hundredth.
        build_seconds: to build the index, on one thread.
        bytes: memory it takes beside the model, its own copy of the vectors included.
    """

    index: str
    setting: dict[str, int]
    recall: float
    p50_ms: float
    p99_ms: float
    build_seconds: float
    bytes: int

    @property
    def name(self) -> str:
        """For people."""
        return " ".join([self.index, *(f"{name} = {value}" for name, value in self.setting.items())])


class IndexReport(msgspec.Struct, frozen=True, kw_only=True):
    """All ways to search, and which to take.

    Args:
        items: with a vector.
        size: numbers per vector.
        queries: asked, one at a time.
        k: items per query.
        rows: exact first.
        recommendation: in one sentence.
    """

    items: int
    size: int
    queries: int
    k: int
    rows: list[IndexRow]
    recommendation: str


def compare_indexes(
    users: FloatMatrix, vectors: ItemVectors, k: int, *, seed: int = 0, progress: Progress | None = None
) -> IndexReport:
    """Ask exact search and every index the same queries, one at a time on one thread.

    Args:
        users: (n, size) float32 queries, n at least 1, none of zeros.
        vectors: of the items.
        k: items per query.
        seed: of the indexes.
        progress: told what is being measured.

    Raises:
        MissingExtra: faiss is not installed.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> vectors = ItemVectors.of(rng.normal(size=(4, 50)).astype(np.float32), np.zeros(50, np.float32))
        >>> report = compare_indexes(rng.normal(size=(3, 4)).astype(np.float32), vectors, 5)
        >>> report.rows[0].name, report.rows[0].recall
        ('exact', 1.0)
    """
    told = progress or _silent
    with threadpool_limits(limits=1):
        told("exact search", 0, 3)
        exact, times = _ask(users, vectors, k, None)
        rows = [_row("exact", {}, 1.0, times, 0.0, 0)]
        for place, configs in enumerate((_graphs(), _lists()), 1):
            told(f"build {configs[0].kind}", place, 3)
            began = time.perf_counter()
            learnt = learn_index(configs[0], vectors, np.random.default_rng(seed))
            seconds = time.perf_counter() - began
            size = sum(one.nbytes for one in learnt.values()) + vectors.row.nbytes
            for config in configs:
                found, times = _ask(users, vectors, k, restore_index(config, learnt, vectors))
                rows.append(_row(config.kind, _setting(config), _recall(found, exact), times, seconds, size))
    known = len(vectors.known)
    shape = {"items": known, "size": vectors.factors.shape[0], "queries": len(users), "k": k}
    return IndexReport(**shape, rows=rows, recommendation=recommendation(rows, known))


def recommendation(rows: list[IndexRow], items: int) -> str:
    """Which way to search, in one sentence.

    Args:
        rows: exact first.
        items: with a vector.

    Example:
        >>> row = IndexRow(index="exact", setting={}, recall=1, p50_ms=0.2, p99_ms=0.3, build_seconds=0, bytes=0)
        >>> recommendation([row], 16_000)
        'Stay with exact search: 0.2 ms for 16,000 items need no index.'
    """
    exact, *others = rows
    if exact.p50_ms <= FAST_MS:
        return f"Stay with exact search: {exact.p50_ms:.2g} ms for {items:,} items need no index."
    good = [row for row in others if row.recall >= ENOUGH and row.p50_ms * TIMES <= exact.p50_ms]
    if not good:
        return f"Stay with exact search: no index finds {ENOUGH:.0%} of its items in less than half of its time."
    best = min(good, key=lambda row: row.p50_ms)
    settings = ", ".join([f'kind = "{best.index}"', *(f"{name} = {value}" for name, value in best.setting.items())])
    return (
        f"Take index = {{ {settings} }}: it finds {best.recall:.1%} of the exact items "
        f"in {best.p50_ms:.2g} ms instead of {exact.p50_ms:.2g} ms."
    )


def _ask(users: FloatMatrix, vectors: ItemVectors, k: int, index: ItemIndex | None) -> tuple[IntMatrix, list[float]]:
    """(n, k) int32 items, and the milliseconds of each query, after a few that warm up."""
    everything, found, times = np.ones((1, len(vectors)), bool), np.empty((len(users), k), np.int32), list[float]()
    for user in (*users[:5], *users):
        began = time.perf_counter()
        item, _ = VectorScores(user[None], vectors, index).best(everything, k)
        times.append(1000 * (time.perf_counter() - began))
        found[max(len(times) - 1 - min(5, len(users)), 0)] = item[0]
    return found, times[min(5, len(users)) :]


def _recall(found: IntMatrix, exact: IntMatrix) -> float:
    """Mean share of each row of ``exact`` that stands in the same row of ``found``; empty places are not counted."""
    shares = [np.isin(best[best >= 0], own).mean() for own, best in zip(found, exact, strict=True) if best[0] >= 0]
    return float(np.mean(shares))


def _row(index: str, setting: dict[str, int], recall: float, times: list[float], seconds: float, size: int) -> IndexRow:
    p50, p99 = np.quantile(times, [0.5, 0.99]).tolist()
    return IndexRow(
        index=index, setting=setting, recall=recall, p50_ms=p50, p99_ms=p99, build_seconds=seconds, bytes=size
    )


def _graphs() -> list[IndexConfig]:
    return [IndexConfig(kind="hnsw", ef_search=value) for value in EF_SEARCH]


def _lists() -> list[IndexConfig]:
    return [IndexConfig(kind="ivf", probes=value) for value in PROBES]


def _setting(config: IndexConfig) -> dict[str, int]:
    return {"ef_search": config.ef_search} if config.kind == "hnsw" else {"probes": config.probes}


def _silent(_what: str, _done: int, _total: int) -> None:
    """For those who do not watch."""
