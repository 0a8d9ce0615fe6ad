"""Intra-list distance against a slow twin that reads one pair of items after the other."""

from dataclasses import dataclass
from itertools import combinations
from math import isnan, nan, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.evaluation.worlds import World, worlds

from encorec.data.features import Categories, FeatureTable, Tags
from encorec.errors import DataError
from encorec.evaluation.metrics import diversity
from encorec.evaluation.metrics.diversity import ItemAttributes, intra_list_distance, unknown_pairs
from encorec.evaluation.metrics.lists import judge
from encorec.evaluation.options import IldDistance
from encorec.types import ItemLists

DISTANCES: list[IldDistance] = ["hamming", "hamming_share", "jaccard", "cosine"]
CUTS = st.integers(1, 10)


@dataclass(frozen=True)
class Film:
    """An item as a slow twin reads it."""

    year: float
    kind: str | None
    genres: frozenset[str]
    countries: frozenset[str]

    @property
    def known(self) -> bool:
        return not isnan(self.year) and self.kind is not None

    @property
    def has(self) -> set[str]:
        return {f"{self.year}", f"{self.kind}", *self.genres, *self.countries}


GENRES, COUNTRIES = [f"genre {i:02}" for i in range(70)], ["FR", "IT", "RU"]
FILMS = st.builds(
    Film,
    year=st.sampled_from([1999.0, 2000.0, nan]),
    kind=st.sampled_from(["film", "series", None]),
    genres=st.frozensets(st.sampled_from([GENRES[0], GENRES[1], GENRES[68]])),
    countries=st.frozensets(st.sampled_from(COUNTRIES)),
)


def table_of(films: list[Film]) -> FeatureTable:
    columns = {
        "genre": [sorted(film.genres) for film in films],
        "country": [sorted(film.countries) for film in films],
    }
    names = {"genre": GENRES, "country": COUNTRIES}
    tags = {
        name: Tags(ItemLists.of([[names[name].index(one) for one in row] for row in rows]), tuple(names[name]))
        for name, rows in columns.items()
    }
    years = np.array([film.year for film in films], np.float32)
    kinds = Categories.of([film.kind for film in films])
    return FeatureTable(len(films), numeric={"year": years}, categorical={"kind": kinds}, tags=tags)


def apart(one: Film, other: Film, distance: IldDistance) -> float:
    if distance == "jaccard":
        return 1 - len(one.has & other.has) / len(one.has | other.has)
    if distance == "cosine":
        return 1 - len(one.has & other.has) / sqrt(len(one.has) * len(other.has))
    columns = (one.year != other.year) + (one.kind != other.kind)
    differing = columns + len(one.genres ^ other.genres) + len(one.countries ^ other.countries)
    return differing / (2 + len(GENRES) + len(COUNTRIES)) if distance == "hamming_share" else differing


@given(distance=st.sampled_from(DISTANCES), world=worlds(), films=st.lists(FILMS, min_size=12, max_size=12), k=CUTS)
def test_intra_list_distance_equals_its_slow_twin(
    distance: IldDistance, world: World, films: list[Film], k: int
) -> None:
    expected, skipped = [], 0
    for row in world.shown:
        every = list(combinations([films[item] for item in row[:k]], 2))
        known = [apart(one, other, distance) for one, other in every if one.known and other.known]
        expected.append(sum(known) / len(known) if known else 0.0)
        skipped += len(every) - len(known)
    attributes = ItemAttributes.of(table_of(films))
    assert intra_list_distance(world.lists, attributes, k, distance=distance) == pytest.approx(expected)
    assert unknown_pairs(world.lists, attributes, k, distance=distance) == skipped


@given(
    distance=st.sampled_from(DISTANCES),
    world=worlds(),
    films=st.lists(FILMS, min_size=12, max_size=12),
    random=st.randoms(),
)
def test_the_order_of_a_list_does_not_matter(
    distance: IldDistance, world: World, films: list[Film], random: np.random.Generator
) -> None:
    attributes = ItemAttributes.of(table_of(films))
    shuffled = [list(row) for row in world.shown]
    for row in shuffled:
        random.shuffle(row)
    other = World(shuffled, world.relevant, world.seen, world.items, world.width)
    before = intra_list_distance(world.lists, attributes, 12, distance=distance)
    assert intra_list_distance(other.lists, attributes, 12, distance=distance) == pytest.approx(before)


def test_hamming_as_published_by_rectools() -> None:
    features = FeatureTable(5, numeric={"feature_1": np.array([9, 0, 0, 1, 0]), "feature_2": np.array([9, 0, 1, 1, 0])})
    lists = judge(np.array([[1, 2, 3], [1, 4, -1]]), ItemLists.of([[1], [1]]))
    attributes = ItemAttributes.of(features)
    by_cut = {k: intra_list_distance(lists, attributes, k, distance="hamming").tolist() for k in (1, 2, 3)}
    assert by_cut == {1: [0.0, 0.0], 2: [1.0, 0.0], 3: [pytest.approx(1.33333333), 0.0]}


def test_items_without_anything_cannot_be_compared_as_sets() -> None:
    attributes = ItemAttributes.of(FeatureTable(3, tags={"genre": Tags.of([[], ["drama"], []])}))
    lists = judge(np.array([[0, 1, 2]]), ItemLists.of([[0]]))
    assert unknown_pairs(lists, attributes, 3, distance="jaccard") == 3
    assert unknown_pairs(lists, attributes, 3, distance="cosine") == 3
    assert unknown_pairs(lists, attributes, 3, distance="hamming") == 0
    assert intra_list_distance(lists, attributes, 3, distance="hamming").item() == pytest.approx(2 / 3)


def test_distances_do_not_depend_on_how_many_users_are_taken_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    recommended = rng.permuted(np.tile(np.arange(30), (50, 1)), axis=1)[:, :7]
    lists = judge(recommended, ItemLists.of([[0]] * 50))
    attributes = ItemAttributes.of(FeatureTable(30, numeric={"year": rng.integers(0, 5, 30).astype(np.float32)}))
    at_once = intra_list_distance(lists, attributes, 7, distance="cosine")
    monkeypatch.setattr(diversity, "_USERS_AT_ONCE", 8)
    assert (intra_list_distance(lists, attributes, 7, distance="cosine") == at_once).all()


def test_items_without_features_cannot_be_told_apart() -> None:
    with pytest.raises(DataError, match="the items have no features"):
        ItemAttributes.of(FeatureTable(3))
