"""The selector of the best k against a sort in plain Python."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from encorec.errors import QueryError
from encorec.pipeline.selectors import TopSelector
from encorec.protocols import Selector
from encorec.types import Candidates, Eligibility, Histories, Queries

ITEMS = 9
RELEVANCE = st.sampled_from([-np.inf, -1.0, 0.0, 0.5, 2.0, np.nan])


def queries(n: int) -> Queries:
    return Queries(Histories.empty(n), np.full(n, 9), Eligibility(np.ones(ITEMS, bool)))


@st.composite
def ranked(draw: st.DrawFn) -> tuple[int, list[tuple[int, int, float, tuple[bool, bool]]]]:
    """Number of queries, and (query, item, relevance, which of two sources proposed it), by query and item."""
    n = draw(st.integers(1, 4))
    pairs = draw(st.sets(st.tuples(st.integers(0, n - 1), st.integers(0, ITEMS - 1)), max_size=25))
    proposed = st.sampled_from([(True, False), (False, True), (True, True)])
    return n, [(query, item, draw(RELEVANCE), draw(proposed)) for query, item in sorted(pairs)]


def candidates(rows: list[tuple[int, int, float, tuple[bool, bool]]]) -> Candidates:
    columns = [np.array(column) for column in zip(*rows, strict=True)] if rows else [np.empty(0, int)] * 4
    rank = np.where(columns[3], 1.0, np.nan).reshape(-1, 2).astype(np.float32)
    query, item = columns[0].astype(np.int32), columns[1].astype(np.int32)
    return Candidates(query, item, rank, rank, ("one", "two"), columns[2].astype(float))


@given(ranked(), st.integers(0, 6))
def test_slate_is_the_sorted_list_cut_off(
    given: tuple[int, list[tuple[int, int, float, tuple[bool, bool]]]], k: int
) -> None:
    n, rows = given
    slate = TopSelector().select(queries(n), candidates(rows), k)
    assert slate.item.shape == (n, k)
    for query in range(n):
        own = [row for row in rows if row[0] == query]
        best = sorted(own, key=lambda row: (np.isnan(row[2]), -row[2], row[1]))[:k]
        assert slate.item[query].tolist() == [row[1] for row in best] + [-1] * (k - len(best))
        for place, (_, _, relevance, proposed) in enumerate(best):
            assert slate.score[query, place] == relevance or np.isnan(relevance)
            assert slate.source_names(query, place) == [
                name for name, by in zip(("one", "two"), proposed, strict=True) if by
            ]
        assert np.isnan(slate.score[query, len(best) :]).all()
        assert not slate.source[query, len(best) :].any()
    assert (slate.propensity == 1).all()


def test_a_score_that_is_nan_sinks_below_the_lowest() -> None:
    rows = [(0, 2, np.nan, (True, False)), (0, 5, -np.inf, (True, False)), (0, 7, 1.0, (True, False))]
    assert TopSelector().select(queries(1), candidates(rows), 3).item.tolist() == [[7, 5, 2]]


def test_candidates_must_be_ranked_first() -> None:
    with pytest.raises(QueryError, match="rank them first"):
        TopSelector().select(queries(1), replace(candidates([]), relevance=None), 3)


def test_it_is_a_selector() -> None:
    assert isinstance(TopSelector(), Selector)
