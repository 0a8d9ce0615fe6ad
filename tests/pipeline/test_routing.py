"""Mixed blocks of routed and ranked queries: every one gets what its own order alone would give, to the last bit."""

from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest
from tests.pipeline.test_two_stage import assert_same, questions
from tests.worlds import Trained

from encorec.data.history_lengths import LENGTHS
from encorec.errors import ArtifactError
from encorec.pipeline.artifact import load_artifact, save_artifact
from encorec.pipeline.artifact_choice import restore_choice
from encorec.pipeline.engine import Engine, load_engine
from encorec.pipeline.requests import PastEvent, Request
from encorec.pipeline.routing import Routing
from encorec.pipeline.two_stage import FirstStage, TwoStage
from encorec.ranking.platt import PlattCalibration
from encorec.types import FloatMatrix, FloatVector, Queries

ORDERS = {"new": "popular", "1-4": "rrf", "5-19": "als"}
GROUPS = [(0, 0, "popular"), (1, 4, None), (5, 19, "als")]


def mixed(trained: Trained) -> Queries:
    """Histories of every length, none in order."""
    queries = questions(trained, 200)
    return queries.with_history(queries.history.before(np.where(np.arange(len(queries)) % 5 == 1, 0, queries.now)))


def tails(trained: Trained) -> Queries:
    """As ``mixed``, and every third history cut to its last two events."""
    queries = mixed(trained)
    cut = queries.history.tail(2)
    times = [cut.time[cut.starts[one]] if one % 3 == 0 and cut.lengths[one] else 0 for one in range(len(queries))]
    return queries.with_history(queries.history.since(np.array(times)))


def routed(trained: Trained, **changes: object) -> TwoStage:
    return replace(trained.exam.pipeline, routing=Routing(ORDERS), **changes)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("k", [1, 10, 60])
def test_every_query_gets_its_own_order_in_a_block_and_alone(trained: Trained, k: int) -> None:
    pipeline, queries = routed(trained), tails(trained)
    lengths = queries.history.lengths
    together, first = pipeline.recommend(queries, k), pipeline.first
    alone = [pipeline.recommend(queries.take(np.array([row])), k) for row in range(len(queries))]
    for name in ("item", "score", "source", "propensity"):
        joined = np.concatenate([getattr(one, name) for one in alone])
        np.testing.assert_array_equal(getattr(together, name), joined, strict=True)
    assert together.counts == {stage: sum(one.counts[stage] for one in alone) for stage in ("candidates", "selected")}
    for least, most, source in GROUPS:
        rows = np.flatnonzero((lengths >= least) & (lengths <= most))
        assert len(rows) > 2
        own = TwoStage(first, source=source).recommend(queries.take(rows), k)
        np.testing.assert_array_equal(together.item[rows], own.item)
        np.testing.assert_array_equal(together.score[rows], own.score)
    rest = np.flatnonzero(lengths >= 20)
    ranked = replace(pipeline, routing=None).recommend(queries.take(rest), k)
    assert len(rest)
    np.testing.assert_array_equal(together.item[rest], ranked.item)


def test_candidates_of_a_mixed_block_are_sorted_and_those_that_rank_orders(trained: Trained) -> None:
    pipeline, queries = routed(trained), tails(trained)
    found, ranked = pipeline.candidates(queries, 10), pipeline.rank(queries, 10)
    np.testing.assert_array_equal(found.query, ranked.query)
    np.testing.assert_array_equal(found.item, ranked.item)
    assert found.relevance is None
    assert (np.diff(found.query.astype(np.int64) * queries.items + found.item) > 0).all()


def test_a_source_that_proposes_nothing_else_still_fills_the_places(trained: Trained) -> None:
    first, queries = trained.exam.pipeline.first, tails(trained)
    quiet = FirstStage(first.retrievers, {**first.quotas, "popular": 0}, first.features)
    slate = routed(trained, first=quiet).recommend(queries, 30)
    wanted = TwoStage(quiet, source="popular").recommend(queries, 30)
    new = queries.history.lengths == 0
    np.testing.assert_array_equal(slate.item[new], wanted.item[new])


class Counting:
    """A ranker that remembers how many rows it was asked for."""

    def __init__(self) -> None:
        self.rows = 0

    def score(self, features: FloatMatrix) -> FloatVector:
        self.rows += len(features)
        return np.arange(len(features), dtype=float)

    def save(self, folder: object) -> None:
        raise NotImplementedError


def test_the_ranker_does_not_work_for_routed_queries(trained: Trained) -> None:
    ranker, queries = Counting(), tails(trained)
    pipeline = routed(trained, ranker=ranker)
    short = queries.take(np.flatnonzero(queries.history.lengths < 20))
    pipeline.recommend(short, 10)
    pipeline.recommend(short.take(np.array([0])), 10)
    assert ranker.rows == 0
    pipeline.recommend(queries, 10)
    assert ranker.rows == len(pipeline.first.candidates(queries.take(np.flatnonzero(queries.history.lengths >= 20))))


def test_without_a_ranker_or_without_orders_nothing_is_routed(trained: Trained) -> None:
    queries, pipeline = tails(trained), trained.exam.pipeline
    fused = TwoStage(pipeline.first)
    assert_same(replace(fused, routing=Routing(ORDERS)).recommend(queries, 5), fused.recommend(queries, 5))
    plain = replace(pipeline, routing=None)
    assert_same(replace(pipeline, routing=Routing({})).recommend(queries, 5), plain.recommend(queries, 5))


