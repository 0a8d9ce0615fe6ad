"""What every history item added, added up again in plain Python."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from encorec.protocols import Arrays
from encorec.retrieval.reasons import entry_weights, ranked_reasons

EVENTS = st.lists(st.lists(st.tuples(st.integers(0, 5), st.integers(-3, 3)), max_size=8), max_size=5)


@given(EVENTS)
@settings(deadline=None)
def test_each_item_stands_once_with_its_sum_the_largest_first(rows: list[list[tuple[int, int]]]) -> None:
    indptr = np.cumsum([0, *map(len, rows)])
    flat = [one for events in rows for one in events]
    item, share = np.array([one for one, _ in flat], np.int32), np.array([value for _, value in flat], np.float32)
    reasons = ranked_reasons(indptr, item, share)
    for row, events in enumerate(rows):
        sums = {one: sum(value for other, value in events if other == one) for one, _ in events}
        wanted = sorted(((one, total) for one, total in sums.items() if total), key=lambda pair: (-pair[1], pair[0]))
        kept = slice(reasons.indptr[row], reasons.indptr[row + 1])
        assert list(zip(reasons.item[kept].tolist(), reasons.share[kept].tolist(), strict=True)) == wanted


def test_reasons_of_nobody_are_none() -> None:
    reasons = ranked_reasons(np.zeros(1, np.int64), np.empty(0, np.int32), np.empty(0, np.float32))
    assert [len(part) for part in reasons] == [1, 0, 0]


def test_entries_of_an_unordered_matrix() -> None:
    rng = np.random.default_rng(0)
    dense = np.where(rng.random((6, 6)) < 0.5, rng.random((6, 6)), 0).astype(np.float32)
    columns = [rng.permutation(np.flatnonzero(row)) for row in dense]
    learnt: Arrays = {
        "indptr": np.cumsum([0, *map(len, columns)]),
        "item": np.concatenate(columns).astype(np.int32),
        "value": np.concatenate([dense[row, one] for row, one in enumerate(columns)]),
    }
    row, asked = np.array([3, 1, 5, 0], np.int32), np.array([2, 4])
    found = entry_weights(np.array([0, 3, 4]), row, learnt, asked)
    assert found.tolist() == [dense[3, 2], dense[1, 2], dense[5, 2], dense[0, 4]]
