"""The comparison of indexes: what it measures is so, and its sentence follows from the rows."""

import numpy as np
import pytest
from tests.retrieval.vector_world import drawn_users, drawn_vectors, sorted_slowly, summed_slowly

from encorec.retrieval.ann_report import IndexRow, compare_indexes, recommendation
from encorec.retrieval.index import IndexConfig, learn_index, restore_index
from encorec.retrieval.vector_scores import VectorScores

VECTORS = drawn_vectors(np.random.default_rng(0), 3000, 12, None)
USERS = np.delete(drawn_users(np.random.default_rng(1), 31, 12, None), 1, axis=0)
REPORT = compare_indexes(USERS, VECTORS, 10, seed=4)


def test_every_way_to_search_has_its_row() -> None:
    assert [row.name for row in REPORT.rows] == [
        "exact",
        *(f"hnsw ef_search = {value}" for value in (32, 128, 512)),
        *(f"ivf probes = {value}" for value in (8, 32, 128)),
    ]
    assert (REPORT.items, REPORT.size, REPORT.queries, REPORT.k) == (len(VECTORS.known), 12, 30, 10)


def test_exact_search_has_recall_one_and_looking_further_finds_no_less() -> None:
    recalls = [row.recall for row in REPORT.rows]
    assert recalls[0] == 1
    assert all(0.3 < one <= 1 for one in recalls)
    assert recalls[1:4] == sorted(recalls[1:4])
    assert recalls[4:] == sorted(recalls[4:])


@pytest.mark.parametrize(
    ("config", "place"),
    [(IndexConfig(kind="hnsw", ef_search=32), 1), (IndexConfig(kind="ivf", probes=8), 4)],
)
def test_recall_is_the_share_of_the_exact_best_that_is_found(config: IndexConfig, place: int) -> None:
    index = restore_index(config, learn_index(config, VECTORS, np.random.default_rng(4)), VECTORS)
    everything = np.ones((1, len(VECTORS)), bool)
    found = VectorScores(USERS, VECTORS, index).best(everything, 10)[0]
    exact = sorted_slowly(summed_slowly(USERS, VECTORS), everything, 10)
    shares = [len(set(own) & set(best)) / 10 for own, best in zip(found.tolist(), exact, strict=True)]
    assert REPORT.rows[place].recall == pytest.approx(np.mean(shares))


def test_times_and_sizes_are_measured() -> None:
    assert all(0 < row.p50_ms <= row.p99_ms for row in REPORT.rows)
    assert (REPORT.rows[0].build_seconds, REPORT.rows[0].bytes) == (0, 0)
    assert all(row.build_seconds > 0 and row.bytes > VECTORS.row.nbytes for row in REPORT.rows[1:])


@pytest.mark.parametrize("n", [1, 3])
def test_few_queries_and_more_places_than_items_are_enough(n: int) -> None:
    few = drawn_vectors(np.random.default_rng(2), 6, 4, None)
    report = compare_indexes(drawn_users(np.random.default_rng(3), n + 1, 4, None)[[0, *range(2, n + 1)]], few, 20)
    assert [row.recall for row in report.rows] == [1.0] * 7


def row(index: str, recall: float, p50: float, **setting: int) -> IndexRow:
    return IndexRow(index=index, setting=setting, recall=recall, p50_ms=p50, p99_ms=2 * p50, build_seconds=1, bytes=1)


SENTENCES: dict[str, tuple[list[IndexRow], str]] = {
    "fast enough": (
        [row("exact", 1, 0.9), row("hnsw", 1, 0.01, ef_search=32)],
        "Stay with exact search: 0.9 ms for 5,000 items need no index.",
    ),
    "nothing finds enough": (
        [row("exact", 1, 9), row("hnsw", 0.94, 0.1, ef_search=32)],
        "Stay with exact search: no index finds 95% of its items in less than half of its time.",
    ),
    "nothing is fast enough": (
        [row("exact", 1, 9), row("hnsw", 0.99, 5, ef_search=32)],
        "Stay with exact search: no index finds 95% of its items in less than half of its time.",
    ),
    "the fastest that finds enough": (
        [row("exact", 1, 9), row("hnsw", 0.9, 0.1, ef_search=32), row("hnsw", 0.97, 0.5, ef_search=128),
         row("ivf", 0.999, 1, probes=32)],
        'Take index = { kind = "hnsw", ef_search = 128 }: it finds 97.0% of the exact items in 0.5 ms instead of 9 ms.',
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", SENTENCES)
def test_the_sentence_follows_from_the_rows(case: str) -> None:
    rows, sentence = SENTENCES[case]
    assert recommendation(rows, 5000) == sentence
