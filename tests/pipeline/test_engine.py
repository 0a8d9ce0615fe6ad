"""The function behind notebook, batch job and service: always ``min(k, eligible)`` items, alone as in a batch."""

from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.worlds import ITEMS, USERS, Trained, small_world

from encorec.errors import ArtifactError, QueryError
from encorec.pipeline.engine import Engine
from encorec.pipeline.requests import Answer, PastEvent, Request, UserState

USER, SILENT = 5, USERS - 1
WORLD = small_world().interactions
TAKEN = set(WORLD.item.tolist())
OWN = set(WORLD.histories.items(USER).tolist())
NOTHING_TAKEN = tuple(sorted(set(range(ITEMS)) - TAKEN))
LEFT = tuple(sorted(TAKEN - OWN))[:3]
ALL_BUT_THREE = UserState((), tuple(sorted(TAKEN - set(LEFT))))


@pytest.fixture(scope="module")
def engine(trained: Trained) -> Engine:
    return trained.engine


def item_ids(answer: Answer) -> list[Any]:
    return [item.item_id for item in answer.items]


def ask(engine: Engine, state: UserState | None = None, **request: Any) -> list[Any]:
    return item_ids(engine.recommend([Request(**request)], [state])[0])


QUESTIONS: dict[str, tuple[dict[str, Any], UserState | None, set[int]]] = {
    "known user": ({"user_id": USER}, None, TAKEN - OWN),
    "known user, an id as text": ({"user_id": str(USER)}, None, TAKEN - OWN),
    "unknown user": ({"user_id": "somebody new"}, None, TAKEN),
    "guest": ({}, None, TAKEN),
    "user without a history": ({"user_id": SILENT}, None, TAKEN),
    "empty history in the request": ({"user_id": USER, "history": ()}, None, TAKEN),
    "more places than items": ({"user_id": USER, "k": 10_000}, None, TAKEN - OWN),
    "one place": ({"user_id": USER, "k": 1}, None, TAKEN - OWN),
    "an allow-list of 1 %": ({"user_id": USER, "allow": LEFT[:2]}, None, set(LEFT[:2])),
    "an allow-list of what was seen": ({"user_id": USER, "allow": tuple(OWN)}, None, set()),
    "an allow-list of what nobody took": ({"user_id": USER, "allow": NOTHING_TAKEN}, None, set()),
    "an empty allow-list": ({"user_id": USER, "allow": ()}, None, set()),
    "seen everything but three": ({"user_id": USER}, ALL_BUT_THREE, set(LEFT)),
    "seen everything": ({"user_id": USER}, UserState((), tuple(range(ITEMS))), set()),
    "everything denied": ({"user_id": USER, "deny": tuple(range(ITEMS))}, None, set()),
    "all but one denied": ({"deny": tuple(TAKEN - {7})}, None, {7}),
    "allowed and denied": ({"allow": (7, 8), "deny": (8,)}, None, {7}),
}


@pytest.mark.parametrize("case", QUESTIONS)
def test_every_answer_has_as_many_items_as_places_and_eligible_items(engine: Engine, case: str) -> None:
    request, state, eligible = QUESTIONS[case]
    shown = ask(engine, state, **request)
    assert len(shown) == min(request.get("k", 10), len(eligible))
    assert len(set(shown)) == len(shown)
    assert set(shown) <= eligible


@settings(max_examples=50)
@given(k=st.integers(1, 40), allow=st.none() | st.sets(st.integers(0, ITEMS)), deny=st.sets(st.integers(0, ITEMS)))
def test_an_answer_is_full_whatever_is_allowed_and_denied(
    trained: Trained, k: int, allow: set[int] | None, deny: set[int]
) -> None:
    shown = ask(trained.engine, user_id=USER, k=k, allow=None if allow is None else tuple(allow), deny=tuple(deny))
    eligible = TAKEN - OWN - deny if allow is None else allow & TAKEN - OWN - deny
    assert len(shown) == min(k, len(eligible))
    assert set(shown) <= eligible


def test_a_batch_of_different_questions_gives_what_single_questions_give(engine: Engine) -> None:
    requests = [Request(**request) for request, _, _ in QUESTIONS.values()]
    states = [state for _, state, _ in QUESTIONS.values()]
    together = engine.recommend(requests, states)
    alone = [engine.recommend([request], [state])[0] for request, state in zip(requests, states, strict=True)]
    assert together == alone


def test_every_known_user_is_answered_alike_in_a_batch_and_alone(engine: Engine) -> None:
    requests = [Request(user_id=user) for user in range(USERS)]
    assert engine.recommend(requests) == [engine.recommend([request])[0] for request in requests]


def test_an_item_says_where_it_stands_and_where_it_comes_from(engine: Engine) -> None:
    [answer] = engine.recommend([Request(user_id=str(USER), k=7)])
    assert (answer.user_id, answer.degraded, answer.unknown_ids) == (str(USER), [], 0)
    assert [item.position for item in answer.items] == [1, 2, 3, 4, 5, 6, 7]
    scores = [item.score for item in answer.items]
    assert scores == sorted(scores, reverse=True)
    for item in answer.items:
        assert type(item.item_id) is int
        assert set(item.source) <= set(engine.artifact.pipeline.first.retrievers)
        assert (item.propensity, item.explanation) == (1.0, None)


def test_unknown_ids_are_ignored_and_counted(engine: Engine) -> None:
    history = (PastEvent("no such item", 5.0), PastEvent(3, 6.0))
    request = Request(history=history, allow=(1, 2, "x", 9999), deny=("y", 1))
    [answer] = engine.recommend([request])
    assert item_ids(answer) == [2]
    assert answer.unknown_ids == 4


