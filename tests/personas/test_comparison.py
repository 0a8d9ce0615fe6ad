"""What systems show to personas is what the service would answer, and the figures are those of the metrics."""

import json
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from tests.worlds import Trained

from encorec.errors import ConfigError, DataError, QueryError
from encorec.personas import Comparison, Persona, compare_personas, open_systems
from encorec.personas.persona import Taken
from encorec.personas.shelf import Shelf
from encorec.personas.systems import System
from encorec.pipeline.requests import PastEvent, Request

PERSONAS = {
    "part by part": Persona(about="series", history=("Part 6", 7, Taken(item="part 8", days_ago=0.5, weight=2.0))),
    "of age": Persona(history=("Film 100",), features={"age": 30, "sex": "F"}),
    "newcomer": Persona(),
}


@pytest.fixture(scope="module")
def systems(trained: Trained) -> list[System]:
    return open_systems([str(trained.folder), f"{trained.folder}:als,popular"])


@pytest.fixture(scope="module")
def found(systems: list[System]) -> Comparison:
    return compare_personas(systems, PERSONAS, k=5)


def test_a_persona_is_answered_as_a_guest_of_the_service_with_that_history(trained: Trained, found: Comparison) -> None:
    now = trained.engine.artifact.data_end
    past = (PastEvent(6, now - 3 * 86_400), PastEvent(7, now - 2 * 86_400), PastEvent(8, now - 43_200, 2.0))
    requests = [
        Request(k=5, history=past),
        Request(k=5, history=(PastEvent(100, now - 86_400),), user={"age": 30, "sex": "F"}),
        Request(k=5, history=()),
    ]
    for answer, persona in zip(trained.engine.recommend(requests), found.personas.values(), strict=True):
        shown = persona.lists["two-stage"].items
        assert [one.item_id for one in shown] == [one.item_id for one in answer.items]
        assert [one.score for one in shown] == [one.score for one in answer.items]
        assert [list(one.source) for one in shown] == [one.source for one in answer.items]


def test_titles_genres_and_ranks_are_those_of_the_items(trained: Trained, found: Comparison) -> None:
    artifact = trained.engine.artifact
    for persona in found.personas.values():
        for item in persona.lists["als"].items:
            assert isinstance(item.item_id, int)
            assert item.title == artifact.title(item.item_id)
            assert item.popularity_rank == 1 + (artifact.popularity > artifact.popularity[item.item_id]).sum()
    history = found.personas["part by part"].history
    assert [(one.title, one.days_ago) for one in history] == [("Part 6", 3.0), ("Part 7", 2.0), ("Part 8", 0.5)]


def test_figures_against_a_slow_twin(trained: Trained, found: Comparison) -> None:
    """MIUF: mean of log2(active users / users of the item). ILD: features that differ, mean over pairs."""
    data = trained.data
    active = (data.interactions.user_counts > 0).sum()
    tags, kind = data.item_features.tags["genres"], data.item_features.categorical["kind"]
    year = data.item_features.numeric["year"]
    for persona in found.personas.values():
        for shown in persona.lists.values():
            ids = [int(one.item_id) for one in shown.items]
            assert shown.miuf == pytest.approx(
                np.mean([np.log2(active / data.interactions.item_users[one]) for one in ids])
            )
            known = [one for one in ids if not np.isnan(year[one])]
            apart = [
                len(set(tags.lists.row(a).tolist()) ^ set(tags.lists.row(b).tolist()))
                + (year[a] != year[b])
                + (kind.code[a] != kind.code[b])
                for a, b in combinations(known, 2)
            ]
            assert shown.ild == pytest.approx(np.mean(apart) if apart else 0.0)
            assert shown.popularity_rank == np.median([one.popularity_rank for one in shown.items])


def test_what_lists_share_is_counted(found: Comparison) -> None:
    for persona in found.personas.values():
        sets = [{item.item_id for item in one.items} for one in persona.lists.values()]
        assert persona.common.tolist() == [[len(one & other) for other in sets] for one in sets]
        assert np.diag(persona.common).tolist() == [5, 5, 5]
    wanted = np.mean([one.common for one in found.personas.values()], axis=0)
    assert np.array_equal(found.mean_common(), wanted)
    assert found.means()["als"]["miuf"] == pytest.approx(
        np.mean([one.lists["als"].miuf for one in found.personas.values()])
    )


