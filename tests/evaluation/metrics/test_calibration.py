"""Calibration against a twin of dictionaries, values worked by hand, and scipy."""

from collections import defaultdict
from math import log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon
from scipy.stats import entropy
from tests.evaluation.worlds import World, worlds

from encorec.data.features import Categories, FeatureTable, Tags
from encorec.errors import ConfigError
from encorec.evaluation.metrics.calibration import calibration, genres_of
from encorec.evaluation.metrics.lists import judge
from encorec.evaluation.options import CalibrationDivergence
from encorec.types import ItemLists

CUTS = st.integers(1, 10)
GENRES = st.lists(st.lists(st.integers(0, 4), unique=True, max_size=3), min_size=12, max_size=12)
DIVERGENCES: list[CalibrationDivergence] = ["kl", "js"]


def shares(items: list[int], genres: list[list[int]]) -> dict[int, float]:
    total: dict[int, float] = defaultdict(float)
    described = [item for item in items if genres[item]]
    for item in described:
        for genre in genres[item]:
            total[genre] += 1 / len(genres[item]) / len(described)
    return total


def slow_divergence(
    shown: list[int], had: list[int], genres: list[list[int]], divergence: str, alpha: float
) -> tuple[float, bool]:
    p, q = shares(had, genres), shares(shown, genres)
    if not p or (shown and not q):
        return 0.0, False
    if not shown:
        return (-log(alpha) if divergence == "kl" else log(2)), True
    every = sorted({*p, *q})
    left, right = [p.get(one, 0.0) for one in every], [q.get(one, 0.0) for one in every]
    if divergence == "js":
        return float(jensenshannon(left, right)) ** 2, True
    mixed = [(1 - alpha) * two + alpha * one for one, two in zip(left, right, strict=True)]
    return sum(one * log(one / two) for one, two in zip(left, mixed, strict=True) if one), True


@given(
    divergence=st.sampled_from(DIVERGENCES), world=worlds(), genres=GENRES, k=CUTS, alpha=st.sampled_from([0.01, 0.3])
)
def test_calibration_equals_its_slow_twin(
    divergence: CalibrationDivergence, world: World, genres: list[list[int]], k: int, alpha: float
) -> None:
    had = [sorted({item for user, item in world.seen if user == row}) for row in range(len(world.shown))]
    expected = [
        slow_divergence(row[:k], one, genres, divergence, alpha) for row, one in zip(world.shown, had, strict=True)
    ]
    found = calibration(world.lists, ItemLists.of(genres), ItemLists.of(had), k, divergence=divergence, alpha=alpha)
    assert found.value == pytest.approx([value for value, _ in expected], abs=1e-9)
    assert found.told.tolist() == [told for _, told in expected]


def test_calibration_as_worked_by_hand() -> None:
    """The example of Steck (2018): 70 % romance and 30 % action in the history."""
    genres, history = ItemLists.of([[0], [1]] * 10), ItemLists.of([[0, 2, 4, 6, 8, 10, 12, 1, 3, 5]])
    romance_only = judge(np.array([[0, 2, 4, 6]]), ItemLists.of([[0]]))
    by_hand = 0.7 * log(0.7 / (0.99 + 0.007)) + 0.3 * log(0.3 / 0.003)
    assert calibration(romance_only, genres, history, 4).value == pytest.approx([by_hand])
    both = judge(np.array([[0, 2, 4, 6, 8, 10, 12, 1, 3, 5]]), ItemLists.of([[0]]))
    assert calibration(both, genres, history, 10).value == pytest.approx([0.0], abs=1e-12)
    half = calibration(judge(np.array([[0, 1]]), ItemLists.of([[0]])), genres, history, 2, alpha=1e-12)
    assert half.value == pytest.approx([entropy([0.7, 0.3], [0.5, 0.5])])


@given(world=worlds(), genres=GENRES)
def test_divergences_are_never_negative_and_have_a_ceiling(world: World, genres: list[list[int]]) -> None:
    had = ItemLists.of([sorted({item for _, item in world.seen})] * len(world.shown))
    ceilings: list[tuple[CalibrationDivergence, float]] = [("kl", log(100)), ("js", log(2))]
    for divergence, ceiling in ceilings:
        value = calibration(world.lists, ItemLists.of(genres), had, 5, divergence=divergence).value
        assert ((value >= 0) & (value <= ceiling + 1e-12)).all()


def test_the_only_tags_are_the_genres_or_else_the_only_category() -> None:
    kind = {"kind": Categories.of(["film", None, "series"])}
    tags = {"genre": Tags.of([["drama"], [], ["drama", "war"]])}
    assert genres_of(FeatureTable(3, categorical=kind, tags=tags), None).lengths.tolist() == [1, 0, 2]
    assert genres_of(FeatureTable(3, categorical=kind), None).lengths.tolist() == [1, 0, 1]
    assert genres_of(FeatureTable(3, categorical=kind, tags=tags), "kind").item.tolist() == [0, 1]


def test_what_is_meant_by_genre_must_be_clear() -> None:
    tags = {name: Tags.of([["a"]]) for name in ("genre", "country")}
    with pytest.raises(ConfigError, match="the items have genre, country; name it: calibration_feature"):
        genres_of(FeatureTable(1, tags=tags), None)
    with pytest.raises(ConfigError, match="neither tags nor categories"):
        genres_of(FeatureTable(1, numeric={"year": np.ones(1)}), None)
    with pytest.raises(ConfigError, match="unknown calibration_feature 'genres': did you mean 'genre'"):
        genres_of(FeatureTable(1, tags=tags), "genres")