def test_an_event_changes_the_next_answer_and_is_not_shown_again(engine: Engine) -> None:
    before = ask(engine, user_id="somebody new")
    first_part = UserState((PastEvent(before[0], engine.artifact.data_end - 1),))
    after = ask(engine, first_part, user_id="somebody new")
    assert before[0] not in after
    assert after != [*before[1:], *set(after) - set(before)]


def test_the_second_of_asking_is_the_end_of_the_data_unless_told(engine: Engine) -> None:
    requests = [Request(user_id=user) for user in range(20)]
    assert engine.recommend(requests) == engine.recommend(requests, now=engine.artifact.data_end)
    assert engine.recommend(requests) != engine.recommend(requests, now=engine.artifact.data_end - 86_400 * 30)


def test_no_requests_give_no_answers(engine: Engine) -> None:
    assert engine.recommend([]) == []


@pytest.mark.parametrize("k", [0, -3])
def test_k_below_one_is_refused(engine: Engine, k: int) -> None:
    with pytest.raises(QueryError, match=f"k is {k}, allowed is 1 or more"):
        engine.recommend([Request(k=k)])


def test_states_must_be_as_many_as_requests(engine: Engine) -> None:
    with pytest.raises(QueryError, match="2 requests but 1 states"):
        engine.recommend([Request(), Request()], [None])


def similar_twin(engine: Engine, item: int, k: int, eligible: set[int]) -> list[int]:
    """By the neighbours, which compare best of the retrievers here; items unlike it come by popularity."""
    neighbours = engine.artifact.pipeline.first.retrievers["knn"]
    likeness: Any = neighbours.similar(np.array([item]))[0]  # pyright: ignore[reportAttributeAccessIssue]
    users = engine.artifact.popularity
    met = sorted((one for one in eligible - {item} if likeness[one]), key=lambda one: (-likeness[one], one))
    return [*met, *sorted(eligible - {item, *met}, key=lambda one: (-users[one], one))][:k]


@pytest.mark.parametrize(
    ("given_rules", "eligible"),
    [
        ({}, TAKEN),
        ({"k": 500}, TAKEN),
        ({"allow": (0, 1, 2, 3, "4", "no such item")}, {0, 1, 2, 3, 4}),
        ({"deny": (1, 2, "3", "no such item")}, TAKEN - {1, 2, 3}),
        ({"allow": (1, 2, 3), "deny": (2,)}, {1, 3}),
        ({"allow": ()}, set()),
    ],
)
def test_similar_items_are_the_most_alike_then_the_popular(
    engine: Engine, given_rules: dict[str, Any], eligible: set[int]
) -> None:
    found = engine.similar(0, **given_rules)
    assert [one.item_id for one in found] == similar_twin(engine, 0, given_rules.get("k", 10), eligible)
    assert [one.position for one in found] == list(range(1, len(found) + 1))


def test_the_next_part_of_a_series_is_most_alike(engine: Engine) -> None:
    assert engine.similar("6", 1)[0].item_id == 7


@pytest.mark.parametrize("source", ["knn", "als", "steps"])
def test_items_are_compared_by_the_source_asked_for(engine: Engine, source: str) -> None:
    likeness: Any = engine.artifact.pipeline.first.retrievers[source]
    scores = likeness.similar(np.array([6]))[0]
    found = engine.similar(6, 3, source=source)
    best = sorted(TAKEN - {6}, key=lambda one: (-scores[one], one))[:3]
    assert [(one.item_id, one.score) for one in found] == [(item, scores[item]) for item in best]


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("popular", "source 'popular' does not compare items; allowed: als, knn, steps"),
        ("stpes", "unknown source 'stpes': did you mean 'steps'"),
    ],
)
def test_a_source_that_compares_nothing_is_refused(engine: Engine, source: str, told: str) -> None:
    with pytest.raises(QueryError, match=told):
        engine.similar(6, source=source)


def test_an_unknown_item_has_nothing_alike(engine: Engine) -> None:
    with pytest.raises(QueryError, match="item_id 'nothing' is not among the 150 items"):
        engine.similar("nothing")


def test_without_a_comparing_retriever_nothing_is_alike(trained: Trained) -> None:
    artifact = trained.engine.artifact
    first = artifact.pipeline.first
    popular = {"popular": first.retrievers["popular"]}
    pipeline = replace(artifact.pipeline, first=replace(first, retrievers=popular))
    with pytest.raises(QueryError, match="no retriever of this artifact compares items"):
        Engine(replace(artifact, pipeline=pipeline)).similar(0)


@pytest.mark.parametrize("k", [3, 1000])
def test_popular_items_are_those_of_most_users(engine: Engine, k: int) -> None:
    users = {
        item: len({user for user, one in zip(WORLD.user, WORLD.item, strict=True) if one == item}) for item in TAKEN
    }
    assert engine.popular(k) == sorted(users, key=lambda item: (-users[item], item))[:k]


def test_golden_requests_give_what_was_recorded(engine: Engine) -> None:
    golden = engine.artifact.manifest.golden
    assert [entry["request"]["user_id"] for entry in golden][-1] is None
    assert len(golden) == 5
    engine.check_golden()


def test_an_answer_that_differs_from_the_golden_one_is_not_trusted(trained: Trained) -> None:
    artifact = trained.engine.artifact
    first, *others = artifact.manifest.golden
    altered = [{**first, "item_ids": first["item_ids"][::-1]}, *others]
    manifest = msgspec.structs.replace(artifact.manifest, golden=altered)
    engine = Engine(replace(artifact, manifest=manifest))
    with pytest.raises(ArtifactError, match=r"golden request of user 0 gives \[.*\], recorded was"):
        engine.check_golden()
