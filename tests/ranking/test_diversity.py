"""Maximal marginal relevance and determinants against the formulas of the papers, written out slowly."""

from math import exp, log, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from encorec.data.features import Categories, FeatureTable, Tags
from encorec.errors import ConfigError
from encorec.ranking.caps import caps_of
from encorec.ranking.diversity import EQUAL, OWN, choose_unlike
from encorec.ranking.item_traits import ItemTraits
from encorec.types import FloatMatrix

GENRES = ("comedy", "drama", "space", "war")


def chosen_by(
    shelf: list[list[str]], value: list[float], k: int, strength: float, *, determinants: bool = False
) -> list[int]:
    """The places chosen from one pool, whose items are the whole catalogue and whose order is that of ``value``."""
    table = FeatureTable(len(shelf), tags={"genres": Tags.of(shelf)})
    traits, n = ItemTraits.of(table).as_vectors(), len(shelf)
    order, item = np.arange(n, dtype=np.int64)[None, :], np.arange(n, dtype=np.int32)
    chosen, over = np.empty((1, k), np.int64), np.empty(1, np.int64)
    caps = caps_of(table, {})
    choose_unlike(
        order, item, np.array([value]), np.array([n]), determinants, strength, traits.size, traits.arrays,
        0, caps, chosen, over,
    )  # fmt: skip
    assert over.tolist() == [0]
    return chosen[0].tolist()


def likeness_of(shelf: list[list[str]]) -> FloatMatrix:
    """Cosines of tf-idf vectors, an item without genres being like nothing but itself."""
    used = sorted({genre for genres in shelf for genre in genres})
    rarity = {genre: log(1 + len(shelf) / sum(genre in genres for genres in shelf)) for genre in used}
    alike = np.eye(len(shelf))
    for one, genres in enumerate(shelf):
        for other, others in enumerate(shelf):
            lengths = [sqrt(sum(rarity[genre] ** 2 for genre in each)) for each in (genres, others)]
            common = sum(rarity[genre] ** 2 for genre in set(genres) & set(others))
            alike[one, other] = 1.0 if one == other else common / (lengths[0] * lengths[1]) if common else 0.0
    return alike


def determinant_gains(alike: FloatMatrix, value: list[float], slate: list[int], strength: float) -> dict[int, float]:
    """Weighted relevance and log determinant of the slate with every other item; the determinant by elimination."""
    kernel = (1 - OWN) * alike + OWN * np.eye(len(value))
    gains: dict[int, float] = {}
    for one in range(len(value)):
        if one not in slate:
            rows = [*slate, one]
            determinant = np.linalg.det(kernel[np.ix_(rows, rows)])
            gains[one] = (1 - strength) * sum(value[row] for row in rows) + strength * log(determinant) / EQUAL
    return gains


shelves = st.lists(st.lists(st.sampled_from(GENRES), max_size=3, unique=True), min_size=1, max_size=8).filter(any)
values = st.lists(st.floats(0, 1), min_size=8, max_size=8)
strengths = st.sampled_from([0.1, 0.3, 0.5, 0.8, 1.0])


def falling(value: list[float], n: int) -> list[float]:
    return sorted(value[:n], reverse=True)


@given(shelves, values, strengths, st.integers(1, 9))
def test_marginal_relevance_is_that_of_the_paper(
    shelf: list[list[str]], value: list[float], strength: float, k: int
) -> None:
    value = falling(value, len(shelf))
    alike = likeness_of(shelf)
    slate = chosen_by(shelf, value, k, strength)
    for step, one in enumerate(slate[: len(shelf)]):
        before = slate[:step]
        gains = {
            other: (1 - strength) * value[other] - strength * max((alike[other, had] for had in before), default=0.0)
            for other in range(len(shelf))
            if other not in before
        }
        assert gains[one] == pytest.approx(max(gains.values()), abs=1e-9)
    assert slate[len(shelf) :] == [-1] * max(k - len(shelf), 0)


