"""One function for one user, a batch and a backtest: the same items and scores, to the last bit."""

from dataclasses import replace

import numpy as np
import pytest
from tests.worlds import Trained

from encorec.pipeline.candidates import lists_of
from encorec.pipeline.eligibility import fold_queries
from encorec.pipeline.two_stage import FirstStage, TwoStage
from encorec.types import Candidates, FloatMatrix, FloatVector, Queries, Slate


def questions(trained: Trained, n: int = 60) -> Queries:
    """Users of the test, among them some without a history."""
    queries = fold_queries(trained.exam.test).take(np.arange(n))
    return replace(queries, history=queries.history.before(np.where(np.arange(n) % 7 == 0, 0, queries.now)))


def assert_same(slate: Slate, other: Slate) -> None:
    for name in ("item", "score", "source", "propensity"):
        np.testing.assert_array_equal(getattr(slate, name), getattr(other, name), strict=True)


@pytest.mark.parametrize("ranked", [True, False])
@pytest.mark.parametrize("k", [1, 10, 200])
def test_a_batch_gives_to_the_last_bit_what_single_queries_give(trained: Trained, ranked: bool, k: int) -> None:
    pipeline = trained.exam.pipeline if ranked else TwoStage(trained.exam.pipeline.first)
    queries = questions(trained)
    together = pipeline.recommend(queries, k)
    alone = [pipeline.recommend(queries.take(np.array([row])), k) for row in range(len(queries))]
    for name in ("item", "score", "source", "propensity"):
        joined = np.concatenate([getattr(one, name) for one in alone])
        np.testing.assert_array_equal(getattr(together, name), joined, strict=True)
    assert together.counts == {stage: sum(one.counts[stage] for one in alone) for stage in ("candidates", "selected")}


def test_features_of_a_batch_are_to_the_last_bit_those_of_single_queries(trained: Trained) -> None:
    first, queries = trained.exam.pipeline.first, questions(trained)
    found = first.candidates(queries)
    together = first.features.compute(queries, found, first.retrievers)
    for row in range(len(queries)):
        one = queries.take(np.array([row]))
        alone = first.features.compute(one, first.candidates(one), first.retrievers)
        np.testing.assert_array_equal(together[found.query == row], alone)


def test_blocks_give_what_one_block_gives(trained: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline, queries = trained.exam.pipeline, questions(trained)
    whole = pipeline.recommend(queries, 10)
    monkeypatch.setattr("encorec.pipeline.two_stage.CELLS_PER_BLOCK", 7 * queries.items)
    blocks = pipeline.recommend(queries, 10)
    assert_same(whole, blocks)
    assert whole.counts == blocks.counts


def test_no_queries_give_an_empty_slate(trained: Trained) -> None:
    slate = trained.exam.pipeline.recommend(questions(trained).take(np.arange(0)), 5)
    assert slate.item.shape == (0, 5)


def test_without_a_ranker_the_order_is_reciprocal_rank_fusion(trained: Trained) -> None:
    """cormack2009: the sum of 1 / (60 + rank) over the sources that propose the item."""
    fused, queries = TwoStage(trained.exam.pipeline.first), questions(trained)
    found = fused.first.candidates(queries, at_least=10)
    slate = fused.recommend(queries, 10)
    for row in range(len(queries)):
        rows = np.flatnonzero(found.query == row)
        fusion = {
            int(found.item[one]): sum(1 / (60 + rank) for rank in found.rank[one].tolist() if rank == rank)
            for one in rows
        }
        wanted = sorted(fusion, key=lambda item: (-np.float32(fusion[item]), item))[:10]
        np.testing.assert_allclose(slate.score[row], [fusion[item] for item in wanted], rtol=1e-6)


@pytest.mark.parametrize("source", ["steps", "als", "popular"])
@pytest.mark.parametrize("k", [1, 10, 60])
def test_without_a_ranker_the_order_of_one_source_is_that_of_the_source_alone(
    trained: Trained, source: str, k: int
) -> None:
    """Also where it would propose nothing of its own otherwise."""
    first, queries = trained.exam.pipeline.first, questions(trained)
    own = first.retrievers[source].retrieve(queries, k)
    for quotas in (first.quotas, {**first.quotas, source: 0}):
        slate = TwoStage(replace(first, quotas=quotas), source=source).recommend(queries, k)
        np.testing.assert_array_equal(slate.item, lists_of(own, len(queries), k))
        np.testing.assert_array_equal(slate.score[slate.item >= 0], own.score[:, 0])


class Backwards:
    """A ranker that likes what comes last in the catalogue, and knows nothing of the very last."""

    def score(self, features: FloatMatrix) -> FloatVector:
        scores = np.arange(len(features), dtype=float)
        scores[-1:] = np.nan
        return scores

    def save(self, folder: object) -> None:
        raise NotImplementedError


def test_any_ranker_orders_the_candidates_and_nan_sinks_last(trained: Trained) -> None:
    pipeline = TwoStage(trained.exam.pipeline.first, Backwards())
    queries = questions(trained).take(np.array([3]))
    *known, unknown = pipeline.rank(queries, 200).item.tolist()
    slate = pipeline.recommend(queries, 200)
    assert slate.item[0, : slate.filled[0]].tolist() == [*reversed(known), unknown]


class Everything:
    """A selector that shows the first candidates, whatever their relevance."""

    def select(self, queries: Queries, candidates: Candidates, k: int) -> Slate:
        slate = Slate.empty(len(queries), k, candidates.sources)
        slate.item[0] = candidates.item[:k]
        return slate


def test_any_selector_makes_the_slate(trained: Trained) -> None:
    pipeline = replace(trained.exam.pipeline, selector=Everything())
    queries = questions(trained).take(np.array([3]))
    slate = pipeline.recommend(queries, 4)
    assert slate.item[0].tolist() == pipeline.rank(queries, 4).item[:4].tolist()
    assert slate.counts["selected"] == 4


def test_sources_give_as_many_as_places_but_one_of_quota_zero_gives_none(trained: Trained) -> None:
    first, queries = trained.exam.pipeline.first, questions(trained).take(np.array([3]))
    quotas = {name: 2 if name == "knn" else 0 for name in first.retrievers}
    few = FirstStage(first.retrievers, quotas, first.features)
    assert len(few.candidates(queries)) == 2
    found = few.candidates(queries, at_least=15)
    assert len(found) == 15
    assert found.proposed.sum(axis=0).tolist() == [15 * (name == "knn") for name in found.sources]
    assert not np.isnan(found.score).any()
