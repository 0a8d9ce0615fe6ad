"""Indexes propose, exact sums order, and no list is ever short."""

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.contracts.worlds import world
from tests.retrieval.asking import HISTORIES, asks
from tests.retrieval.vector_world import (
    Drawn,
    DrawnConfig,
    drawn_users,
    drawn_vectors,
    sorted_slowly,
    summed_slowly,
)

from encorec.config import decode
from encorec.errors import ArtifactError, ConfigError
from encorec.protocols import Arrays
from encorec.retrieval.index import IndexConfig, ItemIndex, index_kind, learn_index, restore_index
from encorec.retrieval.item_vectors import ItemVectors
from encorec.retrieval.vector_scores import VectorScores
from encorec.testing import RetrieverCase, yield_retriever_checks
from encorec.testing.retriever import RetrieverCheck
from encorec.testing.retriever_answers import scores_agree_with_candidates

ITEMS, SIZE = 2000, 8
CONFIGS = {"hnsw": IndexConfig(kind="hnsw", ef_search=64), "ivf": IndexConfig(kind="ivf", probes=20)}
WHOLE = {"hnsw": IndexConfig(kind="hnsw", ef_search=ITEMS), "ivf": IndexConfig(kind="ivf", probes=ITEMS)}
VECTORS = drawn_vectors(np.random.default_rng(0), ITEMS, SIZE, None)
USERS = drawn_users(np.random.default_rng(1), 40, SIZE, None)
FULL = summed_slowly(USERS, VECTORS)
LEARNT = {kind: learn_index(config, VECTORS, np.random.default_rng(2)) for kind, config in CONFIGS.items()}


def index_of(kind: str, arrays: Arrays | None = None) -> ItemIndex:
    found = restore_index(CONFIGS[kind], LEARNT[kind] if arrays is None else arrays, VECTORS)
    assert found is not None
    return found


INDEXES = {kind: index_of(kind) for kind in CONFIGS}


@pytest.mark.parametrize("kind", CONFIGS)
@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    k=st.sampled_from([0, 1, 10, 300, ITEMS + 5]),
    share=st.sampled_from([0.0, 0.005, 0.01, 0.12, 0.5, 1.0]),
    shared=st.booleans(),
)
def test_lists_are_full_and_scored_exactly_whatever_is_eligible(
    kind: str, seed: int, k: int, share: float, shared: bool
) -> None:
    eligible = np.random.default_rng(seed).random((1 if shared else len(USERS), ITEMS)) < share
    item, score = VectorScores(USERS, VECTORS, INDEXES[kind]).best(eligible, k)
    allowed = np.broadcast_to(eligible, FULL.shape)
    assert ((item >= 0).sum(axis=1) == np.minimum(k, allowed.sum(axis=1))).all()
    for row in range(len(USERS)):
        shown = item[row][item[row] >= 0]
        assert len(set(shown.tolist())) == len(shown)
        assert allowed[row, shown].all()
        assert score[row, : len(shown)].tolist() == FULL[row, shown].tolist()
        assert sorted(shown.tolist(), key=lambda one, row=row: (-FULL[row, one], one)) == shown.tolist()


@pytest.mark.parametrize("kind", CONFIGS)
def test_most_of_the_best_are_found(kind: str) -> None:
    everything = np.ones((1, ITEMS), bool)
    expected = sorted_slowly(FULL, everything, 10)
    found = VectorScores(USERS, VECTORS, INDEXES[kind]).best(everything, 10)[0]
    hits = [len(set(own) & set(best)) for own, best in zip(found.tolist(), expected, strict=True)]
    assert np.mean(hits) >= 8


def test_where_every_list_is_looked_through_all_of_the_best_are_found() -> None:
    everything = np.ones((1, ITEMS), bool)
    index = restore_index(WHOLE["ivf"], LEARNT["ivf"], VECTORS)
    found = VectorScores(USERS, VECTORS, index).best(everything, 10)[0]
    assert found.tolist() == sorted_slowly(FULL, everything, 10)


@pytest.mark.parametrize("kind", CONFIGS)
def test_an_index_looks_at_items_with_a_vector_alone(kind: str) -> None:
    found = INDEXES[kind].near(USERS[0], ITEMS)
    assert found.dtype == np.int32
    assert len(set(found.tolist())) == len(found) > 50
    assert not set(found.tolist()) & set(VECTORS.unknown.tolist())
    assert INDEXES[kind].near(USERS[0], 0).tolist() == []


