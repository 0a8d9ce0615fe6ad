"""Why an item is in an answer: features, contributions that add up to its score, and history items it is like."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import msgspec
import numpy as np
import pytest
from tests.worlds import Trained

from encorec.pipeline.engine import Engine
from encorec.pipeline.explain import CONTRIBUTIONS, REASONS, because, explain_slate
from encorec.pipeline.query_building import build_queries
from encorec.pipeline.requests import PastEvent, Recommended, Request
from encorec.pipeline.two_stage import TwoStage
from encorec.protocols import Explainer
from encorec.ranking.catboost_ranker import CatBoostRanker
from encorec.types import Queries

USER = 5


@pytest.fixture(scope="module")
def engine(trained: Trained) -> Engine:
    return trained.engine


@pytest.fixture(scope="module")
def explained(engine: Engine) -> list[Recommended]:
    return engine.recommend([Request(user_id=USER, k=8, explain=True)])[0].items


def queries(engine: Engine, **request: Any) -> Queries:
    return build_queries(engine.artifact, [Request(**request)], [None], engine.artifact.data_end)[0]


def test_an_explained_answer_is_the_same_answer(engine: Engine, explained: list[Recommended]) -> None:
    [answer] = engine.recommend([Request(user_id=USER, k=8)])
    assert [msgspec.structs.replace(item, explanation=None) for item in explained] == answer.items


def test_only_the_requests_that_ask_are_explained(engine: Engine) -> None:
    asked = [Request(user_id=USER), Request(user_id=6, explain=True), Request(user_id=7, explain=True)]
    plain, *explained = engine.recommend(asked)
    assert all(item.explanation is None for item in plain.items)
    alone = [engine.recommend([request])[0] for request in asked[1:]]
    assert explained == alone


def test_features_are_those_that_the_score_was_computed_from(engine: Engine, explained: list[Recommended]) -> None:
    ranker, names = engine.artifact.pipeline.ranker, engine.artifact.pipeline.first.features.names
    assert isinstance(ranker, CatBoostRanker)
    told = [item.explanation["features"] for item in explained if item.explanation]
    rows = np.array([[features.get(name, np.nan) for name in names] for features in told], np.float32)
    np.testing.assert_array_equal(ranker.score(rows).astype(np.float32), [item.score for item in explained])


def test_contributions_and_the_average_add_up_to_the_score(engine: Engine, explained: list[Recommended]) -> None:
    """lundberg2018: local accuracy; what is told are the largest of them."""
    ranker, names = engine.artifact.pipeline.ranker, engine.artifact.pipeline.first.features.names
    assert isinstance(ranker, CatBoostRanker)
    for item in explained:
        assert item.explanation is not None
        row = np.array([[item.explanation["features"].get(name, np.nan) for name in names]], np.float32)
        [shap] = ranker.contributions(row)
        assert shap.sum() == pytest.approx(item.score, abs=1e-5)
        largest = sorted(range(len(names)), key=lambda place: -abs(shap[place]))[:CONTRIBUTIONS]
        told = item.explanation["contributions"]
        assert list(told) == [names[place] for place in largest]
        assert list(told.values()) == pytest.approx(shap[largest].tolist())
        parts = item.explanation["base"] + sum(told.values()) + item.explanation["others"]
        assert parts == pytest.approx(item.explanation["raw_score"], abs=1e-12)
        assert item.explanation["raw_score"] == pytest.approx(item.score, abs=1e-5)


def test_reasons_are_what_the_explaining_retrievers_say(engine: Engine, explained: list[Recommended]) -> None:
    first = engine.artifact.pipeline.first
    asked = queries(engine, user_id=USER)
    able = [one for one in first.retrievers.values() if isinstance(one, Explainer)]
    assert able
    assert len(set(first.quotas.values())) == 1
    for item in explained:
        told: list[int] = []
        for one in able:
            reasons = one.explain(asked, np.array([item.item_id]))
            pairs = zip(reasons.item.tolist(), reasons.share.tolist(), strict=True)
            told = told or [reason for reason, share in pairs if share > 0 and reason != item.item_id][:REASONS]
        assert item.explanation is not None
        assert not told or item.explanation["because"] == told
    assert any(item.explanation["because"] for item in explained if item.explanation)


def test_the_largest_quota_explains_first(engine: Engine) -> None:
    """Each retriever in turn is given the largest quota; every reason it has is then told."""
    asked, items = queries(engine, user_id=USER), range(len(engine.artifact.items))
    for name, one in engine.artifact.pipeline.first.retrievers.items():
        if not isinstance(one, Explainer):
            continue
        first = engine.artifact.pipeline.first
        quotas = {other: 100 if other == name else 1 for other in first.retrievers}
        artifact = replace(
            engine.artifact, pipeline=replace(engine.artifact.pipeline, first=replace(first, quotas=quotas))
        )
        for item in items:
            reasons = one.explain(asked, np.array([item]))
            told = reasons.item[(reasons.share > 0) & (reasons.item != item)][:REASONS].tolist()
            if told:
                assert because(artifact, asked, item) == told


def test_without_an_explainer_reasons_are_the_history_items_most_alike(engine: Engine) -> None:
    first = engine.artifact.pipeline.first
    compare: Any = first.retrievers["knn"]
    mute: Any = SimpleNamespace(similar=compare.similar, retrieve=compare.retrieve)
    alone = replace(first, retrievers={"knn": mute}, quotas={"knn": 9})
    artifact = replace(engine.artifact, pipeline=replace(engine.artifact.pipeline, first=alone))
    asked, named = queries(engine, user_id=USER), 0
    history = set(asked.history.items(0).tolist())
    for item in range(len(engine.artifact.items)):
        likeness = {one: float(compare.similar(np.array([one]))[0, item]) for one in history - {item}}
        wanted = sorted((one for one in likeness if likeness[one] > 0), key=lambda one: (-likeness[one], one))
        assert because(artifact, asked, item) == wanted[:REASONS]
        named += bool(wanted)
    assert named


def test_the_part_before_is_the_reason_for_the_next_part(engine: Engine) -> None:
    request = Request(history=(PastEvent(0, 5.0),), allow=(1,), explain=True)
    [item] = engine.recommend([request])[0].items
    assert item.explanation is not None
    assert item.explanation["because"] == [0]


def test_without_a_history_there_is_no_reason(engine: Engine) -> None:
    [item] = engine.recommend([Request(allow=(1,), explain=True)])[0].items
    assert item.explanation is not None
    assert item.explanation["because"] == []


def test_an_item_is_no_reason_for_itself(engine: Engine) -> None:
    """The neighbours of an item begin with itself."""
    artifact = engine.artifact
    first = replace(artifact.pipeline.first, retrievers={"knn": artifact.pipeline.first.retrievers["knn"]})
    neighbours = replace(artifact, pipeline=TwoStage(first))
    asked = queries(engine, user_id=USER)
    for own in asked.history.items(0).tolist():
        assert own not in because(neighbours, asked, own)


def test_empty_places_are_not_explained(engine: Engine) -> None:
    asked = queries(engine, user_id=USER, allow=(1, 2))
    slate = engine.artifact.pipeline.recommend(asked, 5)
    assert len(explain_slate(engine.artifact, asked, slate.item[0])) == slate.filled[0]
    nothing = queries(engine, user_id=USER, allow=())
    assert explain_slate(engine.artifact, nothing, np.full(5, -1, np.int32)) == []


def test_items_of_a_source_that_proposes_for_the_order_only_are_explained_too(engine: Engine) -> None:
    first = engine.artifact.pipeline.first
    alone = TwoStage(replace(first, quotas={**first.quotas, "als": 0}), source="als")
    [answer] = Engine(replace(engine.artifact, pipeline=alone)).recommend([Request(user_id=USER, explain=True)])
    for item in answer.items:
        assert item.explanation is not None
        assert np.float32(item.explanation["features"]["als_score"]) == np.float32(item.score)


def test_without_trees_there_are_no_contributions(engine: Engine) -> None:
    fused = replace(engine.artifact, pipeline=TwoStage(engine.artifact.pipeline.first))
    [answer] = Engine(fused).recommend([Request(user_id=USER, explain=True)])
    told = [item.explanation for item in answer.items if item.explanation]
    assert len(told) == 10
    assert all(one["contributions"] == {} and one["features"] for one in told)