@given(shelves, values, strengths, st.integers(1, 6))
def test_determinants_grow_as_by_brute_force(
    shelf: list[list[str]], value: list[float], strength: float, k: int
) -> None:
    """Greedy maximum a posteriori: every step takes the item of the largest determinant, computed anew."""
    value = falling(value, len(shelf))
    alike = likeness_of(shelf)
    slate = chosen_by(shelf, value, k, strength, determinants=True)
    for step, one in enumerate(slate[: len(shelf)]):
        gains = determinant_gains(alike, value, slate[:step], strength)
        assert gains[one] == pytest.approx(max(gains.values()), abs=1e-6)


@given(shelves, values, st.booleans())
def test_without_strength_the_order_is_that_of_relevance(
    shelf: list[list[str]], value: list[float], determinants: bool
) -> None:
    value = falling(value, len(shelf))
    assert chosen_by(shelf, value, len(shelf), 0.0, determinants=determinants) == list(range(len(shelf)))


def test_a_slate_worked_by_hand() -> None:
    """Two equal war films, then space: at strength 1/2 the second war film is worth .45 - .5, space .2."""
    shelf, value = [["war"], ["war"], ["space"]], [1.0, 0.9, 0.4]
    assert chosen_by(shelf, value, 3, 0.5) == [0, 2, 1]
    assert chosen_by(shelf, value, 3, 0.1) == [0, 1, 2]
    assert chosen_by(shelf, value, 2, 0.5, determinants=True) == [0, 2]
    assert chosen_by(shelf, value, 2, 0.1, determinants=True) == [0, 1]


def test_an_item_equal_to_the_slate_loses_one_by_either_measure() -> None:
    """At strength 1/2 an unlike item of a value not quite 1 lower is as good."""
    shelf = [["war"], ["war"], ["space"]]
    for determinants in (False, True):
        assert chosen_by(shelf, [1.0, 1.0, 0.01], 2, 0.5, determinants=determinants) == [0, 2]
        assert chosen_by(shelf, [1.1, 1.1, 0.09], 2, 0.5, determinants=determinants) == [0, 1]


def test_equal_items_do_not_break_the_decomposition() -> None:
    shelf = [["war", "drama"]] * 40
    value = np.linspace(1, 0, 40).tolist()
    assert chosen_by(shelf, value, 40, 1.0, determinants=True)[0] == 0
    assert sorted(chosen_by(shelf, value, 40, 0.9, determinants=True)) == list(range(40))


def test_vectors_have_length_one_and_rare_traits_weigh_more() -> None:
    table = FeatureTable(
        3, categorical={"kind": Categories.of(["film", None, "film"])}, tags={"g": Tags.of([["war"], [], ["war", "x"]])}
    )
    traits = ItemTraits.of(table, ("g", "kind")).as_vectors()
    offsets, _, weight = traits.arrays
    lengths = [float((weight[offsets[one] : offsets[one + 1]] ** 2).sum()) for one in range(3)]
    assert lengths == pytest.approx([1, 0, 1])
    last = dict(zip(traits.arrays.code[offsets[2] :].tolist(), weight[offsets[2] :].tolist(), strict=True))
    assert last[1] > last[0]
    assert last[1] / last[0] == pytest.approx(log(1 + 3 / 1) / log(1 + 3 / 2))
    assert exp(EQUAL) == pytest.approx(1 / (1 - 0.81))


@pytest.mark.parametrize(
    ("names", "told"),
    [(("genre",), "did you mean 'genres'"), ((), "neither tags nor categories"), (("year",), "unknown item feature")],
)
def test_features_that_are_not_there_are_refused(names: tuple[str, ...], told: str) -> None:
    table = FeatureTable(1, {"year": np.array([1984.0], np.float32)}, tags={"genres": Tags.of([["war"]])})
    with pytest.raises(ConfigError, match=told):
        ItemTraits.of(table, names)