@pytest.mark.parametrize("kind", CONFIGS)
def test_items_without_a_vector_are_ranked_by_their_prior_among_the_others(kind: str) -> None:
    known = VECTORS.known
    factors = -np.abs(VECTORS.factors)  # all products are negative, so the popular unknown come first
    vectors = ItemVectors.of(factors, (VECTORS.prior / 1000).astype(np.float32))
    users = np.abs(USERS[2:]) + np.float32(0.1)
    learnt = learn_index(WHOLE[kind], vectors, np.random.default_rng(0))
    item, _ = VectorScores(users, vectors, restore_index(WHOLE[kind], learnt, vectors)).best(
        np.ones((1, ITEMS), bool), 5
    )
    assert item.tolist() == sorted_slowly(summed_slowly(users, vectors), np.ones((1, ITEMS), bool), 5)
    assert not set(item.ravel().tolist()) & set(known.tolist())


@pytest.mark.parametrize("kind", CONFIGS)
def test_a_seed_gives_one_index_and_another_seed_another(kind: str) -> None:
    again, other = (learn_index(CONFIGS[kind], VECTORS, np.random.default_rng(seed)) for seed in (2, 3))
    assert {name: one.tobytes() for name, one in again.items()} == {
        name: one.tobytes() for name, one in LEARNT[kind].items()
    }
    assert any(other[name].tobytes() != LEARNT[kind][name].tobytes() for name in other)


@pytest.mark.parametrize(
    ("check", "kind"),
    [
        pytest.param(check, kind, id=f"{check.__name__}-{kind}")
        for kind in CONFIGS
        for check in yield_retriever_checks()
        if (check, kind) != (scores_agree_with_candidates, "hnsw")  # a graph need not lead to every item
    ],
)
def test_a_model_with_an_index_keeps_the_contract(check: RetrieverCheck, kind: str) -> None:
    check(CASES[kind])


CASES = {
    kind: RetrieverCase(lambda kind=kind: Drawn(DrawnConfig(index=WHOLE[kind])), world(), tolerance=1e-3)
    for kind in CONFIGS
}


def test_a_model_learns_its_index_and_is_restored_with_it() -> None:
    data = world()
    model = Drawn(DrawnConfig(index=CONFIGS["hnsw"])).fit(data, rng=np.random.default_rng(0))
    assert {"index_levels", "index_neighbors", "index_entry"} <= model.arrays().keys()
    restored = Drawn.from_arrays(model.config, model.arrays())
    queries = asks(data, HISTORIES)
    assert restored.retrieve(queries, 5).item.tolist() == model.retrieve(queries, 5).item.tolist()
    again = model.fit(data, rng=np.random.default_rng(0))
    assert again.retrieve(queries, 5).item.tolist() == restored.retrieve(queries, 5).item.tolist()


def test_exact_search_learns_nothing_and_needs_no_config() -> None:
    exact = Drawn(DrawnConfig()).fit(world(), rng=np.random.default_rng(0))
    assert exact.arrays().keys() == {"factors", "prior", "bias"}
    assert restore_index(IndexConfig(), exact.arrays(), exact.vectors) is None


def test_auto_is_exact_up_to_a_size() -> None:
    config = IndexConfig(exact_below=1000)
    assert [index_kind(config, items) for items in (0, 1000, 1001)] == ["exact", "exact", "ivf"]
    assert "index_list" in learn_index(config, VECTORS, np.random.default_rng(0))
    assert learn_index(IndexConfig(kind="hnsw"), ItemVectors.of(np.zeros((2, 3), np.float32), np.zeros(3)), None) == {}  # pyright: ignore[reportArgumentType]


WITHOUT_FAISS = """
import sys
sys.modules["faiss"] = None
import numpy as np
from encorec.errors import MissingExtra
from encorec.retrieval.index import IndexConfig, learn_index
from encorec.retrieval.item_vectors import ItemVectors
vectors = ItemVectors.of(np.ones((2, 5), np.float32), np.zeros(5, np.float32))
print(learn_index(IndexConfig(exact_below=0), vectors, np.random.default_rng(0)))
try:
    learn_index(IndexConfig(kind="hnsw"), vectors, np.random.default_rng(0))
except MissingExtra as error:
    print(error)
"""