def test_all_of_it_is_json(found: Comparison) -> None:
    told = found.as_dict()
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    assert told["common"]["als"].keys() == {"two-stage", "popular"}
    assert told["personas"]["newcomer"]["history"] == []
    assert told["personas"]["of age"]["lists"]["als"]["items"][0].keys() == {
        *("item_id", "title", "traits", "popularity_rank", "source", "score")
    }


def test_a_history_counts_by_its_times_not_by_its_place(systems: list[System]) -> None:
    forth = Persona(history=(Taken(item=6, days_ago=9), Taken(item=31, days_ago=1)))
    back = Persona(history=(Taken(item=31, days_ago=1), Taken(item=6, days_ago=9)))
    shown = compare_personas(systems, {"forth": forth, "back": back}, k=5).personas
    assert shown["forth"].lists == shown["back"].lists
    assert shown["forth"].history == shown["back"].history


def test_a_later_moment_of_asking_moves_the_history_with_it(systems: list[System], found: Comparison) -> None:
    later = {one.name: one.shelf.artifact.data_end + 3 * 86_400 for one in systems}
    moved = compare_personas(systems, PERSONAS, k=5, now=later)
    assert moved.personas["part by part"].lists["als"].items == found.personas["part by part"].lists["als"].items


def test_an_artifact_without_features_has_no_distances_but_everything_else(systems: list[System]) -> None:
    bare = replace(systems[0].engine.artifact, item_features=None)
    shown = compare_personas([replace(systems[0], shelf=Shelf(bare, "bare"))], PERSONAS, k=5)
    assert shown.means()["two-stage"]["ild"] is None
    assert shown.means()["two-stage"]["miuf"] is not None
    assert shown.traits == ""


def test_the_golden_artifact_of_the_first_format_has_personas_too() -> None:
    golden = Path(__file__).parents[1] / "golden" / "v1"
    shown = compare_personas(open_systems([f"{golden}:two-stage,als"]), {"x": Persona(history=(12, "Part 13"))}, k=5)
    assert len(shown.personas["x"].lists["als"].items) == 5


@pytest.mark.parametrize(
    ("persona", "kind", "told"),
    [
        (Persona(history=("Part 6000",)), DataError, "no item is called 'Part 6000'; nearest: 'Part 6"),
        (Persona(history=(6000,)), DataError, "no item has the id 6000"),
        (Persona(features={"agee": 3}), ConfigError, "persona 'x': unknown feature 'agee': did you mean 'age'?"),
        (Persona(features={"sex": "X"}), ConfigError, "persona 'x': unknown sex 'X': allowed: F, M"),
        (Persona(features={"age": "old"}), ConfigError, "persona 'x': age is 'old', allowed is a number"),
        (Persona(features={"age": True}), ConfigError, "persona 'x': age is True, allowed is a number"),
    ],
)
def test_what_an_artifact_does_not_know_is_named(
    systems: list[System], persona: Persona, kind: type[Exception], told: str
) -> None:
    with pytest.raises(kind) as fault:
        compare_personas(systems, {"x": persona})
    assert told in str(fault.value)


def test_no_places_are_refused_and_nobody_is_nobody(systems: list[System]) -> None:
    with pytest.raises(QueryError, match="k is 0"):
        compare_personas(systems, PERSONAS, k=0)
    assert compare_personas(systems, {}).as_dict()["personas"] == {}
    assert compare_personas([], PERSONAS).systems == ()


def test_more_places_than_items_are_not_filled(systems: list[System]) -> None:
    shown = compare_personas(systems, {"newcomer": Persona()}, k=400)
    eligible = int(systems[0].engine.artifact.catalogue.sum())
    assert {len(one.items) for one in shown.personas["newcomer"].lists.values()} == {eligible}
    assert shown.means()["als"]["filled"] == eligible
