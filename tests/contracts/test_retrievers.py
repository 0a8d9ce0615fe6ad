"""Every kind of retriever, in its several forms, keeps the contract of its seam."""

from collections.abc import Mapping

import pytest
from tests.contracts.worlds import world

from encorec.retrieval.als import ALSConfig
from encorec.retrieval.covisitation import CovisitationConfig
from encorec.retrieval.ease import EASEConfig
from encorec.retrieval.item_knn import ItemKNNConfig
from encorec.retrieval.popularity import PopularityConfig
from encorec.retrieval.registry import RETRIEVERS, RetrieverConfig, make_retriever
from encorec.retrieval.repeats import RepeatsConfig
from encorec.testing import RetrieverCase, check_retriever, yield_retriever_checks
from encorec.testing.retriever import RetrieverCheck

CONFIGS: Mapping[str, RetrieverConfig] = {
    "popularity": PopularityConfig(),
    "popularity, window": PopularityConfig(days=14),
    "popularity, half-life": PopularityConfig(half_life_days=10),
    "popularity, segments": PopularityConfig(segments=("age", "sex"), min_users=5, days=30, half_life_days=10),
    "item-knn, cosine": ItemKNNConfig(weighting="cosine"),
    "item-knn, tfidf": ItemKNNConfig(neighbours=7, last=3, decay=0.5),
    "item-knn, bm25": ItemKNNConfig(weighting="bm25", neighbours=200),
    "ease, dense": EASEConfig(reg=20),
    "ease, dense, some items": EASEConfig(reg=20, max_items=30, last=5, decay=0.9),
    "ease, truncated": EASEConfig(reg=20, max_items=40, neighbours=9),
    "ease, dual": EASEConfig(reg=20, neighbours=9),
    "als": ALSConfig(embedding_size=8, reg=1, epochs=8),
    "als, decay": ALSConfig(embedding_size=3, reg=0.1, alpha=5, epochs=8, decay=0.8),
    "covisitation": CovisitationConfig(),
    "covisitation, both ways": CovisitationConfig(window=2, last=3, damping=0, backward=0.5),
    "repeats": RepeatsConfig(half_life_days=10),
}
WORLD = world()
CROWD = world(users=150, rows=1500)  # as many users as items, so that EASE solves the primal form


def case_of(name: str, config: RetrieverConfig) -> RetrieverCase:
    data = CROWD if name == "ease, truncated" else WORLD
    tolerance = 1e-3 if isinstance(config, ALSConfig) else 1e-5  # alternations start from random vectors of the users
    return RetrieverCase(lambda: make_retriever(config), data, tolerance=tolerance)


CASES = {name: case_of(name, config) for name, config in CONFIGS.items()}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("check", list(yield_retriever_checks()), ids=lambda check: check.__name__)
def test_contract_holds(check: RetrieverCheck, name: str) -> None:
    check(CASES[name])


def test_every_registered_kind_is_held_to_it() -> None:
    assert {type(config) for config in CONFIGS.values()} == set(RETRIEVERS)


@pytest.mark.parametrize(
    ("name", "learnt", "absent"),
    [
        ("ease, dense", "weights", "inverse"),
        ("ease, truncated", "value", "inverse"),
        ("ease, dual", "inverse", "weights"),
    ],
)
def test_forms_of_ease_are_what_they_are_called(name: str, learnt: str, absent: str) -> None:
    arrays = CASES[name].model.arrays()
    assert learnt in arrays
    assert absent not in arrays


def test_segments_are_counted_apart() -> None:
    assert len(CASES["popularity, segments"].model.arrays()["code"]) > 3


def test_one_call_runs_every_check() -> None:
    check_retriever(lambda: make_retriever(CovisitationConfig()), WORLD, rng_seed=3)