def test_no_queries_give_no_candidates(trained: Trained) -> None:
    nobody = tails(trained).take(np.arange(0))
    assert len(routed(trained).rank(nobody, 5)) == 0
    assert routed(trained).recommend(nobody, 5).item.shape == (0, 5)


def test_probabilities_of_routed_queries_come_from_their_own_map(trained: Trained) -> None:
    of_ranker, of_popular = PlattCalibration(1.0, -3.0), PlattCalibration(2.0, -1.0)
    routing = Routing({"new": "popular"}, calibrations={"new": of_popular})
    pipeline = replace(trained.exam.pipeline, routing=routing, calibration=of_ranker)
    queries = tails(trained)
    raw, said = replace(pipeline, calibration=None).recommend(queries, 5), pipeline.recommend(queries, 5)
    np.testing.assert_array_equal(raw.item, said.item)
    new = queries.history.lengths == 0
    for rows, curve in ((new, of_popular), (~new, of_ranker)):
        np.testing.assert_array_equal(said.score[rows], curve.probability(raw.score[rows]).astype(np.float32))
    one = pipeline.recommend(queries.take(np.flatnonzero(new)[:1]), 5)
    np.testing.assert_array_equal(one.score[0], said.score[new][0])


def saved(trained: Trained, pipeline: TwoStage, folder: Path, calibration: str = "none") -> Path:
    config = msgspec.structs.replace(trained.run.pipeline, calibration=calibration)
    return save_artifact(folder, pipeline, config, trained.data, name="routed", seed=0)


def test_an_artifact_keeps_the_routing_and_its_maps(trained: Trained, tmp_path: Path) -> None:
    whole = trained.engine.artifact.pipeline
    routing = Routing(ORDERS, calibrations={label: PlattCalibration(2.0, -1.0) for label in ORDERS})
    pipeline = replace(whole, routing=routing, calibration=PlattCalibration(1.0, -3.0))
    loaded = load_artifact(saved(trained, pipeline, tmp_path / "a", "platt"))
    assert loaded.manifest.routing == ORDERS
    assert_same(loaded.pipeline.recommend(tails(trained), 10), pipeline.recommend(tails(trained), 10))


def test_the_routing_is_part_of_the_snapshot(trained: Trained, tmp_path: Path) -> None:
    whole = trained.engine.artifact.pipeline
    ids = [
        load_artifact(saved(trained, replace(whole, routing=one), tmp_path / str(place))).snapshot_id
        for place, one in enumerate((None, Routing({}), Routing({"new": "als"}), Routing({"new": "popular"})))
    ]
    assert ids[0] == ids[1]
    assert len(set(ids)) == 3


@pytest.mark.parametrize(
    ("orders", "told"), [({"0-9": "als"}, "unknown length of history '0-9'"), ({"new": "poplar"}, "'popular'")]
)
def test_a_routing_to_what_is_not_there_is_refused(trained: Trained, orders: dict[str, str], told: str) -> None:
    arrays = {"items/ids": np.arange(trained.data.interactions.items)}
    with pytest.raises(ArtifactError, match=told):
        restore_choice(trained.run.pipeline, orders, arrays)


def test_an_explanation_names_the_order_and_gives_only_its_reasons(trained: Trained, tmp_path: Path) -> None:
    whole = trained.engine.artifact.pipeline
    orders = {"new": "popular", "1-4": "knn", "5-19": "rrf"}
    engine = load_engine(saved(trained, replace(whole, routing=Routing(orders)), tmp_path / "a"))
    lengths = trained.data.interactions.user_counts
    user = int(np.flatnonzero((lengths >= 5) & (lengths < 20))[0])
    none = Request(explain=True)
    few = Request(history=(PastEvent(0, 5.0), PastEvent(6, 6.0)), explain=True)
    for request, order in ((none, "popular"), (few, "knn"), (Request(user_id=user, explain=True), "rrf")):
        [answer] = engine.recommend([request])
        for item in answer.items:
            assert item.explanation is not None
            assert item.explanation["order"] == order
            assert item.explanation["contributions"] == {}
            assert set(item.explanation["because"]) <= ({0, 6} if order == "knn" else set(range(150)))
            if order == "popular":
                assert item.explanation["because"] == []
    told = [item.explanation for item in engine.recommend([few])[0].items if item.explanation]
    assert any(one["because"] for one in told)


def test_a_ranked_query_is_explained_as_before(trained: Trained) -> None:
    engine = Engine(replace(trained.engine.artifact, pipeline=replace(trained.engine.artifact.pipeline, routing=None)))
    [answer] = engine.recommend([Request(explain=True)])
    for item in answer.items:
        assert item.explanation is not None
        assert "order" not in item.explanation
        assert item.explanation["contributions"]


def test_lengths_left_out_are_the_rankers_and_a_dropped_source_is_nobodys() -> None:
    curve = PlattCalibration(1.0, 0.0)
    routing = Routing({"new": "popular", "1-4": "als"}, calibrations={"new": curve, "1-4": curve})
    assert [routing.order_of(length) for length in (0, 1, 4, 5, 20)] == ["popular", "als", "als", None, None]
    without = routing.without("als")
    assert (without.orders, list(without.calibrations)) == ({"new": "popular"}, ["new"])
    assert set(routing.orders) <= set(LENGTHS)
