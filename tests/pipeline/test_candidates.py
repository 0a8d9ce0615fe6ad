"""The union of what retrievers propose equals sorting and merging in plain Python."""

from dataclasses import dataclass
from math import isnan, nan

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from encorec.pipeline.candidates import gather, lists_of
from encorec.protocols import Retriever
from encorec.retrieval.topk import candidates_of, top_k
from encorec.types import Candidates, Eligibility, FloatMatrix, Histories, ItemLists, Queries


@dataclass
class PlugIn:
    """A retriever with nothing but ``retrieve``: it scores only what it proposes."""

    table: FloatMatrix

    def retrieve(self, queries: Queries, n: int) -> Candidates:
        return candidates_of(*top_k(self.table.copy(), queries.eligible.mask(len(queries)), n), "own name")


class Scores(PlugIn):
    """A retriever that can score the whole catalogue."""

    def scores(self, queries: Queries) -> FloatMatrix:
        return self.table.copy()


@dataclass(frozen=True)
class Drawn:
    """Scores of every source for every query and item, what each query may get, and how many items a source gives."""

    tables: dict[str, list[list[float]]]
    eligible: list[list[int]]
    quotas: dict[str, int]
    items: int

    @property
    def queries(self) -> Queries:
        n = len(self.eligible)
        rule = Eligibility(np.ones(self.items, bool), allow=ItemLists.of(self.eligible))
        return Queries(Histories.empty(n), np.zeros(n, np.int64), rule)

    @property
    def retrievers(self) -> dict[str, Retriever]:
        arrays = {name: np.array(table, np.float32) for name, table in self.tables.items()}
        return {name: (PlugIn if name == "plug-in" else Scores)(table) for name, table in arrays.items()}

    def proposed(self, name: str, query: int) -> list[int]:
        scores = self.tables[name][query]
        return sorted(self.eligible[query], key=lambda item: (-scores[item], item))[: self.quotas[name]]

    def row(self, query: int, item: int) -> tuple[list[float], list[float]]:
        """Score and rank of an item by every source."""
        ranks, scores = [], []
        for name, table in self.tables.items():
            listed = self.proposed(name, query)
            ranks.append(listed.index(item) + 1.0 if item in listed else nan)
            scores.append(nan if name == "plug-in" and item not in listed else table[query][item])
        return scores, ranks


@st.composite
def drawn(draw: st.DrawFn) -> Drawn:
    n, items = draw(st.integers(1, 4)), draw(st.integers(1, 7))
    score = st.sampled_from([-1.0, 0.0, 0.25, 0.5, 3.0])
    table = st.lists(st.lists(score, min_size=items, max_size=items), min_size=n, max_size=n)
    allowed = st.sets(st.integers(0, items - 1)).map(sorted)
    names = ("one", "plug-in", "other")
    return Drawn(
        {name: draw(table) for name in names},
        draw(st.lists(allowed, min_size=n, max_size=n)),
        {"one": draw(st.integers(1, 9)), "plug-in": draw(st.integers(1, 9)), "other": draw(st.integers(0, 9))},
        items,
    )


@settings(max_examples=80)
@given(drawn())
def test_union_equals_merging_sorted_lists(world: Drawn) -> None:
    found = gather(world.retrievers, world.quotas, world.queries)
    pairs = list(zip(found.query.tolist(), found.item.tolist(), strict=True))
    assert pairs == [
        (query, item)
        for query in range(len(world.eligible))
        for item in sorted({item for name in world.tables for item in world.proposed(name, query)})
    ]
    assert found.sources == tuple(world.tables)
    wanted = [world.row(query, item) for query, item in pairs]
    np.testing.assert_array_equal(found.score, np.reshape([score for score, _ in wanted], (-1, 3)))
    np.testing.assert_array_equal(found.rank, np.reshape([rank for _, rank in wanted], (-1, 3)))


@settings(max_examples=40)
@given(drawn())
def test_a_batch_gives_what_single_queries_give(world: Drawn) -> None:
    together = gather(world.retrievers, world.quotas, world.queries)
    for query, allowed in enumerate(world.eligible):
        tables = {name: [table[query]] for name, table in world.tables.items()}
        alone = Drawn(tables, [allowed], world.quotas, world.items)
        found, rows = gather(alone.retrievers, alone.quotas, alone.queries), together.query == query
        np.testing.assert_array_equal(found.item, together.item[rows])
        np.testing.assert_array_equal(found.score, together.score[rows])
        np.testing.assert_array_equal(found.rank, together.rank[rows])


def test_a_source_of_quota_zero_scores_what_others_propose() -> None:
    world = Drawn({"one": [[3.0, 2.0]], "other": [[0.0, 0.5]]}, [[0, 1]], {"one": 1, "other": 0}, 2)
    found = gather(world.retrievers, world.quotas, world.queries)
    assert found.item.tolist() == [0]
    assert found.score.tolist() == [[3.0, 0.0]]
    assert [isnan(rank) for rank in found.rank[0]] == [False, True]


@given(
    st.lists(st.permutations(range(5)).flatmap(lambda items: st.integers(0, 5).map(lambda n: items[:n])), min_size=1)
)
def test_lists_of_puts_items_at_their_ranks(lists: list[list[int]]) -> None:
    rows = sorted((query, item, rank) for query, items in enumerate(lists) for rank, item in enumerate(items, 1))
    query, item, rank = (np.array([row[place] for row in rows], np.int32) for place in range(3))
    ranks = rank.astype(np.float32)[:, None]
    found = lists_of(Candidates(query, item, ranks, ranks, ("own name",)), len(lists), 5)
    assert found.tolist() == [items + [-1] * (5 - len(items)) for items in lists]