def test_without_faiss_auto_is_exact_and_an_index_names_the_extra() -> None:
    run = subprocess.run([sys.executable, "-c", WITHOUT_FAISS], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines() == ["{}", "this needs the package 'faiss-cpu': pip install 'encorec[ann]'"]


def altered(kind: str, name: str, change: Any) -> Arrays:
    arrays = {key: array.copy() for key, array in LEARNT[kind].items()}
    arrays[name] = change(arrays[name])
    return arrays


def put(place: int, value: int) -> Any:
    def change(array: Any) -> Any:
        array.flat[place] = value
        return array

    return change


DAMAGES: dict[str, tuple[str, str, Any]] = {
    "fewer levels": ("hnsw", "index_levels", lambda array: array[:-1]),
    "a level of zero": ("hnsw", "index_levels", put(7, 0)),
    "a level beyond all": ("hnsw", "index_levels", put(7, 1000)),
    "another level": ("hnsw", "index_levels", lambda array: np.roll(array, 1)),
    "fewer links": ("hnsw", "index_neighbors", lambda array: array[:-1]),
    "a link to nothing": ("hnsw", "index_neighbors", put(3, ITEMS)),
    "a link below": ("hnsw", "index_neighbors", put(3, -2)),
    "a wide link": ("hnsw", "index_neighbors", lambda array: array.astype(np.int64)),
    "no entry": ("hnsw", "index_entry", lambda array: array[:0]),
    "an entry beyond": ("hnsw", "index_entry", put(0, ITEMS)),
    "an entry of a lower level": ("hnsw", "index_entry", put(0, int(np.argmin(LEARNT["hnsw"]["index_levels"])))),
    "fewer lists": ("ivf", "index_list", lambda array: array[:-1]),
    "a list beyond": ("ivf", "index_list", put(0, 10**6)),
    "a list below": ("ivf", "index_list", put(0, -1)),
    "centroids of another size": ("ivf", "index_centroids", lambda array: array[:, :-1]),
    "centroids of nothing": ("ivf", "index_centroids", lambda array: array * np.nan),
    "flat centroids": ("ivf", "index_centroids", lambda array: array.ravel()),
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES)
def test_arrays_that_do_not_fit_are_refused_before_faiss_sees_them(damage: str) -> None:
    kind, name, change = DAMAGES[damage]
    with pytest.raises(ArtifactError, match="train again"):
        index_of(kind, altered(kind, name, change))


def test_a_link_to_an_item_of_a_lower_level_is_refused() -> None:
    arrays = {key: array.copy() for key, array in LEARNT["hnsw"].items()}
    levels, links = arrays["index_levels"], CONFIGS["hnsw"].links
    high = int(np.flatnonzero(levels > 1)[0])
    start = int(2 * links * high + links * (levels[:high] - 1).sum())
    arrays["index_neighbors"][start + 2 * links] = np.flatnonzero(levels == 1)[0]
    with pytest.raises(ArtifactError, match="lower levels"):
        index_of("hnsw", arrays)


def test_a_missing_array_is_refused() -> None:
    arrays = {name: array for name, array in LEARNT["hnsw"].items() if name != "index_entry"}
    with pytest.raises(ArtifactError, match="index_entry is missing"):
        index_of("hnsw", arrays)


@pytest.mark.parametrize("kind", CONFIGS)
def test_an_index_of_other_items_is_refused(kind: str) -> None:
    other = drawn_vectors(np.random.default_rng(0), ITEMS + 10, SIZE, None)
    with pytest.raises(ArtifactError, match="train again"):
        restore_index(CONFIGS[kind], LEARNT[kind], other)


def test_a_misspelt_kind_is_named() -> None:
    with pytest.raises(ConfigError, match="did you mean 'hnsw'"):
        decode({"kind": "hnws"}, IndexConfig)


@pytest.mark.parametrize(
    "setting", [{"links": 1}, {"ef_search": 0}, {"ef_construction": 0}, {"lists": 0}, {"probes": 0}]
)
def test_settings_out_of_bounds_are_refused(setting: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=rf"IndexConfig\.{next(iter(setting))} is"):
        IndexConfig(**setting)
