"""One query at a time on one thread: exact search beside HNSW and IVF, at two sizes of catalogue.

Vectors are drawn around tastes and their lengths are lognormal, as those of factor models are; queries mix two tastes.
Each run draws anew. What holds for one's own vectors says ``encorec ann-report``.
"""

from collections import defaultdict

import numpy as np
from benchmarks.record import Measurement, write

from encorec.retrieval.ann_report import compare_indexes
from encorec.retrieval.item_vectors import ItemVectors
from encorec.types import FloatMatrix

SEED, RUNS, SIZE, TASTES, QUERIES, K = 7, 3, 64, 400, 500, 10
CATALOGUES = (16_000, 100_000)


def drawn(items: int, rng: np.random.Generator) -> tuple[FloatMatrix, ItemVectors]:
    """(n, size) queries and the items."""
    tastes = rng.normal(size=(TASTES, SIZE))
    lengths = rng.lognormal(0, 0.7, (items, 1))
    vectors = lengths * (tastes[rng.integers(TASTES, size=items)] + rng.normal(0, 0.7, (items, SIZE)))
    users = tastes[rng.integers(TASTES, size=(QUERIES, 2))].sum(axis=1) + rng.normal(0, 0.5, (QUERIES, SIZE))
    factors = np.ascontiguousarray(vectors.T, np.float32)
    return users.astype(np.float32), ItemVectors.of(factors, np.full(items, -1, np.float32))


def main() -> None:
    rows: list[Measurement] = []
    for items in CATALOGUES:
        values: dict[tuple[str, str], list[float]] = defaultdict(list)
        for run in range(RUNS):
            report = compare_indexes(*drawn(items, np.random.default_rng([SEED, run])), K, seed=run)
            for row in report.rows:
                figures = {f"recall@{K}": (row.recall, "share"), "p50": (row.p50_ms, "ms"), "p99": (row.p99_ms, "ms")}
                if row.setting:
                    figures |= {"build": (row.build_seconds, "s"), "memory": (row.bytes / 1e6, "MB")}
                for name, (value, unit) in figures.items():
                    values[f"{items} items: {row.name}: {name}", unit].append(value)
        rows += [Measurement(case, unit, measured, SEED) for (case, unit), measured in values.items()]
    write("ann", rows)


if __name__ == "__main__":
    main()
