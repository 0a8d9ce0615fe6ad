"""Feature columns counted by hand."""

import numpy as np
import pytest

from encorec.data.exploration.columns import Value, columns_of
from encorec.data.features import Categories, FeatureTable, Tags

COUNTS = np.array([6, 0, 3, 1])


def test_a_number_by_its_quantiles_and_what_is_missing() -> None:
    [found] = columns_of(FeatureTable(4, {"age": np.array([20, np.nan, np.nan, 40], np.float32)}), COUNTS)
    assert (found.kind, found.distinct, found.values) == ("number", 2, ())
    assert (found.missing, found.missing_active, found.missing_rows) == (0.5, pytest.approx(1 / 3), 0.3)
    assert (found.quantiles["0%"], found.quantiles["50%"], found.quantiles["100%"]) == (20, 30, 40)
    assert found.quantiles["mean"] == 30


def test_a_category_by_how_many_have_it_and_how_much_they_do() -> None:
    [found] = columns_of(FeatureTable(4, categorical={"sex": Categories.of(["F", "M", "M", None])}), COUNTS)
    assert found.values == (Value("M", 2, 0.5, 0.3), Value("F", 1, 0.25, 0.6))
    assert (found.missing, found.missing_rows) == (0.25, 0.1)


def test_tags_of_one_item_count_for_each_of_them() -> None:
    tags = Tags.of([["war", "drama"], [], ["war"], []])
    [found] = columns_of(FeatureTable(4, tags={"genres": tags}), COUNTS)
    assert found.values == (Value("war", 2, 0.5, 0.9), Value("drama", 1, 0.25, 0.6))
    assert (found.missing, found.missing_active, found.missing_rows) == (0.5, pytest.approx(1 / 3), 0.1)


def test_values_of_the_vocabulary_that_nobody_has_are_not_listed() -> None:
    [found] = columns_of(FeatureTable(1, categorical={"sex": Categories(np.array([1]), ("F", "M"))}), np.array([0]))
    assert found.values == (Value("M", 1, 1.0, 0.0),)


@pytest.mark.parametrize("size", [0, 3])
def test_nothing_known_of_anybody(size: int) -> None:
    unknown = np.full(size, np.nan, np.float32)
    nothing = FeatureTable(
        size, {"age": unknown}, {"sex": Categories.of([None] * size)}, {"genres": Tags.of([[]] * size)}
    )
    for found in columns_of(nothing, np.zeros(size, int)):
        assert (found.distinct, found.values, found.quantiles, found.missing_rows) == (0, (), {}, 0.0)
        assert found.missing == (1.0 if size else 0.0)


def test_infinite_numbers_are_no_values() -> None:
    [found] = columns_of(FeatureTable(2, {"age": np.array([np.inf, 3], np.float32)}), np.array([1, 1]))
    assert (found.numbers.tolist(), found.missing) == ([3.0], 0.5)
